"""Names that fail, change, and have addresses of which some are dead.

The daemon gets a mount namespace with resolver files of its own, which name a small DNS server on loopback. That
needs root, for the namespace and for port 53; without it this part is skipped, and says so.
"""

import contextlib
import os
import pathlib
import socket
import struct
import subprocess
import threading
import time

import rig
import wire
from wire import Case

SERVER = "127.0.53.1"
CONNECT = 1
# Looking up, then connecting, in seconds: `timeouts.connect`, `timeouts.tls`, and one more (docs/request.md).
BOUND = 2 * CONNECT + 1
# How long an answer of the resolver's is believed (docs/request.md), in seconds.
LIFE = 30
HOSTS = (
    "filed", "one", "none", "broken", "silent", "refusing", "stalling", "allrefuse", "allstall", "moved", "lost",
    "aged", "six", "mixed", "halfdead")
SIX = "::1"


class Names(threading.Thread):
    """A DNS server: A and AAAA records from `table`, or a word: `nxdomain`, `servfail`, `silent`."""

    def __init__(self):
        super().__init__(daemon=True)
        self.table = {}
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((SERVER, 53))

    def run(self):
        while True:
            try:
                query, client = self.socket.recvfrom(4096)
            except OSError:
                return
            answer = self._answer(query)
            if answer:
                self.socket.sendto(answer, client)

    def _answer(self, query):
        labels, position = [], 12
        while query[position]:
            labels.append(query[position + 1:position + 1 + query[position]].decode())
            position += query[position] + 1
        question = query[12:position + 5]
        name = ".".join(labels)
        family, is_wanted = {
            b"\0\x01": (socket.AF_INET, lambda address: ":" not in address),
            b"\0\x1c": (socket.AF_INET6, lambda address: ":" in address),
        }.get(question[-4:-2], (None, lambda _: False))
        self.asked.append(name)
        entry = self.table.get(name, "nxdomain")
        if entry == "silent":
            return None
        code = 0 if isinstance(entry, list) else {"nxdomain": 3, "servfail": 2}[entry]
        data = [] if code else [socket.inet_pton(family, address) for address in entry if is_wanted(address)]
        records = b"".join(
            b"\xc0\x0c" + question[-4:] + struct.pack(">IH", 0, len(address)) + address for address in data)
        head = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(data), 0, 0)
        return head + question + records


def listen(address, port, **more):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, **more)


class Dead:
    """An address that takes no connection and refuses none: its queue is full."""

    def __init__(self, address, port):
        self.listener = listen(address, port, backlog=0)
        self.waiting = []
        for _ in range(4):
            probe = socket.socket(self.listener.family)
            probe.setblocking(False)
            probe.connect_ex((address, port))
            self.waiting.append(probe)

    def close(self):
        for each in (*self.waiting, self.listener):
            each.close()


class Upstream:
    """Answers at an address of loopback's, and says which. Its connections end with `close`."""

    def __init__(self, address, port, context):
        self.address, self.context = address, context
        self.calls, self.connections = 0, []
        self.listener = listen(address, port)
        self.port = self.listener.getsockname()[1]
        rig.accept(self.listener, self._serve)

    def _serve(self, connection):
        self.connections.append(connection)
        with contextlib.suppress(OSError):
            with self.context.wrap_socket(connection, server_side=True) as tls:
                request = b""
                while data := tls.recv(65536):
                    request += data
                    if wire.is_whole(request):
                        self.calls, request = self.calls + 1, b""
                        content = self.address.encode()
                        tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content))

    def close(self):
        for each in (self.listener, *self.connections):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def namespace(folder):
    """Arguments before a command that give it resolver files of its own."""
    files = {
        "/etc/hosts": "127.0.0.1 localhost\n127.0.0.1 filed.proof\n",
        "/etc/resolv.conf": f"nameserver {SERVER}\n",
        "/etc/nsswitch.conf": "hosts: files dns\n",
    }
    script = ""
    for target, text in files.items():
        source = folder / target.rsplit("/", 1)[1]
        source.write_text(text)
        script += f"mount --bind '{source}' {target} && "
    return ["unshare", "-m", "sh", "-c", script + 'exec "$@"', "sh"]


def is_possible(folder):
    """Whether a command can be given names of its own."""
    probe = subprocess.run(
        [*namespace(folder), "getent", "hosts", "filed.proof"], capture_output=True, timeout=rig.PATIENCE, check=False)
    return probe.returncode == 0 and b"127.0.0.1" in probe.stdout


def configuration(authority, hosts, port):
    """A provider for each name; `pool.idle: 0` makes each call a new connection."""
    text = "providers:\n"
    for host in hosts:
        text += (
            f"  {host.split('.')[0]}:\n"
            f"    upstream: https://{host}:{port}\n"
            f"    tls: {{ ca: {authority.certificate}, server_name: {rig.HOST} }}\n"
            f"    secrets: {{ token: '${{env:PROOF_TOKEN}}' }}\n"
            f"    inject: {{ Authorization: 'Bearer ${{token}}' }}\n"
            f"    timeouts: {{ connect: {CONNECT}s, tls: {CONNECT}s }}\n"
            f"    pool: {{ idle: 0 }}\n")
    return text


class Proof:
    """What is tried, and what came of it."""

    def __init__(self, names, daemon, complain):
        self.names, self.daemon, self.complain = names, daemon, complain
        self.rows = []
        self.findings = 0
        self.longest = 0.0

    def call(self, what, name, kinds, method="GET"):
        """One call, which must be answered by one of `kinds`: addresses, or kinds of problems."""
        framing = "length" if method == "POST" else None
        answer = wire.call(self.daemon.port, Case(method=method, framing=framing).request(name))
        self.longest = max(self.longest, answer.seconds)
        kind = answer.problem or (answer.content.decode() if answer.kind == "whole" else answer.kind)
        if kind not in kinds:
            self.find(f"{what}, {method}: {answer}, not {' or '.join(kinds)}")
        elif answer.problem and answer.told is not False:
            self.find(f"{what}, {method}: {answer}: nothing was sent")
        if answer.seconds > BOUND + rig.SLACK:
            self.find(f"{what}, {method}: waited past its bound: {answer}")
        return kind

    def both(self, what, name, kinds):
        for method in ("GET", "POST"):
            self.call(what, name, kinds, method)

    def find(self, words):
        self.findings += 1
        self.complain(words)


def prove(folder, authority, binary, is_short, seed, complain):
    """Rows of figures. `complain` is told each finding."""
    place = folder / "names"
    place.mkdir()
    try:
        if os.geteuid() or not is_possible(place):
            return [("names", "skipped: needs root and mount namespaces")]
        names = Names()
    except OSError as error:
        return [("names", f"skipped: {error}")]
    names.start()
    context = authority.server_context("named")
    with contextlib.closing(names.socket), contextlib.ExitStack() as stack:
        first = Upstream("127.0.53.11", 0, context)
        port = first.port
        second = Upstream("127.0.53.12", port, context)
        third = Upstream("127.0.53.13", port, context)
        dead = Dead("127.0.53.66", port)
        for each in (first, second, third, dead):
            stack.callback(each.close)
        refusing = ["127.0.53.91", "127.0.53.92", "127.0.53.93"]
        hosts = [f"{name}.proof" for name in HOSTS]
        names.table = {
            "one.proof": [first.address], "broken.proof": "servfail", "silent.proof": "silent",
            "refusing.proof": [*refusing, first.address], "stalling.proof": ["127.0.53.66", first.address],
            "allrefuse.proof": refusing, "allstall.proof": ["127.0.53.66"], "moved.proof": [third.address],
            "lost.proof": [first.address], "aged.proof": [first.address], "six.proof": [SIX],
            "mixed.proof": [SIX, first.address], "halfdead.proof": ["127.0.53.66", SIX]}
        with rig.Daemon(
                place / "daemon", configuration(authority, hosts, port), binary, rig.SECRETS,
                wrapper=namespace(place)) as daemon:
            proof = Proof(names, daemon, complain)
            run(proof, first, second, third, is_short)
            six(proof, first, context)
    return [
        *proof.rows, ("longest wait for a name or an address", f"{proof.longest:.2f} s"),
        ("its bound, and seconds for a busy machine", f"{BOUND} + {rig.SLACK}"), ("names: findings", proof.findings)]


def run(proof, first, second, third, is_short):
    up = ("upstream-unreachable",)

    def wait():
        proof.both("a name whose server is silent", "silent", (*up, "upstream-timeout"))

    # Beside all others, none of which it may hold up.
    with rig.beside([wait]) as (waiting,):
        proof.both("a name with one address", "one", (first.address,))
        if not waiting.is_alive():
            proof.rows.append(("a name beside one whose server is silent", "not tried: it was too slow"))
        others(proof, first, is_short)
        change(proof, first, second, third, is_short)


def others(proof, first, is_short):
    up = ("upstream-unreachable",)
    proof.both("a name in /etc/hosts", "filed", up)
    proof.both("a name that does not exist", "none", up)
    proof.both("a name whose server fails", "broken", up)
    # The dead ones stand in any order: the resolver sorts as it likes.
    for _ in range(2 if is_short else 10):
        proof.both("three addresses that refuse, one that lives", "refusing", (first.address,))
        proof.both("an address that stalls, one that lives", "stalling", (first.address,))
    proof.both("addresses that all refuse", "allrefuse", up)
    proof.both("an address that stalls", "allstall", ("upstream-timeout",))
    proof.rows.append(("sorts of names and addresses", len(HOSTS)))


def six(proof, first, context):
    """IPv6 addresses that are dead in both ways, and one that lives."""
    interfaces = pathlib.Path("/proc/net/if_inet6")
    # With no address but loopback's, the resolver asks for none (AI_ADDRCONFIG).
    if not interfaces.exists() or all(line.split()[-1] == "lo" for line in interfaces.read_text().splitlines()):
        proof.rows.append(("IPv6 addresses", "skipped: this machine has none"))
        return
    proof.both("an IPv6 address that refuses, another that lives", "mixed", (first.address,))
    with contextlib.closing(Dead(SIX, first.port)):
        proof.both("an IPv6 address that stalls, another that lives", "mixed", (first.address,))
    with contextlib.closing(Upstream(SIX, first.port, context)):
        proof.both("an IPv6 address", "six", (SIX,))
        proof.both("an IPv6 address that lives, another that stalls", "halfdead", (SIX,))
    proof.rows.append(("IPv6 addresses: calls", 8))


def change(proof, first, second, third, is_short):
    """An answer is believed for a while; not longer, and not when it turns out to be wrong."""
    proof.call("a name before it moves", "moved", (third.address,))
    proof.call("a name before it is lost", "lost", (first.address,))
    proof.call("a name before it ages", "aged", (first.address,))
    asked = time.monotonic()
    proof.names.table["moved.proof"] = [second.address]
    proof.names.table["lost.proof"] = "servfail"
    proof.names.table["aged.proof"] = [second.address]
    third.close()
    began = time.monotonic()
    failed = 0
    while time.monotonic() - began < LIFE + rig.SLACK:
        answer = wire.call(proof.daemon.port, Case().request("moved"))
        if answer.content.decode() == second.address:
            break
        failed += 1
        time.sleep(0.2)
    else:
        proof.find("a name that moved was never found again")
    proof.rows.append(("a name moved, its old address refuses: until it is found", f"{time.monotonic() - began:.1f} s"))
    proof.rows.append(("calls that failed meanwhile", failed))
    if failed:
        proof.find(f"{failed} calls failed at the old address of a name that had moved")
    proof.call("a name that resolves no more", "lost", (first.address,))
    if is_short:
        return
    time.sleep(max(0.0, asked + LIFE + 1 - time.monotonic()))
    proof.call("a name that resolves no more, its answer old", "lost", (first.address,))

    def is_followed():
        kinds = (first.address, second.address)
        return proof.call("a name that moved, its old address alive", "aged", kinds) == second.address

    rig.wait_until(is_followed, "the look-up of an old answer")
    seconds = time.monotonic() - asked
    proof.rows.append(("a name moved, its old address answers: until it is followed", f"{seconds:.1f} s"))
