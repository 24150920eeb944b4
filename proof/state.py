"""Proves that no crash, disk, second process or Redis loses a token, has one spent twice, or lets a limit be passed.

A real daemon in front of a provider whose refresh tokens work once is ended at each system call of what it does,
given disks that fail and files that were damaged, and a Redis that dies and forgets. What must come of it is what
docs/credentials.md, docs/quotas.md and docs/state.md promise.
"""

import argparse
import concurrent.futures
import random
import time
import traceback

import canaries
import issuer
import rig
import state_counts
import state_disk
import state_kills
import state_power
import state_redis
import state_rotate
import state_stage

# Stands for the scenario's own chance.
DICE = object()
# Name, what to run, and its arguments in full and in short; None leaves it out.
SCENARIOS = [
    ("rotation", state_kills.rotation, (), (10, DICE)),
    ("rotation after a login", state_kills.rotation, (None, DICE, True), (5, DICE, True)),
    ("command", state_kills.command, (60, DICE), None),
    ("key", state_rotate.daemons, (), (5, DICE)),
    ("key at a stop", state_rotate.stops, (10,), (1,)),
    ("key on a broken disk", state_rotate.broken, (), None),
    ("key by command", state_rotate.commands, (60, DICE), None),
    ("first start", state_kills.first_start, (80, DICE), (5, DICE)),
    ("counting", state_counts.kills, (), (5, DICE)),
    ("sliding window", state_counts.window, (20, DICE), (3, DICE)),
    ("two processes", state_counts.two_processes, (30, DICE), (2, DICE, 100)),
    ("full disk", state_disk.full, (), ()),
    ("broken disk", state_disk.broken, (), (2, DICE)),
    ("foreign files", state_disk.foreign, (), (3, DICE)),
    ("read-only disk", state_disk.read_only, (), ()),
    ("bit flips", state_disk.bit_flips, (500, DICE), (10, DICE)),
    ("bit flips in the log", state_disk.log_flips, (100, DICE), None),
    ("power cuts", state_power.power_cuts, (None, DICE), (8, DICE)),
]
REDIS = [
    scenario for kind in state_redis.TROUBLES for scenario in (
        (f"Redis {kind}, limits", state_redis.counts, (kind, 6, DICE),
         (kind, 1, DICE, 100) if kind == "killed" else None),
        (f"Redis {kind}, tokens", state_redis.tokens, (kind, 2, DICE),
         (kind, 1, DICE, False) if kind == "killed" else None))]

# A short run begins nothing behind this; on an idle machine all is over by then.
SHORT_SECONDS = 15
STEPPED = {
    state_kills.rotation, state_kills.command, state_kills.first_start, state_rotate.daemons, state_rotate.commands,
    state_rotate.broken,
    state_counts.kills, state_disk.broken, state_power.power_cuts,
}


def run(scenario, is_short, seed, end, path, authority, binary, findings):
    """The scenario's figures."""
    name, body, full, short = scenario
    if time.monotonic() > end:
        return [(name, "left out, for want of time")]
    given = short if is_short else full
    # Of its own, so that one scenario repeats without the others.
    dice = random.Random(f"{seed} {name}")
    begun = time.monotonic()
    try:
        with state_stage.Stage(path, authority, binary, name.replace(" ", "-").replace(",", "")) as stage:
            rows = body(stage, findings, *(dice if one is DICE else one for one in given))
        for place in canaries.search(stage.path, [issuer.CANARY, *state_stage.SECRETS]):
            findings.add(f"{name}: a secret was seen: {place}")
    except Exception:  # One that cannot be run is a finding, and no reason to leave out the others.
        findings.add(f"{name}: not run to its end: {traceback.format_exc()}")
        rows = []
    seconds = round(time.monotonic() - begun, 1)
    print(f"{name}: {seconds} s", flush=True)
    return [*rows, (f"  seconds, {name}", seconds)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="scenarios whose name holds this")
    parser.add_argument("--keep", action="store_true", help="leave the folder")
    options = rig.parsed(parser)
    findings = state_stage.Findings()
    scenarios = SCENARIOS
    if not state_stage.is_steppable():
        print("ptrace(2) is not allowed here: nothing is ended at chosen system calls")
        scenarios = [one for one in scenarios if one[1] not in STEPPED]
    if state_redis.is_installed():
        scenarios = REDIS + scenarios
    else:
        print("redis-server is not installed: what replicas share is not tried")
    scenarios = [
        one for one in scenarios
        if (not options.short or one[3] is not None) and (options.only or "") in one[0]]
    if not scenarios:
        parser.error(f"no scenario that can be tried here holds '{options.only}' in its name")
    with rig.folder(options.keep) as path:
        authority = rig.Authority(path / "ca")
        authority.context = authority.server_context()
        if options.short:
            # On a busy machine not all have their turn: not always the same ones, then.
            random.Random(options.seed).shuffle(scenarios)
        end = time.monotonic() + (SHORT_SECONDS if options.short else float("inf"))
        given = options.short, options.seed, end, path, authority, options.proxy, findings
        # Those of Redis wait most of the time.
        with concurrent.futures.ThreadPoolExecutor(4) as workers:
            figures = [workers.submit(run, scenario, *given) for scenario in scenarios]
            try:
                rows = [row for figure in figures for row in figure.result()]
            except BaseException:
                workers.shutdown(wait=False, cancel_futures=True)
                raise
    rows.append(("findings (goal: 0)", len(findings)))
    rig.finish("State: crashes, disks, processes, Redis", rows, len(findings), options)


if __name__ == "__main__":
    main()
