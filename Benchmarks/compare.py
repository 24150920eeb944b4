#!/usr/bin/env python3
"""Tollkey beside nginx, HAProxy and Envoy: the same job, on the same machine, in turn.

The job: take a call on loopback, find the route by its prefix, set two headers that hold credentials,
forward it over verified TLS on a connection that is kept. README.md says how to read the figures.
"""
import argparse, contextlib, json, os, pathlib, platform, re, resource, shutil, statistics, subprocess, sys, tempfile, time

sys.dont_write_bytecode = True  # the import below would leave a folder in the source tree
import plot
from stage import POST_BODY, WORKLOADS, Children, Cores, Failure, Stage, ask, connect, members, read

PEERS = ("nginx", "haproxy", "envoy")
WARM_UP_SECONDS = 1
# wrk hands its exact counts to this function, once, at the end; what it prints by itself is rounded.
WRK_DONE = """
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nCOUNTED {"requests": %d, "seconds": %f, "p50_us": %f, "p99_us": %f, "errors": %d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def cpu_microseconds(session):
    """User and system time by the scheduler's clock, in nanoseconds; /proc/PID/stat counts steps of 10 ms."""
    tasks = (task for pid in members(session) for task in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int((read(task) or "0").split()[0]) for task in tasks) / 1000


def own_kib(session):
    """Anonymous and shared memory: what would be free without the program. Not the files that it maps."""
    def lines(pid, name, pattern):
        return re.findall(pattern, read(pathlib.Path(f"/proc/{pid}/{name}")), re.MULTILINE)
    # Tollkey hides its memory map from everybody but root. Its resident set stays visible, and is the same figure
    # for a program of one process: only several can share such pages.
    return sum(int(kib) for pid in members(session)
               for kib in lines(pid, "smaps_rollup", r"^Pss_(?:Anon|Shmem):\s+(\d+)")
               or lines(pid, "status", r"^Rss(?:Anon|Shmem):\s+(\d+)"))


class Meter:
    """Each verb starts a proxy, measures one thing, ends the proxy, and returns a sample."""

    def __init__(self, stage, options):
        self.stage, self.options = stage, options
        stage.write("get.lua", WRK_DONE)
        stage.write("post.lua", f'wrk.method = "POST"\nwrk.body = "{POST_BODY.decode()}"\n{WRK_DONE}')

    def under_load(self, proxy, workload):
        with self.stage.running(proxy) as (session, _):
            if not proxy.answers(workload):
                raise Failure(f"{proxy.name} gives a wrong answer to {workload}")
            warm_up = self.wrk(proxy, workload, WARM_UP_SECONDS)
            before = cpu_microseconds(session)
            run = self.wrk(proxy, workload, self.options.seconds)
            cpu, requests = cpu_microseconds(session) - before, run["requests"]
            return {"cpu_us": cpu / max(requests, 1), "per_second": requests / run["seconds"], "p50_us": run["p50_us"],
                    "p99_us": run["p99_us"], "own_mib": own_kib(session) / 1024,
                    "errors": warm_up["errors"] + run["errors"] + (not requests)}

    def wrk(self, proxy, workload, seconds):
        path, content, _ = WORKLOADS[workload]
        argv = ["wrk", "-t1", f"-c{self.options.connections}", f"-d{seconds}s", "-s", "post.lua" if content else "get.lua",
                f"http://127.0.0.1:{proxy.port}/bench{path}"]
        children = self.stage.children
        child = children.start("wrk", argv, children.cores.load, stdout=subprocess.PIPE)
        try:
            printed = child.communicate(timeout=seconds + 30)[0].decode()
        except subprocess.TimeoutExpired:
            printed = ""
        children.end(child)
        counted = re.search(r"^COUNTED (.*)", printed, re.MULTILINE)
        if not counted:
            raise Failure(f"wrk did not finish its run against {proxy.name}")
        return json.loads(counted[1])

    def idle(self, proxy):
        """The growth between a tenth of the connections and all of them, so that the first ones' cost is left out."""
        few, many, marks, held = self.options.idle // 10, self.options.idle, [], []
        path, _, expected = WORKLOADS["get"]
        with self.stage.running(proxy) as (session, _), contextlib.ExitStack() as closing:
            wrong = 0
            for number in range(1, many + 1):
                held.append(closing.enter_context(connect(proxy.port)))
                wrong += ask(held[-1], "/bench" + path) != (200, expected)
                if number in (few, many):
                    time.sleep(0.5)
                    marks.append(own_kib(session))
            wrong += sum(is_closed(connection) for connection in held)
            return {"kib_each": (marks[1] - marks[0]) / (many - few), "own_mib": marks[1] / 1024, "errors": wrong}

    def ready(self, proxy):
        with self.stage.running(proxy) as (_, milliseconds):
            return {"ready_ms": milliseconds, "errors": 0}


def is_closed(connection):
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


class Report:
    def __init__(self, options):
        self.options, self.taken = options, {}

    def take(self, title, rows, measure):
        """Each row once in each round, so that a machine that gets slower gets slower for all; and each round
        begins with another row, so that none always follows the same one."""
        samples = self.taken[title] = {name: [] for name in rows}
        names = list(rows)
        for number in range(self.options.rounds):
            print(f"{title}: round {number + 1} of {self.options.rounds}", file=sys.stderr, flush=True)
            first = number % len(names)
            for name in names[first:] + names[:first]:
                samples[name].append(measure(rows[name]))

    def print(self, title, columns, ratios):
        """Both name keys of a sample and their headings. A ratio is the first row's figure by the row's own."""
        rows = self.taken[title]
        first = next(iter(rows))
        lines = [["", *columns.values(), "runs", "errors", *ratios.values()]]
        for name, samples in rows.items():
            clean = [sample for sample in samples if not sample["errors"]]
            pairs = [(a, b) for a, b in zip(rows[first], samples) if not a["errors"] and not b["errors"]]
            lines.append([name, *(figure([sample[key] for sample in clean]) for key in columns),
                          str(len(clean)), str(sum(sample["errors"] for sample in samples)),
                          *("" if name == first else figure([a[key] / b[key] for a, b in pairs if b[key] > 0]) for key in ratios)])
        print(f"\n**{title}**\n" if self.options.markdown else f"\n{title}")
        if self.options.markdown:
            lines.insert(1, ["---"] + ["--:"] * (len(lines[0]) - 1))
        widths = [max(map(len, column)) for column in zip(*lines)]
        for head, *cells in lines:
            cells = [head.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(cells, widths[1:]))]
            print("| " + " | ".join(cells) + " |" if self.options.markdown else "  ".join(cells).rstrip())

    def errors(self):
        return sum(sample["errors"] for rows in self.taken.values() for samples in rows.values() for sample in samples)


def figure(values):
    if not values:
        return "–"
    middle = statistics.median(values)
    return f"{middle:.{3 if abs(middle) < 0.1 else 2 if abs(middle) < 100 else 1 if abs(middle) < 1000 else 0}f}"


def machine(cores):
    model = re.search(r"^model name\s*: (.*)", read(pathlib.Path("/proc/cpuinfo")), re.MULTILINE)
    gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return {"processor": f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, {gib:.1f} GiB",
            "system": f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release()}",
            "pinning": cores.described, "load average before": " ".join(f"{load:.2f}" for load in os.getloadavg())}


def version(*argv):
    told = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30)
    number = re.search(r"\d+\.\d+[\w.+-]*", (told.stdout + told.stderr).replace(argv[0], ""))
    return number[0] if number else "unknown"


def versions(proxies, options):
    asked = {"tollkey": (options.tollkey, "--version"), "nginx": ("nginx", "-v"), "wrk": ("wrk", "-v"),
             "openssl": ("openssl", "version"), "python": (sys.executable, "--version")}
    asked.update((proxy.name, (proxy.argv[0], {"haproxy": "-v", "envoy": "--version"}[proxy.name]))
                 for proxy in proxies.values() if proxy.name not in asked)
    return {name: version(*argv) for name, argv in asked.items()}


def between(least, most):
    def number(text):
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not a number from {least} to {most}")
        return int(text)
    return number


def several(kind):
    return lambda text: list(dict.fromkeys(kind(part) for part in text.split(",") if part))


def one_of(names):
    def name(text):
        if text not in names:
            raise argparse.ArgumentTypeError(f"{text} is not one of {', '.join(names)}")
        return text
    return name


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--tollkey", required=True, metavar="PATH", help="the program to measure")
    add("--peers", type=several(one_of(PEERS)), help="of nginx,haproxy,envoy; '' for none (default: those that are installed)")
    add("--workloads", type=several(one_of(WORKLOADS)), help="of get,post1k,64k,1m (default: get, or none with a mode below)")
    add("--connections", type=between(1, 1000), default=32, metavar="N", help="of the load (default: 32)")
    add("--rounds", type=between(1, 100), default=5, metavar="N", help="(default: 5)")
    add("--seconds", type=between(1, 60), default=3, metavar="N", help="of load that count, in each round (default: 3)")
    modes = parser.add_argument_group("modes, which can be combined")
    modes.add_argument("--idle", type=between(20, 8000), metavar="N", help="own memory for each of N idle client connections")
    modes.add_argument("--own", action="store_true", help="what log lines, a limit and renewals cost Tollkey")
    modes.add_argument("--routes", type=several(between(1, 10000)), metavar="N,N", help="processor time with N configured providers")
    modes.add_argument("--ready", action="store_true", help="time from start to the first answered call")
    add("--json", metavar="FILE", help="write every sample there")
    add("--plots", type=pathlib.Path, metavar="FOLDER", help="write bars there, as SVG")
    add("--markdown", action="store_true", help="print tables for a document")
    options = parser.parse_args()
    if options.workloads is None:
        options.workloads = [] if options.idle or options.own or options.routes or options.ready else ["get"]
    options.tollkey = os.path.abspath(options.tollkey)
    return options


def prepare(options):
    """What can be found out before anything starts."""
    if missing := [name for name in ("nginx", "wrk", "openssl", options.tollkey) if not shutil.which(name)]:
        raise Failure(f"not found: {', '.join(missing)}")
    asked = PEERS if options.peers is None else options.peers
    options.peers = [name for name in asked if shutil.which(name)]
    for name in set(asked) - set(options.peers):
        if asked is not PEERS:
            raise Failure(f"not found: {name}")
        print(f"{name} is not installed and left out", file=sys.stderr)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    needed = 2 * (2 * max(options.connections, options.idle or 0) + 256) + 100
    if 0 < most < needed:
        raise Failure(f"{needed} open files are needed and {most} are allowed: raise `ulimit -Hn`, or ask for fewer connections")


def measure(stage, options):
    stage.start_upstream()
    proxies = {"tollkey": stage.tollkey(), **{name: getattr(stage, f"peer_{name}")() for name in options.peers}}
    facts = {"machine": machine(stage.children.cores), "versions": versions(proxies, options)}
    meter, report, tables = Meter(stage, options), Report(options), []

    def take(title, rows, verb, columns, ratios):
        report.take(title, rows, verb)
        tables.append((title, columns, ratios))

    load = {"cpu_us": "CPU µs/request", "per_second": "requests/s", "p50_us": "p50 µs", "p99_us": "p99 µs", "own_mib": "own MiB"}
    how = f"{options.connections} connections, {options.rounds} × {options.seconds} s"
    for workload in options.workloads:
        take(f"{workload}, {how}", proxies, lambda proxy: meter.under_load(proxy, workload), load,
             {"cpu_us": "CPU ratio", "per_second": "rate ratio", "p99_us": "p99 ratio", "own_mib": "own ratio"})
    if options.own:
        rows = {"plain": stage.tollkey(), "logged": stage.tollkey(name="logged", is_logged=True),
                "limited": stage.tollkey(name="limited", is_limited=True),
                "renewed": stage.tollkey(name="renewed", is_renewed=True)}
        take(f"tollkey alone: log lines, a limit, a renewed token; get, {how}", rows,
             lambda proxy: meter.under_load(proxy, "get"), load, {"cpu_us": "CPU ratio", "p99_us": "p99 ratio"})
    if options.routes:
        rows = {f"{count} provider{'s' * (count > 1)}": stage.tollkey(count) for count in options.routes}
        take(f"tollkey by configured providers, get, {how}", rows, lambda proxy: meter.under_load(proxy, "get"), load, {"cpu_us": "CPU ratio"})
    if options.idle:
        take(f"{options.idle} idle client connections, rounds: {options.rounds}", proxies, meter.idle,
             {"kib_each": "own KiB each", "own_mib": "own MiB in all"}, {"kib_each": "each ratio"})
    if options.ready:
        take(f"start to first answered call, rounds: {options.rounds}", proxies, meter.ready, {"ready_ms": "ms"}, {"ready_ms": "ratio"})

    lines = [f"{name}: {text}" for name, text in facts["machine"].items()]
    lines.append("versions: " + ", ".join(f"{name} {number}" for name, number in facts["versions"].items()))
    lines.append("Medians over rounds. Ratios are the first row's figure by the row's own, taken in each round, then their median.")
    lines.append("Runs with errors do not count: every answer has to be 200.")
    print("\n".join(f"- {line}" if options.markdown else line for line in lines))
    for table in tables:
        report.print(*table)
    if options.plots:
        plot.write(options.plots, report.taken)
    if options.json:
        settings = {name: value for name, value in vars(options).items() if name not in ("tollkey", "json", "markdown", "plots")}
        pathlib.Path(options.json).write_text(json.dumps({**facts, "settings": settings, "samples": report.taken}, indent=1) + "\n")
    if errors := report.errors():
        raise Failure(f"{errors} calls were not answered with 200")


def main():
    options = parse()
    try:
        prepare(options)
        with tempfile.TemporaryDirectory(prefix="tollkey-bench-") as folder:
            children = Children(pathlib.Path(folder), Cores())
            try:
                measure(Stage(children, options), options)
            finally:
                children.end_all()
    except Failure as failure:
        sys.exit(f"compare.py: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
