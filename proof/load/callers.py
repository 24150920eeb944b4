"""Callers: raw HTTP/1.1 over asyncio, as many at a time as there are descriptors."""

import asyncio
import contextlib
import socket
import struct
import typing

import rig


class Answer(typing.NamedTuple):
    status: int
    fields: dict
    content: bytes

    @property
    def closes(self):
        return self.fields.get("connection", "").lower() == "close"

    @property
    def words(self):
        """For a finding: what the proxy said, without what differs from call to call."""
        kind = self.fields.get("tollkey-problem")
        return f"{self.status} {kind}" if kind else str(self.status)


class Broken(Exception):
    """No whole answer came."""


def request(method, target, content=None, fields=()):
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *fields]
    if content is not None:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + (content or b"")


async def read_answer(reader, method="GET"):
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        status = int(lines[0].split(" ")[1])
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
        if status < 200:
            return await read_answer(reader, method)
        if method == "HEAD" or status in (204, 304):
            content = b""
        elif fields.get("transfer-encoding", "").lower() == "chunked":
            content = b""
            while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
                content += (await reader.readexactly(size + 2))[:-2]
            await reader.readuntil(b"\r\n")
        else:
            content = await reader.readexactly(int(fields.get("content-length", 0)))
        return Answer(status, fields, content)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError) as error:
        raise Broken(f"{type(error).__name__}: {error}") from error
    except OSError as error:
        raise Broken(error.strerror or str(error)) from error


class Caller:
    """One connection to the proxy, kept open over its calls."""

    def __init__(self, port):
        self.port, self.reader, self.writer = port, None, None

    async def connect(self, patience=rig.PATIENCE):
        try:
            self.reader, self.writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", self.port), patience)
        except (OSError, asyncio.TimeoutError) as error:
            raise Broken(f"no connection: {error or 'in time'}") from error
        return self

    async def call(self, method="GET", target="/", content=None, fields=(), patience=rig.PATIENCE):
        if not self.writer:
            await self.connect(patience)
        try:
            self.writer.write(request(method, target, content, fields))
            answer = await asyncio.wait_for(read_answer(self.reader, method), patience)
        except asyncio.TimeoutError as error:
            self.hang_up()
            raise Broken(f"no answer within {patience} s") from error
        except (Broken, asyncio.CancelledError):
            self.hang_up()
            raise
        if answer.closes:
            self.close()
        return answer

    def close(self):
        if self.writer:
            self.writer.close()
        self.reader = self.writer = None

    def hang_up(self):
        """At once, with a reset: what was written and not sent is dropped."""
        if self.writer:
            with contextlib.suppress(OSError):
                self.writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
        self.reader = self.writer = None


async def call(port, method="GET", target="/", content=None, fields=(), patience=rig.PATIENCE):
    """One call on a connection of its own."""
    caller = Caller(port)
    try:
        return await caller.call(method, target, content, fields, patience)
    finally:
        caller.close()


async def connected(port, count, together=500):
    """So many callers with open connections."""
    callers = [Caller(port) for _ in range(count)]
    for start in range(0, count, together):
        await asyncio.gather(*(caller.connect() for caller in callers[start:start + together]))
    return callers


class Tally:
    """How calls went: by status and kind, and those that broke."""

    def __init__(self):
        self.counts, self.examples = {}, {}

    def add(self, words, answer=None):
        self.counts[words] = self.counts.get(words, 0) + 1
        if answer is not None and answer.status != 200:
            self.examples.setdefault(words, answer)

    async def hear(self, awaitable):
        """Awaits an answer, whatever becomes of it."""
        try:
            answer = await awaitable
            self.add(answer.words, answer)
            return answer
        except Broken as error:
            self.add(f"broke: {error}")

    @property
    def good(self):
        return self.counts.get("200", 0)

    @property
    def bad(self):
        return sum(self.counts.values()) - self.good

    @property
    def words(self):
        ordered = sorted(self.counts.items(), key=lambda item: -item[1])
        return ", ".join(f"{words}: {count}" for words, count in ordered) or "nothing"
