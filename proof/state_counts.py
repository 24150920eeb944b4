"""Limits: kill -9 at every system call of counting, and two processes that count at once."""

import collections
import functools
import random
import signal
import threading
import time

import rig

CATEGORIES = (
    "    categories:\n"
    "      hour: { match: 'GET /hour/**', limit: LIMIT/hour }\n"
    "      short: { match: 'GET /short/**', limit: 20/2s }\n")
# docs/quotas.md: a lease holds a two-hundredth of the limit ahead, at least one permit.
LEASE_SHARE = 200


def categories(limit):
    return CATEGORIES.replace("LIMIT", str(limit))


def drain(daemon, category, findings, at, goes=20_000):
    """Calls until the limit is reached; the number of those that passed."""
    passed = 0
    for _ in range(goes):
        answer = daemon.get(f"/{category}/x")
        if answer == (200, None):
            passed += 1
            continue
        findings.check(answer and answer[0] == 429, f"{at}: a call under a limit got {answer}")
        return passed
    findings.add(f"{at}: no limit was met in {goes} calls")
    return passed


def kills(stage, findings, count=None, dice=None):
    """kill -9 at each system call of three calls under a limit, until the limit is used up."""
    limit = 2_000 if not count else 120
    issuer, daemon = stage.issuer, stage.daemon(categories=categories(limit))
    daemon.await_get()
    tally = collections.Counter()
    longest = 400 if not count else 60
    for step in range(1, longest) if not count else sorted(dice.sample(range(1, longest), count)):
        daemon.steps({"kill": step})
        for _ in range(3):
            daemon.get("/hour/x", seconds=10)
        daemon.steps({})
        if not daemon.said("killed"):
            tally["went through"] += 1
            if tally["went through"] >= 3:
                break
            continue
        at = f"counting, system call {step}"
        if not findings.check(daemon.await_end(), f"{at}: did not end"):
            break
        tally[daemon.said("killed")[0]["killed"]] += 1
        daemon.start()
        issuer.settle()
        findings.check(issuer.arrived("hour") <= limit, f"{at}: {issuer.arrived('hour')} calls of {limit} in an hour")
    through = tally.pop("went through", 0)
    number = sum(tally.values())
    drain(daemon, "hour", findings, "counting")
    for kind in (signal.SIGKILL, signal.SIGTERM):
        daemon.stop(kind)
        daemon.start()
        answer = daemon.get("/hour/x")
        findings.check(answer and answer[0] == 429, f"counting: after {kind.name} at the limit a call got {answer}")
    forwarded = issuer.arrived("hour")
    lost = limit - forwarded
    held = max(1, limit // LEASE_SHARE)
    least = limit - (number + 1) * held
    findings.check(number > 0 and through < 3 or not count, "counting: nothing was killed")
    findings.check(forwarded <= limit, f"counting: {forwarded} calls of {limit} in an hour")
    findings.check(forwarded >= least, f"counting: only {forwarded} calls, where {least} should have passed")
    return [
        ("kill -9 at a system call while counting", number),
        ("  at", ", ".join(f"{name} {times}" for name, times in tally.most_common(6)) + ", …"),
        ("  calls forwarded of the limit in its window", f"{forwarded} of {limit}"),
        ("  permits lost for each kill (promised: at most a lease's)", f"{lost / max(1, number):.1f} of {held}"),
    ]


class Lag:
    """How long this machine stood still at most, while it ran: by that much calls may have come closer together."""

    def __enter__(self):
        self.longest, self.is_over = 0.0, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def _run(self):
        while not self.is_over.is_set():
            begun = time.monotonic()
            time.sleep(0.005)
            self.longest = max(self.longest, time.monotonic() - begun - 0.005)

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


def most_within(times, span):
    """The most of these moments in any window of that length."""
    times, first, most = sorted(times), 0, 0
    for index, moment in enumerate(times):
        while times[first] <= moment - span:
            first += 1
        most = max(most, index - first + 1)
    return most


def window(stage, findings, seconds, dice):
    """Steady overload of a sliding window, with a kill -9 now and then."""
    issuer, daemon = stage.issuer, stage.daemon(categories=categories(100), is_stepped=False)
    daemon.await_get()
    is_over, kills_ = threading.Event(), 0

    def load():
        while not is_over.is_set():
            answer = daemon.get("/short/x", seconds=10)
            findings.check(answer is None or answer[0] in (200, 429), f"sliding window: a call got {answer}")
            time.sleep(0.01)

    with Lag() as lag, rig.beside([load] * 3, is_over.set):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(dice.uniform(0.2, 1.5))
            daemon.stop(signal.SIGKILL)
            daemon.start()
            kills_ += 1
    span = 2 - lag.longest - 0.01
    most = most_within(issuer.arrivals["short"], span) if span > 0.5 else 0
    findings.check(most <= 20, f"sliding window: {most} calls of 20 within {span:.3f} s, at the provider")
    return [
        ("kill -9 under overload of 20 calls in 2 s", kills_),
        ("  most calls at the provider in any window", f"{most}, of {len(issuer.arrivals['short'])}"),
        ("  the window, less what this machine stood still", f"{span:.3f} s"),
    ]


def two_processes(stage, findings, seconds, dice, limit=600):
    """Two daemons and commands on one state directory, each of them renewing, counting, and killed now and then."""
    issuer = stage.issuer
    issuer.keeps_access = True
    first = stage.daemon("first", categories=categories(limit), is_stepped=False)
    second = stage.daemon("second", categories=categories(limit), is_stepped=False, state=first.state)
    daemons = [first, second]
    for daemon in daemons:
        findings.check(daemon.await_get() == (200, None), "two processes: one has no credential")
    findings.check(issuer.logins == 1, f"two processes: {issuer.logins} logins for one credential")
    tally, guard = collections.Counter(), threading.Lock()
    # How often each was killed, and whether it is being started again: then a call may find nobody.
    deaths, is_over = [0, 0], threading.Event()

    def go(index, own):
        daemon = daemons[index]
        while not is_over.is_set():
            act = own.choice(["call"] * 6 + ["refresh"] * 3 + ["command"])
            known = deaths[index]
            if act == "call":
                answer = daemon.get("/hour/x")
                is_right = answer and answer[0] in (200, 429)
            elif act == "refresh":
                answer = daemon.refresh()
                is_right = answer and answer[0] == 200
            else:
                answer = daemon.command("refresh", "pay")
                is_right = answer[0] == 0
            is_alone = answer is None and (known % 2 or deaths[index] != known)
            findings.check(is_right or is_alone, f"two processes: {act}: {answer}")
            with guard:
                tally[act] += 1

    def kill(own):
        while not is_over.wait(own.uniform(0.1, 0.8)):
            index = own.randrange(2)
            deaths[index] += 1
            daemons[index].stop(signal.SIGKILL)
            daemons[index].start()
            deaths[index] += 1
            tally["kill -9"] += 1

    workers = [functools.partial(go, index, random.Random(dice.random())) for index in range(2)]
    workers.append(functools.partial(kill, random.Random(dice.random())))
    with rig.beside(workers, is_over.set):
        time.sleep(seconds)
    for daemon in daemons:
        findings.check(daemon.get() == (200, None), "two processes: one has no credential at the end")
        drain(daemon, "hour", findings, "two processes")
    forwarded = issuer.arrived("hour")
    findings.check(forwarded <= limit, f"two processes: {forwarded} calls of {limit} in an hour")
    findings.check(issuer.spent_twice == 0, f"two processes: {issuer.spent_twice} refresh tokens were spent twice")
    findings.check(issuer.unknown == 0, f"two processes: {issuer.unknown} unknown tokens")
    return [
        ("two daemons on one state directory", ", ".join(f"{name} {number}" for name, number in sorted(tally.items()))),
        ("  renewals, logins, refresh tokens spent twice",
         f"{issuer.refreshes}, {issuer.logins}, {issuer.spent_twice}"),
        ("  calls forwarded of the limit in its window", f"{forwarded} of {limit}"),
    ]
