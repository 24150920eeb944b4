"""Callers who hang up, wherever they happen to be."""

import asyncio
import contextlib

import rig
from load import callers, stage, upstream

TOGETHER = 100
LIMIT, WINDOW = 200, 2
# What else was there at one time by chance: a hundred bytes of each would be half of it.
GROWTH_MAX = 1 << 20
# What a caller waits for when it goes: a token, a turn in the line, an answer that comes late, much content.
TARGETS = (
    ("GET", "/plain/pay", None), ("POST", "/plain/up", b"x" * 200_000), ("GET", "/plain/wait?seconds=0.2", None),
    ("GET", "/plain/down?blocks=20", None), ("GET", "/token/pay", None), ("POST", "/token/up", b"y" * 5000),
    ("GET", "/limited/pay", None), ("POST", "/limited/up", b"z" * 100),
)


def run(terms, path):
    figures = stage.Figures("leaving")
    play = stage.Stage(path, terms)
    count = terms.of(10_000, 300)
    with upstream.Upstream(play.authority.server_context(), play.tokens) as api:
        pool = "    pool: { idle_timeout: 1s }\n"
        limited = (
            "    categories: { all: { match: ['* /**'], on_limit: wait, wait_max: 5s,"
            f" limit: {LIMIT}/{WINDOW}s }} }}\n")
        providers = (
            play.provider("plain", api.port, pool) + play.provider("token", api.port, pool, token_port=api.port)
            + play.provider("limited", api.port, pool + limited))
        with play.daemon("leaving", providers) as daemon:
            asyncio.run(_leave(figures, play, daemon, api, count))
            daemon.stop()
    places = play.seen()
    figures.zero("canaries seen", len(places), "; ".join(places[:3]))
    return figures


async def _leave(figures, play, daemon, api, count):
    for _ in range(2):
        await asyncio.gather(*(_whole(daemon, *target) for target in TARGETS * 10))
    await _rest(daemon)
    descriptors, memory = daemon.own_descriptors(), daemon.memory()[1]
    chance = play.terms.chance

    async def line(left):
        for index in left:
            # Every now and then nobody has a token, so that there is somebody who waits for one.
            if index % 400 == 0:
                api.gate.clear()
                asyncio.get_running_loop().call_later(0.3, api.gate.set)
                await asyncio.to_thread(daemon.admin, "/refresh/token", "POST")
            await _one(daemon, chance)

    own = [memory]
    for half in (range(count // 2), range(count // 2, count)):
        left = iter(half)
        await asyncio.gather(*(line(left) for _ in range(TOGETHER)))
        api.gate.set()
        await _rest(daemon)
        own.append(daemon.memory()[1])
    figures.add("callers who hung up", count)
    await _rest(daemon, figures)
    leaked = await asyncio.to_thread(daemon.leaked_descriptors, descriptors)
    figures.zero("descriptors that were not given back", leaked)
    figures.add("own memory before, after half of them and all, KiB", ", ".join(str(size >> 10) for size in own))
    # The first half is as many at a time as there ever are; the second finds room for as many.
    figures.expect(
        "growth of own memory over the second half, KiB", own[2] - own[1] >> 10,
        own[2] - own[1] <= GROWTH_MAX or play.terms.is_short, f"at most {GROWTH_MAX >> 10} was expected")
    # A permit that got lost would be missing for ever: once the window is empty, all of them are there.
    with contextlib.suppress(rig.Failure):
        await asyncio.to_thread(
            rig.wait_until, lambda: daemon.metric("tollkey_quota_remaining") == LIMIT, "permits", WINDOW * 10)
    figures.zero("permits that were not given back", LIMIT - int(daemon.metric("tollkey_quota_remaining")))
    after = callers.Tally()
    for method, target, content in TARGETS:
        await after.hear(callers.call(daemon.port, method, target, content))
    figures.zero("failed calls afterwards", after.bad, after.words)


async def _whole(daemon, method, target, content):
    with contextlib.suppress(callers.Broken):
        daemon.note(await callers.call(daemon.port, method, target, content))


async def _one(daemon, chance):
    """Connects, sends some of a request, waits for some time, and goes: with a reset, or as one goes."""
    method, target, content = chance.choice(TARGETS)
    text = callers.request(method, target, content)
    sent = chance.choice((0, chance.randrange(len(text)), len(text), len(text), len(text)))
    caller = callers.Caller(daemon.port)
    try:
        await caller.connect()
        caller.writer.write(text[:sent])
        await asyncio.sleep(chance.choice((0, chance.random() * 0.01, chance.random() * 0.3)))
        if chance.random() < 0.3:
            with contextlib.suppress(asyncio.TimeoutError, OSError):
                await asyncio.wait_for(caller.reader.read(chance.randrange(1, 10_000)), 0.1)
    except callers.Broken:
        pass
    if chance.random() < 0.5:
        caller.hang_up()
    else:
        caller.close()


async def _rest(daemon, figures=None):
    """Until nobody is there. What is left then has leaked."""
    left = {
        "client connections": lambda: daemon.connections("client"),
        "provider connections in use": lambda: daemon.connections("upstream", "active"),
        "idle provider connections": lambda: daemon.connections("upstream", "idle"),
        "callers still in line": lambda: daemon.metric("tollkey_quota_waiting"),
    }
    for words, count in left.items():
        with contextlib.suppress(rig.Failure):
            await asyncio.to_thread(rig.wait_until, lambda count=count: count() == 0, words)
        if figures:
            figures.zero(f"{words} that were not given back", int(count()))
