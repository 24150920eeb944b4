"""Power cuts: what a real daemon wrote is written down, and laid out anew as a disk could have it after each step.

What was not synced when the power went is lost, or there, or there in part, page by page. What the names of a folder
say is taken to be in the order in which it was said, as journaling file systems have it; what that leaves open (and
what SQLite does on a file system that loses more) is tested in-process, `StateCrashTests`.
"""

import collections
import json
import os
import pathlib
import shutil
import signal
import time

import state_counts

SECTOR = 512


class Disk:
    """Files as they are, and as they are known to be on the disk."""

    def __init__(self, root, target):
        self.root, self.files, self.synced = str(root), {}, {}
        # Changes since a file was synced last: functions that change a bytearray.
        self.pending = collections.defaultdict(list)
        for path in pathlib.Path(target).rglob("*"):
            if path.is_file():
                self.synced[str(path.relative_to(target))] = path.read_bytes()

    def name(self, path):
        return path[len(self.root):].lstrip("/").removesuffix(" (deleted)")

    def take(self, entry):
        name, call = self.name(entry["path"]), entry["call"]
        if name.endswith("-shm"):
            # An index of the log, which SQLite makes anew from it.
            return
        if call in ("pwrite64", "write"):
            content, offset = bytes.fromhex(entry["bytes"]), entry["offset"]
            for start in range(0, len(content), SECTOR):
                part = content[start:start + SECTOR]
                self.pending[name].append(("write", None if offset is None else offset + start, part))
        elif call == "ftruncate":
            self.pending[name].append(("cut", entry["size"], b""))
        elif call in ("fsync", "fdatasync"):
            if name in self.synced:
                self.synced[name] = self.content(name, self.pending.pop(name, []))
        elif call == "openat" and entry["flags"] & os.O_CREAT:
            self.synced.setdefault(name, b"")
        elif call.startswith("rename"):
            to = self.name(entry["to"])
            self.synced[to] = self.synced.pop(name, b"")
            self.pending[to] = self.pending.pop(name, [])
        elif call.startswith("unlink"):
            self.synced.pop(name, None)
            self.pending.pop(name, None)

    def content(self, name, changes):
        content = bytearray(self.synced[name])
        for kind, offset, part in changes:
            if kind == "cut":
                content[offset:] = b"\0" * max(0, offset - len(content))
                continue
            offset = len(content) if offset is None else offset
            content.extend(b"\0" * max(0, offset - len(content)))
            content[offset:offset + len(part)] = part
        return bytes(content)

    def lay_out(self, target, survives):
        """Writes the folder; `survives` says of each change whether it reached the disk."""
        for name in self.synced:
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_bytes(self.content(name, [change for change in self.pending[name] if survives()]))
            path.chmod(0o600)


def power_cuts(stage, findings, count=None, dice=None):
    """Renewals are written down; then each cut is laid out three times, and a daemon started on it."""
    if os.geteuid():
        return [("power cuts", "not tried: needs root")]
    issuer = stage.issuer
    daemon = stage.daemon(categories=state_counts.categories(10_000))
    daemon.await_get()
    daemon.stop(signal.SIGKILL)
    base = daemon.path / "base"
    shutil.copytree(daemon.state, base)
    record = daemon.path / "record"
    # From the first system call on: what is open by then has been opened under our eyes.
    daemon.start({"record": str(record), "under": str(daemon.state)})
    acknowledged = []
    for _ in range(3 if count else 6):
        answer = daemon.refresh()
        findings.check(answer and answer[0] == 200, f"power cut: a renewal: {answer}")
        acknowledged.append(time.monotonic())
        daemon.get("/hour/x")
        daemon.get()
    daemon.stop(signal.SIGKILL)
    daemon.wrapper = []
    issuer.settle()
    entries = [json.loads(line) for line in record.read_text().splitlines()]
    changes = [
        index for index, entry in enumerate(entries)
        if "tollkey.db" in entry["path"] and not entry["path"].endswith("-shm") and entry["call"] != "openat"]
    findings.check(len(changes) > 20, f"power cut: only {len(changes)} steps were written down")
    cuts = sorted(dice.sample(changes, min(count, len(changes)))) if count else changes
    issued = [moment for moment, _ in issuer.history]
    tally = collections.Counter()
    ways = {"nothing": lambda: False, "everything": lambda: True, "some": lambda: dice.random() < 0.5}
    for cut in cuts:
        moment = entries[cut]["at"]
        for way in dice.sample(sorted(ways), 1) if count else ways:
            disk = Disk(daemon.state, base)
            for entry in entries[:cut + 1]:
                disk.take(entry)
            shutil.rmtree(daemon.state)
            daemon.state.mkdir(mode=0o700)
            disk.lay_out(daemon.state, ways[way])
            issuer.restore(moment)
            before = issuer.refused, issuer.logins, issuer.spent_twice
            at = f"power cut behind step {cut} of {len(entries)}, {way} of what was not synced is there"
            ended = daemon.try_start()
            if not findings.check(ended is None, f"{at}: does not start: {ended}"):
                continue
            served = daemon.get()
            findings.check(served == (200, None), f"{at}: a call got {served}")
            # Acknowledged, and nothing under way behind it.
            is_promised = [time_ for time_ in acknowledged if time_ <= moment]
            is_promised = is_promised and max(t for t in issued if t <= moment) <= is_promised[-1]
            is_kept = issuer.refused == before[0]
            findings.check(is_kept or not is_promised, f"{at}: what was answered as done is lost")
            renewed = daemon.refresh()
            findings.check(renewed and renewed[0] == 200, f"{at}: the next renewal: {renewed}")
            findings.check(issuer.spent_twice == before[2], f"{at}: a refresh token was spent twice")
            tally["went on" if issuer.logins == before[1] else "logged in anew"] += 1
            daemon.stop(signal.SIGKILL)
            issuer.settle()
    findings.check(issuer.unknown == 0, f"power cut: {issuer.unknown} tokens sent that were never issued")
    return [
        ("power cuts, each with what was not synced lost, there, or there in part", sum(tally.values())),
        ("  of steps written down", len(changes)),
        ("  outcome", ", ".join(f"{name} {number}" for name, number in sorted(tally.items()))),
        ("  refresh tokens spent twice", issuer.spent_twice),
    ]
