"""HTTP/1.1 read as RFC 9112 has it and no further: what this reads, every parser reads alike.

It judges what a proxy sent, so there is no leniency in it: whatever a recipient MAY repair is `Malformed` here. Only
for who gives a list `odd` it goes on where a byte or a field breaks the grammar and still leaves no doubt about where
the message ends: RFC 9110 §5.5 lets recipients keep control characters in values, and says nothing of odd names.
Beside it stand readers of others, for whoever has them installed: h11, and llhttp by way of httptools.
"""

import dataclasses
import re

HEAD_BYTES_MAX = 256 << 10
TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
REQUEST_LINE = re.compile(rb"(%s) ([\x21-\x7e]+) HTTP/1\.([01])" % TOKEN)
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9]) ([\t\x20-\x7e\x80-\xff]*)")
VISIBLE = rb"[\x21-\x7e\x80-\xff]"
FIELD_LINE = re.compile(rb"(%s):[ \t]*((?:%s(?:[\t\x20-\x7e\x80-\xff]*%s)?)?)[ \t]*" % (TOKEN, VISIBLE, VISIBLE))
LENGTH, LENGTH_MAX = re.compile(rb"[0-9]{1,20}"), (1 << 64) - 1
# As far as `odd` goes. Space, NUL, CR and LF have no place here: some readers end a target or a line at them.
ODD_REQUEST_LINE = re.compile(rb"(%s) ([^\0-\x20]+) HTTP/1\.([01])" % TOKEN)
ODD_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: [^\0\r\n]*)?")
ODD_FIELD_LINE = re.compile(rb"([^\0-\x20:\x7f]+):[ \t]*([^\0\r\n]*?)[ \t]*")
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;[\t\x20-\x7e\x80-\xff]*)?")


class Malformed(Exception):
    """What came is no HTTP/1.1 message, or one that two parsers could read differently."""


class Incomplete(Exception):
    """More has to come."""


@dataclasses.dataclass
class Message:
    fields: list  # pairs of bytes, names as they came
    content: bytes = b""
    trailers: list = dataclasses.field(default_factory=list)
    minor: int = 1
    method: bytes = b""
    target: bytes = b""
    status: int = 0
    # An answer whose end is the connection's.
    until_close: bool = False
    # What in it breaks the grammar.
    odd: list = dataclasses.field(default_factory=list)

    def values(self, name):
        return [value for other, value in self.fields if other.lower() == name]

    @property
    def options(self):
        return [option.strip().lower() for value in self.values(b"connection") for option in value.split(b",")]

    @property
    def reading(self):
        """What other readers must see too."""
        return (self.method, self.target, self.content) if self.method else (self.status, self.content)


def read_request(data, start=0, odd=None):
    """The request at `start`, and where the next one begins."""
    lines, position = _head(data, start)
    line = _matched("request line", lines[0], REQUEST_LINE, ODD_REQUEST_LINE, odd)
    message = Message(_fields(lines[1:], odd), method=line[1], target=line[2], minor=int(line[3]))
    hosts = message.values(b"host")
    if len(hosts) != 1 and not (message.minor == 0 and not hosts):
        raise Malformed(f"{len(hosts)} Host fields")
    return message, _content(data, position, message, _framing(message) or 0, odd)


def read_answer(data, start=0, method=b"GET", has_ended=False, odd=None):
    """The answer to a `method` at `start`, and where the next one begins. `has_ended`: nothing more will come."""
    lines, position = _head(data, start)
    line = _matched("status line", lines[0], STATUS_LINE, ODD_STATUS_LINE, odd)
    message = Message(_fields(lines[1:], odd), status=int(line[2]), minor=int(line[1]))
    framing = _framing(message)
    if method == b"HEAD" or message.status in (204, 304) or message.status < 200:
        if framing is not None and (message.status < 200 or message.status == 204):
            # It ends with its head all the same (RFC 9112 §6.3).
            _note(f"{message.status} with a length", odd)
        return message, position
    if framing is None:
        if not has_ended:
            raise Incomplete
        message.until_close, message.content = True, data[position:]
        return message, len(data)
    return message, _content(data, position, message, framing, odd)


def _note(what, odd):
    if odd is None:
        raise Malformed(what)
    odd.append(what)


def _matched(what, line, strict, lenient, odd):
    found = strict.fullmatch(line)
    if not found:
        found = lenient.fullmatch(line)
        _note(f"{what} {line[:80]!r}", odd if found else None)
    return found


def _head(data, start):
    end = data.find(b"\r\n\r\n", start)
    if end < 0:
        if len(data) - start > HEAD_BYTES_MAX:
            raise Malformed("a head without an end")
        if re.search(rb"(?<!\r)\n|\r(?!\n|$)|\0", data[start:]):
            raise Malformed("a bare CR or LF, or NUL, in a head")
        raise Incomplete
    lines = bytes(data[start:end]).split(b"\r\n")
    for line in lines:
        if re.search(rb"[\r\n\0]", line):
            raise Malformed(f"a bare CR or LF, or NUL, in {line[:80]!r}")
    return lines, end + 4


def _fields(lines, odd):
    fields = []
    for line in lines:
        field = _matched("field line", line, FIELD_LINE, ODD_FIELD_LINE, odd)
        fields.append((field[1], field[2]))
    return fields


def _framing(message):
    """A length, "chunked", or None."""
    lengths, codings = message.values(b"content-length"), message.values(b"transfer-encoding")
    if lengths and codings:
        raise Malformed("both Content-Length and Transfer-Encoding")
    if len(lengths) > 1 or len(codings) > 1:
        raise Malformed("two of Content-Length or of Transfer-Encoding")
    if codings:
        if codings[0].lower() != b"chunked" or message.minor == 0:
            raise Malformed(f"Transfer-Encoding {codings[0]!r} in HTTP/1.{message.minor}")
        return "chunked"
    if lengths:
        if not LENGTH.fullmatch(lengths[0]) or int(lengths[0]) > LENGTH_MAX:
            raise Malformed(f"Content-Length {lengths[0]!r}")
        return int(lengths[0])
    return None


def _content(data, position, message, framing, odd):
    if framing != "chunked":
        if len(data) < position + framing:
            raise Incomplete
        message.content = bytes(data[position:position + framing])
        return position + framing
    content = bytearray()
    while True:
        line, position = _line(data, position)
        size = CHUNK_LINE.fullmatch(line)
        if not size:
            raise Malformed(f"chunk size {line[:40]!r}")
        count = int(size[1], 16)
        if count == 0:
            break
        if len(data) < position + count + 2:
            raise Incomplete
        content += data[position:position + count]
        position += count + 2
        if data[position - 2:position] != b"\r\n":
            raise Malformed("no CR LF behind a chunk")
    while True:
        line, position = _line(data, position)
        if not line:
            break
        message.trailers += _fields([line], odd)
    message.content = bytes(content)
    return position


def _line(data, position):
    end = data.find(b"\r\n", position)
    if end < 0:
        if re.search(rb"\n|\r.", data[position:position + 1024], re.DOTALL):
            raise Malformed("a bare CR or LF in a chunk's line")
        raise Incomplete
    line = bytes(data[position:end])
    if re.search(rb"[\r\n\0]", line):
        raise Malformed("a bare CR or LF in a chunk's line")
    return line, end + 2


# Readers of others: bytes to a list of readings. They raise when they refuse.


def h11_requests(data):
    import h11
    found, rest = [], bytes(data)
    while rest:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)
        connection.receive_data(rest)
        content = b""
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                method, target = event.method, event.target
            elif isinstance(event, h11.Data):
                content += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                raise Malformed(f"h11 waits at {event}")
        found.append((method, target, content))
        rest = connection.trailing_data[0]
    return found


def llhttp_requests(data):
    import httptools
    found = []

    class Listener:
        def on_message_begin(self):
            self.target, self.content = b"", b""

        def on_url(self, piece):
            self.target += piece

        def on_body(self, piece):
            self.content += piece

        def on_message_complete(self):
            found.append((parser.get_method(), self.target, self.content))

    parser = httptools.HttpRequestParser(Listener())
    try:
        parser.feed_data(bytes(data))
    except httptools.HttpParserUpgrade:
        pass  # how it ends behind a request that asks for one
    return found


def h11_answers(data, methods, has_ended):
    import h11
    found, rest = [], bytes(data)
    for method in methods:
        if not rest:
            break
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES_MAX)
        connection.send(h11.Request(method=method, target="/", headers=[("Host", "h")]))
        connection.send(h11.EndOfMessage())
        connection.receive_data(rest)
        if has_ended:
            connection.receive_data(b"")
        status, content = 0, b""
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                content += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                break
            elif not isinstance(event, h11.InformationalResponse):
                raise Malformed(f"h11 waits at {event}")
        found.append((status, content))
        rest = connection.trailing_data[0]
    return found


def _is_installed(module, least):
    """httptools before 0.2 was another parser, and an older h11 reads more than it should."""
    try:
        version = __import__(module).__version__
    except ImportError:
        return False
    return tuple(int(part) for part in version.split(".")[:2]) >= least


# Methods that llhttp knows; it refuses all others, which says nothing about framing.
LLHTTP_METHODS = frozenset(
    b"DELETE GET HEAD POST PUT OPTIONS TRACE COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK BIND REBIND UNBIND"
    b" ACL REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PATCH PURGE MKCALENDAR LINK"
    b" UNLINK".split())
OTHERS = [name for name, module, least in (("h11", "h11", (0, 15)), ("llhttp", "httptools", (0,
    2))) if _is_installed(module, least)]
READERS = {"h11": h11_requests, "llhttp": llhttp_requests}


def differing_requests(data, messages, odd=()):
    """What other readers make of `data`, where that is not `messages`, in words. They may refuse what is `odd`."""
    expected = [message.reading for message in messages]
    found = []
    for name in OTHERS:
        if name == "llhttp" and any(message.method not in LLHTTP_METHODS for message in messages):
            continue
        try:
            seen = READERS[name](data)
        except Exception as error:
            if odd:
                continue
            seen = f"refuses: {error}"
        if seen != expected:
            found.append(f"{name} reads {str(seen)[:160]}")
    return found


def differing_answers(data, messages, methods, has_ended, odd=()):
    """As `differing_requests`, for final answers."""
    if "h11" not in OTHERS:
        return []
    expected = [message.reading for message in messages]
    try:
        seen = h11_answers(data, methods[:len(messages)], has_ended)
    except Exception as error:
        if odd:
            return []
        seen = f"{type(error).__name__}: {error}"
    return [] if seen == expected else [f"h11 reads {str(seen)[:160]}"]
