"""A million calls. What a proxy has of its own after a third of them, it may have at the end, and no more."""

import asyncio
import contextlib
import re
import shutil
import socket
import subprocess
import threading
import time

import rig
from load import callers, nginx, stage, upstream

CONNECTIONS = 32
# Percent of calls that fail where nginx.FAULTS strike: one is told 500, one is cut short. One whose connection is lost
# without an answer is repeated, and fails when the repetition meets a fault again.
FAILED = (1, 3)
# What the allocator may take or give back by chance. A leak of two bytes in each call would be beyond it.
GROWTH_MAX = 1 << 20
WRK = shutil.which("wrk")


def run(terms, path):
    figures = stage.Figures("million")
    play = stage.Stage(path, terms)
    count = terms.of(1_000_000, 20_000)
    if not nginx.PROGRAM or not WRK:
        count = min(count, 100_000)
        figures.add("wrk or nginx is missing: fewer calls", count)
    with api(play) as provider, play.daemon("million", _providers(play, provider)) as daemon:
        _calls(figures, daemon, "well", "/well/pay", count)
        if nginx.PROGRAM:
            _calls(
                figures, daemon, "one in twenty fails", "/faulty/faulty/pay", terms.of(count, count // 2), fails=True)
        # Afterwards it is as if nothing had been.
        rig.wait_until(lambda: daemon.metric("tollkey_connections") == 0, "all connections at their end")
        answer = asyncio.run(callers.call(daemon.port, target="/well/pay"))
        figures.zero("a call afterwards fails", int(answer.status != 200))
        daemon.stop()
    places = play.seen()
    figures.zero("canaries seen", len(places), "; ".join(places[:3]))
    return figures


def _providers(play, api):
    # So that connections end within the part.
    pool = "    pool: { idle_timeout: 1s }\n"
    return play.provider("well", api.port, pool) + play.provider("faulty", api.port, pool)


@contextlib.contextmanager
def api(play):
    token = play.canaries["token"]
    if nginx.PROGRAM:
        with _cutting_short() as port, nginx.Nginx(play.path / "nginx", play.authority, [token], port) as api:
            yield api
    else:
        with upstream.Upstream(play.authority.server_context()) as api:
            yield api


@contextlib.contextmanager
def _cutting_short():
    """A plain server that promises a kilobyte and breaks off after ten bytes."""
    server = socket.create_server(("127.0.0.1", 0), backlog=512)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                with client, contextlib.suppress(OSError):
                    client.settimeout(rig.PATIENCE)
                    client.recv(65536)
                    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n0123456789")

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        # A thread that waits in accept is woken by this, and not by closing.
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def _calls(figures, daemon, words, target, count, fails=False):
    start, made, failed, samples = time.monotonic(), 0, 0, []
    before = daemon.processor_seconds()
    descriptors = None
    # At most a twentieth at a time, so that the third and the end are met well enough.
    seconds = 1
    while made < count:
        more, bad = _load(daemon.port, target, count, seconds)
        if not more:
            raise rig.Failure(f"{target}: not one call was answered")
        made, failed = made + more, failed + bad
        samples.append((made, *daemon.memory()))
        descriptors = daemon.descriptors()
        rate = made / (time.monotonic() - start)
        seconds = max(1, min(15, int(count / 20 / rate)))
    third = next(sample for sample in samples if sample[0] >= count / 3)
    last = samples[-1]
    figures.add(f"{words}: calls", made)
    if fails:
        percent = 100 * failed / made
        figures.expect(
            f"{words}: calls that failed, percent", round(percent, 2), FAILED[0] <= percent <= FAILED[1],
            f"and not {FAILED[0]} to {FAILED[1]}")
    else:
        figures.zero(f"{words}: failed calls", failed)
    figures.add(
        f"{words}: calls/s, processor µs for each",
        f"{made / (time.monotonic() - start):.0f}, {1e6 * (daemon.processor_seconds() - before) / made:.1f}")
    for name, index in (("Pss", 1), ("own memory", 2)):
        figures.add(
            f"{words}: {name} after a third and at the end, KiB", f"{third[index] >> 10}, {last[index] >> 10}")
    growth = last[2] - third[2]
    figures.expect(
        f"{words}: growth of own memory over two thirds, KiB", growth >> 10, growth <= GROWTH_MAX,
        f"at most {GROWTH_MAX >> 10} was expected")
    figures.add(f"{words}: descriptors at the end", descriptors)


def _load(port, target, count, seconds):
    """Calls made in a while, and how many of them failed."""
    if not WRK:
        return asyncio.run(_own_load(port, target, count // 10))
    done = subprocess.run(
        [WRK, "-c", str(CONNECTIONS), "-t", "1", "-d", f"{seconds}s", "--timeout", f"{rig.PATIENCE}s",
         f"http://127.0.0.1:{port}{target}"],
        capture_output=True, text=True, timeout=seconds + 3 * rig.PATIENCE)
    made = re.search(r"(\d+) requests in", done.stdout)
    if not made:
        raise rig.Failure(f"wrk: {done.stdout} {done.stderr}")
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", done.stdout)
    bad = int(wrong[1]) if wrong else 0
    return int(made[1]), bad + (sum(map(int, broken.groups())) if broken else 0)


async def _own_load(port, target, count):
    tally = callers.Tally()

    async def line():
        caller = callers.Caller(port)
        for _ in range(count // CONNECTIONS + 1):
            await tally.hear(caller.call(target=target))
        caller.close()

    await asyncio.gather(*(line() for _ in range(CONNECTIONS)))
    return sum(tally.counts.values()), tally.bad
