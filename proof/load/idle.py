"""10,000 connections on which nothing happens."""

import asyncio

import rig
from load import callers, stage, storm, upstream

# Of connections: what the first of them cost, and what was free before them, is left out. The benchmark measures alike.
FIRST = 10
# An idle client is an object and a descriptor, and must stay one.
BYTES_MAX = 2048
TOGETHER = 50


def run(terms, path):
    figures = stage.Figures("idle")
    play = stage.Stage(path, terms)
    count = terms.of(10_000, 500)
    count = min(count, stage.raise_descriptor_limit(count + storm.SPARE_DESCRIPTORS) - storm.SPARE_DESCRIPTORS)
    with upstream.Upstream(play.authority.server_context()) as api:
        top = play.top() + "timeouts: { idle: 10m, head: 10m }\n"
        with play.daemon("idle", play.provider("idle", api.port), top=top) as daemon:
            asyncio.run(_sit(figures, daemon, count, terms))
            daemon.stop()
    places = play.seen()
    figures.zero("canaries seen", len(places), "; ".join(places[:3]))
    return figures


async def _sit(figures, daemon, count, terms):
    descriptors, crowd, used = daemon.own_descriptors(), [], callers.Tally()
    silent, served = [], []
    # All are there before the first of them calls: what a call leaves free would be the next one's.
    for part in (count // FIRST, count - count // FIRST):
        crowd += await callers.connected(daemon.port, part)
        await asyncio.to_thread(rig.wait_until, lambda: daemon.connections("client") >= len(crowd), "all accepted")
        silent.append(daemon.memory()[1])
    for first, last in ((0, count // FIRST), (count // FIRST, count)):
        for start in range(first, last, TOGETHER):
            await asyncio.gather(*(used.hear(caller.call(target="/idle/pay"))
                                   for caller in crowd[start:min(start + TOGETHER, last)]))
        served.append(daemon.memory()[1])
    again = callers.Tally()
    for caller in terms.chance.sample(crowd, 100):
        await again.hear(caller.call(target="/idle/pay"))
    for _ in range(100):
        await again.hear(callers.call(daemon.port, target="/idle/pay"))
    before_end = daemon.processor_seconds()
    await asyncio.sleep(1)
    spent = daemon.processor_seconds() - before_end
    for caller in crowd:
        caller.close()
    await asyncio.to_thread(rig.wait_until, lambda: daemon.connections("client") == 0, "all gone")
    figures.add("connections", count)
    most = count - count // FIRST
    each = (silent[1] - silent[0]) / most
    # Under a thousand the allocator's reserve is all that is seen.
    figures.expect("own memory for each that never called, bytes", round(each), each <= BYTES_MAX, f"over {BYTES_MAX}")
    # They were there before they called.
    each += (served[1] - served[0]) / most
    figures.expect("own memory for each that has called, bytes", round(each), each <= BYTES_MAX, f"over {BYTES_MAX}")
    figures.zero("failed calls, one on each connection", used.bad, used.words)
    figures.zero("failed calls of 200 beside the idle ones", again.bad, again.words)
    figures.add("processor seconds in one second with all idle", round(spent, 2))
    leaked = await asyncio.to_thread(daemon.leaked_descriptors, descriptors)
    figures.zero("descriptors that were not given back", leaked)
