"""A provider whose refresh tokens work once, and which takes a second spending for a theft (RFC 9700 §4.14.2).

It gives out tokens at /token, and answers any other path to whoever has a live one. What it gives out ends what it
gave before, unless `keeps_access`, so that nothing but the latest is any good. It keeps its connections, unless
`closes`.
"""

import contextlib
import http.server
import json
import secrets
import socketserver
import threading
import time
import urllib.parse

import rig

CANARY = "canary-issued-"


class Issuer:
    def __init__(self, context, life=3600):
        self.life, self.keeps_access, self.closes = life, False, False
        self.lock = threading.RLock()
        self.access, self.refresh, self.live, self.spent, self.codes = None, None, set(), set(), set()
        self.logins = self.refreshes = self.spent_twice = self.unknown = self.refused = self.calls = 0
        # What it was before each change: monotonic time, and what `restore` takes.
        self.history = []
        self.arrivals = {}
        self.connections = 0
        self.issued = []
        # Called between the effect of a token call and its answer, with its grant.
        self.before_answer = lambda grant: None
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.issuer, self.server.context = self, context
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        self._remember()

    @contextlib.contextmanager
    def serving(self):
        with self.lock:
            self.connections += 1
        try:
            yield
        finally:
            with self.lock:
                self.connections -= 1

    def settle(self):
        """Returns once everything that a dead client had sent has had its effect."""
        rig.wait_until(lambda: self.connections == 0, "the end of a dead client's connections")

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _remember(self):
        was = self.access, self.refresh, frozenset(self.live), frozenset(self.spent)
        self.history.append((time.monotonic(), was))

    def restore(self, at):
        """Goes back to what it was at that moment."""
        with self.lock:
            self.access, self.refresh, live, spent = [was for time_, was in self.history if time_ <= at][-1]
            self.live, self.spent = set(live), set(spent)

    def code(self):
        """An authorization code, as a browser would bring it."""
        with self.lock:
            code = secrets.token_hex(8)
            self.codes.add(code)
            return code

    def _issue(self):
        self.access, self.refresh = (CANARY + secrets.token_hex(16) for _ in range(2))
        self.issued += [self.access, self.refresh]
        if not self.keeps_access:
            self.live.clear()
        self.live.add(self.access)
        self._remember()
        return {"access_token": self.access, "refresh_token": self.refresh, "expires_in": self.life}

    def token_call(self, form):
        """Status and JSON."""
        grant = form.get("grant_type", [""])[0]
        with self.lock:
            if grant in ("client_credentials", "authorization_code"):
                if grant == "authorization_code":
                    if form["code"][0] not in self.codes:
                        return 400, {"error": "invalid_grant"}
                    self.codes.discard(form["code"][0])
                self.logins += 1
                return 200, self._issue()
            token = form.get("refresh_token", [""])[0]
            if token in self.spent:
                self.spent_twice += 1
                self.access = self.refresh = None
                self.live.clear()
                self._remember()
                return 400, {"error": "invalid_grant"}
            if token != self.refresh:
                # One that a later login has ended is no theft, and one that was never given is a fault of the caller's.
                self.unknown += token not in self.issued
                return 400, {"error": "invalid_grant"}
            self.refreshes += 1
            self.spent.add(token)
            return 200, self._issue()

    def api_call(self, path, authorization):
        with self.lock:
            token = authorization.removeprefix("Bearer ")
            self.unknown += token not in self.issued
            self.arrivals.setdefault(path.split("/")[1], []).append(time.monotonic())
            if token not in self.live:
                self.refused += 1
                return 401, {"error": "invalid_token"}
            self.calls += 1
            return 200, {"path": path}

    def arrived(self, category):
        with self.lock:
            return len(self.arrivals.get(category, []))


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def server_bind(self):
        # HTTPServer's own asks the resolver for this machine's name.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def finish_request(self, request, client_address):
        # The handshake belongs to the connection's thread.
        with contextlib.suppress(OSError), self.issuer.serving():
            request.settimeout(60)
            super().finish_request(self.context.wrap_socket(request, server_side=True), client_address)

    def handle_error(self, request, client_address):
        pass


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        self.answer(*self.server.issuer.api_call(self.path, self.headers.get("Authorization", "")))

    def do_POST(self):
        content = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path != "/token":
            return self.do_GET()
        form = urllib.parse.parse_qs(content)
        issuer = self.server.issuer
        answer = issuer.token_call(form)
        issuer.before_answer(form["grant_type"][0])
        self.answer(*answer)

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.server.issuer.closes:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
