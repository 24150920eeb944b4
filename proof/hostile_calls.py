"""Requests that want another host, path, caller or credential than they may have, and those at a bound's edge."""

from hostile_cases import (
    REFUSE, ACCEPT, EARLY, ROUTE, PORT, HOST, NEVER, STAYS, CONTENT_MAX, UNTIL_TOLD, Case, text, chunked, GET, POST,
    CHUNKED, SMUGGLED, READINGS, TOKENS, PATHS, CONTROLS, refuse, refuse_here, accept, either, shown, odd_names)


def request_lines():
    line = lambda line: line + b"\r\nHost: " + HOST + b"\r\n\r\n"
    target = ROUTE + b"/a"
    for method in (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"PURGE", b"M-SEARCH", b"get",
                   b"Get", b"QUERY", b"X", b"a.b", b"!#$%&'*+-.^_`|~"):
        # Extension methods are valid; peers that know a list only may refuse them.
        known = method in (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH")
        yield accept(f"line/method {shown(method)}", line(method + b" " + target + b" HTTP/1.1"),
                     (method, b"/a", b""), bound=not known)
    for byte in range(256):
        if byte not in TOKENS:
            yield refuse_here(f"line/method with {byte:#x}",
                              line(b"G" + bytes([byte]) + b"ET " + target + b" HTTP/1.1"))
    for method in (b"", b" GET", b"\tGET", b"GET ", b"GET\t", b"GE T", b"\0", b"\xef\xbb\xbfGET",
                   b"GET " + target + b" GET"):
        yield refuse_here(f"line/method {shown(method)}", line(method + b" " + target + b" HTTP/1.1"))
    yield refuse("line/TRACE", line(b"TRACE " + target + b" HTTP/1.1"), guard=True)
    yield refuse("line/CONNECT path", line(b"CONNECT " + target + b" HTTP/1.1"), guard=True)
    for authority in (b"upstream.test:443", HOST, b"127.0.0.1", b"*", b"http://" + HOST + target):
        yield refuse(f"line/CONNECT {shown(authority)}", line(b"CONNECT " + authority + b" HTTP/1.1"), guard=True)
    for version in (b"HTTP/1.10", b"HTTP/01.1", b"HTTP/1.01", b"HTTP/2.0", b"HTTP/2", b"HTTP/3", b"HTTP/0.9",
                    b"HTTP/0.0", b"http/1.1", b"Http/1.1", b"HTTP/1,1", b"HTTP/1.1 ", b"HTTP/1.1\t", b" HTTP/1.1",
                    b"HTTP /1.1", b"HTTP/ 1.1", b"HTTP/1 .1", b"HTTP/1. 1", b"HTTP/11", b"HTTP/1", b"HTTP/1.",
                    b"HTTP/.1", b"HTTP/-1.1", b"HTTP/+1.1", b"HTTP/1.1.1", b"HTTP/1.1x", b"HTTP/x.1", b"HTTP/1.x",
                    b"HTTP/a.1", b"ICY/1.1", b"HTTPS/1.1", b"HTTP\\1.1", b"HTTP//1.1", b"HTTP/1.1 HTTP/1.1", b"1.1",
                    b"HTTP/1.1\0", b"HTTP/1.1\x0b", b"HTTP/9.9", b"HTTP/1.\xb2", b"", b"X"):
        yield refuse_here(f"line/version {shown(version)}", line(b"GET " + target + b" " + version))
    yield either("line/version 1.2", line(b"GET " + target + b" HTTP/1.2"))
    yield accept("line/version 1.0", line(b"GET " + target + b" HTTP/1.0"), (b"GET", b"/a", b""))
    yield accept("line/version 1.0 without Host", b"GET " + target + b" HTTP/1.0\r\n\r\n", (b"GET", b"/a", b""))
    yield refuse_here("line/no version", b"GET " + target + b"\r\n\r\n")
    for space in (b"  ", b"\t", b"\x0b", b"\x0c", b"\r", b"\xa0", b" \t", b"\0", b"\n", b"\r\n"):
        yield refuse_here(f"line/space 1 {shown(space)}", line(b"GET" + space + target + b" HTTP/1.1"))
        yield refuse_here(f"line/space 2 {shown(space)}", line(b"GET " + target + space + b"HTTP/1.1"))
    yield accept("line/an empty line before", b"\r\n" + GET, READINGS[GET])
    for before in (b"\r\n\r\n", b"\r\n\r\n\r\n"):
        yield either(f"line/{len(before)} bytes of empty lines before", before + GET)
    for before in (b"\n", b"\r", b" ", b"\t", b"\0", b" \r\n", b"\xef\xbb\xbf", b"\r\n ", b"\x16\x03\x01\x02\x00\x01",
                   b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n", b"\r\n\n"):
        yield refuse_here(f"line/before it {shown(before)}", before + GET)
    # Peers may speak it.
    yield refuse("line/before it HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + GET, guard=True)


def targets():
    for byte in range(256):
        data = lambda path: text(path=path)
        raw = bytes([byte])
        path = b"/a" + raw + b"b"
        if byte in PATHS or raw == b"?":
            yield accept(f"target/path with {byte:#x}", data(path), (b"GET", path, b""))
        elif raw != b"%":
            yield refuse_here(f"target/path with {byte:#x}", data(path))
        query = b"/a?" + raw + b"b"
        if byte in PATHS or raw in b"?":
            yield accept(f"target/query with {byte:#x}", data(query), (b"GET", query, b""))
        elif byte <= 0x20 or byte >= 0x7f or raw == b"#":
            yield refuse_here(f"target/query with {byte:#x}", data(query))
        else:
            yield either(f"target/query with {byte:#x}", data(query))
        for form in sorted({"%%%02x" % byte, "%%%02X" % byte}):
            path = b"/a" + form.encode() + b"b"
            if raw in b"/\\\0":
                yield refuse_here(f"target/encoded {path.decode()}", data(path))
            else:
                yield accept(f"target/encoded {path.decode()}", data(path), (b"GET", path, b""))
    for end in (b"%", b"%2", b"%zz", b"%2x", b"%%41", b"%u002f", b"%-1", b"% 41", b"%\xc0"):
        yield refuse_here(f"target/percent {shown(end)}", text(path=b"/a" + end))
    for target in (b"", b"foo", b"\\", b"?x", b"#", b"/", b"//", b"*", b"http:", b"http:/", b"http://", b"http:///a",
                   b"https://" + HOST + ROUTE + b"/a", b"ftp://x" + ROUTE, b"file:///etc/passwd",
                   b"//" + HOST + ROUTE + b"/a", b"http:" + ROUTE + b"/a", b"http:/" + ROUTE + b"/a",
                   b"http://" + HOST, b"http://" + HOST + b"?x", b"http:\\\\" + HOST + ROUTE + b"/a",
                   b"http://" + HOST + b"\\" + ROUTE + b"/a", b"HTTP://", b"javascript:x", b"@" + HOST + ROUTE,
                   HOST + ROUTE + b"/a", b"." + ROUTE):
        yield refuse(f"target/form {shown(target)}", b"GET " + target + b" HTTP/1.1\r\nHost: " + HOST + b"\r\n\r\n",
                     everybody=False, guard=True)
    whole = lambda authority, host, scheme=b"http": b"GET %s://%s%s/a HTTP/1.1\r\nHost: %s\r\n\r\n" % (
        scheme, authority, ROUTE, host)
    for scheme in (b"http", b"HTTP", b"hTtP"):
        yield accept(f"target/absolute {scheme.decode()}", whole(HOST, HOST, scheme), (b"GET", b"/a", b""))
    for authority in (b"evil.test", b"upstream.test", b"127.0.0.1", b"localhost:" + PORT, b"127.0.0.1:1",
                      b"x@" + HOST, HOST + b"@evil.test", b"evil.test@" + HOST, HOST + b".evil.test", b":" + PORT,
                      b"[::1]:" + PORT, b"evil.test#" + HOST, b"evil.test%00" + HOST, b"evil.test%2f" + HOST):
        yield refuse(f"target/absolute for {shown(authority)}", whole(authority, HOST), everybody=False, guard=True)
        yield refuse(f"target/absolute, Host {shown(authority)}", whole(HOST, authority), everybody=False, guard=True)
        # Two names for this proxy that agree are good.
        is_ours = authority in (b"127.0.0.1", b"localhost:" + PORT, b"127.0.0.1:1", b"[::1]:" + PORT)
        yield either(f"target/both {shown(authority)}", whole(authority, authority)) if is_ours else \
            refuse(f"target/both {shown(authority)}", whole(authority, authority), everybody=False, guard=True)
    for host in (b"evil.test", b"127.0.0.1.evil.test"):
        yield refuse(f"target/absolute 1.0 for {host.decode()}",
                     b"GET http://%s%s/a HTTP/1.0\r\n\r\n" % (host, ROUTE), everybody=False, guard=True)
    yield accept("target/absolute 1.0", b"GET http://%s%s/a HTTP/1.0\r\n\r\n" % (HOST, ROUTE), (b"GET", b"/a", b""))


def escapes():
    """Out of the route, or into another: dots, slashes and what decodes to them."""
    dots = [b"..", b".", b"%2e%2e", b"%2E%2E", b".%2e", b"%2e.", b"%2e", b"..;", b"..;a=b", b"%2e%2e;", b".;",
            b"%2e;x"]
    slashes = [b"..%2f", b"..%5c", b"..\\", b"%2e%2e%2f", b"%2e%2e\\", b"..%2F..", b"..%00", b"%00..", b"%2f", b"%5c",
               b"..%5C", b"a%2fb", b"..\0", b"..%5c.."]
    for segment in dots + slashes:
        for path in (b"/%s", b"/%s/", b"/%s/trap", b"/a/%s", b"/a/%s/b", b"/%s/%s/trap", b"/a/../%s/trap",
                     b"//%s/trap", b"/a/%s?x=y", b"/%s/../../../trap"):
            data = path.replace(b"%s", segment)
            yield refuse_here(f"escape/{shown(data)}", text(path=data))
        whole = b"GET http://" + HOST + ROUTE + b"/" + segment + b"/trap HTTP/1.1\r\nHost: " + HOST + b"\r\n\r\n"
        yield refuse_here(f"escape/absolute {shown(segment)}", whole)
        yield refuse_here(f"escape/before the route {shown(segment)}",
                          b"GET /" + segment + ROUTE + b"/a HTTP/1.1\r\nHost: " + HOST + b"\r\n\r\n")
        yield refuse(f"escape/in the route {shown(segment)}",
                     b"GET " + ROUTE + segment + b"/a HTTP/1.1\r\nHost: " + HOST + b"\r\n\r\n", everybody=False,
                     guard=True)
    # These decode once to something harmless; what decodes twice is on its own.
    for segment in (b"%252e%252e", b"%252f", b"%c0%ae%c0%ae", b"%c0%af", b"%uff0e", b"%e0%80%ae"):
        yield either(f"escape/{shown(segment)}", text(path=b"/" + segment + b"/trap"))
    for path in (b"/...", b"/..a", b"/a..", b"/.a", b"/a.", b"/.../trap", b"/a/..b/c", b"/.well-known/x",
                 b"/;a/..;b".replace(b"..;", b".x;"), b"//a", b"/a//b", b"/a;b=c", b"/%41", b"/a?../..",
                 b"/a?/../trap", b"/?..%2f"):
        yield accept(f"escape/harmless {shown(path)}", text(path=path), (b"GET", path, b""))
    for other in (b"/", b"/trap", b"//" + ROUTE[1:] + b"/a", ROUTE.upper() + b"x/a", ROUTE + b"x", ROUTE + b"%20",
                  b"/%7e%7e/a", b"/x" + ROUTE + b"/a", ROUTE + b"%2fa", ROUTE + b"%3fa"):
        yield refuse(f"escape/no route {shown(other)}", b"GET " + other + b" HTTP/1.1\r\nHost: " + HOST + b"\r\n\r\n",
                     everybody=False, guard=True)


def fields():
    reading = (b"GET", b"/a", b"")
    for byte in range(256):
        raw = bytes([byte])
        if byte in TOKENS:
            name = b"X-" + raw + b"y"
            yield accept(f"field/name with {byte:#x}", text(fields=[name + b": v"]), reading)
        elif raw != b":":
            yield refuse_here(f"field/name with {byte:#x}", text(fields=[b"X-" + raw + b"y: v"]))
        value = b"a" + raw + b"b"
        if byte in b"\t " or 0x20 < byte < 0x7f or byte >= 0x80:
            yield accept(f"field/value with {byte:#x}", text(fields=[b"X-Odd: " + value]), reading,
                         fields=[(b"X-Odd", value)])
        else:
            yield refuse_here(f"field/value with {byte:#x}", text(fields=[b"X-Odd: " + value]))
    for line in (b"", b"X", b":", b": v", b" : v", b"X v", b"X\tv", b"=v", b"X=v", b"\0: v"):
        if line:
            yield refuse_here(f"field/line {shown(line)}", text(fields=[line, b"X-Last: v"]))
    for line, value in ((b"X-Odd:", b""), (b"X-Odd: ", b""), (b"X-Odd:v", b"v"), (b"X-Odd:  v\t ", b"v"),
                        (b"X-Odd: a:b:c", b"a:b:c"), (b"X-Odd: a  b", b"a  b")):
        yield accept(f"field/line {shown(line)}", text(fields=[line]), reading, fields=[(b"X-Odd", value)])
    for fold in (b"\r\n ", b"\r\n\t", b"\r\n  ", b"\n ", b"\r ", b" \r\n "):
        for name in (b"X-Odd", b"Content-Length", b"Host", b"Connection", b"Authorization", b"Expect"):
            yield refuse_here(f"field/{name.decode()} folded {shown(fold)}",
                              text(fields=[name + b": a" + fold + b"b"]))
        yield refuse_here(f"field/first folded {shown(fold)}",
                          b"GET " + ROUTE + b"/a HTTP/1.1" + fold + b"X: y\r\nHost: " + HOST + b"\r\n\r\n")
    for name, everybody in odd_names("X-Odd"):
        yield refuse(f"field/odd name {shown(name)}", text(fields=[name + b": v"]),
                     everybody=False if name.startswith(b"x: y") else everybody) \
            if b":" not in name[-1:] else either(f"field/odd name {shown(name)}", text(fields=[name + b": v"]))


def hosts():
    host = lambda *values: text(host=None, fields=[b"Host: " + value for value in values])
    reading = (b"GET", b"/a", b"")
    yield refuse("host/none", text(host=None))
    for values in ((HOST, HOST), (HOST, b"evil.test"), (b"evil.test", HOST), (HOST, b""), (b"", HOST),
                   (HOST, b"127.0.0.1")):
        yield refuse(f"host/two {shown(values[0])} {shown(values[1])}", host(*values))
    for name in (b"HOST", b"host", b"hOST"):
        yield refuse(f"host/two cases {name.decode()}", text(fields=[name + b": evil.test"]))
    for value in (HOST, b"127.0.0.1", b"localhost", b"LOCALHOST", b"localhost:" + PORT, b"LocalHost:1", b"[::1]",
                  b"[::1]:" + PORT, b"named.test", b"NAMED.test:80"):
        yield accept(f"host/ours {shown(value)}", host(value), reading, bound=True)
    # DNS rebinding: names that a page can make lead here.
    for value in (b"evil.test", b"evil.test:" + PORT, b"127.0.0.1.evil.test", b"localhost.evil.test",
                  b"evil.test.localhost", b"xlocalhost", b"localhostx", b"127.0.0.1x", b"x127.0.0.1",
                  b"upstream.test", b"named.test.evil.test", b"127.0.0.2", b"0.0.0.0", b"0", b"127.1", b"127.0.1",
                  b"2130706433", b"0x7f000001", b"0x7f.1", b"0177.0.0.1", b"[::ffff:127.0.0.1]", b"[::]",
                  b"[0:0:0:0:0:0:0:1]", b"[::1%25lo]", b"[::1", b"::1", b"127.0.0.1,evil.test",
                  b"evil.test,127.0.0.1", b"evil.test, " + HOST, HOST + b", evil.test", HOST + b"/evil",
                  HOST + b"@evil.test", b"evil.test@" + HOST, HOST + b"#", HOST + b"?", HOST + b"\\evil",
                  b"http://" + HOST, b"/" + HOST, b"127.0.0.1:x", b"127.0.0.1:-1", b"127.0.0.1:+80",
                  b"127.0.0.1:80:80", b"127.0.0.1 evil.test", b"127.0.0.1\tevil.test", b"%6cocalhost",
                  b"localhost%00.evil.test", b"\xe2\x80\x8blocalhost", b"loc\xc3\xa1lhost", b"localhost\xa0",
                  b"'localhost'", b'"localhost"', b"localhost;", b"local host", b"*", b"_", b"-", b".",
                  b"localhost..", b"127.0.0.1:000000080", b"a" * 300, b"named", b"test", b"192.168.0.1",
                  b"169.254.169.254", b"metadata.google.internal"):
        yield refuse(f"host/strange {shown(value)}", host(value), guard=True, status=(403, 400))
    for value in (b"", b"localhost.", b"127.0.0.1:", b"127.0.0.1:99999"):
        yield either(f"host/edge {shown(value)}", host(value), guard=True)
    for control in CONTROLS:
        yield refuse_here(f"host/with {shown(control)}", host(b"127.0.0.1" + control + b"x"))
    for name, everybody in odd_names("Host"):
        yield refuse(f"host/odd name {shown(name)}", text(fields=[name + b": evil.test"]), everybody=everybody) \
            if not name.endswith(b":") else refuse(f"host/odd name {shown(name)}",
                text(fields=[name + b": evil.test"]), everybody=False)
    for name in (b"X-Forwarded-Host", b"X-Forwarded-For", b"X-Forwarded-Proto", b"Forwarded", b"X_Forwarded_Host"):
        yield accept(f"host/{name.decode()}", text(fields=[name + b": " + STAYS]), reading)


def origins():
    call = lambda *fields, method=b"POST": text(method, b"/a", [*fields, b"Content-Length: 0"])
    reading = (b"POST", b"/a", b"")
    own = b"http://" + HOST
    for lines in ([b"Origin: " + own], [b"Origin: https://shop.test"],
                  [b"Origin: https://shop.test", b"Sec-Fetch-Site: cross-site"], [b"Sec-Fetch-Site: same-origin"],
                  [b"Sec-Fetch-Site: none"], [b"Origin: " + own, b"Sec-Fetch-Site: same-origin"],
                  [b"Sec-Fetch-Site: none", b"Sec-Fetch-Mode: navigate"]):
        yield accept(f"origin/ours {shown(b' '.join(lines))}", call(*lines), reading, bound=True)
    strange = [b"https://evil.test", b"http://evil.test", b"null", b"", b"*", b"https://127.0.0.1:" + PORT,
               b"http://127.0.0.1:1", b"http://127.0.0.1", b"http://localhost:" + PORT,
               own + b".evil.test", own + b"@evil.test", own + b"/", b"http://evil.test/" + HOST,
               b"https://shop.test.evil.test", b"https://xshop.test", b"http://shop.test",
               b"https://shop.test:8443", b"https://shop.test/", b"https://shop.test https://evil.test",
               b"https://evil.test https://shop.test", b"https://shop.test,https://evil.test", b"file://",
               b"chrome-extension://abc",
               b"shop.test", b"https://SHOP.test@evil.test", b"ftp://" + HOST]
    for value in strange:
        for method in (b"GET", b"POST", b"OPTIONS", b"DELETE"):
            yield refuse(f"origin/{method.decode()} {shown(value)}", call(b"Origin: " + value, method=method),
                         guard=True, status=(403,))
        yield refuse(f"origin/{shown(value)} as none", call(b"Origin: " + value, b"Sec-Fetch-Site: none"), guard=True,
                     status=(403,))
        yield refuse(f"origin/{shown(value)} behind ours", call(b"Origin: " + own, b"Origin: " + value), guard=True,
                     status=(403,))
        yield refuse(f"origin/{shown(value)} before ours", call(b"Origin: " + value, b"Origin: " + own), guard=True,
                     status=(403,))
        yield refuse(f"origin/{shown(value)} in lower case", call(b"origin: " + value), guard=True, status=(403,))
    for value in (b"cross-site", b"same-site", b"Cross-Site", b"", b"x", b"none, cross-site",
                  b"same-origin, same-origin", b"none;a"):
        yield refuse(f"origin/fetch {shown(value)}", call(b"Sec-Fetch-Site: " + value), guard=True, status=(403,))
        for other in (b"none", b"same-origin"):
            yield refuse(f"origin/fetch {shown(value)} behind {other.decode()}",
                         call(b"Sec-Fetch-Site: " + other, b"Sec-Fetch-Site: " + value), guard=True, status=(403,))
            yield refuse(f"origin/fetch {shown(value)} before {other.decode()}",
                         call(b"Sec-Fetch-Site: " + value, b"Sec-Fetch-Site: " + other), guard=True, status=(403,))
    yield refuse("origin/preflight", call(b"Origin: https://evil.test", b"Access-Control-Request-Method: POST",
                                          method=b"OPTIONS"), guard=True, status=(403,))


def connections():
    """Hop-by-hop fields, and `Connection` told to take away what is ours."""
    reading = (b"GET", b"/a", b"")
    for name in (b"Authorization", b"X-App-ID", b"x-app-id", b"AUTHORIZATION", b"Host", b"Via", b"Connection",
                 b"close, Authorization", b"keep-alive, X-App-ID", b"Authorization,X-App-ID,Host",
                 b" , ,Authorization, ", b"X-App-ID, close", b"Accept", b"x_app_id", b'"Authorization"',
                 b"Authorization;q=1", b"User-Agent", b"Cookie"):
        # What is for all recipients must not be named (RFC 9110 §7.6.1): who refuses that is right too.
        everybody = name in (b"Authorization", b"X-App-ID", b"x-app-id", b"AUTHORIZATION", b"User-Agent", b"Accept")
        yield accept(f"connection/names {shown(name)}", text(fields=[b"Connection: " + name]), reading,
                     everybody=everybody)
        yield accept(f"connection/names {shown(name)} that was sent", text(
            fields=[b"Connection: " + name, b"Authorization: " + STAYS, b"X-App-ID: " + STAYS]), reading,
            everybody=everybody)
    for option in (b"X-Hop", b"x-hop", b"close, X-Hop", b"X-HOP,close", b"a,b,X-Hop", b"\tX-Hop\t", b",,X-Hop,,"):
        yield accept(f"connection/option {shown(option)}", text(fields=[b"Connection: " + option,
            b"X-Hop: " + NEVER]), reading)
        yield accept(f"connection/option {shown(option)} behind", text(fields=[b"x-hop: " + NEVER,
            b"Connection: " + option]), reading)
    yield accept("connection/two lines", text(fields=[b"Connection: X-Hop", b"X-Hop: " + NEVER,
        b"Connection: X-Other", b"X-Other: " + NEVER]), reading)
    for name in (b"Content-Length", b"content-length", b"close, Content-Length"):
        yield accept(f"connection/takes {shown(name)}", text(b"POST", b"/a", [b"Connection: " + name,
            b"Content-Length: 5"], b"hello"), (b"POST", b"/a", b"hello"), everybody=False)
    for name in (b"Transfer-Encoding", b"TE, Transfer-Encoding"):
        yield accept(f"connection/takes {shown(name)}", text(b"POST", b"/a", [b"Connection: " + name,
            b"Transfer-Encoding: chunked"], chunked()), (b"POST", b"/a", b"hello"), everybody=False)
    for name in (b"Keep-Alive", b"Proxy-Connection", b"TE", b"Upgrade", b"Proxy-Authorization", b"Proxy-Authenticate",
                 b"Keep_Alive", b"Proxy_Connection", b"Proxy-Foo"):
        # Only Connection's own and what it names are everybody's duty (RFC 9110 §7.6.1); here the others stay too.
        yield accept(f"connection/{name.decode()}", text(fields=[name + b": " + STAYS]), reading)
    for fields in ([b"Connection: Upgrade", b"Upgrade: websocket"], [b"Connection: upgrade, http2-settings",
        b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"],
                   [b"Upgrade: TLS/1.0", b"Connection: Upgrade"], [b"Connection: keep-alive",
                       b"Keep-Alive: timeout=5"], [b"TE: trailers", b"Connection: TE"]):
        # An upgrade may be refused as well as ignored.
        yield accept(f"connection/{shown(fields[0])} {shown(fields[1])}", text(fields=fields), reading, everybody=False)
    names = [b"X-%d" % number for number in range(17)]
    yield accept("connection/16 options", text(fields=[b"Connection: " + b",".join(names[:16])]), reading, bound=True)
    yield either("connection/17 options", text(fields=[b"Connection: " + b",".join(names)]))


def credentials():
    reading = (b"GET", b"/a", b"")
    spellings = {b"Authorization": [b"Authorization", b"authorization", b"AUTHORIZATION", b"aUTHORIZATION",
                                    b"authorizatioN"],
                 b"X-App-ID": [b"X-App-ID", b"x-app-id", b"X-APP-ID", b"X_App_ID", b"x_app_id", b"X-App_ID",
                               b"X_App-ID", b"X_APP_ID", b"x-App_iD"]}
    for names in spellings.values():
        for name in names:
            for value in (STAYS, b"Bearer " + STAYS, b"", b"Basic eDp5", b"Bearer canary-token"):
                yield accept(f"credential/{name.decode()}: {shown(value)}", text(fields=[name + b": " + value]),
                             reading)
            yield accept(f"credential/{name.decode()} ten times", text(fields=[name + b": " + STAYS] * 10), reading,
                         everybody=False)
            yield accept(f"credential/{name.decode()} in chunks and behind them", text(b"POST", b"/a", [
                name + b": " + STAYS, b"Transfer-Encoding: chunked"],
                chunked(trailers=name + b": " + STAYS + b"\r\n")), (b"POST", b"/a", b"hello"))
            for other in names:
                yield accept(f"credential/{name.decode()} and {other.decode()}",
                             text(fields=[name + b": " + STAYS, b"X: y", other + b": " + STAYS]), reading,
                             everybody=False)
            for odd, everybody in odd_names(name.decode()):
                if not odd.endswith(b":"):
                    yield refuse(f"credential/odd name {shown(odd)}", text(fields=[odd + b": " + STAYS]),
                                 everybody=False)
    for name in (b"Cookie", b"Proxy-Authorization", b"Forwarded", b"X-Forwarded-For", b"cookie", b"COOKIE"):
        yield accept(f"credential/{name.decode()}", text(fields=[name + b": a=" + STAYS]), reading)
        yield accept(f"credential/{name.decode()} twice", text(fields=[name + b": a=" + STAYS] * 2), reading,
                     everybody=False)


def expectations():
    head = lambda *fields, path=b"/p", version=b"HTTP/1.1": text(b"POST", path, fields, version=version)
    reading = (b"POST", b"/p", b"hello")
    for value in (b"100-continue", b"100-Continue", b"100-CONTINUE", b" 100-continue "):
        fields = [b"Expect:" + value, b"Content-Length: 5"]
        yield Case(f"expect/{shown(value)}, waits", [head(*fields), UNTIL_TOLD, b"hello"], ACCEPT, [reading])
        yield Case(f"expect/{shown(value)}, does not wait", [head(*fields) + b"hello"], ACCEPT, [reading])
        yield Case(f"expect/{shown(value)} in chunks", [head(b"Expect:" + value, b"Transfer-Encoding: chunked"),
            UNTIL_TOLD, chunked()], ACCEPT, [reading])
        yield Case(f"expect/{shown(value)} without content", [text(fields=[b"Expect:" + value])], ACCEPT,
                   [(b"GET", b"/a", b"")])
    yield accept("expect/1.0", head(b"Expect: 100-continue", b"Content-Length: 5", version=b"HTTP/1.0") + b"hello",
                 reading)
    for value in (b"x", b"100-continue, x", b"200-ok", b"", b"100", b"continue", b"100-continue;a=b",
                  b'"100-continue"', b"100-continuex"):
        yield refuse_here(f"expect/other {shown(value)}", head(b"Expect: " + value, b"Content-Length: 5") + b"hello")
    yield either("expect/twice", head(b"Expect: 100-continue", b"Expect: 100-continue",
                                      b"Content-Length: 5") + b"hello")
    # Refused before a word of encouragement.
    for fields in ([b"Content-Length: 5", b"Content-Length: 6"], [b"Content-Length: 5",
        b"Transfer-Encoding: chunked"], [b"Content-Length: +5"], [b"X : y"]):
        yield refuse_here(f"expect/with {shown(b' '.join(fields))}", head(b"Expect: 100-continue",
            *fields) + b"hello")
    # The upstream answers before it has everything.
    for path in (b"/early-close", b"/early-keep"):
        for sent, size in ((b"", 5), (b"he", 5), (b"", 60000), (b"x" * 30000, 60000)):
            yield Case(f"early/{path.decode()} {len(sent)} of {size}",
                       [head(b"Content-Length: %d" % size, path=path) + sent], EARLY)
            yield Case(f"early/{path.decode()} {len(sent)} of {size}, expected",
                       [head(b"Content-Length: %d" % size, b"Expect: 100-continue", path=path), UNTIL_TOLD,
                        sent or b"x"], EARLY)
        yield Case(f"early/{path.decode()} in chunks", [head(b"Transfer-Encoding: chunked",
            path=path) + b"5\r\nhello\r\n"], EARLY)
        yield Case(f"early/{path.decode()}, a request behind", [head(b"Content-Length: 60000",
            path=path) + b"x" * 100 + SMUGGLED], EARLY)


def limits():
    """At each bound and one past it: of the head, target, fields, content, and of the chunked coding."""
    reading = (b"GET", b"/a", b"")
    for size, expect in ((32768, accept), (32769, refuse), (40000, refuse), (1 << 20, refuse)):
        data = text(fields=[b"X-Pad: "])
        data = data.replace(b"X-Pad: ", b"X-Pad: " + b"y" * (size - len(data)))
        if expect is accept:
            yield accept(f"limits/head of {size}", data, reading, bound=True)
        else:
            yield refuse(f"limits/head of {size}", data, bound=True, status=(431,))
    for size, expect in ((8192, accept), (8193, refuse), (9000, refuse), (70000, refuse)):
        path = b"/" + b"p" * (size - 4)
        if expect is accept:
            yield accept(f"limits/target of {size}", text(path=path), (b"GET", path, b""), bound=True)
        else:
            yield refuse(f"limits/target of {size}", text(path=path), bound=True, status=(414,))
    for count in (99, 100, 101, 500):
        data = text(fields=[b"X-%d: y" % number for number in range(count - 1)])
        yield accept(f"limits/{count} fields", data, reading, bound=True) if count <= 100 else \
            refuse(f"limits/{count} fields", data, bound=True, status=(431,))
    for size in (CONTENT_MAX - 1, CONTENT_MAX, CONTENT_MAX + 1):
        content = b"z" * size
        for kind, data in (("length", text(b"POST", b"/p", [b"Content-Length: %d" % size], content)),
                           ("chunks", text(b"POST", b"/p", [b"Transfer-Encoding: chunked"], chunked(content))),
                           ("small chunks", text(b"POST", b"/p", [b"Transfer-Encoding: chunked"], b"".join(
                               b"%x\r\n%s\r\n" % (len(content[at:at + 1000]),
                                   content[at:at + 1000]) for at in range(0, size, 1000)) + b"0\r\n\r\n"))):
            yield accept(f"limits/content of {size}, {kind}", data, (b"POST", b"/p", content),
                         bound=True) if size <= CONTENT_MAX else \
                refuse(f"limits/content of {size}, {kind}", data, bound=True, status=(413,))
    yield refuse("limits/content announced", text(b"POST", b"/p", [b"Content-Length: 999999999999999999"]),
                 bound=True, status=(413,))
    for size in (1024, 1025):
        data = text(b"POST", b"/c", [b"Transfer-Encoding: chunked"],
                    b"5;" + b"a" * (size - 0) + b"\r\nhello\r\n0\r\n\r\n")
        # The semicolon itself is not counted.
        yield accept("limits/extension of 1024", data, (b"POST", b"/c", b"hello"), bound=True) if size == 1024 else \
            refuse("limits/extension of 1025", data, bound=True)
    many = b"".join(b"1;%s\r\nx\r\n" % (b"a" * 100) for _ in range(11)) + b"0\r\n\r\n"
    yield refuse("limits/extensions of many chunks", text(b"POST", b"/c", [b"Transfer-Encoding: chunked"], many),
                 bound=True)


def pipelines():
    mixed = [GET, POST, CHUNKED]
    for count in (2, 3, 7, 20, 60):
        parts = [mixed[number % 3] for number in range(count)]
        yield accept(f"pipeline/{count}", b"".join(parts), *(READINGS[part] for part in parts))
    head = text(b"HEAD", b"/h")
    yield accept("pipeline/HEAD between", GET + head + POST, READINGS[GET], (b"HEAD", b"/h", b""), READINGS[POST])
    for last in (text(fields=[b"Connection: close"]), text(version=b"HTTP/1.0"),
                 text(fields=[b"Connection: x, Close"])):
        yield accept(f"pipeline/nothing behind {shown(last[-40:])}", GET + last + SMUGGLED, READINGS[GET],
                     (b"GET", b"/a", b""))
    for parts in ([GET], [POST], [CHUNKED], [GET, POST, CHUNKED, GET]):
        yield accept(f"pipeline/{len(parts)}, then closed, {len(parts[0])}", b"".join(parts),
                     *(READINGS[part] for part in parts), everybody=False, ends=True)
    expecting = text(b"POST", b"/p", [b"Expect: 100-continue", b"Content-Length: 5"])
    yield Case("pipeline/an expectation behind", [GET + expecting, UNTIL_TOLD, b"hello" + GET], ACCEPT,
               [READINGS[GET], READINGS[POST], READINGS[GET]])
    yield accept("pipeline/an empty line between", GET + b"\r\n" + GET, READINGS[GET], READINGS[GET])
    for between in (b"\n", b"\0", b" ", b"\r", b"0\r\n\r\n", b"\r\n \r\n"):
        yield Case(f"pipeline/{shown(between)} between", [POST + between + GET], REFUSE, [READINGS[POST]],
                   everybody=False)


def loops(pseudonym):
    for value in (b"1.1 " + pseudonym, b"1.0 a, 1.1 " + pseudonym, b"1.1 " + pseudonym.upper(),
                  b"1.1 a, 1.1 " + pseudonym + b" (x), 1.1 b"):
        yield refuse(f"loop/{shown(value)}", text(fields=[b"Via: " + value]), guard=True, status=(508,))
        yield refuse(f"loop/second line {shown(value)}", text(fields=[b"Via: 1.1 a", b"via: " + value]), guard=True,
                     status=(508,))
    yield accept("loop/another", text(fields=[b"Via: 1.1 tollkey-00000000"]), (b"GET", b"/a", b""))
