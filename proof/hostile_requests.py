"""Requests that try to be two things at once, made from the grammar of RFC 9112 and from its edges.

Each says what must become of it: refused, accepted, or either, as long as whatever is forwarded has one reading.
"""

import dataclasses
import random
import re

import hostile_calls as calls
import hostile_wire as wire
from hostile_cases import (
    REFUSE, STAYS, text, chunked, GET, POST, CHUNKED, SMUGGLED, READINGS, CONTROLS, refuse, refuse_here, accept,
    either, shown, odd_names, sample)

MUTATED = 2000


def lengths():
    post = lambda *fields, content=b"hello": text(b"POST", b"/p", fields, content)
    reading = (b"POST", b"/p", b"hello")
    for value in (b"5", b" 5", b"5 ", b"\t5\t", b"    5"):
        yield accept(f"length/value {shown(value)}", post(b"Content-Length:" + value), reading)
    yield accept("length/zero", post(b"Content-Length: 0", content=b""), (b"POST", b"/p", b""))
    # Valid by the grammar; some parsers see octal.
    for value in (b"05", b"0000000005", b"00"):
        yield either(f"length/value {shown(value)}", post(b"Content-Length: " + value))
    wrong = [b"+5", b"-5", b"-0", b"0x5", b"5.0", b"5e0", b"five", b"", b"5 5", b"5;", b"5;a=b", b'"5"', b"5\0",
             b"5\x0b", b"5\x0c", b"\x0b5", b"5h", b"h5", b"5_0", b"5'0", b"5,", b",5", b"5,6", b"6,5", b"5, 6",
             b"0,5", b"5,0", b"5,+5", b"5,5,6", b"\xb2", b"\xd9\xa5", b"\xef\xbc\x95", b"1" * 19,
             b"9223372036854775808", b"18446744073709551616", b"18446744073709551621", b"4294967301x", b"9" * 400,
             b"5\xa0", b"5\xe2\x80\x8b", b"$5", b"5%", b"0b101", b"0o5", b"5L", b"NaN", b"(5)", b"5 HTTP", b"5:",
             b"=5", b"5=", b"*", b"~", b"5/1", b"bytes 5", b"5\\", b"5 , 5 x"]
    for value in wrong:
        # A length that 64 bits hold is valid, whatever it is good for.
        yield refuse(f"length/value {shown(value)}", post(b"Content-Length: " + value),
                     everybody=not value.isdigit() or int(value) > wire.LENGTH_MAX)
    for value in (b"5,5", b"5, 5", b"5 ,5", b"5,5,5"):
        yield refuse_here(f"length/value {shown(value)}", post(b"Content-Length: " + value))
    size = len(SMUGGLED)
    pairs = [b"%d" % size, b"0", b"5", b"%d" % (size - 1), b"0%d" % size, b"+%d" % size, b"", b"x", b"-1",
             b"%d " % size]
    for first in pairs:
        for second in pairs:
            fields = [b"Content-Length: " + first, b"Content-Length: " + second]
            # RFC 9112 §6.3 lets two that agree be one.
            same = first.strip().isdigit() and second.strip().isdigit() and int(first) == int(second)
            for apart in ([], [b"X-Between: y"]):
                yield refuse(f"length/two {shown(first)} and {shown(second)}{' apart' if apart else ''}",
                             text(b"POST", b"/p", [fields[0], *apart, fields[1]], SMUGGLED), everybody=not same)
    for name in (b"content-length", b"CONTENT-LENGTH", b"cOnTeNt-LeNgTh"):
        yield accept(f"length/name {shown(name)}", post(name + b": 5"), reading)
        yield refuse(f"length/two cases {shown(name)}", post(b"Content-Length: 5", name + b": 6"))
    for name in (b"Content_Length", b"content_length", b"CONTENT_LENGTH"):
        yield accept(f"length/beside {shown(name)}", post(b"Content-Length: 5", name + b": 0"), reading)
        yield accept(f"length/behind {shown(name)}", post(name + b": 60", b"Content-Length: 5"), reading)
        yield either(f"length/alone {shown(name)}", post(name + b": 5"))
    for name, everybody in odd_names("Content-Length"):
        yield refuse(f"length/odd name {shown(name)}", post(name + b": 5"), everybody=everybody)
        for other in (b"0", b"6", b"%d" % size):
            for fields in ([b"Content-Length: 5", name + b": " + other],
                           [name + b": " + other, b"Content-Length: 5"]):
                yield refuse(f"length/beside odd name {shown(fields[0])} {shown(fields[1])}", post(*fields),
                             everybody=everybody)
    for method in (b"GET", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH", b"PUT"):
        yield accept(f"length/{method.decode()} with content", text(method, b"/p", [b"Content-Length: 5"], b"hello"),
                     (method, b"/p", b"hello"))
        yield accept(f"length/{method.decode()} in chunks", text(method, b"/p", [b"Transfer-Encoding: chunked"],
            chunked()),
                     (method, b"/p", b"hello"))
    yield accept("length/1.0", text(b"POST", b"/p", [b"Content-Length: 5"], b"hello", b"HTTP/1.0"), reading)


def codings():
    reading = (b"POST", b"/p", b"hello")
    post = lambda *fields, content=chunked(), version=b"HTTP/1.1": text(b"POST", b"/p", fields, content, version)
    for value in (b"chunked", b"Chunked", b"CHUNKED", b"cHuNkEd", b"  chunked", b"chunked  ", b"\tchunked\t"):
        yield accept(f"coding/{shown(value)}", post(b"Transfer-Encoding:" + value), reading)
    # Not understood (501), or not last and so without an end.
    never = [b"xchunked", b"chunkedx", b"chunke", b"chunked;q=1", b'"chunked"', b"'chunked'", b"chunked\x0b",
             b"\x0bchunked", b"\0chunked", b"chunked\0", b"chunked, chunked", b"chunked,chunked",
             b"chunked, identity", b"chunked, gzip", b"chunked, x", b"gzip", b"x", b"", b"identity",
             b"chunked chunked", b"chunked\x0c", b"chunked;", b"chunked=", b"(chunked)", b"chunked\xa0",
             b"\xa0chunked", b"chunk", b"chun\0ked", b"chunked\\", b"c hunked", b"\xc3\xa7hunked",
             b"\xe2\x84\xaahunked", b"c\xcc\xa7hunked", b"chun\xe2\x84\xaaed", b"%63hunked", b"chunked/1",
             b"[chunked]", b"{chunked}", b"chunked:", b":chunked", b"chunked\x7f", b"deflate", b"chunked, deflate",
             b"trailers"]
    repairable = [b"gzip, chunked", b"deflate, chunked", b"identity, chunked", b",chunked", b"chunked,",
                  b" , chunked", b"x, chunked", b"chunked , , "]
    size = b"%d" % len(chunked())
    for value, everybody in [(v, True) for v in never] + [(v, False) for v in repairable] + [(b"chunked", False)]:
        coding = b"Transfer-Encoding: " + value
        if value != b"chunked":
            yield refuse(f"coding/{shown(value)}", post(coding), everybody=everybody)
        for length in (size, b"0", b"5", b"4", b"x"):
            for fields in ([coding, b"Content-Length: " + length], [b"Content-Length: " + length, coding]):
                order = "behind" if fields[0] is coding else "before"
                yield refuse(f"coding/{shown(value)}, length {shown(length)} {order}", post(*fields), everybody=False)
    for first in (b"chunked", b"identity", b"gzip", b"x", b""):
        for second in (b"chunked", b"identity", b"gzip", b"x", b""):
            yield refuse(f"coding/lines {shown(first)} and {shown(second)}",
                         post(b"Transfer-Encoding: " + first, b"Transfer-Encoding: " + second),
                         # A list's empty elements say nothing (RFC 9110 §5.6.1).
                         everybody=(first, second) == (b"chunked", b"chunked")
                         or second != b"chunked" and (first, second) != (b"chunked", b""))
    for name, everybody in odd_names("Transfer-Encoding"):
        field = name + b": chunked"
        yield refuse(f"coding/odd name {shown(name)}", post(field), everybody=everybody)
        for length in (b"0", b"5", size):
            for fields in ([field, b"Content-Length: " + length], [b"Content-Length: " + length, field]):
                order = "behind" if fields[0] is field else "before"
                yield refuse(f"coding/odd name {shown(name)}, length {shown(length)} {order}",
                             post(*fields), everybody=everybody)
    for name in (b"Transfer_Encoding", b"transfer_encoding", b"TRANSFER_ENCODING"):
        yield accept(f"coding/beside {shown(name)}", post(name + b": chunked", b"Content-Length: 5",
            content=b"hello"), reading)
        yield either(f"coding/alone {shown(name)}", post(name + b": chunked"))
        yield accept(f"coding/both names {shown(name)}", post(name + b": identity", b"Transfer-Encoding: chunked"),
                     reading)
    for name in (b"transfer-encoding", b"TRANSFER-ENCODING", b"tRANSFER-eNCODING"):
        yield accept(f"coding/name {shown(name)}", post(name + b": chunked"), reading)
    for value in (b"chunked", b"identity", b"gzip, chunked"):
        yield refuse_here(f"coding/1.0 {shown(value)}", post(b"Transfer-Encoding: " + value, version=b"HTTP/1.0"))
        yield refuse_here(f"coding/1.0 {shown(value)} with a length",
                          post(b"Transfer-Encoding: " + value, b"Content-Length: 5", version=b"HTTP/1.0"))
    for separator in (b"\r\n ", b"\r\n\t", b" \r\n ", b"\n ", b"\r "):
        yield refuse_here(f"coding/folded {shown(separator)}", post(b"Transfer-Encoding:" + separator + b"chunked"))
        yield refuse_here(f"coding/folded {shown(separator)} with a length",
                          post(b"Transfer-Encoding:" + separator + b"chunked", b"Content-Length: 5"))


def chunks():
    post = lambda content: text(b"POST", b"/c", [b"Transfer-Encoding: chunked"], content)
    one = lambda line, end=b"\r\n", last=b"0\r\n\r\n": post(line + b"hello" + end + last)
    reading = (b"POST", b"/c", b"hello")
    for size in (b"5", b"05", b"0000005", b"000000000000005"):
        yield accept(f"chunks/size {shown(size)}", one(size + b"\r\n"), reading)
    yield accept("chunks/size A", post(b"A\r\n0123456789\r\n0\r\n\r\n"), (b"POST", b"/c", b"0123456789"))
    yield accept("chunks/size a", post(b"a\r\n0123456789\r\n0\r\n\r\n"), (b"POST", b"/c", b"0123456789"))
    yield either("chunks/size of 16 digits", one(b"0000000000000005\r\n"))
    yield either("chunks/size of 300 digits", one(b"0" * 299 + b"5\r\n"))
    yield accept("chunks/none", post(b"0\r\n\r\n"), (b"POST", b"/c", b""))
    yield accept("chunks/many", post(b"".join(b"1\r\n%c\r\n" % byte for byte in b"hello") + b"0\r\n\r\n"), reading)
    for size in (b"0x5", b"+5", b"-5", b"g", b"", b"5g", b"5h", b"5_", b"5.0", b"5,5", b"\x005", b"5\0", b"5\x0b",
                 b"5\x0c", b"\x0b5", b"10000000000000005", b"FFFFFFFFFFFFFFFF", b"8000000000000005", b"100000005",
                 b"FFFFFFFB", b"-FFFFFFFB", b"'5'", b'"5"', b"(5)", b"five", b"\xb5", b"5\xa0", b"5:", b"5=", b"5%",
                 b"#5", b"5 5", b"5 x", b"\r5", b"\n5", b"5\r", b"\r\n5", b"5\\", b"5/", b"\xef\xbc\x95"):
        # A size that is too large by far has no end here: what follows is content.
        expect = either if size in (b"100000005", b"FFFFFFFB") else refuse
        yield expect(f"chunks/size {shown(size)}", one(size + b"\r\n"))
    for size in (b"5 ", b"5\t", b" 5", b"\t5", b"5  \t"):
        yield refuse_here(f"chunks/size {shown(size)}", one(size + b"\r\n"))
    for extension in (b";a", b";a=b", b';a="b"', b";a=b;c=d", b";a=" + b"b" * 200):
        yield accept(f"chunks/extension {shown(extension)}", one(b"5" + extension + b"\r\n"), reading)
        yield accept(f"chunks/last extension {shown(extension)}", one(b"5\r\n", last=b"0" + extension + b"\r\n\r\n"),
                     reading)
    # Bad white space (RFC 9110 §5.6.3), empty names: in the grammar, or repaired by many.
    for extension in (b" ;a=b", b"\t;a", b"; a=b", b";a =b", b";a= b", b";", b";;", b";=b", b";a=", b';a="', b';a="b',
                      b";\xff", b';a="\\"b"', b';a=";"', b';a="\r\nX: y"'):
        yield either(f"chunks/extension {shown(extension)}", one(b"5" + extension + b"\r\n"))
    for control in (b"\0", b"\n", b"\r", b"\x0b", b"\x7f", b"\x07", b"\nX", b"\rX", b"\n\n", b"\r\r"):
        yield refuse(f"chunks/extension with {shown(control)}", one(b"5;a" + control + b"b\r\n"),
                     everybody=control[:1] in b"\r\n")
        yield refuse(f"chunks/last extension with {shown(control)}", one(b"5\r\n",
            last=b"0;a" + control + b"b\r\n\r\n"),
                     everybody=control[:1] in b"\r\n")
    ends = [b"\n", b"\r", b"", b"\r\r\n", b"\n\r", b"\r\nX", b"X\r\n", b"XX", b"\0\0", b"\r\0", b"\n\n", b"  ",
            b"\x0b\n", b" \r\n", b"\r \n"]
    for end in ends:
        yield refuse(f"chunks/line end {shown(end)}", one(b"5" + end), everybody=end != b" \r\n")
        yield refuse(f"chunks/end of content {shown(end)}", one(b"5\r\n", end))
        if end:
            yield refuse(f"chunks/line end {shown(end)} of the last", one(b"5\r\n", last=b"0" + end + b"\r\n"),
                         everybody=end not in (b"\r\nX", b" \r\n"))
        if re.search(rb"[^ X]", end.removesuffix(b"\r\n")):
            yield refuse(f"chunks/extension's end {shown(end)}", one(b"5;a" + end),
                         everybody=end in (b"\n", b"\r", b"\n\n"))
    for last in (b"00\r\n\r\n", b"000\r\n\r\n", b"0;a=b\r\n\r\n"):
        yield accept(f"chunks/last {shown(last)}", one(b"5\r\n", last=last), reading)
    for last in (b"0\n\n", b"0\r\n\n", b"0\n\r\n", b"-0\r\n\r\n", b"+0\r\n\r\n", b"0x0\r\n\r\n", b"\r\n\r\n",
                 b"0\r\r\n\r\n", b"0\r\n\r\r\n", b"0\0\r\n\r\n", b"0\r\n\0\r\n", b"0\r\n\x0b\r\n", b"o\r\n\r\n"):
        yield refuse(f"chunks/last {shown(last)}", one(b"5\r\n", last=last))
    for count in (4, 6, 0xf, 1):
        expect = refuse if count < 5 else either
        yield expect(f"chunks/size {count} for 5", post(b"%x\r\nhello\r\n0\r\n\r\n" % count))
    yield refuse("chunks/length's content in it", post(b"%x\r\n" % 1 + SMUGGLED))
    yield refuse("chunks/a request instead", post(SMUGGLED))


def trailers():
    post = lambda lines: text(b"POST", b"/c", [b"Transfer-Encoding: chunked"], chunked(trailers=lines))
    reading = (b"POST", b"/c", b"hello")
    for field in (b"X-Checksum: 1", b"x: ", b"X-A: 1\r\nX-B: 2", b"Digest: sha-256=abc", b"Via: 1.1 x"):
        yield accept(f"trailers/{shown(field)}", post(field + b"\r\n"), reading)
    for name in (b"Authorization", b"authorization", b"AUTHORIZATION", b"X-App-ID", b"x-app-id", b"X_App_ID",
                 b"x_app-id", b"Content-Length", b"Host", b"Transfer-Encoding", b"Connection", b"Cookie", b"TE",
                 b"Expect", b"Upgrade", b"Keep-Alive", b"Proxy-Authorization", b"Forwarded", b"X-Forwarded-For",
                 b"Origin", b"Content_Length", b"Transfer_Encoding", b"Host_", b"Tollkey-Problem"):
        mark = b"x" if name == b"Host_" else STAYS
        # They are forbidden there, so that others may refuse them (RFC 9110 §6.5.1).
        yield accept(f"trailers/{shown(name)}", post(name + b": " + mark + b"\r\n"), reading, everybody=False)
        yield accept(f"trailers/{shown(name)} announced", text(
            b"POST", b"/c", [b"Transfer-Encoding: chunked", b"Trailer: " + name],
            chunked(trailers=name + b": " + mark + b"\r\n")), reading, everybody=False)
    for line in (b"X : y\r\n", b"X\r\n", b": y\r\n", b" X: y\r\n", b"\tX: y\r\n", b"X: y\n", b"X: y\r", b"X: \0\r\n",
                 b"X\0: y\r\n", b"X: y\r\n folded\r\n", b"X: a\rb\r\n", b"X: a\nb\r\n", b"(X): y\r\n", b"X: y\r\r\n",
                 b"GET / HTTP/1.1\r\n", b"X: \x7f\r\n", b"X\x80: y\r\n", b"X\t: y\r\n"):
        yield refuse_here(f"trailers/bad {shown(line)}", post(line))
    yield accept("trailers/64 lines", post(b"".join(b"X-%d: y\r\n" % n for n in range(64))), reading, bound=True)
    yield refuse("trailers/65 lines", post(b"".join(b"X-%d: y\r\n" % n for n in range(65))), bound=True)
    # The empty line counts.
    yield accept("trailers/8 KiB", post(b"X: " + b"y" * (8192 - 7) + b"\r\n"), reading, bound=True)
    yield refuse("trailers/8 KiB and 1", post(b"X: " + b"y" * (8192 - 6) + b"\r\n"), bound=True)


def edits():
    """A byte too many, one missing, one changed: at each place."""
    for base in (GET, POST, CHUNKED):
        kind = {GET: "get", POST: "post", CHUNKED: "chunked"}[base]
        for at in range(len(base)):
            for put in CONTROLS:
                yield edited(f"edits/{kind}: {shown(put)} put at {at}", base, at, 0, put)
                yield edited(f"edits/{kind}: {shown(put)} instead of {at}", base, at, 1, put)
            for put in (b" ", b"\t", b"\xff", b":", b"\r\n", b"0", b",", b"_"):
                yield edited(f"edits/{kind}: {shown(put)} put at {at}", base, at, 0, put)
            yield edited(f"edits/{kind}: without {at}", base, at, 1, b"")


def edited(name, base, at, drop, put):
    case = (refuse_here if is_malformed(base[:at] + put + base[at + drop:]) else either)(name, base)
    case.edit, case.may_wait = (at, drop, put), True
    return case


def is_malformed(data):
    """Whether its first message has no strict reading, whatever comes behind it."""
    try:
        # An empty line may stand before a request (RFC 9112 §2.2).
        wire.read_request(data.removeprefix(b"\r\n"))
    except wire.Malformed:
        return True
    except wire.Incomplete:
        pass
    return False


SPLIT = [GET, POST, CHUNKED, b"\r\n" + GET, GET + POST, text(version=b"HTTP/1.0"),
         text(b"HEAD", b"/h", [b"Connection: close"])]
SPLIT_REFUSED = [text(b"POST", b"/p", [b"Content-Length: 5", b"Content-Length: 6"], b"hello"),
                 text(b"POST", b"/p", [b"Content-Length: 5", b"Transfer-Encoding: chunked"], chunked()),
                 text(b"POST", b"/c", [b"Transfer-Encoding: chunked"], b"5\nhello\r\n0\r\n\r\n"),
                 text(b"POST", b"/c", [b"Transfer-Encoding: chunked"], b"5\r\nhelloX\r\n0\r\n\r\n"),
                 text(fields=[b"X: y\n z: w"]), text(fields=[b"X : y"]), text(fields=[b"X: a\rb"]),
                 text(fields=[b"X: y\r\n folded"]), text(path=b"/a/../trap"), text(path=b"/a%2ftrap"),
                 text(version=b"HTTP/1.2"), text(b"POST", b"/c", [b"Transfer-Encoding: chunked"],
                     chunked(trailers=b"X : y\r\n"))]


def splits():
    """Each of some requests in two writes, cut at every byte, and byte by byte."""
    for number, base in enumerate(SPLIT):
        readings = {3: [READINGS[GET]], 4: [READINGS[GET], READINGS[POST]], 5: [(b"GET", b"/a", b"")],
                    6: [(b"HEAD", b"/h", b"")]}.get(number) or [READINGS[base]]
        for cut in [*((at,) for at in range(1, len(base))), "all"]:
            yield accept(f"split/valid {number} at {cut}", base, *readings, cuts=cut)
    for number, base in enumerate(SPLIT_REFUSED):
        for cut in [*((at,) for at in range(1, len(base))), "all"]:
            yield refuse(f"split/refused {number} at {cut}", base, everybody=False, cuts=cut)


def mutated(seed, count):
    """Valid requests after a few random blows."""
    dice = random.Random(seed)
    pieces = [b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b";", b",", b"chunked", b"Content-Length: 3\r\n",
              b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"5\r\n", b"Connection: close\r\n",
              b"Expect: 100-continue\r\n", b"Host: x\r\n", b"%2e", b"../", b"HTTP/1.0", b"\x80", b"GET ", b"\r\n\r\n",
              b"Upgrade: h2c\r\n", b"-", b"+", b"_"]
    for number in range(count):
        data = dice.choice([GET, POST, CHUNKED, GET + POST, CHUNKED + GET, POST + CHUNKED])
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(data))
            # Not inside what stands for the route and the port.
            if b"~" in data[max(0, at - 5):at + 6]:
                continue
            drop = dice.choice([0, 0, 1, 1, 2, 5])
            if b"~" in data[at:at + drop]:
                continue
            put = dice.choice(pieces) if dice.random() < 0.7 else bytes([dice.randrange(256)])
            data = data[:at] + put + data[at + drop:]
        case = (refuse_here if is_malformed(data) else either)(f"mutated/{seed}.{number}", data)
        case.may_wait = True
        yield case


def behind(cases):
    """Each refused one between two good ones on one connection: what came before it stands, what is behind never is."""
    for case in cases:
        # An empty line before a request is no fault behind another one.
        if case.expect == REFUSE and not case.guard and not case.bound and not case.name.startswith("line/before"):
            yield dataclasses.replace(case, name=f"behind/{case.name}", steps=[GET + case.steps[0] + SMUGGLED],
                                      forwarded=[READINGS[GET]])


def generated(seed, pseudonym=b"", short=False):
    single = [case for group in (lengths, codings, chunks, trailers, calls.request_lines, calls.targets, calls.escapes,
                                 calls.fields, calls.hosts, calls.origins, calls.connections, calls.credentials)
              for case in group()]
    cases = [*single, *calls.expectations(), *calls.limits(), *calls.pipelines(),
             *(calls.loops(pseudonym) if pseudonym else ()), *behind(single), *edits(), *splits(),
             *mutated(seed, MUTATED)]
    return sample(cases, seed) if short else cases
