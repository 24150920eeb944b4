"""kill -9 at every system call: of renewals, of a command, of the first start."""

import collections
import signal

# Beyond these a renewal would never end; a full run counts some hundreds.
STEPS_MAX = 5_000


def chosen(count, length, dice):
    """All steps, or `count` of `length` by chance."""
    if not count:
        return range(1, STEPS_MAX)
    return sorted(dice.sample(range(1, length + 1), min(count, length)))


def late(count, length, dice):
    """`count` of `length` steps by chance, denser at the end: the first half is the system's, which loads libraries."""
    return [round(length * (1 - dice.random() ** 2)) + 1 for _ in range(count)]


def ends(daemon, findings, name, act, note, count=None, dice=None):
    """Has the daemon do `act` again and again, and ends it at each of its system calls in turn, or at `count` of them
    by chance. Gives of each end: where, what `note` answered before, what `act` did, what steps.py said of the call.
    Whoever is given it starts the daemon again."""
    whole = 0
    for step in chosen(count, count and length(daemon, act), dice):
        at, before = f"{name}, system call {step}", note()
        daemon.steps({"kill": step})
        answer = act()
        if answer:
            findings.check(answer[0] == 200, f"{at}: not done: {answer}")
            daemon.steps({})
        if not daemon.said("killed"):
            whole += 1
            # What is behind the answer (a look at the clocks, the trail) need not be the same each time.
            if not findings.check(answer, f"{at}: neither an answer nor an end") or (not count and whole >= 3):
                return
            continue
        if not findings.check(daemon.await_end(), f"{at}: did not end"):
            return
        killed = daemon.said("killed")[0]
        yield f"{at} ({killed['killed']})", before, answer, killed


def rotation(stage, findings, count=None, dice=None, by_person=False):
    """A renewal ended at each of its system calls in turn, or at `count` of them by chance. Answers figures.

    What is promised is docs/credentials.md, "Refresh tokens that rotate": a token that may have been spent is not spent
    again, but for a credential that only a person could obtain anew, which has nothing to lose by the try.
    """
    name = "renewal after a person's login" if by_person else "renewal"
    issuer, daemon = stage.issuer, stage.daemon(by_person=by_person)
    if by_person:
        findings.check(daemon.log_in(issuer) is True, f"{name}: no login")
    findings.check(daemon.await_get() == (200, None), f"{name}: no working credential at the start")
    tally, calls = collections.Counter(), collections.Counter()
    for at, before, answer, killed in ends(
            daemon, findings, name, daemon.refresh, lambda: issuer.refreshes, count, dice):
        calls[killed["killed"]] += 1
        issuer.settle()
        is_sent = issuer.refreshes > before
        tally[_look_after(
            daemon, issuer, findings, at, is_sent, answer, by_person, "pwrite64" in killed["before"])] += 1
    findings.check(sum(calls.values()) > 0, f"{name}: nothing was killed")
    findings.check(issuer.unknown == 0, f"{name}: {issuer.unknown} tokens sent that were never issued")
    again = tally["sent, not kept: a person logs in"] if by_person else 0
    findings.check(issuer.spent_twice == again, f"{name}: {issuer.spent_twice} refresh tokens were spent twice")
    return [
        (f"{name}s ended by SIGKILL at a system call", sum(calls.values())),
        ("  at", ", ".join(f"{call} {number}" for call, number in calls.most_common(6)) + ", …"),
        *((f"  {words}", tally[words]) for words in sorted(tally)),
        ("  refresh tokens spent twice" + (" where there was something to lose" if by_person else ""),
         issuer.spent_twice - again),
    ]


def _look_after(daemon, issuer, findings, at, is_sent, answer, by_person, may_be_marked):
    """Starts it again; what has become of the token, in words."""
    logins, refused = issuer.logins, issuer.refused
    daemon.start()
    served = daemon.get()
    is_lost = issuer.refused > refused
    findings.check(is_sent or not is_lost, f"{at}: a token that was never sent is not served any more")
    findings.check(not (is_lost and answer), f"{at}: what was answered as done is lost")
    if is_lost and by_person:
        findings.check(served and served[0] in (401, 503), f"{at}: a call without a credential got {served}")
        answer = daemon.refresh()
        findings.check(answer and "a person must log in" in answer[1], f"{at}: no login is asked for: {answer}")
        findings.check(daemon.log_in(issuer) is True, f"{at}: no login is possible")
        served = daemon.await_get()
    findings.check(served == (200, None), f"{at}: after the restart a call got {served}")
    before = issuer.logins
    renewed = daemon.refresh()
    findings.check(renewed and renewed[0] == 200, f"{at}: the next renewal: {renewed}")
    served = daemon.get()
    findings.check(served == (200, None), f"{at}: after the next renewal a call got {served}")
    has_logged_in = issuer.logins > before
    if is_lost:
        return "sent, not kept: " + ("a person logs in" if by_person else "logged in anew")
    findings.check(logins == before, f"{at}: logged in although what was held is good")
    if is_sent:
        findings.check(not has_logged_in, f"{at}: the refresh token that was kept was not used")
        return "sent, and kept: the next one was spent"
    if not has_logged_in:
        return "not sent: the same token was spent"
    findings.check(may_be_marked and not by_person, f"{at}: logged in although nothing was marked")
    return "marked, not sent: logged in anew"


def length(daemon, action):
    """System calls of `action`."""
    daemon.steps({"count": True})
    action()
    daemon.steps({})
    return daemon.said("entered")[-1]["entered"]


def command(stage, findings, count, dice):
    """`tollkey refresh` beside a daemon, ended at system calls by chance."""
    issuer, daemon = stage.issuer, stage.daemon(is_stepped=False)
    # Otherwise the daemon meets one dead token after the other, which it answers with longer and longer pauses.
    issuer.keeps_access = True
    daemon.await_get()
    steps = command_length(daemon, findings, "refresh", "pay")
    kills = 0
    for step in late(count, steps, dice):
        status, words = daemon.command("refresh", "pay", plan={"kill": step})
        at = f"command, system call {step}"
        findings.check(status in (0, -signal.SIGKILL), f"{at}: {status} {words}")
        kills += status != 0
        served = daemon.get()
        findings.check(served == (200, None), f"{at}: a call got {served}")
        renewed = daemon.refresh()
        findings.check(renewed and renewed[0] == 200, f"{at}: the next renewal: {renewed}")
    findings.check(kills > 0, "command: nothing was killed")
    findings.check(issuer.spent_twice == 0, f"command: {issuer.spent_twice} refresh tokens were spent twice")
    return [
        ("commands beside a daemon ended by SIGKILL at a system call", f"{kills} of {steps}"),
        ("  refresh tokens spent twice", issuer.spent_twice)]


def command_length(daemon, findings, *arguments):
    """System calls of a command that goes through."""
    status, words = daemon.command(*arguments, plan={"count": True})
    findings.check(status == 0, f"command: {status} {words}")
    entered = daemon.said("entered", daemon.command_plan)[-1]["entered"]
    findings.check(entered > 100, f"command: only {entered} system calls")
    return entered


def first_start(stage, findings, count, dice):
    """A daemon without a state, ended at system calls by chance, and started again."""
    issuer = stage.issuer
    daemon = stage.daemon("length", is_started=False)
    daemon.start({"count": True})
    daemon.await_get()
    daemon.steps({})
    steps = daemon.said("entered")[-1]["entered"]
    daemon.stop()
    kills, reached = 0, collections.Counter()
    for number, step in enumerate(late(count, steps, dice)):
        daemon = stage.daemon(f"start-{number}", is_started=False)
        at = f"first start, system call {step}"
        daemon.try_start({"kill": step})
        if daemon.process.poll() is None:
            daemon.get(seconds=3)
        killed = daemon.said("killed")
        if not killed and daemon.process.poll() is None:
            daemon.stop(signal.SIGKILL)
        kills += bool(killed)
        reached["with a database" if (daemon.state / "tollkey.db").exists() else
                "with a directory" if daemon.state.exists() else "with nothing"] += bool(killed)
        ended = daemon.try_start()
        if findings.check(ended is None, f"{at}: does not start any more: {ended}"):
            served = daemon.get()
            findings.check(served == (200, None), f"{at}: a call got {served}")
        daemon.stop(signal.SIGKILL)
    findings.check(kills > 0, "first start: nothing was killed")
    findings.check(issuer.spent_twice == 0, f"first start: {issuer.spent_twice} refresh tokens were spent twice")
    return [
        ("first starts ended by SIGKILL at a system call", kills),
        ("  left", ", ".join(f"{words} {number}" for words, number in sorted(reached.items()))),
    ]
