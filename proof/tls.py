"""Upstreams that must not be believed: refused, nothing sent to them, and the cause said wherever somebody looks.

    python3 proof/tls.py [--short] [--proxy BINARY] [--out FILE] [--seed N]
"""

import argparse
import concurrent.futures
import contextlib
import random
import re
import socket
import ssl
import subprocess

import certificates
import peers_tls
import rig
import wire
from wire import Case

SHORT = 8
ENVIRONMENT = {**rig.SECRETS, "PROOF_ID": "canary-id-2a51", "PROOF_SECRET": "canary-secret-90b3e4"}
# Of which no server that is refused may see a byte, enciphered or not.
CANARIES = [value.encode() for value in ENVIRONMENT.values()]
OBTAINED = "canary-from-the-trap"
TOKEN = b'{"access_token":"%s","expires_in":3600}' % OBTAINED.encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(TOKEN), TOKEN)
READ = "bytes of requests that a refused server could read"
UNTRUE = "answers without the cause, or untrue"


class Server:
    """An upstream with whatever `context` makes of it, or without TLS; counts what could be read of requests."""

    def __init__(self, context):
        self.context = context
        self.readable = 0
        self.connections = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        rig.accept(self.listener, self._serve)

    def _serve(self, connection):
        self.connections.add(connection)
        try:
            self._speak(connection)
        finally:
            self.connections.discard(connection)

    def _speak(self, connection):
        context = self.context
        connection.settimeout(rig.PATIENCE)
        with connection, contextlib.suppress(OSError, EOFError, ssl.SSLError):
            if context is None:
                return self._listen(connection)
            tls = wire.Wire(connection, context)
            try:
                while not tls.shake():
                    tls.flush()
                    tls.incoming.write(tls.receive_record())
            finally:
                # Also when it went wrong: the alert says why.
                tls.flush()
            request = b""
            while data := connection.recv(65536):
                plain = tls.decipher(data)
                self.readable += len(plain)
                request += plain
                if wire.is_whole(request):
                    connection.sendall(tls.encipher(ANSWER))
                    request = b""

    def _listen(self, connection):
        """No TLS at all: whatever of the request comes is there to be read."""
        received = connection.recv(65536)
        self.readable += sum(len(received) for canary in CANARIES if canary in received)
        if not received.startswith(b"\x16"):
            self.readable += len(received)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def swap(self, context):
        """Shows another certificate from now on, and ends the connections that there are."""
        self.context = context
        self._end_connections(socket.SHUT_WR)
        # A call on one that the daemon has not given up yet was sent, and would be told so.
        rig.wait_until(lambda: not self.connections, "the daemon's leaving")

    def _end_connections(self, how):
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(how)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._end_connections(socket.SHUT_RDWR)


def obtaining(name, port, forge):
    """YAML of a provider whose token has to be obtained first."""
    return (
        f"  {name}:\n"
        f"    upstream: https://{rig.HOST}:{port}\n"
        f"    addresses: ['127.0.0.1:{port}']\n"
        f"    tls: {{ ca: {forge.certificate} }}\n"
        "    secrets: { id: '${env:PROOF_ID}', secret: '${env:PROOF_SECRET}' }\n"
        "    credentials:\n"
        "      access:\n"
        "        obtain: { post: /token, form: { client_id: '${id}', client_secret: '${secret}' } }\n"
        "        read: { token: access_token, expires_in: expires_in }\n"
        "    inject: { Authorization: 'Bearer ${access}' }\n")


class Proof:
    """The daemon before all the servers, and what is wrong with what it does."""

    def __init__(self, daemon, complain):
        self.daemon, self.complain = daemon, complain
        self.counts = dict.fromkeys((
            "believed", READ, "good servers refused", UNTRUE, "log without the cause", "doctor without the cause"), 0)

    def find(self, sort, words, count=1):
        self.counts[sort] += count
        self.complain(f"{sort}: {words}")

    def call(self, route, method="GET"):
        framing = "length" if method == "POST" else None
        return wire.call(self.daemon.port, Case(method=method, framing=framing).request(route))

    def believed(self, what, route):
        answer = self.call(route)
        if answer.status != 200 or answer.kind != "whole":
            self.find("good servers refused", f"{what}: {answer}")

    def refused(self, what, words, route, server, kind="upstream-tls"):
        """Calls by `route`, of which `server` must not be able to read a byte."""
        before = server.readable
        for method in ("GET", "POST"):
            answer = self.call(route, method)
            if answer.problem is None:
                self.find("believed", f"{what} by {route}, {method}: {answer}")
            elif answer.problem != kind or answer.told is not False or not re.search(words, answer.detail):
                self.find(UNTRUE, f"{what} by {route}, {method}: {answer}, not /{words}/")
        if server.readable > before:
            self.find(READ, f"{what} by {route}", server.readable - before)
        if not self.is_logged(route, words):
            self.find("log without the cause", f"{what} by {route}: no line with /{words}/")

    def is_logged(self, route, words):
        def find():
            # What is only said to whoever asks for more is not said.
            lines = (line for line in self.daemon.log.read_text().splitlines() if '"level":"debug"' not in line)
            return any(f'"provider":"{route}"' in line and re.search(words, line) for line in lines)
        with contextlib.suppress(rig.Failure):
            # Log lines are written by a thread of its own.
            return rig.wait_until(find, "a log line", 5)
        return False

    def examined(self, what, words, route, server, *options):
        """`tollkey doctor` beside the daemon."""
        before = server.readable
        command = [str(self.daemon.binary), "doctor", "--config", str(self.daemon.file), *options, route]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=2 * rig.PATIENCE, check=False, env=self.daemon.environment)
        said = done.stdout + done.stderr
        if done.returncode == 0 or not re.search(words, said):
            self.find("doctor without the cause", f"{what}: status {done.returncode}, {said!r}, not /{words}/")
        if server.readable > before:
            self.find(READ, f"{what}, by doctor", server.readable - before)


def prove(folder, binary, is_short, seed, complain):
    """Rows of figures. `complain` is told each finding."""
    forge = certificates.Forge(folder / "forge")
    controls, traps = forge.controls(), forge.traps()
    traps.append(certificates.Trap("no TLS at all", "wrong version|handshake|packet|ended|TLS", None))
    if is_short:
        traps = random.Random(seed).sample(traps, SHORT)
    text = "providers:\n"
    with contextlib.ExitStack() as stack:
        def serve(name, context, form):
            nonlocal text
            server = Server(context)
            stack.callback(server.close)
            text += form(name, server.port, forge)
            return server

        believed = [serve(f"good{index}", context, rig.provider) for index, context in enumerate(controls.values())]
        bad = [serve(f"bad{index}", trap.context, rig.provider) for index, trap in enumerate(traps)]
        tokens = [serve(f"token{index}", trap.context, obtaining) for index, trap in enumerate(traps)]
        swapped = [serve(f"swapped{index}", controls["good"], rig.provider) for index in range(len(traps))]
        daemon = stack.enter_context(rig.Daemon(folder / "tls", text, binary, ENVIRONMENT))
        daemon.canaries.append(OBTAINED)
        proof = Proof(daemon, complain)
        for index, name in enumerate(controls):
            proof.believed(name, f"good{index}")
        for index, trap in enumerate(traps):
            proof.refused(trap.name, trap.words, f"bad{index}", bad[index])
            proof.refused(trap.name, trap.words, f"token{index}", tokens[index], "credential-unavailable")
            proof.believed(f"{trap.name}, before the swap", f"swapped{index}")
            swapped[index].swap(trap.context)
            proof.refused(f"{trap.name}, swapped", trap.words, f"swapped{index}", swapped[index])
            swapped[index].swap(controls["good"])
            proof.believed(f"{trap.name}, swapped back", f"swapped{index}")
        looks = [
            look for index, trap in enumerate(traps) for look in (
                (trap.name, trap.words, f"bad{index}", bad[index]),
                (trap.name, trap.words, f"token{index}", tokens[index], "--renew"))]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            # Its answers are asked for, so that what one of them raised is raised here.
            list(pool.map(lambda look: proof.examined(*look), looks))
        rows = [
            ("servers that must be refused", len(traps)),
            ("ways: from the start, at the token endpoint, swapped in mid-run, by doctor", 4), *proof.counts.items()]
        if not is_short:
            rows += peers_tls.compare(folder, forge, traps, bad, believed[0])
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    rig.judge("tls", parser, lambda arguments, folder, complain: prove(
        folder, arguments.proxy, arguments.short, arguments.seed, complain))


if __name__ == "__main__":
    main()
