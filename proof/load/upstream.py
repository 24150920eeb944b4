"""A provider that does as it is told: over TLS, with a token endpoint whose answers wait until they may go."""

import asyncio
import hashlib
import json
import threading
import urllib.parse

import rig

# What `block` makes and a download is made of. Each differs, so that one that is missing, twice or in the wrong place
# changes the digest.
BLOCK_BYTES = 64 << 10
_FILLING = hashlib.shake_256(b"filling").digest(BLOCK_BYTES - 8)


def block(index):
    return index.to_bytes(8, "big") + _FILLING


def digest_of_blocks(count):
    total = hashlib.sha256()
    for index in range(count):
        total.update(block(index))
    return total.hexdigest()


class Upstream:
    """Runs on a thread of its own until the `with` ends.

    /token      the next of `tokens`, once `gate` is open; or what `token_answer` says: status and content
    /down       ?blocks=N of content; /up reads content and answers its digest; ?pause=S&of=N: seconds before each of
                the first N blocks
    /wait       answers after ?seconds=S
    /fail       breaks off after ?bytes=N of an answer
    /echo       answers the fields of the request, credentials among them, as a careless provider may
    else        a small answer; 401 when `refuses` has the Authorization
    """

    def __init__(self, context, tokens=(), expires_in=3600):
        self.context, self.tokens, self.expires_in = context, list(tokens), expires_in
        self.token_calls = 0
        self.token_answer = None
        self.gate = threading.Event()
        self.gate.set()
        self.refuses = set()
        self.connections = set()
        self.port = None
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        if not self._started.wait(rig.PATIENCE):
            raise rig.Failure("the upstream did not start")
        return self

    def __exit__(self, *_):
        self.gate.set()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(rig.PATIENCE)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        # A peer that hangs up in the middle of a handshake is none of ours to report.
        self._loop.set_exception_handler(lambda *_: None)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context, backlog=4096, limit=256 << 10))
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader, writer):
        self.connections.add(writer)
        try:
            while await self._answer(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self.connections.discard(writer)
            writer.transport.abort()

    async def _answer(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.rstrip("\r\n").split("\r\n")
        method, target, _ = line.split(" ")
        fields = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in rest)}
        path, _, query = target.partition("?")
        terms = {name: values[0] for name, values in urllib.parse.parse_qs(query).items()}
        content = _Content(reader, fields, float(terms.get("pause", 0)), int(terms.get("of", 0)))
        if path == "/token":
            await content.read()
            return await self._token(writer)
        if path == "/up":
            return await self._send(writer, 200, (await content.read()).encode())
        await content.read()
        if fields.get("authorization") in self.refuses:
            return await self._send(writer, 401, b'{"error":"expired"}')
        if path == "/wait":
            await asyncio.sleep(float(terms.get("seconds", 1)))
        elif path in ("/down", "/files/large"):
            return await self._down(writer, int(terms["blocks"]), float(terms.get("pause", 0)), int(terms.get("of", 0)))
        elif path == "/fail":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"[:int(terms.get("bytes", 60))])
            await writer.drain()
            return False
        elif path == "/status":
            return await self._send(writer, int(terms["code"]), b'{"error":"as asked"}')
        elif path == "/echo":
            return await self._send(writer, 200, head.encode("latin-1"))
        return await self._send(writer, 200, b'{"state":"accepted"}')

    async def _token(self, writer):
        self.token_calls += 1
        number = self.token_calls
        while not self.gate.is_set():
            await asyncio.sleep(0.01)
        if self.token_answer:
            status, text = self.token_answer
            return await self._send(writer, status, text.encode())
        token = self.tokens[min(number, len(self.tokens)) - 1]
        answer = {"access_token": token, "expires_in": self.expires_in, "token_type": "Bearer"}
        return await self._send(writer, 200, json.dumps(answer).encode())

    async def _down(self, writer, blocks, pause, paused):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for index in range(blocks):
            if index < paused:
                await asyncio.sleep(pause)
            if writer.transport.is_closing():
                return False
            writer.write(b"%x\r\n%b\r\n" % (BLOCK_BYTES, block(index)))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    @staticmethod
    async def _send(writer, status, content):
        if writer.transport.is_closing():
            return False
        head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        writer.write(head.encode() + content)
        await writer.drain()
        return True


class _Content:
    """A request's content, read at the pace that its query asks for."""

    def __init__(self, reader, fields, pause, paused):
        self.reader, self.pause, self.paused, self.pieces = reader, pause, paused, 0
        self.is_chunked = fields.get("transfer-encoding", "").lower() == "chunked"
        self.length = int(fields.get("content-length", 0))
        self.digest = hashlib.sha256()

    async def read(self):
        """Its digest."""
        if self.is_chunked:
            while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
                await self._take(size)
                await self.reader.readexactly(2)
            await self.reader.readuntil(b"\r\n")
        else:
            await self._take(self.length)
        return self.digest.hexdigest()

    async def _take(self, left):
        while left:
            if self.pieces < self.paused:
                await asyncio.sleep(self.pause)
            piece = await self.reader.read(min(left, BLOCK_BYTES))
            if not piece:
                raise asyncio.IncompleteReadError(b"", left)
            self.pieces += 1
            left -= len(piece)
            self.digest.update(piece)
