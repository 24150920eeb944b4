"""Answers of an upstream that is broken, cut off, or wants its bytes taken for another answer.

Each says what must become of it at the client: relayed whole, told as broken (502, 504, or an answer cut short), or
either; and whether its connection may carry another request.
"""

import dataclasses
import itertools

import hostile_cases as cases
from hostile_cases import NEVER, STAYS, shown

WHOLE, BROKEN, CUT, EITHER = "whole", "broken", "cut", "either"
KINDS = ("cut", "split", "two readings", "grammar", "poisoned", "reused", "told", "lost", "hop-by-hop")
# How an upstream's part ends: nothing, TLS close_notify and FIN, FIN alone, RST.
STAY, CLOSE, FIN, RESET = "stay", "close", "FIN", "RST"
# Between two pieces: until the client has its answer, so that what follows comes to an idle connection.
IDLE = None


@dataclasses.dataclass
class Answer:
    name: str
    pieces: list
    expect: str
    end: str = STAY
    method: bytes = b"GET"
    minor: int = 1
    # What the client gets when it is relayed.
    status: int = 200
    content: bytes = b"hello"
    fields: list = ()
    # Whether the connection may carry another request; None: who knows.
    reuse: bool = None
    # False: so much this proxy promises. RFC 9112 also lets a proxy repair what is broken, or refuse what is odd.
    everybody: bool = True
    bound: bool = False
    # Asked for with a credential that can be renewed, so that a 401 is held back until that is decided.
    renews: bool = False


OK = b"HTTP/1.1 200 OK\r\n"


def head(*fields, line=OK):
    return line + b"".join(field + b"\r\n" for field in fields) + b"\r\n"


def whole(name, data, **more):
    return Answer(name, [data] if isinstance(data, bytes) else data, WHOLE, **more)


def broken(name, data, **more):
    return Answer(name, [data] if isinstance(data, bytes) else data, BROKEN, **{"reuse": False, **more})


def either(name, data, **more):
    return Answer(name, [data] if isinstance(data, bytes) else data, EITHER, **more)


LENGTH = head(b"Content-Length: 5") + b"hello"
CHUNKED = head(b"Transfer-Encoding: chunked") + b"2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nX-T: 1\r\n\r\n"
UNTIL_CLOSE = head(b"Content-Type: text/plain") + b"hello"
EVIL = head(b"Content-Length: 4", b"X-Evil: yes") + b"evil"


def status_lines():
    rest = b"Content-Length: 5\r\n\r\nhello"
    for line in (b"HTTP/1.1 200 OK", b"HTTP/1.1 200 ", b"HTTP/1.1 200 Very well then: \xc3\xa9", b"HTTP/1.1 200 \tOK",
                 b"HTTP/1.1 200 200 OK"):
        yield whole(f"line/{shown(line)}", line + b"\r\n" + rest)
    yield whole("line/1.0", b"HTTP/1.0 200 OK\r\n" + rest, reuse=False)
    yield whole("line/1.0 kept", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + rest)
    for status in (201, 299, 300, 400, 403, 404, 418, 429, 499, 500, 502, 503, 504, 511, 599):
        yield whole(f"line/{status}", b"HTTP/1.1 %d X\r\n" % status + rest, status=status)
    for line, status in ((b"HTTP/1.1 200", 200), (b"HTTP/1.1 600 X", 600), (b"HTTP/1.1 999 X", 999),
                         (b"HTTP/1.2 200 OK", 200)):
        yield either(f"line/{shown(line)}", line + b"\r\n" + rest, status=status)
    for line in (b"", b"200 OK", b"HTTP/1.1", b"HTTP/1.1 ", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK",
                 b"HTTP/1.1 -200 OK", b"HTTP/1.1 +200 OK", b"HTTP/1.1 0200 OK", b"HTTP/1.1 000 OK", b"HTTP/1.1 099 X",
                 b"HTTP/1.1 2x0 OK", b"HTTP/1.1 abc OK", b"HTTP/1.1  200 OK", b"HTTP/1.1\t200 OK",
                 b"HTTP/1.1 200\tOK", b"HTTP/2.0 200 OK", b"HTTP/2 200", b"HTTP/0.9 200 OK", b"HTTP/1.10 200 OK",
                 b"HTTP/01.1 200 OK", b"http/1.1 200 OK", b"HTTP/11 200 OK", b"HTTP/1,1 200 OK", b"HTTP /1.1 200 OK",
                 b"ICY 200 OK", b"HTTPS/1.1 200 OK", b" HTTP/1.1 200 OK", b"\r\nHTTP/1.1 200 OK",
                 b"\nHTTP/1.1 200 OK", b"\0HTTP/1.1 200 OK", b"xHTTP/1.1 200 OK", b"GET / HTTP/1.1",
                 b"HTTP/1.1 200 O\0K", b"HTTP/1.1 200 O\rK", b"HTTP/1.1 200 O\x0bK", b"HTTP/1.1 200 O\x7fK",
                 b"HTTP/1.1 2 0 0", b"HTTP/1.1 \xb200 OK", b"HTTP/1.1 200OK", b"HTTP/1.1 200.5 OK",
                 b"HTTP/1.1 1e2 OK", b"\xef\xbb\xbfHTTP/1.1 200 OK", b"<html>hello</html>", b"{\"ok\": true}",
                 b"SSH-2.0-x", b"\x15\x03\x01\x00\x02\x02\x28", b"220 smtp ready"):
        yield broken(f"line/bad {shown(line)}", line + b"\r\n" + rest, everybody=False)
    for end in (b"\n", b"\r", b"\r\r\n", b" \n", b"\n\r"):
        yield broken(f"line/end {shown(end)}", b"HTTP/1.1 200 OK" + end + rest, everybody=False)


def fields():
    for byte in range(256):
        raw = bytes([byte])
        data = head(b"X-" + raw + b"y: v", b"Content-Length: 5") + b"hello"
        if byte in cases.TOKENS:
            yield (either if raw == b"_" else whole)(f"field/name with {byte:#x}", data)
        elif raw != b":":
            yield broken(f"field/name with {byte:#x}", data, everybody=False)
        data = head(b"X-Odd: a" + raw + b"b", b"Content-Length: 5") + b"hello"
        if byte in b"\t " or 0x20 < byte < 0x7f or byte >= 0x80:
            yield whole(f"field/value with {byte:#x}", data, fields=[(b"x-odd", b"a" + raw + b"b")])
        else:
            yield broken(f"field/value with {byte:#x}", data, everybody=False)
    for line in (b"X", b": v", b" X: v", b"\tX: v", b"X : v", b"X\t: v", b"X: a\r\n folded", b"X: a\r\n\tfolded",
                 b"X: a\rSet-Cookie: evil=1", b"X: a\nSet-Cookie: evil=1", b"X: a\r\r\nY: b", b"X=v", b"(X): v",
                 b"X: a\0b", b"\0", b"X: \x0b"):
        for fields_ in ([line, b"Content-Length: 5"], [b"Content-Length: 5", line]):
            yield broken(f"field/line {shown(line)}{' behind' if fields_[1] is line else ''}",
                         head(*fields_) + b"hello", everybody=False)
    for name in ("Content-Length", "Transfer-Encoding", "Connection"):
        for odd, _ in cases.odd_names(name):
            if odd != b"Connection:":  # an option that begins with a colon is odd, but an option
                value = {"C": b"5", "T": b"chunked"}[name[0]]
                yield broken(f"field/odd name {shown(odd)}", head(b"Content-Length: 5",
                    odd + b": " + value) + b"hello", everybody=False)


def framings():
    size = b"%d" % len(EVIL)
    chunks = b"5\r\nhello\r\n0\r\n\r\n"
    for value in (b"5", b" 5 ", b"\t5"):
        yield whole(f"framing/length {shown(value)}", head(b"Content-Length:" + value) + b"hello")
    for value in (b"05", b"005"):
        yield either(f"framing/length {shown(value)}", head(b"Content-Length: " + value) + b"hello")
    for value in (b"+5", b"-5", b"-1", b"0x5", b"5.0", b"five", b"", b"5 5", b"5;", b"5\0", b"5\x0b", b"5h", b"5,6",
                  b"6,5", b"5, 6", b"5,", b"9" * 19, b"9" * 400, b"18446744073709551621", b"\xd9\xa5", b"5e0", b"5_0",
                  b'"5"'):
        yield broken(f"framing/length {shown(value)}", head(b"Content-Length: " + value) + b"hello")
    for value in (b"5,5", b"5, 5"):
        yield broken(f"framing/length {shown(value)}", head(b"Content-Length: " + value) + b"hello", everybody=False)
    lengths = [b"5", b"0", size, b"4", b"6", b"x", b"", b"-1", b"+5", b"05"]
    for first, second in itertools.product(lengths, lengths):
        for content in (b"hello", EVIL):
            yield broken(f"framing/lengths {shown(first)} and {shown(second)} before {len(content)}",
                         head(b"Content-Length: " + first, b"Content-Length: " + second) + content,
                         everybody=not (first.isdigit() and second.isdigit() and int(first) == int(second)))
    for value in (b"chunked", b"Chunked", b"CHUNKED", b" chunked "):
        yield whole(f"framing/coding {shown(value)}", head(b"Transfer-Encoding: " + value) + chunks)
    codings = [b"chunked", b"xchunked", b"identity", b"gzip", b"gzip, chunked", b"chunked, chunked",
               b"chunked, identity", b"identity, chunked", b"", b"chunked;a", b'"chunked"', b"chunked\x0b", b"chunk",
               b"x", b",chunked", b"chunked,"]
    for coding in codings:
        field = b"Transfer-Encoding: " + coding
        if coding != b"chunked":
            yield broken(f"framing/coding {shown(coding)}", head(field) + chunks, everybody=False)
            yield broken(f"framing/coding {shown(coding)}, closed", head(field) + chunks, everybody=False, end=CLOSE)
        for length in (b"5", b"0", b"%d" % len(chunks), size, b"x"):
            for fields_ in ([field, b"Content-Length: " + length], [b"Content-Length: " + length, field]):
                order = "behind" if fields_[0] is field else "before"
                yield broken(f"framing/coding {shown(coding)}, length {shown(length)} {order}",
                             head(*fields_) + chunks, everybody=False)
        for other in (b"chunked", b"identity", b"gzip"):
            yield broken(f"framing/codings {shown(coding)} and {shown(other)}",
                         head(field, b"Transfer-Encoding: " + other) + chunks, everybody=False)
        yield broken(f"framing/coding {shown(coding)} in 1.0", head(field, line=b"HTTP/1.0 200 OK\r\n") + chunks,
                     everybody=False, end=CLOSE)
        yield broken(f"framing/coding {shown(coding)} in 1.0, kept", head(field, b"Connection: keep-alive",
            line=b"HTTP/1.0 200 OK\r\n") + chunks, everybody=False)
    for name in (b"Transfer_Encoding", b"Content_Length"):
        yield whole(f"framing/{name.decode()}", head(name + b": " + (b"chunked" if name[:1] == b"T" else b"60"),
            b"Content-Length: 5") + b"hello")


def chunks():
    good = b"5\r\nhello\r\n0\r\n\r\n"
    chunked = lambda content: head(b"Transfer-Encoding: chunked") + content
    for content in (good, b"05\r\nhello\r\n0\r\n\r\n", b"5;a=b\r\nhello\r\n0;c\r\n\r\n",
                    b"1\r\nh\r\n4\r\nello\r\n000\r\n\r\n", b"5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n",
                    b"5\r\nhello\r\n0\r\nX-T: 1\r\nY: 2\r\n\r\n"):
        yield whole(f"chunks/{shown(content)}", chunked(content))
    for name in (b"Content-Length", b"Transfer-Encoding", b"Connection", b"Set-Cookie_", b"Host", b"Authorization",
                 b"Tollkey-Problem", b"Location", b"Upgrade", b"Content_Length"):
        mark = b"x" if name.endswith(b"_") else STAYS
        yield whole(f"chunks/trailer {name.decode()}",
                    chunked(b"5\r\nhello\r\n0\r\n" + name + b": " + mark + b"\r\n\r\n"), everybody=False)
    bad = [b"5\nhello\r\n0\r\n\r\n", b"5\rhello\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"5\r\nhello0\r\n\r\n",
           b"5\r\nhelloX\r\n0\r\n\r\n", b"5\r\nhello\r\n0\n\n", b"5\r\nhello\r\n0\r\n\n", b"5\r\nhello\r\n0\n\r\n",
           b"x\r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"+5\r\nhello\r\n0\r\n\r\n",
           b"-5\r\nhello\r\n0\r\n\r\n", b" 5\r\nhello\r\n0\r\n\r\n", b"5 \r\nhello\r\n0\r\n\r\n",
           b"5\0\r\nhello\r\n0\r\n\r\n", b"\r\nhello\r\n0\r\n\r\n", b"4\r\nhello\r\n0\r\n\r\n",
           b"1\r\nhello\r\n0\r\n\r\n", b"10000000000000005\r\nhello\r\n0\r\n\r\n",
           b"FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n-0\r\n\r\n", b"5\r\nhello\r\n+0\r\n\r\n",
           b"5\r\nhello\r\n0\r\n X: folded\r\n\r\n", b"5\r\nhello\r\n0\r\nX : y\r\n\r\n",
           b"5\r\nhello\r\n0\r\nX\r\n\r\n", b"5\r\nhello\r\n0\r\nX: a\nY: b\r\n\r\n",
           b"5\r\nhello\r\n0\r\nX: a\rb\r\n\r\n",
           b"5\r\nhello\r\n0\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b"5;a\nb\r\nhello\r\n0\r\n\r\n",
           b"5;a\0b\r\nhello\r\n0\r\n\r\n", b"5;a\rb\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\r\n0\r\n\r\n",
           b"5\r\r\nhello\r\n0\r\n\r\n", b"hello", EVIL, b"5_\r\nhello\r\n0\r\n\r\n", b"5,\r\nhello\r\n0\r\n\r\n",
           b"5:\r\nhello\r\n0\r\n\r\n", b"5\x0b\r\nhello\r\n0\r\n\r\n",
           b"5;" + b"a" * 2000 + b"\r\nhello\r\n0\r\n\r\n"]
    for content in bad:
        yield broken(f"chunks/bad {shown(content)}", chunked(content), everybody=False, bound=len(content) > 1000)
        # What was good may have been relayed before; the end never.
        yield broken(f"chunks/bad behind a good one {shown(content)}", chunked(b"3\r\nabc\r\n" + content),
                     everybody=False, bound=len(content) > 1000)
        yield broken(f"chunks/bad {shown(content)}, closed", chunked(content), everybody=False, end=CLOSE,
                     bound=len(content) > 1000)


def interims():
    interim = lambda status, *fields: head(*fields, line=b"HTTP/1.1 %d X\r\n" % status)
    for status in (100, 102, 103, 199):
        for count in (1, 16):
            yield whole(f"interim/{count} of {status}", interim(status) * count + LENGTH)
        yield broken(f"interim/17 of {status}", interim(status) * 17 + LENGTH, bound=True)
        yield broken(f"interim/5000 of {status}", interim(status) * 5000 + LENGTH, bound=True)
        yield either(f"interim/200 of {status}", interim(status) * 200 + LENGTH)
        yield broken(f"interim/{status} without end", interim(status), end=CLOSE)
        # No 1xx has content: what stands there is the next answer's beginning.
        yield broken(f"interim/{status} with content", interim(status, b"Content-Length: 5") + b"hello" + LENGTH,
                     everybody=False)
        yield either(f"interim/{status} with a length of 0", interim(status, b"Content-Length: 0") + LENGTH)
        yield either(f"interim/{status} in chunks", interim(status, b"Transfer-Encoding: chunked") + LENGTH)
        yield broken(f"interim/{status} with chunks", interim(status,
            b"Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n" + LENGTH, everybody=False)
    yield whole("interim/103 with fields", interim(103, b"Link: </x>", b"Connection: X-Hop",
        b"X-Hop: " + NEVER) + LENGTH)
    yield whole("interim/for 1.0", interim(103) + LENGTH, minor=0)
    yield whole("interim/slowly", [interim(100), interim(103), interim(103), LENGTH])
    for fields_ in ([], [b"Upgrade: websocket", b"Connection: Upgrade"], [b"Upgrade: h2c", b"Connection: Upgrade"],
                    [b"Content-Length: 0"]):
        for behind in (b"", b"\x81\x05hello", EVIL):
            yield broken(f"interim/101 {shown(b' '.join(fields_))} and {shown(behind)}",
                         interim(101, *fields_) + behind)
    yield broken("interim/101 then an answer", interim(101) + LENGTH, everybody=False)


def without_content():
    """HEAD, 204 and 304 have none, whatever they say; bytes there are nobody's."""
    for method, status in ((b"HEAD", 200), (b"GET", 204), (b"GET", 304), (b"HEAD", 404), (b"HEAD", 204)):
        line = b"HTTP/1.1 %d X\r\n" % status
        plain = {"method": method, "status": status, "content": b""}
        yield whole(f"none/{method.decode()} {status}", head(line=line), **plain)
        # A length in a 204 is forbidden (RFC 9110 §8.6), and a trap.
        for fields_ in ([b"Content-Length: 5"], [b"Transfer-Encoding: chunked"], [b"Content-Length: 0"]):
            make = whole if status != 204 else either
            yield make(f"none/{method.decode()} {status} {shown(fields_[0])}", head(*fields_, line=line), **plain)
            for content in (b"hello", EVIL, b"5\r\nhello\r\n0\r\n\r\n", b"0\r\n\r\n"):
                yield either(f"none/{method.decode()} {status} {shown(fields_[0])} and {shown(content)}",
                             head(*fields_, line=line) + content, reuse=False, **plain)
                yield either(f"none/{method.decode()} {status} {shown(fields_[0])} and {shown(content)} later",
                             [head(*fields_, line=line), IDLE, content], reuse=False, **plain)
        for content in (b"hello", EVIL):
            yield either(f"none/{method.decode()} {status} and {shown(content)}", head(line=line) + content,
                         reuse=False, **plain)
    yield whole("none/length of 0", head(b"Content-Length: 0"), content=b"")
    yield whole("none/no chunks", head(b"Transfer-Encoding: chunked") + b"0\r\n\r\n", content=b"")


def surplus():
    """Bytes behind an answer, at once and later: answers to nobody."""
    ends = {"length": LENGTH, "chunked": CHUNKED, "none": head(line=b"HTTP/1.1 204 X\r\n"),
            "empty": head(b"Content-Length: 0")}
    late = head(b"Content-Length: 4", b"Connection: close", line=b"HTTP/1.1 408 Timeout\r\n") + b"evil"
    more = [EVIL, b"x", b"\r\n", b"\n", b"\0", b"hello", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n", EVIL * 20, b"evil" * 5000, late, EVIL[:-2], b"0\r\n\r\n",
            head(b"Transfer-Encoding: chunked"), head(b"Connection: close") + b"evil"]
    for (kind, answer), extra in itertools.product(ends.items(), more):
        plain = {"status": 204 if kind == "none" else 200, "content": b"hello" if kind in ("length",
            "chunked") else b""}
        yield whole(f"surplus/{kind} and {shown(extra)}", answer + extra, reuse=False, **plain)
        yield whole(f"surplus/{kind} and {shown(extra)} in another piece", [answer, extra], reuse=None, **plain)
        yield whole(f"surplus/{kind} and {shown(extra)} to nobody", [answer, IDLE, extra], reuse=False, **plain)
        for end in (CLOSE, FIN, RESET):
            yield whole(f"surplus/{kind} and {shown(extra)} to nobody, {end}", [answer, IDLE, extra], reuse=False,
                        end=end, **plain)
    for end in (CLOSE, FIN, RESET):
        yield whole(f"surplus/nothing to nobody, {end}", [LENGTH, IDLE], reuse=False, end=end)


def truncated():
    """A good answer that ends at each byte, in each way that a connection can end."""
    for kind, answer in (("length", LENGTH), ("chunked", CHUNKED), ("until the end", UNTIL_CLOSE)):
        begin = answer.index(b"\r\n\r\n") + 4
        for size in range(len(answer) + 1):
            for end in (CLOSE, FIN, RESET):
                name = f"truncated/{kind} at {size} of {len(answer)}, {end}"
                if kind == "until the end" and size >= begin and end == CLOSE:
                    yield whole(name, answer[:size], content=answer[begin:size], end=end, reuse=False)
                elif size == len(answer) and kind != "until the end":
                    # A reset may take away what was sent before it.
                    yield (either if end == RESET else whole)(name, answer, end=end, reuse=False)
                else:
                    yield Answer(name, [answer[:size]], CUT, end=end, reuse=False)
    for kind, answer in (("length", LENGTH), ("chunked", CHUNKED)):
        for size in (0, 5, 20, len(answer) - 1, len(answer) - 3, answer.index(b"\r\n\r\n") + 4):
            yield Answer(f"truncated/{kind} at {size}, silent", [answer[:size]], CUT, reuse=False)
    for end in (CLOSE, FIN, RESET):
        yield Answer(f"truncated/1.0 of a length, {end}", [b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nhello"], CUT,
                     end=end, reuse=False)
        yield Answer(f"truncated/for 1.0, chunked, {end}", [CHUNKED[:-8]], CUT, end=end, minor=0, reuse=False)
        for size in (100, 70000):
            yield Answer(f"truncated/{size} of 100000, {end}", [head(b"Content-Length: 100000") + b"x" * size], CUT,
                         end=end, reuse=False)
    for end in (FIN, RESET):
        yield Answer(f"truncated/for 1.0, until the end, {end}", [UNTIL_CLOSE], CUT, end=end, minor=0, reuse=False)
        yield Answer(f"truncated/70000 until the end, {end}", [head() + b"x" * 70000], CUT, end=end, reuse=False)


def splits():
    for kind, answer in (("length", LENGTH), ("chunked", CHUNKED), ("with interims",
        head(line=b"HTTP/1.1 103 X\r\n") + LENGTH)):
        for at in range(1, len(answer)):
            yield whole(f"split/{kind} at {at}", [answer[:at], answer[at:]])
        yield whole(f"split/{kind} into bytes", [answer[at:at + 1] for at in range(len(answer))])
    for content in (b"5\nhello\r\n0\r\n\r\n", b"5\r\nhelloX\r\n0\r\n\r\n"):
        answer = head(b"Transfer-Encoding: chunked") + content
        for at in range(1, len(answer)):
            yield broken(f"split/{shown(content)} at {at}", [answer[:at], answer[at:]], everybody=False)


def heads():
    """Large heads; and what an answer says of its connection, or pretends of us."""
    def padded(size):
        data = head(b"Content-Length: 5", b"X-Pad: ")
        return data.replace(b"X-Pad: ", b"X-Pad: " + b"y" * (size - len(data))) + b"hello"

    yield whole("head/64 KiB", padded(64 << 10), bound=True)
    for size in ((64 << 10) + 1, 200 << 10, 2 << 20):
        yield broken(f"head/{size} bytes", padded(size), bound=True)
    yield broken("head/without an end", OK + b"X-Pad: " + b"y" * (2 << 20), bound=True)
    yield broken("head/a reason without an end", b"HTTP/1.1 200 " + b"y" * (2 << 20), bound=True)
    yield whole("head/256 fields", head(*(b"X-%d: y" % n for n in range(255)), b"Content-Length: 5") + b"hello",
                bound=True)
    yield broken("head/257 fields", head(*(b"X-%d: y" % n for n in range(256)), b"Content-Length: 5") + b"hello",
                 bound=True)
    yield broken("head/100000 fields", head(*(b"X-%d: y" % n for n in range(100000)),
                                            b"Content-Length: 5") + b"hello", bound=True)
    for name in (b"Keep-Alive", b"Proxy-Connection", b"Upgrade", b"TE", b"Proxy-Authenticate", b"Tollkey-Problem",
                 b"tollkey-problem", b"Tollkey_Problem", b"Keep_Alive", b"Transfer_Encoding"):
        yield whole(f"head/{name.decode()}", head(name + b": " + STAYS, b"Content-Length: 5") + b"hello")
    for option in (b"X-Hop", b"close, X-Hop", b"x-hop,keep-alive", b" ,X-HOP, "):
        yield whole(f"head/Connection: {shown(option)}", head(b"X-Hop: " + NEVER, b"Connection: " + option,
            b"Content-Length: 5") + b"hello", reuse=False if b"close" in option else None)
    for name in (b"Content-Length", b"Transfer-Encoding, Content-Length"):
        yield whole(f"head/Connection: {name.decode()}", head(b"Connection: " + name,
            b"Content-Length: 5") + b"hello")
    for fields_ in ([b"Connection: close"], [b"Connection: Close"], [b"Connection: keep-alive, close"],
                    [b"Connection: x", b"Connection: close"]):
        yield whole(f"head/{shown(b' '.join(fields_))}", head(*fields_, b"Content-Length: 5") + b"hello", reuse=False)
        yield whole(f"head/{shown(b' '.join(fields_))} and more", [head(*fields_, b"Content-Length: 5") + b"hello",
            EVIL], reuse=False)
    yield whole("head/for 1.0, chunked", CHUNKED, minor=0)
    yield whole("head/for 1.0, until the end", UNTIL_CLOSE, minor=0, end=CLOSE, reuse=False)
    yield whole("head/401 with content", head(b"Content-Length: 5", b"WWW-Authenticate: Bearer",
                                              line=b"HTTP/1.1 401 X\r\n") + b"hello", status=401)
    yield whole("head/Set-Cookie twice", head(b"Set-Cookie: a=1", b"Set-Cookie: b=2",
                                              b"Content-Length: 5") + b"hello", fields=[(b"set-cookie", b"b=2")])


def held():
    """The same as 401, which this proxy reads and keeps before it decides whether to send the request again."""
    for answer in (*framings(), *chunks(), *surplus(), *truncated(), *splits()):
        first = answer.pieces[0]
        # To be sent again on the same connection would interrupt who waits there for the client to have been told.
        if first.startswith(OK) and IDLE not in answer.pieces:
            pieces = [b"HTTP/1.1 401 No\r\n" + first[len(OK):], *answer.pieces[1:]]
            yield dataclasses.replace(
                answer, name=f"held/{answer.name}", pieces=pieces, status=401, renews=True, bound=True)


def generated(seed, short=False):
    found = [answer for group in (status_lines, fields, framings, chunks, interims, without_content, surplus, truncated,
                                  splits, heads, held) for answer in group()]
    return cases.sample(found, seed, 30) if short else found
