"""Fewer descriptors than callers: what can be answered is, nothing spins or dies, it is said, and it passes."""

import asyncio
import resource
import time

import rig
from load import callers, stage, upstream

# Of which it needs some forty for itself.
LIMIT = 128
WORDS = ("descriptor", "open files")


def run(terms, path):
    figures = stage.Figures("descriptors")
    play = stage.Stage(path, terms)
    count = terms.of(1_000, 200)
    with upstream.Upstream(play.authority.server_context(), play.tokens) as api:
        pool = "    pool: { idle_timeout: 1s }\n"
        providers = play.provider("plain", api.port, pool) + play.provider("token", api.port, pool, token_port=api.port)
        # The daemon raises the soft limit to the hard one.
        with play.daemon("descriptors", providers, wrapper=("prlimit", f"--nofile={LIMIT}:{LIMIT}")) as daemon:
            asyncio.run(_run_out(figures, daemon, count, terms.of(5, 1)))
            daemon.stop()
        with play.daemon("surprised", providers) as daemon:
            asyncio.run(_surprise(figures, daemon))
            daemon.stop()
    places = play.seen()
    figures.zero("canaries seen", len(places), "; ".join(places[:3]))
    return figures


async def _run_out(figures, daemon, count, rounds):
    for target in ("/plain/pay", "/token/pay"):
        await callers.call(daemon.port, target=target)
    before = await asyncio.to_thread(daemon.own_descriptors)
    soft, _ = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    meanwhile, afterwards, spent = callers.Tally(), callers.Tally(), []
    for _ in range(rounds):
        crowd = await callers.connected(daemon.port, count)
        tasks = [asyncio.create_task(_call_and_stay(caller, meanwhile)) for caller in crowd]
        await asyncio.sleep(0.5)
        start, began = time.monotonic(), daemon.processor_seconds()
        await asyncio.sleep(1)
        spent.append((daemon.processor_seconds() - began) / (time.monotonic() - start))
        if daemon.process.poll() is not None:
            raise rig.Failure(f"the daemon ended with {daemon.process.returncode}")
        # Each who goes makes room for another.
        for task in asyncio.as_completed(tasks, timeout=240):
            (await task).close()
        for target in ("/plain/pay", "/token/pay") * 20:
            await afterwards.hear(callers.call(daemon.port, target=target))
    for answer in meanwhile.examples.values():
        daemon.note(answer)
    figures.add("callers, descriptors in all, times", f"{count}, {soft}, {rounds}")
    figures.zero("callers who were not served", meanwhile.bad, meanwhile.words)
    figures.expect("most processor time while none is left", round(max(spent), 2), max(spent) < 0.5, "it spins")
    figures.zero("failed calls afterwards", afterwards.bad, afterwards.words)
    figures.zero("descriptors that were not given back", await asyncio.to_thread(daemon.leaked_descriptors, before))
    _is_said(figures, daemon)


async def _surprise(figures, daemon):
    """There were more when it began."""
    for target in ("/plain/pay", "/token/pay"):
        await callers.call(daemon.port, target=target)
    before = await asyncio.to_thread(daemon.own_descriptors)
    soft, hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (daemon.descriptors() + 4, hard))
    taken, late = callers.Tally(), callers.Tally()
    crowd = await callers.connected(daemon.port, 20)
    tasks = [asyncio.create_task(_call_and_stay(caller, taken)) for caller in crowd]
    for task in asyncio.as_completed(tasks, timeout=240):
        (await task).close()
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (soft, hard))
    for target in ("/plain/pay", "/token/pay") * 10:
        await late.hear(callers.call(daemon.port, target=target))
    for answer in taken.examples.values():
        daemon.note(answer)
    broke = sum(number for words, number in taken.counts.items() if words.startswith("broke"))
    blamed = sum(number for words, number in taken.counts.items() if "upstream-" in words)
    figures.add("callers who take the last four", taken.words)
    figures.zero("of them, without an answer", broke)
    figures.zero("of them, told that it was the provider", blamed)
    figures.zero("failed calls after that", late.bad, late.words)
    _is_said(figures, daemon)
    leaked = await asyncio.to_thread(daemon.leaked_descriptors, before)
    figures.zero("descriptors that were not given back then", leaked)


def _is_said(figures, daemon):
    lines = daemon.log.read_text().splitlines()
    said = [line for line in lines if any(word in line for word in WORDS)]
    figures.expect("lines in the log about it", len(said), bool(said), "nobody would know")


async def _call_and_stay(caller, tally):
    """Keeps its connection, as a client with a pool does."""
    await tally.hear(caller.call(target="/plain/pay", patience=200))
    await asyncio.sleep(0.3)
    return caller
