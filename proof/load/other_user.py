"""The daemon as a user of its own, and what this user's tools see of it."""

import asyncio
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess

import rig
from load import callers, failing, stage

# "nobody" on every Linux.
UID = 65534
COMMAND_SECONDS_MAX = 60


def prepare(play):
    """Whom the daemon is to run as: somebody else than root, where root runs this."""
    if os.getuid() != 0 or not shutil.which("setpriv"):
        return None
    for folder in (play.path.parent, play.path):
        folder.chmod(0o711)
    for folder in (play.secrets, play.shown, play.authority.path):
        for path in (folder, *folder.rglob("*")):
            os.chown(path, UID, UID)
    # Where it is built, others may not look.
    binary = play.path / "tollkey"
    shutil.copy2(play.terms.proxy, binary)
    binary.chmod(0o755)
    play.terms = dataclasses.replace(play.terms, proxy=str(binary))
    return UID


def look(figures, play, api, uid):
    """What the daemon's own user can see of it, and what is left of it when it dies."""
    if uid is None:
        figures.add("another user's tools", "not tried: this needs root and setpriv")
        return
    cores = _with_cores(play, "cores-daemon", uid)
    with failing.daemon(play, "tools", play.provider("plain", api.port), uid, cores) as daemon:
        asyncio.run(callers.call(daemon.port, target="/plain/pay"))
        sleeper = subprocess.Popen(
            [*_with_cores(play, "cores-control", uid), *stage.as_user(uid), "sleep", "600"], stdin=subprocess.DEVNULL)
        try:
            name = pathlib.Path(f"/proc/{sleeper.pid}/comm")
            rig.wait_until(lambda: name.read_text().strip() == "sleep", "a process to compare with")
            for tool, seen in _looks(play, uid).items():
                if not seen(sleeper.pid):
                    figures.add(f"{tool}, the same user", "not tried: refused for any process here, or no such tool")
                    continue
                figures.zero(f"{tool}, the same user: not refused", int(seen(daemon.pid)))
        finally:
            sleeper.send_signal(signal.SIGABRT)
            sleeper.wait()
        daemon.gather()
        figures.zero("ways to kill it that it outlives, or that are told of at length", _kill(daemon))
    if not any((play.shown / "cores-control").iterdir()):
        figures.add("core when it is killed", "not tried: this system leaves none of any process here")
    else:
        figures.zero("core when it is killed", len(list((play.shown / "cores-daemon").iterdir())))
    shutil.rmtree(play.shown / "cores-control")


def _kill(daemon):
    """As a crash does, and systemd's watchdog. Whoever answers that with a look at its own memory shows secrets, and
    keeps its clients waiting."""
    before = daemon.log.stat().st_size
    daemon.is_to_run = False
    daemon.process.send_signal(signal.SIGABRT)
    try:
        daemon.process.wait(rig.PATIENCE / 3)
        is_alive = False
    except subprocess.TimeoutExpired:
        is_alive = True
        for child in stage.children(daemon.pid):
            os.kill(child, signal.SIGKILL)
        daemon.process.kill()
        daemon.process.wait()
    return int(is_alive or daemon.log.stat().st_size > before + 1000)


def _with_cores(play, name, uid):
    folder = play.shown / name
    folder.mkdir(exist_ok=True)
    os.chown(folder, uid, uid)
    return ("/bin/sh", "-c", f'ulimit -c unlimited; cd "{folder}"; exec "$@"', "sh")


def _looks(play, uid):
    """What shows a process to its own user: whether it worked."""
    def tool(*words):
        def look(pid):
            done = subprocess.run(
                [*stage.as_user(uid), *(word.replace("PID", str(pid)) for word in words)],
                stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS_MAX, cwd=play.shown)
            return done.returncode == 0
        return look

    looks = {
        "environ": tool("cat", "/proc/PID/environ"), "mem": tool("head", "-c0", "/proc/PID/mem"),
        "maps": tool("cat", "/proc/PID/maps"), "descriptors": tool("ls", "/proc/PID/fd")}
    if shutil.which("gcore"):
        looks["gcore"] = tool("gcore", "-o", str(play.shown / "cores-control" / "gcore"), "PID")
    return looks
