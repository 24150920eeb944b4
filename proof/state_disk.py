"""A disk that is full, broken, read-only, or holds something else; and power cuts."""

import collections
import contextlib
import errno
import os
import platform
import shutil
import signal
import sqlite3
import subprocess

import rig
import state_counts

PAGE = 4096


@contextlib.contextmanager
def small_disk(path, size):
    """A file system of its own at `path`; None where mounting is not allowed."""
    path.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "proof", str(path)], capture_output=True, timeout=30,
        check=False)
    if done.returncode:
        yield None
        return
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], capture_output=True, timeout=30, check=False)


def fill(path):
    """Leaves no room on its file system."""
    with open(path / "ballast", "wb", buffering=0) as file:
        for size in (1 << 16, PAGE, 512, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * size)


def _went_on(daemon, issuer, findings, at):
    """Whatever happened: it lives, serves, renews; and does after kill -9 too."""
    for then in ("", ", after kill -9"):
        served = daemon.await_get(seconds=20)
        findings.check(served == (200, None), f"{at}{then}: a call got {served}")
        renewed = daemon.refresh()
        findings.check(renewed and renewed[0] == 200, f"{at}{then}: the next renewal: {renewed}")
        if not then:
            daemon.stop(signal.SIGKILL)
            ended = daemon.try_start()
            if not findings.check(ended is None, f"{at}: does not start again: {ended}"):
                return
    findings.check(issuer.spent_twice == 0, f"{at}: {issuer.spent_twice} refresh tokens were spent twice")


def full(stage, findings):
    """A disk without room: before a renewal, and between its mark and its answer."""
    with small_disk(stage.path / "disk", "3m") as disk:
        if not disk:
            return [("a full disk", "not tried: mounting is not allowed here")]
        issuer = stage.issuer
        daemon = stage.daemon(categories=state_counts.categories(2_000), is_stepped=False, state=disk / "state")
        findings.check(daemon.await_get() == (200, None), "full disk: no credential at the start")
        tries = begun = 0
        fill(disk)
        for _ in range(5):
            before = issuer.refreshes + issuer.logins
            answer = daemon.refresh()
            tries += 1
            findings.check(answer and answer[0] == 409 and "full" in answer[1], f"full disk: a renewal: {answer}")
            is_begun = issuer.refreshes + issuer.logins > before
            findings.check(not is_begun, "full disk: a renewal was begun that cannot be saved")
            begun += is_begun
            findings.check(daemon.get() == (200, None), "full disk: what is held is not served")
        status, words = daemon.command("refresh", "pay")
        findings.check(status == 1 and "full" in words, f"full disk: the command: {status} {words}")
        limited = [daemon.get("/hour/x") for _ in range(40)]
        findings.check(
            all(answer and answer[0] in (200, 429) for answer in limited), f"full disk: calls under a limit: {limited}")
        (disk / "ballast").unlink()
        _went_on(daemon, issuer, findings, "full disk, with room again")
        logins = issuer.logins
        findings.check(logins == 1, f"full disk: {logins} logins, although no token was in doubt")

        # Room for the mark, none for what comes of it. First the daemon's own renewal, after a refusal: what is new
        # lives in the process until there is room.
        issuer.before_answer = lambda grant: fill(disk)
        issuer.live.clear()
        served = daemon.await_get(seconds=20)
        findings.check(served == (200, None), f"full disk behind the mark: a call got {served}")
        issuer.before_answer = lambda grant: None
        (disk / "ballast").unlink()
        findings.check(daemon.get() == (200, None), "full disk behind the mark: the next call does not pass")
        with contextlib.suppress(rig.Failure):
            rig.wait_until(lambda: "lives in this process alone" in daemon.log.read_text(), "the log's word", 10)
        said = daemon.log.read_text()
        findings.check("lives in this process alone" in said, f"full disk behind the mark: the log says {said[-700:]}")
        # Then an operator's, whose answer is lost, and which says so.
        issuer.before_answer = lambda grant: fill(disk)
        answer = daemon.refresh()
        findings.check(answer and answer[0] == 409 and "lost" in answer[1], f"full disk behind the mark: {answer}")
        issuer.before_answer = lambda grant: None
        (disk / "ballast").unlink(missing_ok=True)
        _went_on(daemon, issuer, findings, "full disk behind the mark, with room again")
        return [
            ("renewals with a full disk", tries + 3),
            ("  begun without room for their mark", begun),
            ("  logins that became necessary, for the one that was under way", issuer.logins - logins)]


REFUSALS = [
    (("fdatasync", "fsync"), errno.EIO), (("pwrite64",), errno.EIO), (("pwrite64",), errno.ENOSPC),
    (("pread64",), errno.EIO), (("openat",), errno.EIO), (("openat",), errno.EMFILE), (("ftruncate",), errno.EIO),
    (("flock",), errno.ENOLCK),
    (("pwrite64", "fdatasync", "fsync", "ftruncate", "openat"), errno.EROFS),
]
# A renewal makes some ten writes and syncs: the errors begin at each of the first.
DEPTH = 8


def broken(stage, findings, count=None, dice=None):
    """Calls of the system that answer an error, from the nth on, during a renewal; `count` of them by chance."""
    if platform.machine() != "x86_64" or os.geteuid():
        return [("errors of the disk during a renewal", "not tried: needs root, and x86-64")]
    issuer = stage.issuer
    daemon = stage.daemon(categories=state_counts.categories(1_000_000))
    findings.check(daemon.await_get() == (200, None), "broken disk: no credential at the start")
    tally, refused = collections.Counter(), 0
    cases = [(calls, number, first) for calls, number in REFUSALS for first in range(1, DEPTH + 1)]
    for calls, number, first in cases if not count else dice.sample(cases, count):
        at = f"broken disk, {'/'.join(calls)} answers {errno.errorcode[number]} from the {first}. on"
        before = issuer.refreshes, issuer.logins
        daemon.steps({"refuse": {"calls": calls, "error": number, "under": str(daemon.state), "from": first}})
        answer = daemon.refresh()
        limited = [daemon.get("/hour/x") for _ in range(2)]
        served = daemon.get()
        daemon.steps({})
        refused += daemon.said("entered")[-1]["refused"]
        if not findings.check(daemon.process.poll() is None, f"{at}: the daemon ended"):
            daemon.start()
            continue
        is_begun = (issuer.refreshes, issuer.logins) != before
        findings.check(answer is not None, f"{at}: no answer")
        # The first write is the mark's: without it nothing may have been sent.
        cannot_save = first == 1 and {"pwrite64", "fdatasync"} & set(calls)
        findings.check(not (cannot_save and is_begun), f"{at}: a renewal was begun that cannot be saved")
        findings.check(
            served == (200, None) or is_begun and served == (401, None), f"{at}: a call got {served}; {answer}")
        findings.check(
            all(one and one[0] in (200, 429, 401) for one in limited), f"{at}: calls under a limit got {limited}")
        if answer and answer[0] != 200:
            findings.check("pay" in answer[1] or "state" in answer[1], f"{at}: words without a reason: {answer}")
        tally["begun" if is_begun else "not begun"] += 1
        _went_on(daemon, issuer, findings, f"{at}, then no more")
    findings.check(refused > 0 or count, "broken disk: nothing was refused")
    return [
        ("errors of the disk that last for a renewal, from one of its calls on", sum(tally.values())),
        ("  system calls that answered one", refused),
        ("  renewals", ", ".join(f"{name} {number}" for name, number in sorted(tally.items()))),
        ("  refresh tokens spent twice", issuer.spent_twice)]


def filled(stage, name="template", is_log_emptied=True):
    """A state directory with a credential, counts and a trail, and nobody in it."""
    daemon = stage.daemon(name, categories=state_counts.categories(1_000_000), is_stepped=False)
    daemon.await_get()
    daemon.refresh()
    for _ in range(3):
        daemon.get("/hour/x")
    daemon.stop()
    if is_log_emptied:
        _empty_log(daemon.state / "tollkey.db")
        _empty_log(daemon.state / "quota.db")
    return daemon


def _empty_log(path):
    """Has SQLite take its log over into the database, and remove it: what is damaged then is not mended from there."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


# Words of docs/state.md, "When it cannot be opened".
CLEAR = (
    "damaged", "not a database of Tollkey", "another program's database", "sealed with", "is missing", "later version",
    "can write to", "can read", "cannot be opened or written", "cannot be made", "no regular file", "64 hexadecimal",
    "is no directory", "cannot be used", "belongs to", "key")


def _contents(path):
    return {
        str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*"))
        if file.is_file() and not file.name.endswith("-shm")}


def foreign(stage, findings, count=None, dice=None):
    """What stands in the state's place, and is none: refused in words, and left as it is. `count` kinds by chance."""
    daemon = filled(stage)
    good = daemon.path / "good"
    shutil.copytree(daemon.state, good)

    def sql(*statements):
        def act(state):
            with contextlib.closing(sqlite3.connect(state / "tollkey.db")) as database:
                for statement in statements:
                    database.execute(statement)
                database.commit()
        return act

    def others(state):
        for file in state.glob("tollkey.db*"):
            file.unlink()
        sql("CREATE TABLE record (a)")(state)

    def write(name, content):
        return lambda state: (state / name).write_bytes(content)

    cases = {
        "text for a database": write("tollkey.db", b"not a database at all\n" * 400),
        "an empty database": write("tollkey.db", b""),
        "half a database": lambda state: os.truncate(state / "tollkey.db", (state / "tollkey.db").stat().st_size // 2),
        "another program's database": others,
        "a database of a later version": sql("PRAGMA user_version = 99"),
        "a database without its table": sql("DROP TABLE record"),
        "no key": lambda state: (state / "key").unlink(),
        "another key": write("key", b"0123456789abcdef" * 4 + b"\n"),
        "half a key": write("key", b"0123456789abcdef\n"),
        "a key that others can read": lambda state: (state / "key").chmod(0o644),
        "a directory that others can write to": lambda state: state.chmod(0o777),
        "a directory for a database": lambda state: ((state / "tollkey.db").unlink(), (state / "tollkey.db").mkdir()),
        "text for the counts": write("quota.db", b"not a database at all\n" * 400),
        "half the counts": lambda state: os.truncate(state / "quota.db", PAGE // 2),
    }
    names = dice.sample(sorted(cases), count) if count else list(cases)
    for name in names:
        shutil.rmtree(daemon.state)
        shutil.copytree(good, daemon.state)
        cases[name](daemon.state)
        before = _contents(daemon.state)
        calls = stage.issuer.logins + stage.issuer.refreshes
        ended = daemon.try_start()
        if not findings.check(ended is not None, f"{name}: starts all the same"):
            daemon.stop(signal.SIGKILL)
            continue
        findings.check(ended[0] and 0 < ended[0] < 128, f"{name}: ended with {ended}")
        findings.check(any(words in ended[1] for words in CLEAR), f"{name}: no clear words: {ended[1]}")
        after = _contents(daemon.state)
        # The counts have been opened by then, which leaves a log of theirs.
        changed = [file for file in before if before[file] != after.get(file)]
        findings.check(not changed, f"{name}: {', '.join(changed)} changed before the refusal")
        findings.check(stage.issuer.logins + stage.issuer.refreshes == calls, f"{name}: a login was made")
        status, words = daemon.command("refresh", "pay")
        findings.check(0 < status < 128 or "counts" in name, f"{name}: the command: {status} {words}")
    shutil.rmtree(daemon.state)
    shutil.copytree(good, daemon.state)
    logins = stage.issuer.logins
    daemon.start()
    findings.check(daemon.get() == (200, None) and stage.issuer.logins == logins, "what was put back is not used")
    return [("foreign, cut, missing or unsafe files, refused in words and left as they are", len(names))]


def read_only(stage, findings):
    with small_disk(stage.path / "disk", "3m") as disk:
        if not disk:
            return [("a read-only disk", "not tried: mounting is not allowed here")]
        daemon = stage.daemon(is_stepped=False, state=disk / "state")
        daemon.await_get()
        remount = ["mount", "-o", "remount,ro", str(disk)]
        daemon.stop()
        subprocess.run(remount, check=True, timeout=30)
        ended = daemon.try_start()
        findings.check(
            ended and 0 < ended[0] < 128 and any(words in ended[1] for words in CLEAR), f"read-only disk: {ended}")
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True, timeout=30)
        daemon.start()
        _went_on(daemon, stage.issuer, findings, "a disk that was read-only")
        return [("starts on a read-only disk, refused in words", 1)]


# What is flipped, and how often: the database most, in which the tokens are.
DATABASES = ["tollkey.db"] * 6 + ["quota.db"] * 2 + ["key"]


def bit_flips(stage, findings, count, dice):
    """One bit in each copy of the state. Either it is refused in words, or all is well, or one record is said to be
    altered; nothing is sent that was not issued."""
    tally = _flips(filled(stage), stage.issuer, findings, count, dice, DATABASES, is_log=False)
    return [
        ("bits flipped, one in each copy of the state", count),
        ("  outcome", ", ".join(f"{name} {number}" for name, number in sorted(tally.items())))]


def log_flips(stage, findings, count, dice):
    """The same in SQLite's log, which takes a frame that does not fit for the log's end: what was saved from there on
    is forgotten, and nobody can tell. Counted, and said; what must not be is a crash or a token that never was."""
    daemon = filled(stage, is_log_emptied=False)
    if not (daemon.state / "tollkey.db-wal").exists():
        return [("bits flipped in SQLite's log", "not tried: there is none after a stop")]
    tally = _flips(daemon, stage.issuer, findings, count, dice, ["tollkey.db-wal"], is_log=True)
    return [
        ("bits flipped in SQLite's log", count),
        ("  outcome", ", ".join(f"{name} {number}" for name, number in sorted(tally.items())))]


def _flips(daemon, issuer, findings, count, dice, names, is_log):
    good = daemon.path / "good"
    shutil.copytree(daemon.state, good)
    moment = issuer.history[-1][0]
    tally = collections.Counter()
    for number in range(count):
        name = names[number % len(names)]
        size = (good / name).stat().st_size
        # All over the file, in even steps from a place by chance, so that no region is left out.
        byte = (number * size // count + dice.randrange(max(1, size // count + 1))) % size
        bit = dice.randrange(8)
        at = f"bit {bit} of byte {byte} of {name} of {size}"
        shutil.rmtree(daemon.state)
        shutil.copytree(good, daemon.state)
        with open(daemon.state / name, "r+b") as file:
            file.seek(byte)
            was = file.read(1)[0]
            file.seek(byte)
            file.write(bytes([was ^ 1 << bit]))
        unknown, twice = issuer.unknown, issuer.spent_twice
        ended = daemon.try_start()
        if ended:
            findings.check(0 < (ended[0] or 0) < 128, f"{at}: ended with {ended[0]}: {ended[1]}")
            findings.check(any(words in ended[1] for words in CLEAR), f"{at}: no clear words: {ended[1]}")
            tally["refused"] += 1
        else:
            served = daemon.await_get(seconds=5)
            renewed = daemon.refresh()
            if issuer.spent_twice > twice and is_log:
                tally["the last save forgotten"] += 1
            elif served == (200, None) and renewed and renewed[0] == 200:
                tally["all well"] += 1
            else:
                said = daemon.log.read_text()
                tally["said to be altered or damaged"] += 1
                findings.check(
                    "altered" in said or "damaged" in said or "cannot be read" in said,
                    f"{at}: served {served}, renewed {renewed}: {said[-600:]}")
            findings.check(daemon.process.poll() is None, f"{at}: the daemon ended by itself")
            daemon.stop(signal.SIGKILL)
        findings.check(issuer.unknown == unknown, f"{at}: a token was sent that was never issued")
        findings.check(issuer.spent_twice == twice or is_log, f"{at}: a refresh token was spent twice")
        issuer.settle()
        issuer.restore(moment)
    return tally
