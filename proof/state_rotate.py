"""Ends, of both kinds, while a provider makes a new key: the old one is dead at once, and the new one is shown once."""

import collections
import errno
import os
import platform
import signal
import threading
import time

import issuer
import rig
import state_disk
import state_kills
import state_stage

PATH = "/keys"
KEPT = "made, and kept"
LOST = "made, not kept: said, and one from the dashboard holds"
SAME = "not made: the same key holds"
# Beyond what a rotation writes, opens, or reads of the state.
DEPTH = 40
# Enough for a daemon that waits for nothing to end in, in seconds.
END = 0.5


class KeyMaker(issuer.Issuer):
    """A provider with one key, which makes another for whoever has it, and as often as it is asked to."""

    def __init__(self, context):
        super().__init__(context)
        # Nobody's connection is waited for that is merely kept.
        self.closes = True
        self.made = self.asked = 0
        self.make()

    def make(self):
        """A new key, and the end of the one before."""
        with self.lock:
            self.made += 1
            return self._issue()["access_token"]

    def api_call(self, path, authorization):
        with self.lock:
            status, answer = super().api_call(path, authorization)
            if path == PATH:
                self.asked += 1
                if status == 200:
                    answer = {"key": self.make()}
        if path == PATH:
            self.before_answer("key")
        return status, answer


class Scene:
    """A key maker and a daemon that has its key from a file."""

    def __init__(self, stage, findings, is_stepped):
        self.findings = findings
        self.maker = stage.ending.enter_context(KeyMaker(stage.authority.context))
        # Outside of the stage, in which nobody may see it.
        self.key = stage.path.with_suffix(".key")
        self.configure()
        text = (
            "providers:\n  pay:\n"
            f"    upstream: https://{rig.HOST}:{self.maker.port}\n"
            f"    addresses: ['127.0.0.1:{self.maker.port}']\n"
            f"    tls: {{ ca: {stage.authority.certificate} }}\n"
            f"    secrets: {{ key: '${{file:{self.key}}}' }}\n"
            "    inject: { Authorization: 'Bearer ${key}' }\n"
            "    probe: { get: /me, authenticated: true }\n"
            f"    rotate: {{ secret: key, post: {PATH}, authenticated: true, read: key }}\n")
        self.daemon = stage.ending.enter_context(
            state_stage.Daemon(stage.path / "daemon", text, stage.binary, is_stepped=is_stepped))
        findings.check(self.daemon.await_get() == (200, None), "key: no working key at the start")

    def configure(self):
        """Puts the key that holds where the configuration takes it from."""
        new = self.key.with_suffix(".new")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(self.maker.access)
        new.rename(self.key)

    def so_far(self):
        """How many keys the provider has made, and how often it was asked to."""
        return self.maker.made, self.maker.asked

    def look_after(self, at, before, answered):
        """Whatever has ended a rotation: what has become of the key, in words. `before` it began it was `so_far`."""
        maker, daemon, check = self.maker, self.daemon, self.findings.check
        maker.settle()
        is_made = maker.made > before[0]
        check(maker.asked <= before[1] + 1, f"{at}: asked {maker.asked - before[1]} times")
        served = daemon.get()
        is_lost = served != (200, None)
        check(not (is_lost and answered), f"{at}: what was answered as done is lost")
        check(is_made or not is_lost, f"{at}: no key was made, and a call got {served}")
        made = maker.made
        status, words = daemon.command("rotate", "pay", "--yes")
        if is_lost:
            check(served and served[0] == 401, f"{at}: a call with a dead key got {served}")
            is_said = status == 1 and "its answer was lost" in words
            check(is_said, f"{at}: that it is lost is not said: {status} {words}")
            check(maker.made == made, f"{at}: a key was made although nobody had the one before")
            # As it tells to do: at the provider's dashboard.
            maker.make()
            self.configure()
            check(daemon.await_get() == (200, None), f"{at}: the new key is not taken from where it was put")
            made = maker.made
            status, words = daemon.command("rotate", "pay", "--yes")
        check(issuer.CANARY not in f"{words}{answered}", f"{at}: a key was shown")
        check(status == 0 and maker.made == made + 1, f"{at}: the next rotation: {status} {words}")
        served = daemon.get()
        check(served == (200, None), f"{at}: after the next rotation a call got {served}")
        status, words = daemon.command("rotate", "pay", "--show")
        check(status == 0 and words.strip() == maker.access, f"{at}: it shows another key: {status}")
        return SAME if not is_made else LOST if is_lost else KEPT

    def rows(self, kills, tally, calls):
        self.findings.check(kills > 0, "key: nothing was killed")
        self.findings.check(self.maker.unknown == 0, f"key: {self.maker.unknown} keys were sent that never held")
        at = ", ".join(f"{call} {number}" for call, number in calls.most_common(6))
        return [
            ("rotations of a key ended by SIGKILL at a system call", kills), ("  at", f"{at}, …"),
            *((f"  {words}", tally[words]) for words in sorted(tally)),
        ]


def daemons(stage, findings, count=None, dice=None):
    """`POST /rotate/pay` to a daemon that is ended at each of its system calls in turn, or at `count` by chance."""
    scene = Scene(stage, findings, is_stepped=True)
    daemon = scene.daemon
    tally, calls = collections.Counter(), collections.Counter()
    for at, before, answer, killed in state_kills.ends(
            daemon, findings, "key", daemon.rotate, scene.so_far, count, dice):
        calls[killed["killed"]] += 1
        daemon.start()
        tally[scene.look_after(at, before, answer)] += 1
    if not count:
        for words in (KEPT, LOST, SAME):
            findings.check(tally[words], f"key: none was {words}")
    return scene.rows(sum(calls.values()), tally, calls)


def stops(stage, findings, count):
    """A daemon that is told to end (SIGTERM) while the provider makes a key: its answer is worth waiting for."""
    scene = Scene(stage, findings, is_stepped=False)
    daemon, maker = scene.daemon, scene.maker
    tally = collections.Counter()
    for number in range(count):
        at, before, ends = f"key, stop {number}", scene.so_far(), []

        def stop():
            ends.append(daemon.stop())

        def hold(_):
            maker.before_answer = lambda _: None
            stopping.start()
            time.sleep(END)

        stopping = threading.Thread(target=stop, daemon=True)
        maker.before_answer = hold
        answer = daemon.rotate()
        stopping.join(rig.PATIENCE)
        findings.check(answer and answer[0] == 200, f"{at}: {answer}")
        findings.check(ends == [0], f"{at}: it ended with {ends}")
        daemon.start()
        tally[scene.look_after(at, before, answer)] += 1
    findings.check(tally[KEPT] == count, f"key, stops: {dict(tally)}")
    return [("rotations of a key while the daemon was told to end", count), ("  kept", tally[KEPT])]


def commands(stage, findings, count, dice):
    """`tollkey rotate` beside a daemon, ended at system calls by chance."""
    scene = Scene(stage, findings, is_stepped=False)
    length = state_kills.command_length(scene.daemon, findings, "rotate", "pay", "--yes")
    tally, calls = collections.Counter(), collections.Counter()
    for step in state_kills.late(count, length, dice):
        at, before = f"key, command, system call {step}", scene.so_far()
        status, words = scene.daemon.command("rotate", "pay", "--yes", plan={"kill": step})
        findings.check(status in (0, -signal.SIGKILL), f"{at}: {status} {words}")
        calls.update(one["killed"] for one in scene.daemon.said("killed", scene.daemon.command_plan))
        tally[scene.look_after(at, before, words if status == 0 else None)] += status != 0
    return scene.rows(sum(tally.values()), tally, calls)


def broken(stage, findings):
    """Calls of the system that answer an error, from the nth on, while a daemon rotates a key: before the provider is
    asked nothing may happen, and behind it the daemon holds what the disk does not take."""
    if platform.machine() != "x86_64" or os.geteuid():
        return [("errors of the disk while a key is rotated", "not tried: needs root, and x86-64")]
    scene = Scene(stage, findings, is_stepped=True)
    daemon, maker, check = scene.daemon, scene.maker, findings.check
    tally = collections.Counter()
    for calls, number, first in [(*one, first) for one in state_disk.REFUSALS for first in range(1, DEPTH + 1)]:
        at = f"key, {'/'.join(calls)} answers {errno.errorcode[number]} from the {first}. on"
        made, asked = scene.so_far()
        daemon.steps({"refuse": {"calls": calls, "error": number, "under": str(daemon.state), "from": first}})
        answer = daemon.rotate()
        daemon.steps({})
        if not check(answer and daemon.process.poll() is None, f"{at}: no answer, or the daemon ended: {answer}"):
            break
        # With a key that is kept, and a bell for the daemon that cannot be rung, it is 409 too.
        is_made, is_done = maker.made > made, "was replaced" in answer[1]
        check(is_done or answer[0] == 409, f"{at}: {answer}")
        check(maker.asked <= asked + 1, f"{at}: asked {maker.asked - asked} times")
        check(is_made or not is_done, f"{at}: nothing was made, and it says: {answer}")
        check(not is_made or first > 1 or not {"pwrite64", "fdatasync"} & set(calls), f"{at}: begun without its mark")
        if is_made and not is_done:
            check("This process alone has it" in answer[1], f"{at}: where the key is, is not said: {answer}")
            again = daemon.rotate()
            check(again and again[0] == 200, f"{at}: on a disk that is well again: {again}")
            check(maker.made == made + 1, f"{at}: another one was made")
        check(issuer.CANARY not in answer[1], f"{at}: a key was shown")
        served = daemon.await_get()
        check(served == (200, None), f"{at}: on a disk that is well again a call got {served}")
        status, words = daemon.command("rotate", "pay", "--show") if is_made else (0, maker.access)
        check(status == 0 and words.strip() == maker.access, f"{at}: it shows another key: {status}")
        tally["not begun" if not is_made else "kept at once" if is_done else "held until the disk was well"] += 1
    for words in ("not begun", "kept at once", "held until the disk was well"):
        check(tally[words], f"key: no error of the disk led to: {words}")
    return [
        ("errors of the disk while a key is rotated", sum(tally.values())),
        *((f"  {words}", tally[words]) for words in sorted(tally)),
    ]
