"""What the proofs of the state stand on: one provider that issues tokens, and daemons that can be ended anywhere."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import issuer
import rig

STEPS = pathlib.Path(__file__).with_name("steps.py")
SECRETS = ("canary-secret-0b6f4e1d9a", "canary-state-key-" + "5c" * 16)
TOLD = {"PROOF_ID": "proof", "PROOF_SECRET": SECRETS[0], "PROOF_STATE_KEY": SECRETS[1]}
# Another process may hold a credential's lock for 75 s (docs/credentials.md), and a call takes 30 s at most.
RENEWAL_SECONDS = 75 + 30 + rig.PATIENCE

OBTAIN = (
    "        obtain: { post: /token, form: { grant_type: client_credentials, id: '${id}', secret: '${secret}' } }\n")
LOGIN = (
    "        login:\n"
    "          authorize: /authorize\n"
    "          query: { state: '${state}', redirect_uri: '${redirect_uri}', client: '${id}' }\n"
    "          exchange: { post: /token, form: { grant_type: authorization_code, code: '${code}', s: '${secret}' } }\n"
    "          redirect_uri: https://shop.test/back\n")


def is_steppable():
    """Whether a child's system calls can be stood at, which some containers forbid."""
    with tempfile.TemporaryDirectory() as folder:
        plan = pathlib.Path(folder) / "plan"
        plan.write_text("{}")
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(STEPS), str(plan), "/bin/true"], capture_output=True, timeout=rig.PATIENCE)
        return done.returncode == 0


class Findings:
    """What should not be, each with enough to see it again."""

    def __init__(self):
        self.lines = []

    def add(self, text):
        self.lines.append(text)
        print(f"FINDING {text}", flush=True)

    def check(self, is_right, text):
        if not is_right:
            self.add(text)
        return is_right

    def __len__(self):
        return len(self.lines)


def configuration(port, certificate, by_person=False, categories="", top=""):
    return (
        f"{top}providers:\n  pay:\n"
        f"    upstream: https://{rig.HOST}:{port}\n"
        f"    addresses: ['127.0.0.1:{port}']\n"
        f"    tls: {{ ca: {certificate} }}\n"
        "    secrets: { id: '${env:PROOF_ID}', secret: '${env:PROOF_SECRET}' }\n"
        "    credentials:\n      access:\n"
        f"{LOGIN if by_person else OBTAIN}"
        "        refresh: { post: /token, form: { grant_type: refresh_token, refresh_token: '${refresh_token}' } }\n"
        "        read: { token: access_token, refresh_token: refresh_token, expires_in: expires_in }\n"
        "    inject: { Authorization: 'Bearer ${access}' }\n"
        f"{categories}")


def _answers(plan):
    """The file in which steps.py answers what is asked of it in this one."""
    return plan.with_name(f"{plan.name}.out")


class Daemon(rig.Daemon):
    """One that may be stood at each of its system calls, and asked how it is."""

    def __init__(self, path, text, binary, is_stepped=True, is_started=True, state=None):
        path = pathlib.Path(path)
        path.mkdir(exist_ok=True)
        self.plan_file = path / "plan"
        self.command_plan = path / "command-plan"
        self.is_stepped, self.is_started, self.given_state = is_stepped, is_started, state
        wrapper = [sys.executable, "-I", "-S", str(STEPS), str(self.plan_file)] if is_stepped else []
        self.plan_file.write_text("{}")
        super().__init__(path, text, binary, environment=TOLD, wrapper=wrapper)
        self.canaries.append(issuer.CANARY)

    def configure(self, configuration):
        if self.given_state:
            self.state = self.given_state
        super().configure(configuration)

    def start(self, plan=None):
        """Starts it, stepped by `plan` from its first system call on."""
        if not self.is_started:
            self.is_started = True
            return
        self.plan_file.write_text(json.dumps(plan or {}))
        # What the plan before has done is said there.
        self._look_at_end()
        _answers(self.plan_file).write_text("")
        super().start()

    def was_killed(self):
        return bool(self.wrapper and self.said("killed"))

    @property
    def pid(self):
        told = self.said("child") if self.wrapper else []
        return told[0]["child"] if told else self.process.pid

    def stop(self, kind=signal.SIGTERM, seconds=rig.PATIENCE):
        # Not the one that steps it: with that one dead, nobody would know when the program is.
        self._look_at_end()
        if kind == signal.SIGKILL and self.process.poll() is None:
            os.kill(self.pid, kind)
            kind = 0
        return super().stop(kind, seconds)

    def _is_up(self):
        # The sockets are there before the state has been opened: only an answer shows that it runs.
        if not super()._is_up():
            return False
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.admin("/live")[0] == 200
        return False

    def steps(self, plan):
        """Has the program run by `plan` from here on; returns once it does, or has ended by the plan before."""
        known = len(self.said("read"))
        self.plan_file.write_text(json.dumps(plan))
        self.process.send_signal(signal.SIGUSR1)
        rig.wait_until(
            lambda: len(self.said("read")) > known or self.process.poll() is not None, "the program's being stepped")

    def said(self, word, plan=None):
        lines = _answers(plan or self.plan_file).read_text().splitlines()
        return [answer for answer in map(json.loads, lines) if word in answer]

    def await_end(self):
        """True when the program has ended within patience."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(rig.PATIENCE)
        return self.process.poll() is not None

    def get(self, path="/any/thing", seconds=rig.PATIENCE):
        """Status of a call through the proxy and the problem's kind; None for no answer."""
        rig.interruption.check()
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
            with contextlib.closing(connection):
                connection.request("GET", f"/pay{path}", headers={"Connection": "close"})
                answer = connection.getresponse()
                answer.read()
                return answer.status, answer.getheader("Tollkey-Problem")
        return None

    def refresh(self):
        """What the admin listener answers to a renewal: status and words; None when the process died."""
        return self._act("refresh")

    def rotate(self):
        """As `refresh`, of a key's rotation."""
        return self._act("rotate")

    def _act(self, action):
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("localhost")
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(RENEWAL_SECONDS)
            connection.sock.connect(str(self.admin_path))
            with contextlib.closing(connection):
                connection.request("POST", f"/{action}/pay")
                answer = connection.getresponse()
                return answer.status, json.loads(answer.read() or b"{}").get("words", "")
        return None

    def command(self, *arguments, plan=None, seconds=RENEWAL_SECONDS):
        """A command of the product's beside it, stepped by `plan`; its exit status and output."""
        wrapper = []
        if plan is not None:
            self.command_plan.write_text(json.dumps(plan))
            _answers(self.command_plan).write_text("")
            wrapper = [sys.executable, "-I", "-S", str(STEPS), str(self.command_plan)]
        done = subprocess.run(
            [*wrapper, str(self.binary), *arguments, "--config", str(self.file)], env=self.environment,
            capture_output=True, timeout=seconds, text=True, errors="replace")
        return done.returncode, done.stdout + done.stderr

    def try_start(self, plan=None):
        """None when it runs; otherwise exit status and the last words of one that ended."""
        self.log.write_bytes(b"")
        try:
            self.start(plan)
            return None
        except rig.Failure:
            status = self.process.poll()
            return status, self.log.read_text(errors="replace")[-1500:]

    def log_in(self, issuer_):
        """A person's login, by pasting the address that a browser would show. True when it went well."""
        command = subprocess.Popen(
            [str(self.binary), "login", "pay", "--paste", "--no-browser", "--config", str(self.file)],
            env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        # One that shows no address, or does not go on, ends here, and with it the reading.
        timer = threading.Timer(rig.PATIENCE, command.kill)
        timer.start()
        try:
            shown = ""
            while "state=" not in shown and (line := command.stdout.readline()):
                shown += line
            state = re.search(r"state=([^&\s]*)", shown)
            if state:
                command.communicate(f"https://shop.test/back?code={issuer_.code()}&state={state[1]}\n")
        finally:
            timer.cancel()
            command.kill()
            command.wait()
        return command.returncode == 0

    def await_get(self, status=200, seconds=rig.PATIENCE):
        """Calls until the answer has this status; what the last one was."""
        end = time.monotonic() + seconds
        while True:
            answer = self.get()
            if (answer and answer[0] == status) or time.monotonic() > end:
                return answer
            time.sleep(0.02)


class Stage:
    """A folder, an authority, an issuer; whatever was begun here is ended at the end."""

    def __init__(self, path, authority, binary, name):
        self.path = pathlib.Path(path) / name
        self.path.mkdir()
        self.authority, self.binary = authority, binary
        self.ending = contextlib.ExitStack()
        self.issuer = self.ending.enter_context(issuer.Issuer(authority.context))

    def daemon(self, name="daemon", by_person=False, categories="", top="", **more):
        text = configuration(self.issuer.port, self.authority.certificate, by_person, categories, top)
        return self.ending.enter_context(Daemon(self.path / name, text, self.binary, **more))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return self.ending.__exit__(*exception)
