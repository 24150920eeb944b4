"""A hundred drains and a hundred reloads, and callers who notice neither."""

import asyncio
import contextlib
import re
import signal
import socket

import rig
from load import callers, nginx, stage, upstream

KEEPING, COMING = 8, 4


def run(terms, path):
    figures = stage.Figures("changing")
    play = stage.Stage(path, terms)
    times = terms.of(100, 4)
    with _api(play) as api, socket.socket() as listener:
        # As a service manager does: the socket is bound before the daemon starts, and stays when it ends.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(4096)
        with play.daemon("changing", _providers(play, api, 0), listener=listener) as daemon:
            asyncio.run(_change(figures, play, daemon, api, times))
            daemon.stop()
    places = play.seen()
    figures.zero("canaries seen", len(places), "; ".join(places[:3]))
    return figures


def _api(play):
    if nginx.PROGRAM:
        return nginx.Nginx(play.path / "nginx", play.authority, [play.canaries["token"]])
    return upstream.Upstream(play.authority.server_context())


def _providers(play, api, turn):
    """Of another kind each time: another pool and timeouts, which makes new connections; a category, which needs the
    ledger; a second provider; nothing at all."""
    more = (
        "",
        "    pool: { connections: 512 }\n    timeouts: { idle: 50s }\n",
        "    categories: { all: { match: ['* /**'], limit: 100000000/hour } }\n",
        "    tls: { ca: %s, least_version: \"1.3\" }\n" % play.authority.certificate,
    )[turn % 4]
    yaml = play.provider("api", api.port, more)
    if more.startswith("    tls:"):
        yaml = yaml.replace(f"    tls: {{ ca: {play.authority.certificate} }}\n", "", 1)
    return yaml + (play.provider("other", api.port) if turn % 3 == 1 else "")


async def _change(figures, play, daemon, api, times):
    for words, change in (("drain", _drain), ("reload", _reload)):
        tally, is_over = callers.Tally(), asyncio.Event()
        lines = [asyncio.create_task(_keep(daemon, tally, is_over)) for _ in range(KEEPING)]
        lines += [asyncio.create_task(_come(daemon, tally, is_over)) for _ in range(COMING)]
        await asyncio.sleep(0.3)
        wrong = 0
        for turn in range(1, times + 1):
            before = sum(tally.counts.values())
            wrong += await asyncio.to_thread(change, play, daemon, api, turn)
            # Load between two of them, and calls under way when the next one comes.
            while sum(tally.counts.values()) < before + 20 and not all(line.done() for line in lines):
                await asyncio.sleep(0.01)
        is_over.set()
        await asyncio.gather(*lines)
        for answer in tally.examples.values():
            daemon.note(answer)
        figures.add(f"{words}s", times)
        figures.add(f"{words}s: calls meanwhile", sum(tally.counts.values()))
        figures.zero(f"{words}s: failed calls", tally.bad, tally.words)
        figures.zero(f"{words}s that went wrong", wrong)


def _drain(play, daemon, api, turn):
    """1 when it did not end as a drain does. The next one starts at once: callers wait in the socket's queue."""
    status = daemon.stop()
    daemon.start()
    return int(status != 0)


def _reload(play, daemon, api, turn):
    def loaded():
        text = daemon.admin("/metrics")[1].decode()
        found = re.findall(r'^tollkey_config_reloads_total\{outcome="loaded"\} (\d+)', text, re.M)
        return int(found[0]) if found else 0

    before = loaded()
    daemon.configure(f"{play.top()}providers:\n{_providers(play, api, turn)}")
    daemon.process.send_signal(signal.SIGHUP)
    with contextlib.suppress(rig.Failure):
        rig.wait_until(lambda: loaded() == before + 1, "the reload")
        return 0
    return 1


async def _keep(daemon, tally, is_over):
    """One call after the other on a connection that is kept for as long as the proxy keeps it."""
    caller, index = callers.Caller(daemon.port), 0
    while not is_over.is_set():
        index += 1
        content = None if index % 2 else b'{"amount":1}'
        await tally.hear(caller.call("POST" if content else "GET", "/api/pay", content, patience=60))
    caller.close()


async def _come(daemon, tally, is_over):
    """Each call on a connection of its own."""
    while not is_over.is_set():
        await tally.hear(callers.call(daemon.port, "GET", "/api/pay", fields=("Connection: close",), patience=60))
        await asyncio.sleep(0.005)
