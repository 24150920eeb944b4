"""What every proof stands on: certificates, a daemon, peers' ports, raw sockets, figures.

Everything is on loopback, in one folder that is removed at the end, and ends with whoever started it.
"""

import contextlib
import http.client
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

HOST = "upstream.test"
# How long a start, an end, or an answer may take on a busy machine before it counts as a failure, in seconds.
PATIENCE = 30
ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / ".build/release/tollkey"


class Failure(Exception):
    """A proof that could not be run. What a proof finds is a figure, not this."""


@contextlib.contextmanager
def folder(keep=False):
    path = pathlib.Path(tempfile.mkdtemp(prefix="tollkey-proof."))
    try:
        yield path
    finally:
        if not keep:
            shutil.rmtree(path, ignore_errors=True)


def free_port():
    """A port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(is_true, what, seconds=PATIENCE):
    """Raises `Failure` when it never comes true. What it answers is returned."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = is_true()
        if found:
            return found
        time.sleep(0.01)
    raise Failure(f"{what}: not within {seconds} s")


def is_listening(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def accept(listener, serve):
    """Gives each connection to `serve`, on a thread of its own, until the listener is closed."""
    def loop():
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()


class Authority:
    """A certificate authority for as long as the folder lives."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.mkdir(exist_ok=True)
        self.certificate = self.path / "ca.pem"
        self._run("req", "-x509", *self._key("ca.key"), "-days", "2", "-out", self.certificate, "-subj", "/CN=proof")

    @staticmethod
    def _run(*arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode:
            raise Failure(f"openssl {arguments[0]}: {done.stderr.strip()}")

    def _key(self, name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.path / name]

    def issue(self, name="upstream", host=HOST):
        """Paths of a certificate for `host` and 127.0.0.1, and of its key."""
        key, request, extensions, certificate = (self.path / f"{name}.{kind}" for kind in ("key", "csr", "ext", "pem"))
        extensions.write_text(f"subjectAltName=DNS:{host},IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        self._run("req", *self._key(key.name), "-out", request, "-subj", f"/CN={host}")
        self._run(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.path / "ca.key",
            "-CAcreateserial", "-days", "1", "-out", certificate, "-extfile", extensions)
        return certificate, key

    def server_context(self, name="upstream", host=HOST):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(name, host))
        return context


class Daemon:
    """A running `tollkey run`.

    `configuration` is `proxy.yaml` without `listen`, `admin` and `state`, which are added here: one port of
    loopback, a unix socket, a folder. Standard error goes to `log`.
    """

    # Descriptors that it inherits.
    handed_over = ()

    def __init__(self, path, configuration, binary=BINARY, environment=None, wrapper=(), port=None, log_level=None):
        self.path = pathlib.Path(path)
        self.path.mkdir(exist_ok=True)
        self.port = port or free_port()
        self.admin_path = self.path / "admin.sock"
        self.file = self.path / "proxy.yaml"
        self.log = self.path / "log"
        self.state = self.path / "state"
        self.binary, self.wrapper, self.log_level = binary, wrapper, log_level
        self.environment = {**os.environ, **(environment or {})}
        self.configure(configuration)
        self.process = None
        self.start()

    def configure(self, configuration):
        """Writes the file; who wants a reload asks for it."""
        self.file.write_text(
            f"listen: ['127.0.0.1:{self.port}']\nadmin: ['unix:{self.admin_path}']\nstate: {self.state}\n"
            f"{configuration}")

    def start(self):
        arguments = [*self.wrapper, str(self.binary), "run", "--config", str(self.file)]
        if self.log_level:
            arguments += ["--log-level", self.log_level]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
                pass_fds=self.handed_over)
        wait_until(self._is_up, "the daemon's start")

    def _is_up(self):
        if self.process.poll() is not None:
            raise Failure(f"the daemon ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")
        return is_listening(self.port)

    @property
    def pid(self):
        return self.process.pid

    def stop(self, kind=signal.SIGTERM, seconds=PATIENCE):
        """Its exit status; negative is the signal that ended it."""
        if self.process.poll() is None:
            self.process.send_signal(kind)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            self.process.wait()
            raise Failure(f"the daemon did not end within {seconds} s") from error

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def admin(self, target, method="GET"):
        """Status and content of one answer of the admin listener."""
        connection = http.client.HTTPConnection("localhost", timeout=PATIENCE)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(PATIENCE)
        connection.sock.connect(str(self.admin_path))
        with contextlib.closing(connection):
            connection.request(method, target)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def metric(self, name):
        """The sum of a metric over its labels."""
        lines = self.admin("/metrics")[1].decode().splitlines()
        values = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
        return sum(float(value) for label, value in values if label.split("{")[0] == name)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="ascii") as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("Pss:"))

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def provider(name, port, authority, more=""):
    """YAML of a provider at loopback's `port` that injects a bearer token and an application id."""
    return (
        f"  {name}:\n"
        f"    upstream: https://{HOST}:{port}\n"
        f"    addresses: ['127.0.0.1:{port}']\n"
        f"    tls: {{ ca: {authority.certificate} }}\n"
        f"    secrets: {{ token: '${{env:PROOF_TOKEN}}', app: '${{env:PROOF_APP}}' }}\n"
        f"    inject: {{ Authorization: 'Bearer ${{token}}', X-App-ID: '${{app}}' }}\n"
        f"{more}")


SECRETS = {"PROOF_TOKEN": "canary-token-7f1c9a5e2b8d4036", "PROOF_APP": "canary-app-51d0c7e9"}


def judge(name, parser, prove, told_max=sys.maxsize):
    """Runs a proof from the command line, and ends the program: with 0 when it found nothing.

    `prove` takes the arguments, a folder, and whom to tell of each finding; beyond `told_max` findings the next one
    tells nothing more. It gives the rows of the table.
    """
    parser.add_argument("--proxy", default=BINARY)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    parser.add_argument("--out")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    count = 0

    def complain(words):
        nonlocal count
        count += 1
        if count <= told_max:
            print(f"FINDING {words}", flush=True)

    with folder() as place:
        rows = prove(arguments, place, complain)
    report(name, [*rows, ("findings", count)], arguments.out)
    sys.exit(1 if count else 0)


def report(name, rows, out=None):
    """Prints `rows` (pairs of words and figure), and writes them as JSON where `out` names a file."""
    width = max(len(words) for words, _ in rows)
    print(f"\n{name}")
    for words, figure in rows:
        print(f"  {words:<{width}}  {figure}")
    if out:
        pathlib.Path(out).write_text(json.dumps(dict(rows), indent=2) + "\n")
