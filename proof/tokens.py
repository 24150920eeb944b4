"""A token endpoint that hangs, breaks off, lies, limits: callers are told the truth in time, and it is left alone."""

import contextlib
import dataclasses
import functools
import json
import re
import socket
import ssl
import struct
import threading
import time

import rig
import wire
from wire import Case

ENVIRONMENT = {"PROOF_ID": "canary-id-6be0", "PROOF_SECRET": "canary-secret-14d9c2"}
# What a call waits for a credential, in seconds.
WAIT = 2
# The least between two tries (docs/credentials.md), and what a busy machine may take off it, in seconds.
GAP, HASTE = 0.5, 0.3
CALLERS = 20
TOKEN = "canary-obtained-08e4b1"


def answer(status, content, *fields):
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    head = "\r\n".join([f"HTTP/1.1 {status} Proof", "Content-Type: application/json", *fields])
    return f"{head}\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


def token(**more):
    return answer(200, {"access_token": TOKEN, "expires_in": 3600, **more})


HANG, RESET, TRICKLE, SLOW = "hang", "reset", "trickle", "slow"
HALF = token()[:-20]


@dataclasses.dataclass
class Scene:
    """One way in which a token endpoint fails."""

    name: str
    # Bytes, or one of the words above.
    does: bytes | str
    # What `detail` must say, unless the answer has not come yet.
    words: str
    # Tries again by itself soon.
    is_tried_again: bool = True


SCENES = [
    Scene("hang", HANG, "being obtained", False),
    Scene("trickle", TRICKLE, "being obtained", False),
    Scene("reset", RESET, "broke the connection off"),
    Scene("half", HALF, "before its answer was complete"),
    Scene("noise", b"\x00\xff\x00 no HTTP\r\n\r\n", "is no HTTP"),
    Scene("empty", answer(200, b""), "is empty"),
    Scene("page", answer(200, b"<html>Sign in</html>"), "not JSON"),
    Scene("hollow", answer(200, {}), "has no token"),
    Scene("null", token(access_token=None), "has no token"),
    Scene("number", token(access_token=[1]), "no text"),
    Scene("breaks-lines", token(access_token="a\r\nX-Evil: 1"), "control character"),
    Scene("expired", token(expires_in=0), "already expired"),
    Scene("huge", answer(200, {"access_token": "a" * (8 << 20), "expires_in": 3600}), "more than is read"),
    Scene("deep", answer(200, b"[" * 100_000), "nested deeper"),
    Scene("redirect", answer(307, b"", "Location: /elsewhere/token"), "redirect"),
    Scene("fails", answer(500, {"error": "server_error"}), "in trouble .500"),
    Scene("pauses", answer(503, {}, "Retry-After: 60"), "in trouble .503.*60 s", False),
    Scene("limits", answer(429, {}, "Retry-After: 60"), "429.*60 s", False),
    Scene("rejects", answer(401, {"error": "invalid_client"}), "invalid_client|secrets", False),
    Scene("rejects-400", answer(400, {"error": "unauthorized_client"}), "unauthorized_client|secrets", False),
    Scene("rejects-200", answer(200, {"error": "invalid_client"}), "invalid_client|secrets", False),
]
# Lives that cannot be: what is assumed instead is no reason to fail calls (docs/credentials.md).
ODD = {
    "eternal": token(expires_in=1e300), "negative": token(expires_in=-5), "wordy": token(expires_in="soon")}


class Provider:
    """All the token endpoints, and the API behind them: `/SCENE/token`, `/SCENE/…`."""

    def __init__(self, context):
        self.context = context
        self.does = {scene.name: scene.does for scene in SCENES} | ODD
        # Times of token calls, and numbers of API calls, by scene.
        self.tokens = {name: [] for name in (*self.does, "slow", "lies", "elsewhere")}
        self.calls = dict.fromkeys(self.tokens, 0)
        self.over = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        rig.accept(self.listener, self._serve)

    def _serve(self, connection):
        connection.settimeout(rig.PATIENCE)
        with contextlib.suppress(OSError, ssl.SSLError):
            with self.context.wrap_socket(connection, server_side=True) as tls:
                request = b""
                while data := tls.recv(65536):
                    request += data
                    if wire.is_whole(request):
                        _, scene, rest = request.split()[1].decode().split("/", 2)
                        if not self._answer(tls, scene, rest == "token"):
                            return
                        request = b""

    def _answer(self, tls, scene, is_token):
        """False when the connection is over."""
        if not is_token:
            self.calls[scene] += 1
            tls.sendall(answer(401 if scene == "lies" else 200, b"from the provider"))
            return True
        self.tokens[scene].append(time.monotonic())
        does = self.does.get(scene, token())
        if does == HANG:
            self.over.wait(rig.PATIENCE)
            return False
        if does == TRICKLE:
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 1000:
                tls.sendall(bytes([byte]))
                if self.over.wait(0.2):
                    return False
        if does == RESET:
            tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            tls.close()
            return False
        if scene == SLOW:
            time.sleep(WAIT / 4)
        tls.sendall(does)
        return does != HALF

    def close(self):
        self.over.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def configuration(authority, provider):
    text = "providers:\n"
    for name in provider.tokens:
        text += (
            f"  {name}:\n"
            f"    upstream: https://{rig.HOST}:{provider.port}/{name}\n"
            f"    addresses: ['127.0.0.1:{provider.port}']\n"
            f"    tls: {{ ca: {authority.certificate} }}\n"
            "    secrets: { id: '${env:PROOF_ID}', secret: '${env:PROOF_SECRET}' }\n"
            "    credentials:\n"
            "      access:\n"
            "        obtain: { post: /token, form: { client_id: '${id}', client_secret: '${secret}' } }\n"
            "        read: { token: access_token, expires_in: expires_in }\n"
            "    inject: { Authorization: 'Bearer ${access}' }\n"
            f"    credential_wait: {WAIT}s\n")
    return text


def crowd(port, name, count=CALLERS):
    """Answers to as many calls at once."""
    answers = []

    def one(method):
        framing = "length" if method == "POST" else None
        answers.append(wire.call(port, Case(method=method, framing=framing).request(name)))

    rig.together([functools.partial(one, method) for method in ("GET", "POST") * (count // 2)])
    return answers


class Proof:
    """What is wrong with what callers and token endpoints saw."""

    def __init__(self, provider, daemon, complain):
        self.provider, self.daemon, self.complain = provider, daemon, complain
        self.counts = dict.fromkeys((
            "callers told something untrue", "callers that waited past their bound", "token calls too many",
            "calls without a credential that reached the API", "not well again afterwards"), 0)
        self.callers, self.longest = 0, 0.0

    def find(self, sort, words):
        self.counts[sort] += 1
        self.complain(f"{sort}: token endpoint {words}")

    def bounded(self, name, answers, bound):
        self.callers += len(answers)
        for each in answers:
            self.longest = max(self.longest, each.seconds)
            if each.kind == "late" or each.seconds > bound + rig.SLACK:
                self.find("callers that waited past their bound", f"{name}: {each}")

    def failing(self, scene):
        """A crowd before an endpoint that fails, and another one once that is known."""
        for _ in range(2):
            answers = crowd(self.daemon.port, scene.name)
            self.bounded(scene.name, answers, WAIT)
            for each in answers:
                is_true = each.problem == "credential-unavailable" and each.told is False
                words = f"{scene.words}|still being obtained"
                if not is_true or not each.fields.get("retry-after", "").isdigit() or not re.search(words, each.detail):
                    self.find("callers told something untrue", f"{scene.name}: {each}, not /{scene.words}/")
        if self.provider.calls[scene.name]:
            self.find("calls without a credential that reached the API", scene.name)
        times = self.provider.tokens[scene.name]
        gaps = [later - earlier for earlier, later in zip(times, times[1:])]
        if len(times) != 1 and not scene.is_tried_again or min(gaps, default=GAP) < GAP - HASTE:
            gaps = ", ".join(f"{gap:.2f}" for gap in gaps)
            self.find("token calls too many", f"{scene.name}: {len(times)} calls, {gaps} s apart")

    def serving(self, name, status, tokens_max):
        answers = crowd(self.daemon.port, name)
        self.bounded(name, answers, WAIT)
        for each in answers:
            if each.status != status or each.problem:
                self.find("callers told something untrue", f"{name}: {each}, not the provider's {status}")
        if len(self.provider.tokens[name]) > tokens_max:
            self.find("token calls too many", f"{name}: {len(self.provider.tokens[name])}, {tokens_max} would do")

    def recovers(self, scene, by_itself):
        """With the endpoint well again, calls are served: soon by itself, or when an operator asks."""
        def is_served():
            if not by_itself:
                self.daemon.admin(f"/refresh/{scene.name}", "POST")
            return wire.call(self.daemon.port, Case().request(scene.name)).status == 200
        try:
            rig.wait_until(is_served, scene.name, 2 * rig.PATIENCE)
        except rig.Failure:
            self.find("not well again afterwards", scene.name)


def prove(folder, authority, binary, is_short, seed, complain):
    """Rows of figures. `complain` is told each finding."""
    provider = Provider(authority.server_context("tokens"))
    with contextlib.closing(provider), rig.Daemon(
            folder / "tokens", configuration(authority, provider), binary, ENVIRONMENT) as daemon:
        proof = Proof(provider, daemon, complain)
        daemon.canaries.append(TOKEN)
        rig.together([
            *(functools.partial(proof.failing, scene) for scene in SCENES),
            *(functools.partial(proof.serving, name, 200, 1) for name in ("slow", *ODD))])
        # The first 401 has the token renewed; the second token is refused like the first, so it is not the token.
        proof.serving("lies", 401, 2)
        if provider.tokens["elsewhere"] != provider.tokens["elsewhere"][:1]:
            proof.find("token calls too many", "a redirect was followed")
        calls = sum(len(provider.tokens[scene.name]) for scene in SCENES)
        provider.does = {}
        provider.over.set()
        rig.together([
            functools.partial(proof.recovers, scene, scene.is_tried_again and not is_short) for scene in SCENES])
    return [
        ("token endpoints that fail, lie or limit", len(SCENES) + len(ODD) + 2), ("callers meanwhile", proof.callers),
        ("token calls for the callers of those that fail", calls),
        ("longest wait of a caller", f"{proof.longest:.2f} s"),
        ("its bound: credential_wait, and seconds for a busy machine", f"{WAIT} + {rig.SLACK}"),
        *proof.counts.items()]
