"""A refresh storm: everybody waits for one token."""

import asyncio
import time

import rig
from load import callers, nginx, stage, upstream

# Callers and upstream connections of one process, and what a process has open besides.
SPARE_DESCRIPTORS = 2000


def run(terms, path):
    figures = stage.Figures("storm")
    count = terms.of(10_000, 200)
    limit = stage.raise_descriptor_limit(count + SPARE_DESCRIPTORS)
    if limit < count + SPARE_DESCRIPTORS:
        count = limit - SPARE_DESCRIPTORS
        figures.add("descriptors allow fewer callers", count)
    play = stage.Stage(path, terms)
    with upstream.Upstream(play.authority.server_context(), play.tokens) as tokens:
        asyncio.run(_storms(play, figures, tokens, count))
    places = play.seen()
    figures.zero("canaries seen", len(places), "; ".join(places[:3]))
    return figures


async def _storms(play, figures, tokens, count):
    # What waits for a token waits for a connection next, and both have a bound; so has the time for each.
    patience = "    credential_wait: 5m\n    pool: { waiting: 16384, wait: 5m }\n"
    first, second, third = play.tokens[:3]
    tokens.gate.clear()
    with _api(play, tokens) as api:
        if not play.terms.is_short:
            await _narrow(play, figures, api, tokens, count)
        # The daemon asks for its first token when it starts.
        before = tokens.token_calls
        daemon = play.daemon("storm", play.provider("storm", api.port, patience, token_port=tokens.port))
        with daemon:
            await _storm(play, figures, daemon, tokens, count, "nothing is held yet", before)
            # From now on the token that everybody carries is refused.
            api.allow(second)
            await _storm(play, figures, daemon, tokens, count, "the token is refused", tokens.token_calls, is_sent=True)
            # One that lives for a second, and whose successor does not come in time.
            tokens.expires_in = 1
            api.allow(third)
            status, words = await asyncio.to_thread(daemon.admin, "/refresh/storm", "POST")
            if status != 200:
                raise rig.Failure(f"refresh: {status} {words.decode()}")
            tokens.gate.clear()
            before = tokens.token_calls
            tokens.expires_in = 3600
            await _until(lambda: daemon.metric("tollkey_credential_usable") == 0, "the token's end")
            api.allow(*play.tokens[3:])
            await _storm(play, figures, daemon, tokens, count, "the token expired", before)
            daemon.stop()


async def _narrow(play, figures, api, tokens, count):
    """As it is without a word about the pool: what is beyond `pool.connections` and `pool.waiting` is turned away, and
    told so. A figure and no finding: the bound is documented."""
    tokens.gate.clear()
    yaml = play.provider("storm", api.port, "    credential_wait: 5m\n", token_port=tokens.port)
    with play.daemon("default-pool", yaml) as daemon:
        calls_before = tokens.token_calls
        crowd = await callers.connected(daemon.port, count)
        tally = callers.Tally()
        tasks = [
            asyncio.create_task(tally.hear(caller.call("POST", "/storm/pay", b"{}", patience=240))) for caller in crowd]
        await _all_waiting(daemon, tasks)
        tokens.gate.set()
        await asyncio.gather(*tasks)
        for caller in crowd:
            caller.close()
        for answer in tally.examples.values():
            daemon.note(answer)
        figures.add("with the default pool: callers", tally.words)
        figures.zero("with the default pool: token calls but one", tokens.token_calls - calls_before - 1)
        daemon.stop()
    tokens.token_calls = 0
    tokens.gate.clear()


def _api(play, tokens):
    if nginx.PROGRAM:
        return nginx.Nginx(play.path / "nginx", play.authority, play.tokens)
    return _Same(tokens, play.tokens)


class _Same:
    """Where there is no nginx: the provider of the token endpoint, which is slower."""

    def __init__(self, upstream, tokens):
        self.port, self.upstream, self.tokens = upstream.port, upstream, tokens

    def allow(self, *tokens):
        self.upstream.refuses = {f"Bearer {token}" for token in self.tokens if token not in tokens}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


async def _until(is_true, what):
    await asyncio.to_thread(rig.wait_until, is_true, what, 120)


async def _all_waiting(daemon, tasks):
    """Or the first that was not made to wait, which is to be seen in the figures."""
    await _until(
        lambda: daemon.connections("client", "active") >= len(tasks) or any(task.done() for task in tasks),
        "everybody waiting")


async def _storm(play, figures, daemon, tokens, count, words, calls_before, is_sent=False):
    """`is_sent`: the calls go out with a token that is refused, and wait for the next one then."""
    tokens.gate.clear()
    crowd = await callers.connected(daemon.port, count)
    tally = callers.Tally()
    start = time.monotonic()
    tasks = [
        asyncio.create_task(tally.hear(caller.call("POST", "/storm/pay", b'{"amount":1}', patience=240)))
        for caller in crowd]
    await _all_waiting(daemon, tasks)
    if is_sent:
        await _until(lambda: tokens.token_calls > calls_before, "the token call")
        # Those whose 401 comes late must find the renewal under way, or over.
        await asyncio.sleep(1)
    waited = time.monotonic() - start
    _, memory = daemon.memory()
    opened = time.monotonic()
    tokens.gate.set()
    await asyncio.gather(*tasks)
    served = time.monotonic() - opened
    for caller in crowd:
        caller.close()
    for answer in tally.examples.values():
        daemon.note(answer)
    calls = tokens.token_calls - calls_before
    figures.add(f"{words}: callers", count)
    figures.expect(f"{words}: token calls", calls, calls == 1, "and not 1")
    figures.zero(f"{words}: failed callers", tally.bad, tally.words)
    figures.add(f"{words}: seconds of gathering, of serving", f"{waited:.1f}, {served:.1f}")
    figures.add(f"{words}: own memory while all wait, MiB", round(memory / (1 << 20), 1))
