"""1 GiB up and 1 GiB down, with peers that are slow for a part of it: what is not taken must not be piled up."""

import hashlib
import itertools
import socket
import threading
import time

import rig
from load import stage, upstream

# Buffers of two connections, and no more: the system's own are not ours.
GROWTH_MAX = 8 << 20
PAUSE = 0.02


def run(terms, path):
    figures = stage.Figures("large")
    play = stage.Stage(path, terms)
    blocks = terms.of(1 << 30, 8 << 20) // upstream.BLOCK_BYTES
    slow = terms.of(500, 20)
    digest = upstream.digest_of_blocks(blocks)
    with upstream.Upstream(play.authority.server_context()) as api:
        with play.daemon("large", play.provider("large", api.port)) as daemon:
            _send(daemon, 4, "", 0, True)
            ways = [
                ("up", lambda: _send(daemon, blocks, "", 0, False)),
                ("up, in chunks", lambda: _send(daemon, blocks, "", 0, True)),
                ("up, the provider takes slowly", lambda: _send(daemon, blocks, f"?pause={PAUSE}&of={slow}", 0, False)),
                ("up, the client gives slowly", lambda: _send(daemon, blocks, "", slow, True)),
                ("down", lambda: _receive(daemon, blocks, "", 0)),
                ("down, the client takes slowly", lambda: _receive(daemon, blocks, "", slow)),
                ("down, the provider gives slowly", lambda: _receive(daemon, blocks, f"&pause={PAUSE}&of={slow}", 0)),
            ]
            for words, way in ways:
                with _Watched(daemon) as watched:
                    start = time.monotonic()
                    found = way()
                    seconds = time.monotonic() - start
                size = blocks * upstream.BLOCK_BYTES >> 20
                figures.add(f"{words}: MiB, seconds", f"{size}, {seconds:.1f}")
                figures.zero(f"{words}: digest differs", int(found != digest))
                figures.expect(
                    f"{words}: most own memory beyond that before, KiB", watched.growth >> 10,
                    watched.growth <= GROWTH_MAX, f"at most {GROWTH_MAX >> 10} was expected")
            daemon.stop()
    places = play.seen()
    figures.zero("canaries seen", len(places), "; ".join(places[:3]))
    return figures


class _Watched:
    """The most that the daemon has of its own meanwhile."""

    def __init__(self, daemon):
        self.daemon, self.is_over = daemon, threading.Event()
        self.before = self.most = daemon.memory()[1]
        self.thread = threading.Thread(target=self._look, daemon=True)

    def _look(self):
        while not self.is_over.wait(0.02):
            self.most = max(self.most, self.daemon.memory()[1])

    @property
    def growth(self):
        return self.most - self.before

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join(rig.PATIENCE)


def _connect(daemon):
    connection = socket.create_connection(("127.0.0.1", daemon.port), 120)
    connection.settimeout(120)
    return connection


def _send(daemon, blocks, query, slow, is_chunked):
    """The digest that the provider answers."""
    framing = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {blocks * upstream.BLOCK_BYTES}"
    with _connect(daemon) as connection:
        connection.sendall(
            f"POST /large/up{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{framing}\r\n\r\n".encode())
        for index in range(blocks):
            if index < slow:
                time.sleep(PAUSE)
            piece = upstream.block(index)
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
        if is_chunked:
            connection.sendall(b"0\r\n\r\n")
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer.rpartition(b"\r\n\r\n")[2].decode()


def _receive(daemon, blocks, query, slow):
    """The digest of what came."""
    digest, reads = hashlib.sha256(), 0
    with _connect(daemon) as connection:
        connection.sendall(
            f"GET /large/down?blocks={blocks}{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        with connection.makefile("rb", upstream.BLOCK_BYTES) as file:
            head = list(itertools.takewhile(lambda line: line.strip(), file))
            if b"Transfer-Encoding: chunked\r\n" not in head:
                raise rig.Failure(f"not streamed as it came: {head[0]}")
            while size := int(file.readline() or b"0", 16):
                if reads < slow:
                    time.sleep(PAUSE)
                reads += 1
                digest.update(file.read(size))
                file.readline()
    return digest.hexdigest()
