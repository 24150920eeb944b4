#!/usr/bin/env python3
"""Speed and memory beside nginx, HAProxy and Envoy doing the same job on this machine, in one run.

Each round runs every proxy once, in turn, so that a machine that drifts drifts for all; figures are medians over the
rounds, ratios are taken round by round. Processor time per request is the kernel's, of the whole process tree. The proxy
has one core for itself, load and upstream have another. What was not answered 2xx is counted and shown.

usage: bench.py [--short] [--rounds 5] [--seconds 2] [--only NAME…] [--docs FOLDER] [--out FILE]
       Peers that are not installed are left out. wrk and nginx (for the upstream) must be there.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

import bench_peers
import bench_plot
import rig

IDLE_CONNECTIONS = 10_000  # or as many as the system has descriptors for
POST = 'wrk.method="POST"; wrk.headers["Content-Type"]="application/json"; wrk.body=string.rep("x",1024)\n'
WITH_LIMIT = "    categories: { calls: { match: \"* /**\", limit: 1000000000/hour } }\n"
RENEWED = (
    "    credentials: { access: { obtain: { post: /token }, read: { token: access_token, expires_in: expires_in } } }\n")

# What is sent, over how many connections, and whether each request is logged.
COMPARED = {
    "small": ("GET, 90 bytes of JSON, 32 connections", "/payments", 32, False, False),
    "post": ("POST of 1 KiB, 32 connections", "/payments", 32, True, False),
    "64k": ("GET of 64 KiB, 32 connections", "/files/64k", 32, False, False),
    "1m": ("GET of 1 MiB, 32 connections", "/files/1m", 32, False, False),
    "small512": ("GET, 90 bytes of JSON, 512 connections", "/payments", 512, False, False),
    "logged": ("as the first, one log line per request", "/payments", 32, False, True),
}
# Tollkey beside itself: the first is the base.
OWN = {
    "plain": "no limit, no log lines, a fixed token",
    "logged": "a log line per request",
    "limited": "a limit, counted in SQLite",
    "renewed": "a token of 2 s, renewed all the time",
}


class Ours:
    """A configuration of Tollkey, as a peer is one."""

    def __init__(self, binary, is_limited=True, is_renewed=False):
        self.binary, self.is_limited, self.is_renewed = binary, is_limited, is_renewed

    def __call__(self, folder, port, upstream_port, authority, logs):
        text = rig.provider("bench", upstream_port, authority, WITH_LIMIT if self.is_limited else "")
        if self.is_renewed:
            text = text.replace("Bearer ${token}", "Bearer ${access}").replace("token: '${env:PROOF_TOKEN}', ", "") + RENEWED
        (folder / "proxy.yaml").write_text(
            f"listen: ['127.0.0.1:{port}']\nstate: {folder}/state\nlog: {{ access: {str(logs).lower()} }}\n"
            f"providers:\n{text}")
        return [str(self.binary), "run", "--config", "proxy.yaml"]


def pinned(core, command):
    return ["taskset", "-c", str(core), *command] if (os.cpu_count() or 1) > core else command


@contextlib.contextmanager
def running(core, command, folder, port):
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(
            pinned(core, command), cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env={**os.environ, **rig.SECRETS})
    try:
        rig.wait_until(lambda: process.poll() is not None or rig.is_listening(port), f"{command[0]}'s start")
        if process.poll() is not None:
            raise rig.Failure(f"{command[0]} ended: {(folder / 'output').read_text(errors='replace')[-1000:]}")
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def processes(pid):
    """It, and all that descend from it."""
    children = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = entry.read_text().rsplit(")", 1)[1].split()
            children.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found


def processor_seconds(pid):
    total = 0
    for process in processes(pid):
        for task in pathlib.Path(f"/proc/{process}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                total += int(task.read_text().split()[0])
    return total / 1e9


def own_bytes(pid):
    """Memory that is the processes' own: mapped files are not."""
    total = 0
    for process in processes(pid):
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith(("Pss_Anon:", "Pss_Shmem:")):
                    total += int(line.split()[1]) << 10
    return total


def microseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def load(url, connections, seconds, script):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *(["-s", str(script)] if script else []), url]
    text = subprocess.run(pinned(1, command), capture_output=True, text=True, timeout=seconds + rig.PATIENCE).stdout
    answered = re.search(r"(\d+) requests in", text)
    if not answered or int(answered[1]) == 0:
        raise rig.Failure(f"wrk: {text}")
    shares = dict(re.findall(r"(50|99)%\s+([\d.]+\w+)", text))
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    return {
        "requests": int(answered[1]), "per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),
        "p50": microseconds(shares["50"]), "p99": microseconds(shares["99"]),
        "errors": (int(refused[1]) if refused else 0) + (sum(map(int, broken.groups())) if broken else 0),
    }


class Bench:
    def __init__(self, folder, seconds, rounds):
        self.folder, self.seconds, self.rounds = folder, seconds, rounds
        self.authority = rig.Authority(folder / "ca")
        self.upstream_port = rig.free_port()
        self.script = folder / "post.lua"
        self.script.write_text(POST)
        self.runs = 0

    def upstream(self):
        folder = self.folder / "upstream"
        folder.mkdir()
        return running(1, bench_peers.upstream(folder, self.upstream_port, self.authority), folder, self.upstream_port)

    @contextlib.contextmanager
    def proxy(self, competitor, logs):
        """Its process and its port."""
        self.runs += 1
        folder, port = self.folder / f"run-{self.runs}", rig.free_port()
        folder.mkdir()
        try:
            command = competitor(folder, port, self.upstream_port, self.authority, logs)
            with running(0, command, folder, port) as pid:
                yield pid, port
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def one(self, competitor, target, connections, is_post, logs):
        with self.proxy(competitor, logs) as (pid, port):
            url, script = f"http://127.0.0.1:{port}/bench{target}", self.script if is_post else None
            load(url, connections, 1, script)
            before = processor_seconds(pid)
            found = load(url, connections, self.seconds, script)
            found["cpu"] = (processor_seconds(pid) - before) / found["requests"] * 1e6
            found["own"] = own_bytes(pid)
            return found

    def compare(self, competitors, target, connections, is_post, logs):
        """Figures of each, one for each round. `logs` may differ between them."""
        found = {name: [] for name in competitors}
        for _ in range(self.rounds):
            for name, competitor in competitors.items():
                is_logged = name == "logged" if logs is None else logs
                found[name].append(self.one(competitor, target, connections, is_post, is_logged))
        return found

    def idle(self, competitor, connections):
        """Own bytes for each connection that has made a call and stays, and of all."""
        with self.proxy(competitor, False) as (pid, port), contextlib.ExitStack() as held:
            request, marks = f"GET /bench/payments HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode(), []
            for count in range(1, connections + 1):
                client = held.enter_context(socket.create_connection(("127.0.0.1", port), rig.PATIENCE))
                client.settimeout(rig.PATIENCE)
                client.sendall(request)
                answer = b""
                while not answer.endswith(b"}"):
                    piece = client.recv(65536)
                    if not piece:
                        raise rig.Failure(f"connection {count} was closed")
                    answer += piece
                if count in (connections // 10, connections):
                    marks.append(own_bytes(pid))
            return {"each": (marks[1] - marks[0]) / (connections - connections // 10), "all": marks[1]}


def median(rounds, key):
    return statistics.median(one[key] for one in rounds)


def ratio(rounds, others, key):
    return statistics.median(mine[key] / max(other[key], 1e-9) for mine, other in zip(rounds, others))


def rows(found, base):
    """As Markdown; ratios are `base`'s to the row's, or the row's to `base`'s where that is the plain one."""
    lines = ["| | CPU, us/request | requests/s | p50, us | p99, us | own, MiB | errors | CPU | p99 | own |",
             "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for name, rounds in found.items():
        pair = (rounds, found[base]) if base == "plain" else (found[base], rounds)
        ratios = ["" if name == base else f"{ratio(*pair, key):.2f}" for key in ("cpu", "p99", "own")]
        figures = [f"{median(rounds, 'cpu'):.1f}", f"{median(rounds, 'per_second'):.0f}", f"{median(rounds, 'p50'):.0f}",
                   f"{median(rounds, 'p99'):.0f}", f"{median(rounds, 'own') / (1 << 20):.1f}",
                   str(sum(one["errors"] for one in rounds))]
        lines.append(f"| {name} | " + " | ".join(figures + ratios) + " |")
    return "\n".join(lines)


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                  if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} cores of {model}, Linux {platform.release()}"


def versions(names):
    commands = {"nginx": ["nginx", "-v"], "haproxy": ["haproxy", "-v"], "envoy": ["envoy", "--version"]}
    found = []
    for name in names:
        done = subprocess.run(commands[name], capture_output=True, text=True, timeout=rig.PATIENCE)
        number = re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr)
        found.append(f"{name} {number[0] if number else '?'}")
    return ", ".join(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxy", type=pathlib.Path, default=rig.BINARY)
    parser.add_argument("--short", action="store_true", help="one short round of a part: whether it works, not how fast")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--only", nargs="*", choices=[*COMPARED, "own", "idle"])
    parser.add_argument("--docs", type=pathlib.Path, help="where bench.md and its plots are written")
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    if options.short:
        options.rounds, options.seconds = 1, 1
    only = options.only or (["small", "own"] if options.short else [*COMPARED, "own", "idle"])
    for tool in ("wrk", "nginx"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing")
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    peers = {name: peer for name, peer in bench_peers.PEERS.items() if shutil.which(name)}
    binary = options.proxy.resolve()
    competitors = {"tollkey": Ours(binary), **peers}
    results, text = {}, [
        f"{options.rounds} rounds of {options.seconds} s, medians. {machine()}; {versions(peers)}.",
        "The last three columns are Tollkey's figure over the row's, round by round: below 1 is better."]

    def say(words, table):
        text.append(f"### {words}\n\n{table}")
        print(f"\n{words}\n{table}", flush=True)

    with rig.folder() as folder:
        bench = Bench(folder, options.seconds, options.rounds)
        with bench.upstream():
            for name, (words, target, connections, is_post, logs) in COMPARED.items():
                if name in only:
                    results[name] = bench.compare(competitors, target, connections, is_post, logs)
                    say(words[0].upper() + words[1:], rows(results[name], "tollkey"))
            if "own" in only:
                variants = {"plain": Ours(binary, False), "logged": Ours(binary, False), "limited": Ours(binary),
                            "renewed": Ours(binary, False, True)}
                results["own"] = bench.compare(variants, "/payments", 32, False, None)
                words = "; ".join(f"*{name}*: {what}" for name, what in OWN.items())
                say("What Tollkey's own work costs", f"{words}. Ratios are the row's over *plain*'s.\n\n"
                    + rows(results["own"], "plain"))
            if "idle" in only:
                count = min(IDLE_CONNECTIONS, bench_peers.connections_max() - 100)
                results["idle"] = {name: bench.idle(peer, count) for name, peer in competitors.items()}
                lines = [f"| {name} | {found['each'] / 1024:.2f} | {found['all'] / (1 << 20):.1f} |"
                         for name, found in results["idle"].items()]
                say(f"{count:,} idle connections, each of which has made a call",
                    "\n".join(["| | own, KiB each | own, MiB in all |", "|---|--:|--:|", *lines]))
    if options.docs:
        (options.docs / "bench.md").write_text("# Beside nginx, HAProxy and Envoy\n\n" + "\n\n".join(text) + "\n")
        bench_plot.write(options.docs / "images", results, {name: what[0] for name, what in COMPARED.items()})
    if options.out:
        options.out.write_text(json.dumps(results, indent=1) + "\n")
    failed = sum(one["errors"] for name, found in results.items() if name != "idle"
                 for kind, rounds in found.items() if kind not in peers for one in rounds)
    if failed:
        sys.exit(f"{failed} requests through Tollkey failed")


if __name__ == "__main__":
    main()
