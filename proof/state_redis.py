"""Replicas that share tokens and limits over a Redis that dies, forgets, stands still, or has no room."""

import collections
import contextlib
import functools
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import threading
import time

import rig
import state_counts

TROUBLES = ("killed", "failed over", "paused", "full")
# docs/decisions/0011: so long after a loss no refresh token is spent.
GRACE = 40
# Until a refresh token must have been spent again: grace, a lock that was left behind, and a busy machine.
REFRESH_SECONDS = GRACE + 75 + 2 * rig.PATIENCE


def is_installed():
    return shutil.which("redis-server") is not None


class Relay:
    """A port of its own in front of another one that may change; what is under way then is cut, or held for ever."""

    def __init__(self, target):
        self.target, self.pairs, self.is_held = target, [], False
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
                except OSError:
                    client.close()
                    continue
                server.settimeout(None)
                self.pairs.append((client, server))
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source, sink):
        with contextlib.suppress(OSError):
            while content := source.recv(1 << 16):
                if self.is_held:
                    return
                sink.sendall(content)
        if not self.is_held:
            for end in (source, sink):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def cut(self):
        """Ends all connections; what was held is lost."""
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        self.is_held = False

    def close(self):
        self.listener.close()
        self.cut()


class Server:
    """A redis-server that keeps nothing on its disk."""

    def __init__(self, path):
        self.path, self.port, self.process = pathlib.Path(path), rig.free_port(), None
        self.path.mkdir()
        self.start()

    def start(self):
        with open(self.path / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                 "--dir", str(self.path), "--maxmemory-policy", "noeviction", "--repl-diskless-sync", "yes",
                 "--repl-diskless-sync-delay", "0"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        rig.wait_until(lambda: rig.is_listening(self.port), "Redis' start")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def ask(self, *words):
        with socket.create_connection(("127.0.0.1", self.port), timeout=rig.PATIENCE) as connection:
            connection.sendall(" ".join(words).encode() + b"\r\n")
            answer = connection.recv(1 << 16)
            if answer.startswith(b"-"):
                raise rig.Failure(f"Redis: {' '.join(words)}: {answer}")
            return answer.decode(errors="replace")


class Cluster:
    """A Redis, a replica of it that may lag, and the one port that clients know."""

    def __init__(self, path, has_replica):
        self.path, self.count = path, 0
        self.primary = self._another()
        self.front = Relay(self.primary.port)
        self.link, self.replica = Relay(self.primary.port), None
        if has_replica:
            self._follow()

    def _another(self):
        self.count += 1
        return Server(self.path / f"redis-{self.count}")

    def _follow(self):
        self.link.target = self.primary.port
        self.replica = self._another()
        self.replica.ask("REPLICAOF", "127.0.0.1", str(self.link.port))
        rig.wait_until(lambda: "master_link_status:up" in self.replica.ask("INFO", "replication"), "a replica's start")

    def age(self):
        """As if it had run for long: else no refresh token would be spent for the first 40 s."""
        run = self.primary.ask("INFO", "server").partition("run_id:")[2].split()[0]
        self.primary.ask("HSET", "tollkey:records:epoch", "server", run, "since", "1")

    def trouble(self, kind, dice):
        if kind == "killed":
            self.primary.kill()
            time.sleep(dice.uniform(0, 1.5))
            self.primary.start()
        elif kind == "failed over":
            # From here on the replica hears nothing, and the primary goes on acknowledging.
            self.link.is_held = True
            time.sleep(dice.uniform(0.3, 1.2))
            self.primary.kill()
            self.front.target = self.replica.port
            self.link.cut()
            self.replica.ask("REPLICAOF", "NO", "ONE")
            self.front.cut()
            self.primary = self.replica
            self._follow()
        elif kind == "paused":
            self.primary.process.send_signal(signal.SIGSTOP)
            time.sleep(dice.uniform(1, 4))
            self.primary.process.send_signal(signal.SIGCONT)
        else:
            self.primary.ask("CONFIG", "SET", "maxmemory", "1")
            time.sleep(dice.uniform(1, 4))
            self.primary.ask("CONFIG", "SET", "maxmemory", "0")

    def close(self):
        self.front.close()
        self.link.close()
        for server in (self.primary, self.replica):
            if server:
                server.kill()


def _replicas(stage, number, kind, categories):
    cluster = Cluster(stage.path, kind == "failed over")
    stage.ending.callback(cluster.close)
    top = (
        f"shared: 'redis://127.0.0.1:{cluster.front.port}'\nshared_fallback: refuse\n"
        "state_key: '${env:PROOF_STATE_KEY}'\n")
    return cluster, [
        stage.daemon(f"replica-{index}", categories=categories, top=top, is_stepped=False) for index in range(number)]


def _working(tasks):
    """Has each task done again and again, beside."""
    is_over = threading.Event()

    def repeat(task):
        while not is_over.is_set():
            task()

    return rig.beside([functools.partial(repeat, task) for task in tasks], is_over.set)


def tokens(stage, findings, kind, rounds, dice, is_patient=True):
    """Two replicas renew in turn while Redis is in trouble. `is_patient`: until a refresh token is spent again, which
    after a loss takes as long as the grace, and after a lock that was left behind as long as that one lives."""
    issuer, at = stage.issuer, f"Redis {kind}, tokens"
    # A token that another replica has just replaced is good until the look that finds that out.
    issuer.keeps_access = True
    cluster, daemons = _replicas(stage, 2, kind, "")
    for daemon in daemons:
        findings.check(daemon.await_get() == (200, None), f"{at}: no credential at the start")
    cluster.age()
    tally, guard, own = collections.Counter(), threading.Lock(), random.Random(dice.random())

    def act():
        with guard:
            daemon, what = own.choice(daemons), own.choice(["call", "refresh", "refresh"])
            pause = own.uniform(0, 0.2)
        begun = time.monotonic()
        if what == "call":
            answer = daemon.get()
            findings.check(answer == (200, None), f"{at}: a call got {answer}")
        else:
            answer = daemon.refresh()
            took = time.monotonic() - begun
            findings.check(
                answer and answer[0] in (200, 409), f"{at}: a renewal got {answer} after {took:.0f} s")
        with guard:
            tally[what + (" refused" if answer and answer[0] == 409 else "")] += 1
        time.sleep(pause)

    def await_refresh():
        known = issuer.refreshes
        with contextlib.suppress(rig.Failure):
            return rig.wait_until(lambda: issuer.refreshes > known, "a refresh", REFRESH_SECONDS)
        findings.add(f"{at}: no refresh token is spent any more")

    with _working([act, act]):
        for _ in range(rounds):
            await_refresh()
            time.sleep(dice.uniform(0, 0.5))
            cluster.trouble(kind, dice)
            time.sleep(1)
        if is_patient:
            await_refresh()
    for daemon in daemons:
        served = daemon.await_get()
        findings.check(served == (200, None), f"{at}: afterwards a call got {served}")
    findings.check(issuer.spent_twice == 0, f"{at}: {issuer.spent_twice} refresh tokens were spent twice")
    findings.check(issuer.unknown == 0, f"{at}: {issuer.unknown} tokens sent that were never issued")
    did = ", ".join(f"{name} {number}" for name, number in sorted(tally.items()))
    return [
        (f"Redis {kind}, times {rounds}, under renewals of two replicas", did),
        ("  with a refresh token, by logging in, spent twice",
         f"{issuer.refreshes}, {issuer.logins}, {issuer.spent_twice}")]


def counts(stage, findings, kind, rounds, dice, limit=600):
    """Three replicas count one limit while Redis is in trouble, and they die now and then."""
    at = f"Redis {kind}, limits"
    issuer = stage.issuer
    issuer.keeps_access = True
    cluster, daemons = _replicas(stage, 3, kind, state_counts.categories(limit))
    for daemon in daemons:
        findings.check(daemon.await_get() == (200, None), f"{at}: no credential at the start")
        daemon.await_get(200, 20) and rig.wait_until(
            lambda daemon=daemon: daemon.get("/short/x") == (200, None), f"{at}: the first call under a limit")
    passed, own, guard = collections.Counter(), random.Random(dice.random()), threading.Lock()

    def act():
        with guard:
            daemon, category = own.choice(daemons), own.choice(["hour", "short"])
        begun = time.monotonic()
        answer = daemon.get(f"/{category}/x")
        findings.check(answer and answer[0] in (200, 429), f"{at}: a call got {answer}")
        findings.check(time.monotonic() - begun < 20, f"{at}: a call took {time.monotonic() - begun:.0f} s")
        with guard:
            passed[answer and answer[0]] += 1
        time.sleep(0.03)

    with state_counts.Lag() as lag, _working([act, act, act]):
        for _ in range(rounds):
            time.sleep(dice.uniform(1, 2))
            cluster.trouble(kind, dice)
        # Not within a second of Redis' own death, which decision 0010 excepts.
        time.sleep(4)
    daemons[0].stop(signal.SIGKILL)
    daemons[0].start()
    end = time.monotonic() + 30
    reached = 0
    while time.monotonic() < end and reached < 10:
        answers = [daemon.get("/hour/x") for daemon in daemons]
        # What keeps calls from passing in an empty Redis' first seconds is no limit that is reached.
        reached = reached + 1 if all(answer == (429, "rate-limited") for answer in answers) else 0
    forwarded, short = issuer.arrived("hour"), issuer.arrivals.get("short", [])
    span = 2 - lag.longest - 0.01
    most = state_counts.most_within(short, span) if span > 0.5 else 0
    findings.check(reached, f"{at}: the limit was never reached, {forwarded} of {limit}")
    findings.check(forwarded <= limit, f"{at}: {forwarded} calls of {limit} in an hour")
    findings.check(most <= 20, f"{at}: {most} calls of 20 within {span:.3f} s, at the provider")
    findings.check(forwarded >= limit // 2, f"{at}: only {forwarded} calls of {limit} passed")
    return [
        (f"Redis {kind}, times {rounds}, under calls of three replicas",
         f"{passed[200]} passed, {passed[429]} held back"),
        ("  forwarded in an hour, of its limit", f"{forwarded} of {limit}"),
        (f"  most in any {span:.2f} s, of 20 in 2 s", most)]
