"""An upstream over TLS that has every byte in its hand, plain and enciphered, and a client that judges what it gets.

A `Lane` plays one case at a time: it listens on a port of its own, so that it knows whose connection comes before a
byte of it can be read.
"""

import contextlib
import dataclasses
import json
import socket
import ssl
import struct
import threading
import time

import rig

RST, FIN, CLOSE, STALL, GARBAGE, NOISE = "RST", "FIN", "close_notify", "stall", "garbage", "noise"
FAULTS = (RST, FIN, CLOSE, STALL, GARBAGE, NOISE)
# Inside TLS: longer than any answer here, with bytes that no head and no chunk may have. Outside of it: no record.
GIBBERISH = b"\x00\xff\x01" * 40
STATIC = b"\x00garbage " * 8
REPEATABLE = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}


@dataclasses.dataclass
class Case:
    """One call, and what goes wrong with it: `fault` at byte `offset` of `layer`."""

    method: str = "GET"
    # Of the request's content: None, "length" or "chunked". In two pieces when it is `split`.
    framing: str | None = None
    split: bool = False
    key: bool = False
    # Bytes that are added to the content.
    size: int = 0
    reused: bool = False
    # Of the answer's content: "length", "chunked", or "end" (the connection's).
    answer: str = "length"
    client: str = "HTTP/1.1"
    # hello-in, hello-out: TLS's first flights. request: as received, enciphered. answer: as sent, plain;
    # record: the answer's one record, enciphered.
    layer: str | None = None
    offset: int = 0
    fault: str | None = None
    number: int = 0

    @property
    def name(self):
        return f"case{self.number:08d}"

    @property
    def is_repeatable(self):
        return self.method in REPEATABLE or self.key

    def __str__(self):
        words = [
            self.method, self.framing and f"content by {self.framing}", self.split and "in two pieces",
            self.key and "Idempotency-Key",
            self.size and f"{self.size} bytes", "reused connection" if self.reused else "new connection",
            f"answer by {self.answer}", self.client != "HTTP/1.1" and f"client of {self.client}",
            self.fault and f"{self.fault} at byte {self.offset} of {self.layer}"]
        return ", ".join(word for word in words if word)

    def content(self):
        return f"content of {self.name}".encode() + bytes(self.size)

    def request(self, route):
        """Its pieces."""
        head = f"{self.method} /{route}/{self.name} {self.client}\r\nHost: localhost\r\n"
        if self.key:
            head += f"Idempotency-Key: {self.name}\r\n"
        if not self.framing:
            return [head.encode() + b"\r\n"]
        content = self.content()
        parts = [content[:8], content[8:]] if self.split else [content]
        if self.framing == "length":
            head += f"Content-Length: {len(content)}\r\n"
        else:
            head += "Transfer-Encoding: chunked\r\n"
            parts = [b"%x\r\n%s\r\n" % (len(part), part) for part in parts]
            parts[-1] += b"0\r\n\r\n"
        return [head.encode() + b"\r\n" + parts[0], *parts[1:]]

    def answer_parts(self):
        """Head and content as they go over the wire."""
        content = self.answer_content()
        if self.answer == "length":
            return f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode(), content
        if self.answer == "end":
            return b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", content
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (content[:9], content[9:]))
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunks + b"0\r\n\r\n"

    def answer_content(self):
        return f"answer to {self.name}".encode()


class Seen:
    """What the upstream's side knows of one case."""

    def __init__(self):
        self.lock = threading.Lock()
        self.taken = False
        # Connections that a byte of the request was deciphered from; that all of it was.
        self.arrivals = 0
        self.wholes = 0
        self.strangers = []
        # Enciphered bytes of the request, of TLS's first flights, and of the answer's record.
        self.lengths = {}
        # When the fault struck, by the monotonic clock.
        self.failed = None
        # In time, as the client's side has found.
        self.has_come = False
        # The first piece is here, or never will be; the client has its answer; the faulty connection is done with.
        self.goes_on = threading.Event()
        self.over = threading.Event()
        self.done = threading.Event()

    def take(self):
        """True once: for the connection that is to be faulty."""
        with self.lock:
            is_first, self.taken = not self.taken, True
            return is_first


class Wire:
    """TLS over a socket, one step at a time."""

    def __init__(self, connection, context):
        self.connection = connection
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def receive_exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.connection.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def receive_record(self):
        """One record, and no byte behind it."""
        head = self.receive_exactly(5)
        return head + self.receive_exactly(int.from_bytes(head[3:5], "big"))

    def shake(self):
        """True when the handshake is over. What is to be sent stands in `outgoing`."""
        try:
            self.tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False

    def flush(self):
        self.connection.sendall(self.outgoing.read())

    def decipher(self, data):
        self.incoming.write(data)
        plain = b""
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            while piece := self.tls.read(65536):
                plain += piece
        return plain

    def encipher(self, plain):
        if plain:
            self.tls.write(plain)
        return self.outgoing.read()


def is_whole(request):
    """Whether `request` is one request to its end, as far as this proof's own requests go."""
    end = request.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = request[:end].lower()
    if b"\r\ntransfer-encoding:" in head:
        return request.endswith(b"0\r\n\r\n", end + 4)
    if b"\r\ncontent-length: " in head:
        return len(request) >= end + 4 + int(head.split(b"\r\ncontent-length: ")[1].split(b"\r\n")[0])
    return True


class Lane:
    """A port of loopback behind which one case at a time is played."""

    def __init__(self, context):
        self.context = context
        self.case, self.seen = Case(), Seen()
        self.connections = set()
        # The peer of the connection that was accepted last.
        self.accepted = None
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def play(self, case):
        self.case, self.seen = case, Seen()
        return self.seen

    def clear(self):
        """Ends all connections, and waits for whoever serves them: nothing late is taken for the next case's."""
        self.play(Case())
        # Connections are accepted in turn: behind this one there are none that nobody has seen yet.
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            name = last.getsockname()
            rig.wait_until(lambda: self.accepted == name, "a lane's connections")
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        rig.wait_until(lambda: not self.connections, "the end of a lane's connections")

    def close(self):
        # Closing alone wakes nobody who is in accept.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, name = self.listener.accept()
            except OSError:
                return
            self.connections.add(connection)
            self.accepted = name
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection):
        try:
            self._serve(connection)
        finally:
            self.connections.discard(connection)

    def _serve(self, connection):
        # An idle connection is kept for as long as a proof lasts.
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A peer that is gone, or that speaks no TLS, ends the connection: the client's side tells what came of it.
        with connection, contextlib.suppress(OSError, EOFError, ssl.SSLError):
            wire, born = Wire(connection, self.context), self.seen
            if self._greet(wire):
                while self._exchange(wire, born):
                    pass

    def _greet(self, wire):
        """TLS's handshake; false when the connection is over."""
        case, seen = self.case, self.seen
        is_faulty = case.layer in ("hello-in", "hello-out") and seen.take()
        if is_faulty and case.layer == "hello-in":
            wire.receive_exactly(case.offset)
            return self._fail(wire, case, seen, bytearray())
        while True:
            record = wire.receive_record()
            seen.lengths.setdefault("hello-in", len(record))
            wire.incoming.write(record)
            is_over = wire.shake()
            flight = wire.outgoing.read()
            if flight and not is_over:
                seen.lengths.setdefault("hello-out", len(flight))
                if is_faulty:
                    # A signature is a byte or two shorter at times; the whole flight would be no fault.
                    wire.connection.sendall(flight[:min(case.offset, len(flight) - 1)])
                    return self._fail(wire, case, seen, bytearray())
            wire.connection.sendall(flight)
            if is_over:
                return True

    def _exchange(self, wire, born):
        """One request and its answer; false when the connection is over."""
        if not wire.connection.recv(1, socket.MSG_PEEK):
            return False
        case, seen = self.case, self.seen
        # What comes on a connection of an earlier case, where each has its own, is only that one's close_notify.
        is_own = case.reused or born is seen
        is_faulty = case.layer in ("request", "answer", "record") and is_own and seen.take()
        limit = case.offset if is_faulty and case.layer == "request" else None
        request, length = bytearray(), 0
        while limit is None or length < limit:
            data = wire.connection.recv(65536 if limit is None else limit - length)
            if not data:
                return False
            length += len(data)
            if self._take(wire, data, request, seen, case):
                break
        seen.lengths.setdefault("request", length)
        if limit is not None:
            return self._fail(wire, case, seen, request)
        return self._answer(wire, case, seen, request, is_faulty)

    @staticmethod
    def _take(wire, data, request, seen, case):
        """Whether the request is whole now."""
        plain = wire.decipher(data)
        was_whole, had_line = is_whole(request), b"\r\n" in request[:200]
        with seen.lock:
            seen.arrivals += bool(plain) and not request
            request += plain
            line, has_line, _ = bytes(request[:200]).partition(b"\r\n")
            if has_line and not had_line and case.name.encode() not in line:
                seen.strangers.append(line)
            seen.wholes += is_whole(request) and not was_whole
        if b"\r\n\r\n" in request:
            seen.goes_on.set()
        return is_whole(request)

    def _answer(self, wire, case, seen, request, is_faulty):
        answer = b"".join(case.answer_parts())
        if is_faulty and case.layer == "answer":
            wire.connection.sendall(wire.encipher(answer[:case.offset]))
            return self._fail(wire, case, seen, request)
        record = wire.encipher(answer)
        seen.lengths.setdefault("record", len(record))
        if is_faulty:
            wire.connection.sendall(record[:case.offset])
            return self._fail(wire, case, seen, request)
        wire.connection.sendall(record)
        if case.answer == "end":
            self._say_close(wire)
            return False
        return True

    @staticmethod
    def _say_close(wire):
        with contextlib.suppress(ssl.SSLError):
            wire.tls.unwrap()
        wire.flush()
        wire.connection.shutdown(socket.SHUT_WR)

    def _fail(self, wire, case, seen, request):
        """Does what `case` says, then reads on: what still comes of the request counts as arrived. Always false."""
        seen.failed = time.monotonic()
        try:
            if case.fault == RST:
                wire.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                wire.connection.close()
            elif case.fault == STALL:
                seen.goes_on.set()
                seen.over.wait(rig.PATIENCE)
                # A whole answer leaves nothing to give up: the connection is kept.
                wire.connection.settimeout(1)
            elif case.fault == CLOSE:
                self._say_close(wire)
            else:
                if case.fault == GARBAGE:
                    wire.connection.sendall(wire.encipher(GIBBERISH))
                elif case.fault == NOISE:
                    wire.connection.sendall(STATIC)
                wire.connection.shutdown(socket.SHUT_WR)
            seen.goes_on.set()
            while data := wire.connection.recv(65536):
                self._take(wire, data, request, seen, case)
        except (OSError, ssl.SSLError, EOFError):
            pass
        finally:
            seen.goes_on.set()
            seen.done.set()
        return False


@dataclasses.dataclass
class Answer:
    """What a client has got: `whole`, `cut`, `nothing` (a connection's end and no byte), or `late`."""

    kind: str
    status: int = 0
    fields: dict = dataclasses.field(default_factory=dict)
    content: bytes = b""
    seconds: float = 0

    @property
    def problem(self):
        """The kind of an answer that the proxy made itself; None for others."""
        return self.fields.get("tollkey-problem")

    @property
    def told(self):
        """The member `may_have_been_processed`: True, False, or None for none."""
        try:
            return json.loads(self.content).get("may_have_been_processed")
        except ValueError:
            return None

    @property
    def detail(self):
        try:
            return json.loads(self.content).get("detail", "")
        except ValueError:
            return ""

    def __str__(self):
        words = f"{self.kind} {self.status or ''}".strip()
        if self.problem:
            words += f" {self.problem}, may_have_been_processed {self.told}: {self.detail}"
        return f"{words} after {self.seconds:.2f} s"


def call(port, pieces, before_next=None, seconds=rig.PATIENCE):
    """Sends `pieces` over a connection of its own, `before_next` between two, and reads one answer."""
    began = time.monotonic()
    received = bytearray()
    end = "late"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for index, piece in enumerate(pieces):
                    if index and before_next:
                        before_next()
                    connection.sendall(piece)
            while read_answer(received, None) is None:
                connection.settimeout(max(0.01, began + seconds - time.monotonic()))
                data = connection.recv(65536)
                if not data:
                    end = "end"
                    break
                received += data
    except ConnectionResetError:
        end = "reset"
    except TimeoutError:
        pass
    answer = read_answer(received, None) or read_answer(received, end)
    answer.seconds = time.monotonic() - began
    return answer


def read_answer(received, end):
    """The answer in `received`; None when it may go on, which it does not when `end` says how it ended."""
    head, has_head, content = bytes(received).partition(b"\r\n\r\n")
    unfinished = {"late": "late", None: None}.get(end, "cut" if received else "nothing")
    if not has_head:
        return Answer(unfinished) if end else None
    status_line, *lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    answer = Answer("whole", int(status_line.split()[1]), fields, content)
    if "content-length" in fields:
        if len(content) >= int(fields["content-length"]):
            return answer
    elif "transfer-encoding" in fields:
        answer.content, is_over = read_chunks(content)
        if is_over:
            return answer
    elif end == "end":
        return answer
    answer.kind = unfinished
    return answer if end else None


def read_chunks(rest):
    """The content so far, and whether the last chunk has come."""
    content = b""
    while True:
        size, has_size, rest = rest.partition(b"\r\n")
        if not has_size:
            return content, False
        count = int(size.split(b";")[0], 16)
        if count == 0:
            return content, rest.startswith(b"\r\n")
        content += rest[:count]
        if len(rest) < count + 2:
            return content, False
        rest = rest[count + 2:]
