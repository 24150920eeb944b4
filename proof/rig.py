"""What every proof stands on: certificates, a daemon, peers' ports, raw sockets, figures.

Everything is on loopback, in one folder that is removed at the end, and ends with whoever started it, also when that
one is ended by a signal.
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
import traceback

import canaries

HOST = "upstream.test"
# How long a start, an end, or an answer may take on a busy machine before it counts as a failure, in seconds.
PATIENCE = 30
# What a busy machine may take on top of a bound that is proved, in seconds.
SLACK = 2
ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / ".build/release/tollkey"


class Failure(Exception):
    """A proof that could not be run. What a proof finds is a figure, not this."""


class Interruption:
    """Ctrl-C, SIGTERM (which timeout(1) sends) and SIGHUP end a proof in the same order: its processes are killed, then
    whatever waits is told, so that every `with` does what it does at its end."""

    NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self):
        # The signal that has come.
        self.number = None
        self.owner = None

    def watch(self):
        self.owner = os.getpid()
        for number in self.NUMBERS:
            # What nohup(1) ignores stays ignored.
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._come)

    def _come(self, number, _):
        if os.getpid() != self.owner:
            # A child that multiprocessing has forked ends as if there were no handler.
            os._exit(128 + number)
        for each in self.NUMBERS:
            signal.signal(each, signal.SIG_IGN)
        self.number = number
        kill_descendants()
        raise KeyboardInterrupt

    def check(self):
        """For whatever goes on and on, on any thread."""
        if self.number:
            raise KeyboardInterrupt

    def end(self):
        """Dies of the signal that came, as whoever sent it expects."""
        if self.number:
            sys.stdout.flush()
            signal.signal(self.number, signal.SIG_DFL)
            os.kill(os.getpid(), self.number)


interruption = Interruption()


def descendants():
    """Processes that this one has started, and those that they have."""
    parents = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = path.read_text().rsplit(")", 1)[1].split()[:2]
            if state != "Z":
                parents[int(path.parent.name)] = int(parent)
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def kill_descendants():
    for pid in descendants():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def folder(keep=False):
    """In which a proof takes place, from its first process to its last."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="tollkey-proof."))
    interruption.watch()
    try:
        yield path
    finally:
        kill_descendants()
        if not keep:
            shutil.rmtree(path, ignore_errors=True)
        interruption.end()


def free_port():
    """A port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(is_true, what, seconds=PATIENCE):
    """Raises `Failure` when it never comes true. What it answers is returned."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        interruption.check()
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


@contextlib.contextmanager
def beside(tasks, stop=lambda: None, seconds=5 * PATIENCE):
    """Does each task on a thread of its own while the block runs; behind it `stop` tells them to end. What one of them
    raised is raised here, and `Failure` where one does not end."""
    raised = []

    def run(task):
        try:
            task()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        stop()
        end = time.monotonic() + seconds
        for thread in threads:
            thread.join(max(0, end - time.monotonic()))
        waiting = sum(thread.is_alive() for thread in threads)
        if raised:
            raise raised[0]
        if waiting:
            raise Failure(f"{waiting} of {len(threads)} threads did not end within {seconds} s")


def together(tasks, seconds=5 * PATIENCE):
    """Does all of them at once, as `beside` does."""
    with beside(tasks, seconds=seconds):
        pass


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
    loopback, a unix socket, a folder; and without `log` it is as talkative as it can be. Standard error goes to `log`.
    Leaving it raises `Failure` when it had ended by itself, or wrote a canary of its environment into its folder.
    """

    # Descriptors that it inherits.
    handed_over = ()

    def __init__(self, path, configuration, binary=BINARY, environment=None, wrapper=(), port=None):
        self.path = pathlib.Path(path)
        self.path.mkdir(exist_ok=True)
        self.port = port or free_port()
        self.admin_path = self.path / "admin.sock"
        self.file = self.path / "proxy.yaml"
        self.log = self.path / "log"
        self.state = self.path / "state"
        self.binary, self.wrapper = binary, wrapper
        self.environment = {**os.environ, **(environment or {})}
        # What nothing in its folder may hold.
        self.canaries = [value for value in (environment or {}).values() if value.startswith(CANARY)]
        self.configure(configuration)
        self.process = None
        # It has been started and not stopped; and how it ended while it was so.
        self.is_to_run, self.ends = False, []
        self.start()

    def configure(self, configuration):
        """Writes the file; who wants a reload asks for it."""
        log = "" if "log:" in configuration else "log: { level: debug }\n"
        self.file.write_text(
            f"listen: ['127.0.0.1:{self.port}']\nadmin: ['unix:{self.admin_path}']\nstate: {self.state}\n"
            f"{log}{configuration}")

    def start(self):
        self._look_at_end()
        interruption.check()
        arguments = [*self.wrapper, str(self.binary), "run", "--config", str(self.file)]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
                pass_fds=self.handed_over)
        try:
            wait_until(self._is_up, "the daemon's start")
        except BaseException:
            self._kill()
            raise
        self.is_to_run = True

    def _kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _look_at_end(self):
        """From here on it may end."""
        if self.is_to_run and self.process.poll() is not None and not self.was_killed():
            self.ends.append(self.process.returncode)
        self.is_to_run = False

    def was_killed(self):
        """Whether somebody else than `stop` has ended it on purpose."""
        return False

    def _is_up(self):
        if self.process.poll() is not None:
            raise Failure(f"the daemon ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")
        return is_listening(self.port)

    @property
    def pid(self):
        return self.process.pid

    def stop(self, kind=signal.SIGTERM, seconds=PATIENCE):
        """Its exit status; negative is the signal that ended it."""
        self._look_at_end()
        if self.process.poll() is None:
            self.process.send_signal(kind)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            self._kill()
            raise Failure(f"the daemon did not end within {seconds} s") from error

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

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self._look_at_end()
        self._kill()
        if kind:
            return
        if self.ends:
            said = self.log.read_text(errors="replace")[-2000:]
            raise Failure(f"the daemon ended by itself, with {self.ends}: {said}")
        places = canaries.search(self.path, self.canaries)
        if places:
            raise Failure(f"secrets were seen: {'; '.join(places[:10])}")


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


# What every secret and every token of a proof begins with, but those of the soak, which has a search of its own.
CANARY = "canary-"
SECRETS = {"PROOF_TOKEN": "canary-token-7f1c9a5e2b8d4036", "PROOF_APP": "canary-app-51d0c7e9"}


def judge(name, parser, prove, told_max=sys.maxsize):
    """Runs a proof from the command line, and ends the program: with 0 when it found nothing.

    `prove` takes the arguments, a folder, and whom to tell of each finding; beyond `told_max` findings the next one
    tells nothing more. It gives the rows of the table.
    """
    arguments = parsed(parser)
    count = 0

    def complain(words):
        nonlocal count
        count += 1
        if count <= told_max:
            print(f"FINDING {words}", flush=True)

    with folder() as place:
        rows = attempt(name, complain, lambda: prove(arguments, place, complain))
    finish(name, [*rows, ("findings", count)], count, arguments)


def parsed(parser, short="a sample of it, in some 20 s", seed=None):
    """The arguments, with those that every proof has, checked before anything is begun."""
    parser.add_argument("--proxy", default=BINARY, help="the tollkey to prove; .build/release/tollkey when not given")
    parser.add_argument("--short", action="store_true", help=short)
    parser.add_argument("--out", help="a file for the figures, as JSON")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32) if seed is None else seed,
                        help="of all that is left to chance" if seed is None else
                        f"of all that is left to chance; {seed} when not given, so that two runs try the same")
    arguments = parser.parse_args()
    if not os.access(arguments.proxy, os.X_OK) or os.path.isdir(arguments.proxy):
        parser.error(f"there is no program at {arguments.proxy}: `make build` makes one")
    if arguments.out and not os.path.isdir(os.path.dirname(os.path.abspath(arguments.out))):
        parser.error(f"there is no folder for {arguments.out}")
    print(f"seed {arguments.seed}", flush=True)
    return arguments


def finish(name, rows, findings, arguments):
    """Reports, says how to repeat what was found, and ends the program: with 0 when nothing was."""
    report(name, rows, arguments.out)
    if findings:
        short = " --short" if arguments.short else ""
        print(f"\nFAILED: {findings} findings. Again: python3 {sys.argv[0]} --seed {arguments.seed}{short}")
    sys.exit(1 if findings else 0)


def attempt(name, complain, prove):
    """Rows of figures. What cannot be proved to its end is a finding, and no reason to leave out the rest."""
    try:
        return prove()
    except Failure as failure:
        complain(f"{name}: not run to its end: {failure}")
        return []
    except Exception:
        complain(f"{name}: not run to its end: {traceback.format_exc()}")
        return []


def report(name, rows, out=None):
    """Prints `rows` (pairs of words and figure), and writes them as JSON where `out` names a file: a list of pairs, for
    words may come again under another heading."""
    width = max(len(words) for words, _ in rows)
    print(f"\n{name}")
    for words, figure in rows:
        print(f"  {words:<{width}}  {figure}")
    if out:
        lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
        pathlib.Path(out).write_text(f"[\n{lines}\n]\n")
