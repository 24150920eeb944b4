"""Slow heads, slow content, slow readers: what others notice of a thousand of them.

`slowhttptest` attacks where it is installed, and callers written here besides. Others are measured in turns, with the
attack and without it, on the same machine in the same minute: a busy machine is slow for both.
"""

import contextlib
import math
import multiprocessing
import os
import pathlib
import selectors
import shutil
import socket
import statistics
import subprocess
import time

import rig
from load import million, nginx, stage, upstream

TOOL = shutil.which("slowhttptest")
# A p99 up to here is no finding however low it was before, in seconds: without any attack it was seen from 0.4 to 11 ms
# on two cores that other work shares. In short, within a suite of tests, there may be a whole queue of others.
FLOOR = {True: 0.1, False: 0.01}
# Looks, half a second apart, between which nobody comes and no buffer grows: then the attackers are all there.
LOOKS = {True: 1, False: 4}
ESTABLISHED, SYN_SENT, SYN_RECEIVED, LISTEN = "01", "02", "03", "0A"
ATTACKS = ("heads", "content", "reading")
# What slow readers ask for: 8 MiB, more than the system takes in their stead. Another upstream reads the query.
LARGE = "files/large?blocks=128"


def run(terms, path):
    figures = stage.Figures("slow")
    play = stage.Stage(path, terms)
    count = terms.of(900, 100)
    # Each its own upstream: what an attack costs a provider is not what is measured.
    with (million.api(play) as api, upstream.Upstream(play.authority.server_context()) as slow_api,
          _large(play, slow_api) as large_port):
        providers = (
            play.provider("slow", slow_api.port) + play.provider("well", api.port) + play.provider("large", large_port))
        with play.daemon("slow", providers, top=play.top() + "timeouts: { head: 20s }\n") as daemon:
            _measure(daemon, 0.3)
            for attack in ATTACKS:
                own = _own(daemon, slow_api, attack, count, LOOKS[terms.is_short])
                _against(figures, daemon, terms, attack, f"{count} of ours", own)
            if TOOL and not terms.is_short:
                for attack in ATTACKS:
                    _against(figures, daemon, terms, attack, "1000 of slowhttptest", _tool(daemon, slow_api, attack))
            elif not TOOL:
                figures.add("slowhttptest", "is missing")
            rig.wait_until(lambda: daemon.connections("client") == 0, "the attackers' end")
            daemon.stop()
    places = play.seen()
    figures.zero("canaries seen", len(places), "; ".join(places[:3]))
    return figures


@contextlib.contextmanager
def _large(play, slow_api):
    if not nginx.PROGRAM:
        yield slow_api.port
        return
    # A provider is elsewhere: its buffers must not use up what this machine has for all of its connections.
    with nginx.Nginx(play.path / "nginx-large", play.authority, [play.canaries["token"]], sending="64k") as api:
        (api.path / "files").mkdir()
        (api.path / "files/large").write_bytes(bytes(8 << 20))
        yield api.port


def _against(figures, daemon, terms, attack, words, attacking):
    rounds, seconds = terms.of(3, 1), terms.of(3, 0.3)
    idle, busy, failed, least = [], [], 0, math.inf
    for _ in range(rounds):
        quiet, wrong = _measure(daemon, seconds)
        idle.append(quiet)
        failed += wrong
        try:
            with attacking:
                least = min(least, daemon.connections("client"))
                under, wrong = _measure(daemon, seconds)
        except rig.Failure as error:
            return figures.findings.append(f"slow: {attack}, {words}: {error}")
        busy.append(under)
        failed += wrong
    calm, pressed = statistics.median(idle), statistics.median(busy)
    name = f"{attack}, {words}"
    figures.add(f"{name}: connections of theirs at least", int(least))
    figures.zero(f"{name}: failed calls of others", failed)
    figures.expect(
        f"{name}: p99 of others, idle and attacked, ms", f"{calm * 1000:.2f}, {pressed * 1000:.2f}",
        pressed <= max(2 * calm, FLOOR[terms.is_short]),
        f"more than twice, and than {FLOOR[terms.is_short] * 1000:.0f} ms")


def _measure(daemon, seconds):
    """p99 of one call after the other, each on a connection that is kept or, every tenth, on another."""
    head = b"GET /well/pay HTTP/1.1\r\nHost: localhost\r\n\r\n"
    times, failed, connection = [], 0, None
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(times) < 100:
        start = time.perf_counter()
        try:
            if connection is None or len(times) % 10 == 0:
                if connection:
                    connection.close()
                connection = socket.create_connection(("127.0.0.1", daemon.port), rig.PATIENCE)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(head)
            answer = b""
            while b'{"state":"accepted"}' not in answer:
                piece = connection.recv(4096)
                if not piece:
                    raise OSError("broke off")
                answer += piece
            failed += not answer.startswith(b"HTTP/1.1 200")
        except OSError:
            failed, connection = failed + 1, None
        times.append(time.perf_counter() - start)
    if connection:
        connection.close()
    return statistics.quantiles(times, n=100)[98], failed


def _settle(daemon, api, attack, count, looks):
    """Once all have arrived or been turned away, at the provider too (which heads never reach), and the system's
    buffers are full. By what is there and not by the processor: on a busy machine the proxy is idle for want of it."""
    def look():
        there = _at_port(daemon.port)
        return *there, daemon.connections("client"), len(api.connections) if attack == "content" else 0

    def is_over():
        _, there, filled, *numbers = look()
        for _ in range(looks):
            time.sleep(0.5)
            arriving, _, filled_now, *numbers_now = look()
            if arriving or numbers_now != numbers or abs(filled_now - filled) > filled / 100:
                return False
        return there >= count

    rig.wait_until(is_over, "an end of the attackers' arrival", 120)


def _at_port(port):
    """Connections to that port of loopback: how many are being made or wait to be accepted, how many there are, and
    bytes that the system holds for whoever has them."""
    arriving = there = filled = 0
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, here, peer, state, queues, *_ = line.split()
        sent, received = (int(size, 16) for size in queues.split(":"))
        if int(here.split(":")[1], 16) == port:
            # Of a socket that listens it is the line of those who wait.
            arriving += received if state == LISTEN else state == SYN_RECEIVED
            there += state == ESTABLISHED
            filled += sent
        arriving += state == SYN_SENT and int(peer.split(":")[1], 16) == port
    return arriving, there, filled


@contextlib.contextmanager
def _ended(attacking):
    """What fails before a `with` has begun has no end of its own."""
    try:
        yield
    except BaseException:
        attacking.__exit__()
        raise


class _own:
    """Attackers in a process of their own, who begin anew whenever they are sent away."""

    def __init__(self, daemon, api, attack, count, looks):
        self.daemon, self.api, self.attack, self.count, self.looks = daemon, api, attack, count, looks

    def __enter__(self):
        self.is_over = multiprocessing.Event()
        self.process = multiprocessing.Process(
            target=_attack, args=(self.daemon.port, self.attack, self.count, self.is_over), daemon=True)
        self.process.start()
        with _ended(self):
            _settle(self.daemon, self.api, self.attack, self.count, self.looks)

    def __exit__(self, *_):
        self.is_over.set()
        self.process.join(rig.PATIENCE)
        if self.process.is_alive():
            self.process.kill()
        rig.wait_until(lambda: self.daemon.connections("client") == 0, "the attack's end", 60)


def _attack(port, attack, count, is_over):
    os.nice(5)
    begin = {
        "heads": b"GET /slow/pay HTTP/1.1\r\nHost: localhost\r\nX-",
        "content": b"POST /slow/up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n",
        "reading": b"GET /large/%b HTTP/1.1\r\nHost: localhost\r\n\r\n" % LARGE.encode(),
    }[attack]
    chooser, attackers = selectors.DefaultSelector(), []

    def start():
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.connect(("127.0.0.1", port))
        connection.sendall(begin)
        connection.setblocking(False)
        chooser.register(connection, selectors.EVENT_READ)
        return connection

    attackers = [start() for _ in range(count)]
    while not is_over.wait(0.5):
        for index, connection in enumerate(attackers):
            try:
                if attack == "reading":
                    gone = not connection.recv(16)
                else:
                    gone = not connection.send(b"a")
            except BlockingIOError:
                gone = False
            except OSError:
                gone = True
            if gone:
                chooser.unregister(connection)
                connection.close()
                attackers[index] = start()
    for connection in attackers:
        connection.close()


class _tool:
    def __init__(self, daemon, api, attack):
        self.daemon, self.api, self.attack = daemon, api, attack

    def __enter__(self):
        where = {
            "heads": ["-H", "-u", "slow/pay"], "content": ["-B", "-s", "1000000", "-u", "slow/up"],
            "reading": ["-X", "-w", "256", "-y", "512", "-n", "1", "-z", "16", "-u", f"large/{LARGE}"]}
        *options, target = where[self.attack]
        url = f"http://localhost:{self.daemon.port}/{target}"
        self.process = subprocess.Popen(
            [TOOL, "-c", "1000", "-r", "1000", "-i", "1", "-l", "60", "-v", "0", *options, url],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with _ended(self):
            # It does not always reach them all.
            _settle(self.daemon, self.api, self.attack, 500, LOOKS[False])

    def __exit__(self, *_):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(rig.PATIENCE)
        self.process.kill()
        self.process.wait()
        rig.wait_until(lambda: self.daemon.connections("client") == 0, "the attack's end", 60)
