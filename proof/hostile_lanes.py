"""Lanes: a route of the proxy that is tried, and an upstream of its own that records and judges what arrives.

Lanes run side by side, so that waiting costs little, and what arrives is known to be of one case.
"""

import asyncio
import contextlib
import dataclasses
import re
import socket
import struct
import time
import urllib.parse

import hostile_cases as cases
import hostile_wire as wire
import rig

BASE = b"/base"
AUTHORIZATION = b"Bearer " + rig.SECRETS["PROOF_TOKEN"].encode()
APPLICATION = rig.SECRETS["PROOF_APP"].encode()
# Within this a refused request is answered and its connection closed.
REFUSED_WITHIN = 1
# Nothing more is thought to come of its own accord after so long; then the client says that it has sent all.
QUIET = 0.05
# How long a client waits for an end once it has said so.
END_WITHIN = 3
TOKEN_PATH, TOKEN_ANSWER = b"/oauth/token", b'{"access_token": "canary-access-3c5e81f0", "expires_in": 3600}'
# A request that is answered before all of it has come, and what becomes of its connection.
EARLY = re.compile(rb"[A-Z]+ \S*/early-(keep|close) [^\0]*?\r\n\r\n")
HOP_BY_HOP = (b"connection", b"keep-alive", b"te", b"upgrade", b"transfer-encoding", b"content-length", b"host",
              b"expect")


@dataclasses.dataclass
class Finding:
    kind: str
    case: str
    text: str
    data: bytes = b""


class Upstream:
    """Speaks TLS, reads strictly, answers each request with what it was."""

    def __init__(self):
        self.arrived, self.faults, self.scripts = [], [], {}
        self.connections = 0
        # What is set at its end, for each open connection.
        self.serving = {}

    async def listen(self, context):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=context, limit=1 << 20)
        self.port = self.server.sockets[0].getsockname()[1]

    def clear(self):
        self.arrived, self.faults = [], []

    async def serve(self, reader, writer):
        self.connections += 1
        number = self.connections
        self.serving[number] = ended = asyncio.Event()
        try:
            await self.converse(reader, writer, number)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            del self.serving[number]
            ended.set()
            writer.close()

    async def over(self, numbers):
        """Once these connections have ended."""
        for number in numbers:
            if number in self.serving:
                await self.serving[number].wait()

    async def converse(self, reader, writer, number):
        data, listens, is_answered = bytearray(), True, False
        while piece := await reader.read(1 << 16):
            if listens:
                data += piece
            while data:
                odd = []
                try:
                    message, end = wire.read_request(data, odd=odd)
                except wire.Incomplete:
                    early = EARLY.match(data)
                    if early and not is_answered:
                        is_answered, listens = True, early[1] == b"keep"
                        close = b"" if listens else b"Connection: close\r\n"
                        writer.write(b"HTTP/1.1 413 Early\r\nContent-Length: 0\r\n%s\r\n" % close)
                    break
                except wire.Malformed as error:
                    self.faults.append(f"{error} in {bytes(data[:300])!r}")
                    return
                segment = bytes(data[:end])
                del data[:end]
                if is_answered:
                    is_answered = False
                    continue
                if message.target == BASE + TOKEN_PATH:
                    # The proxy's own call, whenever it likes.
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(TOKEN_ANSWER), TOKEN_ANSWER))
                    continue
                message.odd = odd
                self.arrived.append((message, segment, number))
                script = self.scripts.get(message.target)
                if not script:
                    writer.write(self.answer(message))
                elif not await script(reader, writer, number):
                    return

    def answer(self, message):
        content = b"%s %s %d" % (message.method, message.target, len(message.content))
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(content)
        return head if message.method == b"HEAD" else head + content


class Client:
    """One connection to the proxy, and all that came over it."""

    def __init__(self, port):
        self.port, self.data, self.has_ended, self.was_reset = port, bytearray(), False, False

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        return self

    async def __aexit__(self, *_):
        # Without the wait that a port is kept for after an orderly end: there are more cases than ports.
        sock = self.writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def send(self, data):
        with contextlib.suppress(OSError):
            self.writer.write(data)
            await self.writer.drain()

    def finish_sending(self):
        with contextlib.suppress(OSError):
            self.writer.write_eof()

    async def read(self, seconds):
        """Whether something came, an end included, within that time."""
        try:
            piece = await asyncio.wait_for(self.reader.read(1 << 16), seconds)
        except asyncio.TimeoutError:
            return False
        except OSError:
            piece, self.was_reset = b"", True
        self.data += piece
        self.has_ended = self.has_ended or not piece
        return True

    async def read_until(self, is_enough, seconds):
        end = time.monotonic() + seconds
        while not self.has_ended and not is_enough():
            if not await self.read(max(0.001, end - time.monotonic())):
                return

    def answers(self, methods=(), odd=None):
        """Final answers so far, and the bytes behind them. Raises `wire.Malformed`."""
        found, position, methods = [], 0, list(methods)
        while position < len(self.data):
            try:
                message, position = wire.read_answer(
                    self.data, position, methods[len(found)] if len(found) < len(methods) else b"GET",
                    # A reset ends no answer (RFC 9112 §8).
                    self.has_ended and not self.was_reset, odd)
            except wire.Incomplete:
                break
            if message.status >= 200:
                found.append(message)
        return found, bytes(self.data[position:])


class Lane:
    """`is_ours`: this proxy, which is held to what it promises beyond RFC 9112."""

    def __init__(self, route, upstream, is_ours):
        self.route, self.proxy_port, self.upstream, self.is_ours = route, 0, upstream, is_ours
        # To the same upstream, with a credential that can be renewed.
        self.renewing_route = route.replace(b"/l", b"/r")
        self.clean_calls = 0
        self.findings, self.late = [], []
        # A peer that loses requests would cost this many seconds each time.
        self.patience = rig.PATIENCE if is_ours else 5

    def render(self, case):
        return case.rendered(self.route, b"%d" % self.proxy_port)

    # MARK: one case

    async def run(self, case):
        self.upstream.clear()
        self.found = []
        steps = self.render(case)
        self.case, self.data = case, b"".join(step for step in steps if step)
        async with Client(self.proxy_port) as client:
            seconds = await self.exchange(client, case, steps)
            clean = await self.call_clean("a clean request after it")
            if case.expect == cases.ACCEPT and not client.has_ended:
                await client.read(0.001)
            self.judge(case, client, clean)
        if seconds > REFUSED_WITHIN and not any(finding.kind == "forwarded" for finding in self.found):
            self.late.append(case)
        self.findings += self.found

    def find(self, kind, text):
        self.found.append(Finding(kind, self.case.name, text, self.data))

    async def exchange(self, client, case, steps):
        """Sends, and reads until it is clear what has become of it. How long a refusal took from the last byte on."""
        for number, step in enumerate(steps):
            if step is cases.UNTIL_TOLD:
                if case.name.startswith("file/"):
                    await self.until_quiet(client)
                else:
                    await client.read_until(lambda: b"\r\n\r\n" in client.data, END_WITHIN)
                continue
            if number and steps[number - 1] is not cases.UNTIL_TOLD:
                await asyncio.sleep(0.001)  # or two writes would be one
            await client.send(step)
            if client.has_ended:
                break
        if case.ends:
            client.finish_sending()
        begun = time.monotonic()
        methods = [reading[0] for reading in case.forwarded or ()]
        if case.expect == cases.ACCEPT and case.forwarded:
            await client.read_until(lambda: self.has_answers(client, len(methods), methods), self.patience)
        elif case.expect == cases.REFUSE and self.is_ours:
            # Who may not call, and says so properly, may go on; what cannot be read for certain ends the connection.
            enough = len(methods) + 1 if case.guard or case.name.startswith("file/") else 1 << 20
            await client.read_until(lambda: self.has_answers(client, enough, methods), REFUSED_WITHIN)
            is_refused = client.has_ended or self.has_answers(client, enough, methods)
            if not is_refused:
                client.finish_sending()
                await client.read_until(lambda: False, END_WITHIN)
                return 0 if case.may_wait and client.has_ended else REFUSED_WITHIN + 0.01
        else:
            if case.expect == cases.EARLY and self.is_ours:
                await client.read_until(lambda: self.has_answers(client, 1, ()), self.patience)
            await self.until_quiet(client)
            if not client.has_ended:
                client.finish_sending()
                await client.read_until(lambda: False, END_WITHIN)
            return 0
        return time.monotonic() - begun if case.expect == cases.REFUSE else 0

    async def until_quiet(self, client):
        """Until an answer or an end has come, or nothing."""
        while not client.has_ended and not self.has_answers(client, 1, ()) and await client.read(QUIET):
            pass

    def has_answers(self, client, count, methods):
        try:
            return len(client.answers(methods, odd=[])[0]) >= count
        except wire.Malformed:
            return True

    async def call_clean(self, what):
        """Whether a fresh client's request gets its own answer."""
        self.clean_calls += 1
        path = b"/clean/%d" % self.clean_calls
        async with Client(self.proxy_port) as client:
            await client.send(b"GET %s%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % (self.route,
                path, self.proxy_port))
            await client.read_until(lambda: self.has_answers(client, 1, ()), self.patience)
            self.check_clean(client, path, what)
        return BASE + path

    def check_clean(self, client, path, what):
        expected = b"GET %s%s 0" % (BASE, path)
        try:
            answers, rest = client.answers()
        except wire.Malformed as error:
            return self.find("poisoned", f"{what} was answered with nonsense: {error}")
        if [(answer.status, answer.content) for answer in answers] != [(200, expected)] or rest:
            self.find("poisoned", f"{what} was answered {bytes(client.data[:200])!r}")

    # MARK: judging

    def judge(self, case, client, clean):
        upstream = self.upstream
        for fault in upstream.faults:
            self.find("two readings", fault)
        arrived = [entry for entry in upstream.arrived if entry[0].target != clean]
        if len(upstream.arrived) - len(arrived) != 1 and not any(f.kind == "poisoned" for f in self.found):
            self.find("poisoned", f"the clean request arrived {len(upstream.arrived) - len(arrived)} times")
        for message, segment, _ in upstream.arrived:
            self.judge_forwarded(case, message, segment)
        must_refuse = case.expect == cases.REFUSE and (self.is_ours or case.everybody)
        readings = [message.reading for message, _, _ in arrived]
        expected = [(method, BASE + path, content) for method, path, content in case.forwarded or ()]
        # A peer may write a path in another way that means the same.
        same = readings == expected if self.is_ours else [(m, c) for m, _, c in readings] == [(m, c) for m, _,
            c in expected]
        if must_refuse and not same:
            # One too many is let through; two are a connection on which somebody sees other requests than others do.
            self.find("forwarded" if len(readings) <= len(expected) + 1 else "two readings",
                      f"to be refused, and {len(readings)} arrived instead of {len(expected)}: {str(readings)[:200]}")
        try:
            answers, rest = client.answers([message.method for message, _, _ in arrived])
        except wire.Malformed as error:
            return self.find("answer", f"unreadable: {error} in {bytes(client.data[:200])!r}")
        statuses = [answer.status for answer in answers]
        if case.expect == cases.ACCEPT and (self.is_ours or case.everybody):
            self.judge_accepted(case, statuses, same, readings, expected, rest)
        elif case.expect == cases.EARLY and self.is_ours:
            # A peer may want all of a request before it sends any of it.
            if statuses != [413]:
                self.find("answer", f"the upstream's early answer became {statuses}")
        elif must_refuse and self.is_ours:
            self.judge_refused(case, answers, len(expected))
        if self.is_ours and rest:
            self.find("answer", f"surplus {rest[:80]!r}")

    def judge_accepted(self, case, statuses, same, readings, expected, rest):
        is_file = case.forwarded is None
        good = any(200 <= status < 300 for status in statuses) if is_file else statuses == [200] * len(expected)
        if not good:
            self.find("refused", f"valid, and answered {statuses}{' ' + repr(rest[:80]) if rest else ''}")
        elif not is_file and not same:
            self.find("altered", f"arrived as {str(readings)[:200]} instead of {str(expected)[:200]}")

    def judge_refused(self, case, answers, position):
        """Of this proxy only: each refusal says what it is."""
        if len(answers) <= position:
            return None if case.may_wait else self.find("answer", "refused without a word")
        answer = answers[position]
        kinds = answer.values(b"tollkey-problem")
        wanted = case.status or (400, 403, 404, 413, 414, 431)
        is_problem = len(kinds) == 1 and answer.values(b"content-type") == [b"application/problem+json"]
        if answer.status not in wanted or not is_problem:
            self.find("answer", f"refused with {answer.status} and {kinds}")
        if len(answers) > position + 1 and not case.guard:
            self.find("answer", f"{len(answers)} answers where the refusal is the {position + 1}th")

    def judge_forwarded(self, case, message, segment):
        for odd in message.odd:
            self.find("grammar", f"{odd} in {segment[:300]!r}")
        for difference in wire.differing_requests(segment, [message], message.odd):
            self.find("two readings", f"{difference}; strictly it is {message.reading} in {segment[:300]!r}")
        names = [(name.lower().replace(b"_", b"-"), name, value) for name, value in message.fields + message.trailers]
        # Another spelling is another field, and a trailer none of the header's: for peers neither counts.
        joined = names if self.is_ours else [(name.lower(), name, value) for name, value in message.fields]
        for wanted, value in ((b"authorization", AUTHORIZATION), (b"x-app-id", APPLICATION)):
            seen = [found for name, _, found in joined if name == wanted]
            if seen != [value]:
                self.find("credential", f"{wanted.decode()} arrived as {seen}")
        marks = (cases.NEVER, cases.STAYS) if self.is_ours else (cases.NEVER,)
        for name, raw, value in names:
            if any(mark in value for mark in marks):
                self.find("hop-by-hop", f"{raw.decode('latin-1')} passed with {value[:60]!r}")
            if self.is_ours and (name in (b"connection", b"keep-alive", b"te", b"upgrade",
                                          b"expect") or name.startswith(b"proxy-")
                                 or b"_" in raw and name in HOP_BY_HOP):
                self.find("hop-by-hop", f"{raw.decode('latin-1')} passed")
        for name, value in case.fields:
            if value not in message.values(name.lower()) and b"/clean/" not in message.target:
                self.find("altered", f"{name.decode()} arrived as {message.values(name.lower())}")
        if escapes(message.target):
            self.find("escaped", f"arrived as {message.target!r}")


def escapes(target):
    """Whether some server could see a path outside of the base."""
    # The absolute form says the same as `Host`.
    target = re.sub(rb"(?i)^https?://%s(?=/)" % rig.HOST.encode(), b"", target)
    if not target.startswith(b"/"):
        return True
    path = re.split(rb"[?#]", target, maxsplit=1)[0]
    decoded = urllib.parse.unquote_to_bytes(path)
    segments = []
    for segment in re.split(rb"[/\\]", decoded)[1:]:
        segment = segment.split(b";")[0] if segment.split(b";")[0] in (b".", b"..") else segment
        if segment == b"..":
            segments = segments[:-1]
        elif segment != b".":
            segments.append(segment)
    return segments[:1] != [BASE[1:]] or not target.startswith(BASE)
