#!/usr/bin/env python3
"""Hostile requests to the proxy and hostile answers to it, counted, and beside nginx, HAProxy and Envoy.

Every figure but those of peers must be zero. What a case is and must become is in hostile_requests.py,
hostile_calls.py and hostile_answers.py; how it is tried and judged in hostile_lanes.py and hostile_relay.py; who reads
what arrives in hostile_wire.py.
"""

import argparse
import asyncio
import collections
import contextlib
import logging
import pathlib
import sys
import time

sys.dont_write_bytecode = True
import hostile_answers as answers
import hostile_cases as cases
import hostile_lanes as lanes
import hostile_peers as peers
import hostile_relay as relay
import hostile_requests as requests
import hostile_wire as wire
import rig

OURS = "tollkey"
LANES = 12  # up to 16: a route is one digit
SHOWN_MAX = 15
LATE_FINDINGS_MAX, LATE_TRIES = 20, 3
# Of each group: peers are asked for comparison, and take longer.
PEER_REQUESTS_MAX, PEER_ANSWERS_MAX = 300, 150
# What a finding is, in words for the table.
KINDS = {
    "two readings": "passed on, with framing, number, version or status in doubt",
    "grammar": "passed on against the grammar, with framing not in doubt",
    "forwarded": "to be refused, and forwarded",
    "refused": "valid, and refused",
    "altered": "valid, and arrived as something else",
    "poisoned": "a later clean request suffered",
    "credential": "our credential missing, doubled, or joined by the client's",
    "hop-by-hop": "passed what belongs to one connection, or what it promises to remove",
    "escaped": "out of the route's base path",
    "late": f"refused later than {lanes.REFUSED_WITHIN} s, or not closed",
    "answer": "the client's answer unreadable, surplus, or not what it should be",
    "cut": "cut short upstream, and relayed as whole",
    "split": "one answer upstream, two at the client",
    "reused": "the connection used again after it",
    "told": "the client not told",
    "lost": "valid, and not relayed as it was",
}


async def run_lanes(work, lanes_, run):
    """Each lane takes what is next. Ends after the last."""
    queue = collections.deque(work)

    async def one(lane):
        while queue:
            await run(lane, queue.popleft())

    await asyncio.gather(*(one(lane) for lane in lanes_))


async def run_late_again(lanes_):
    """Alone and several times, so that it is the proxy that is slow and not the machine."""
    late, first, confirmed = [case for lane in lanes_ for case in lane.late], lanes_[0], 0
    for case in late:
        # Each confirmation costs seconds: after enough of them the rest is taken as it was found.
        is_late, again = True, "" if confirmed < LATE_FINDINGS_MAX else ", and not tried again after so many others"
        for _ in range(LATE_TRIES if not again else 0):
            first.late = []
            await first.run(case)
            if not first.late:
                is_late = False
                break
        if is_late:
            confirmed += 1
            first.findings.append(lanes.Finding("late", case.name,
                f"not refused and closed within {lanes.REFUSED_WITHIN} s{again}", b"".join(
                    step for step in first.render(case) if step)))


async def pseudonym_of(lane):
    """How the proxy calls itself in `Via`."""
    lane.upstream.clear()
    lane.case, lane.data, lane.found = cases.Case("start", [], cases.ACCEPT), b"", []
    await lane.call_clean("the first request")
    if lane.found or not lane.upstream.arrived:
        raise rig.Failure(f"the first request failed: {lane.found or 'nothing arrived'}")
    via = lane.upstream.arrived[0][0].values(b"via")
    return via[-1].split()[-1] if via else b""


async def try_proxy(name, start, lanes_, options, vectors):
    """Runs all cases against one proxy: how many requests, what was found of them; how many answers, and of those."""
    is_ours = name == OURS
    with start([(lane.route.decode(), lane.upstream.port) for lane in lanes_]) as port:
        for lane in lanes_:
            lane.proxy_port = port
        tried = [*requests.generated(options.seed, await pseudonym_of(lanes_[0]) if is_ours else b"", options.short),
                 *vectors]
        hostile = answers.generated(options.seed, options.short)
        if not is_ours:
            tried = cases.sample([case for case in tried if not case.guard and not case.bound], options.seed,
                                 PEER_REQUESTS_MAX)
            hostile = cases.sample([answer for answer in hostile if not answer.bound], options.seed, PEER_ANSWERS_MAX)
        begun = time.monotonic()
        await run_lanes(tried, lanes_, lambda lane, case: lane.run(case))
        await run_late_again(lanes_)
        found = taken(lanes_)
        between = time.monotonic()
        await run_lanes(hostile, lanes_, relay.run)
        print(f"{name}: {len(tried)} requests in {between - begun:.0f} s, {len(hostile)} answers in"
              f" {time.monotonic() - between:.0f} s", flush=True)
    return len(tried), found, len(hostile), taken(lanes_)


def taken(lanes_):
    findings = [finding for lane in lanes_ for finding in lane.findings]
    for lane in lanes_:
        lane.findings = []
    return findings


def show(name, findings, keep):
    by_kind = collections.defaultdict(dict)
    for finding in findings:
        by_kind[finding.kind].setdefault(finding.case, finding)
    for kind, found in by_kind.items():
        for finding in list(found.values())[:SHOWN_MAX]:
            print(f"{name}: {KINDS[kind]}: {finding.case}: {finding.text}")
        if len(found) > SHOWN_MAX:
            print(f"{name}: {KINDS[kind]}: and {len(found) - SHOWN_MAX} more")
        if keep:
            for number, finding in enumerate(found.values()):
                (keep / f"{name}-{kind.replace(' ', '-')}-{number}").write_bytes(
                    f"{finding.case}: {finding.text}\n".encode("utf-8", "replace") + finding.data)


def counted(findings):
    """In how many cases each kind was found."""
    return collections.Counter(kind for kind, _ in {(finding.kind, finding.case) for finding in findings})


async def prove(options):
    """Names of proxies, and what `try_proxy` says of each."""
    vectors = cases.of_file(options.vectors) if options.vectors else []
    with rig.folder() as folder:
        authority = rig.Authority(folder / "ca")
        context = authority.server_context()

        @contextlib.contextmanager
        def tollkey(routes):
            with rig.Daemon(folder / OURS, configuration(routes, authority), options.proxy, rig.SECRETS) as daemon:
                yield daemon.port

        async def run(name, start):
            lanes_ = []
            for number in range(LANES):
                upstream = lanes.Upstream()
                await upstream.listen(context)
                lanes_.append(lanes.Lane(b"/l%x" % number, upstream, name == OURS))
            result = await try_proxy(name, start, lanes_, options, vectors)
            show(name, [*result[1], *result[3]], options.keep)
            return name, result

        table = [await run(OURS, tollkey)]
        found = [name for name in options.peers if peers.is_installed(name)]
        for name in set(options.peers) - set(found):
            print(f"{name} is not installed, and skipped")
        # Side by side: they spend their time waiting, and nothing of theirs is measured in time.
        table += await asyncio.gather(*(
            run(name, lambda routes, name=name: peers.running(name, folder / name, routes, authority))
            for name in found))
        return table


def configuration(routes, authority):
    """For each route a provider with given credentials, and one whose credential can be renewed."""
    more = (f"    body: {{ max: {cases.CONTENT_MAX} }}\n"
            f"    timeouts: {{ head: {peers.TIMEOUT}s, idle: {peers.TIMEOUT}s }}\n")
    providers = ""
    for route, port in routes:
        base = f"https://{rig.HOST}:{port}"
        given = rig.provider(route[1:], port, authority, more).replace(base, f"{base}{lanes.BASE.decode()}")
        renewing = given.split("    secrets:")[0].replace(f"  {route[1:]}:", f"  {route[1:].replace('l', 'r')}:")
        providers += (
            f"{given}{renewing}{more}    secrets: {{ secret: '${{env:PROOF_TOKEN}}' }}\n"
            f"    credentials: {{ access: {{ obtain: {{ post: {lanes.TOKEN_PATH.decode()},"
            " form: { secret: '${secret}' } }, read: { token: access_token, expires_in: expires_in } } }\n"
            "    inject: { Authorization: 'Bearer ${access}' }\n")
    return f"hosts: [named.test]\norigins: ['https://shop.test']\nproviders:\n{providers}"


def tabulated(table):
    rows = []
    for name, (requests_count, found, answers_count, answered) in table:
        prefix = "" if name == OURS else f"{name}: "
        for words, count, findings, kinds in (("requests", requests_count, found, cases.KINDS),
                                              ("answers", answers_count, answered, answers.KINDS)):
            rows.append((f"{prefix}{words} tried", count))
            counts = counted(findings)
            # How soon a peer refuses is not measured.
            kinds = [kind for kind in kinds if kind != "late" or not prefix]
            rows += [(f"{prefix}{words}: {KINDS[kind]}", counts[kind]) for kind in kinds]
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for the bytes of what was found")
    parser.add_argument("--vectors", help="more requests: a file of JSON lines")
    parser.add_argument("--peers", nargs="*", choices=list(peers.PEERS),
                        help="which peers; all of them when not short")
    options = rig.parsed(parser, short="some of each group, and no peers", seed=1)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # that a connection has ended is no news here
    if options.peers is None:
        options.peers = [] if options.short else list(peers.PEERS)
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    print(f"read by a strict reader of our own{''.join(f' and {name}' for name in wire.OTHERS)}")
    table = asyncio.run(prove(options))
    _, (_, found, _, answered) = table[0]
    count = len(found) + len(answered)
    rig.finish("hostile", [*tabulated(table), ("findings of Tollkey's", count)], count, options)


if __name__ == "__main__":
    main()
