"""10,000 connections on which nothing happens."""

import asyncio

import rig
from load import callers, stage, storm, upstream

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
    # What calls that come together leave behind, connections to the provider above all, is not the idle clients'.
    for _ in range(3):
        await asyncio.gather(*(callers.call(daemon.port, target="/idle/pay") for _ in range(TOGETHER)))
    await asyncio.to_thread(rig.wait_until, lambda: daemon.connections("client") == 0, "an end of the first calls")
    descriptors = daemon.own_descriptors()
    before = daemon.memory()[1]
    crowd = await callers.connected(daemon.port, count)
    await asyncio.to_thread(rig.wait_until, lambda: daemon.connections("client") >= count, "all accepted")
    silent = daemon.memory()[1]
    used = callers.Tally()
    for start in range(0, count, TOGETHER):
        await asyncio.gather(*(used.hear(caller.call(target="/idle/pay"))
                               for caller in crowd[start:start + TOGETHER]))
    served = daemon.memory()[1]
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
    each = (silent - before) / count
    # Under a thousand the allocator's reserve is all that is seen.
    figures.expect("own memory for each that never called, bytes", round(each), each <= BYTES_MAX, f"over {BYTES_MAX}")
    each = (served - before) / count
    figures.expect("own memory for each that has called, bytes", round(each), each <= BYTES_MAX, f"over {BYTES_MAX}")
    figures.zero("failed calls, one on each connection", used.bad, used.words)
    figures.zero("failed calls of 200 beside the idle ones", again.bad, again.words)
    figures.add("processor seconds in one second with all idle", round(spent, 2))
    leaked = await asyncio.to_thread(daemon.leaked_descriptors, descriptors)
    figures.zero("descriptors that were not given back", leaked)
