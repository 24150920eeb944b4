#!/usr/bin/env python3
"""Holds the dashboard, the alerts, their tests and the queries of docs/metrics.md against the table of metrics there.

Names, labels and kinds must be in the table, every alert must say what to do and be seen firing in a test, and every
query must parse, which promtool says; without promtool that part is left out. Exit status 1 with a line per mistake.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs/metrics.md"
DASHBOARD = ROOT / "deploy/grafana/tollkey.json"
RULES = ROOT / "deploy/prometheus/tollkey.rules.yaml"
TESTS = ROOT / "deploy/prometheus/tollkey.rules.test.yaml"

# What Prometheus itself adds or makes.
OURS_NOT = {"job", "instance", "le", "alertname", "alertstate", "severity"}
BUILT_IN = {"up", "ALERTS"}
PARTS = ("_bucket", "_sum", "_count")

mistakes = []


def mistake(where, what):
    mistakes.append(f"{where}: {what}")


def table():
    """Name to (type, labels), of every row of the page whose first cell is a metric."""
    metrics = {}
    row = re.compile(r"^\| `((?:tollkey|process)_\w+)` \| (counter|gauge|histogram) \|([^|]*)\|")
    for line in TABLE.read_text().splitlines():
        if found := row.match(line):
            name, kind, labels = found.groups()
            if name in metrics:
                mistake(TABLE.name, f"{name} stands there twice")
            metrics[name] = (kind, set(re.findall(r"`(\w+)`", labels)))
    return metrics


def base(name, metrics):
    """The table's name for a histogram's series; the name itself otherwise."""
    for part in PARTS:
        if name.endswith(part) and metrics.get(name[: -len(part)], ("",))[0] == "histogram":
            return name[: -len(part)]
    return name


def check_names(where, query, metrics, recorded):
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', query)
    for found in re.finditer(r"(?<![\w:])([a-z]+:[\w:]+|(?:tollkey|process)_\w+)(\s*\{([^}]*)\})?", bare):
        name, _, matchers = found.groups()
        if ":" in name:
            if name not in recorded:
                mistake(where, f"{name} is recorded nowhere")
            continue
        named = base(name, metrics)
        if named not in metrics:
            mistake(where, f"{name} is not in {TABLE.name}")
            continue
        kind, labels = metrics[named]
        if kind == "histogram" and name == named:
            mistake(where, f"{name} is a histogram: ask for _bucket, _sum or _count")
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers or ""):
            if label not in labels | OURS_NOT:
                mistake(where, f"{name} has no label {label}")
    known = set().union(*(labels for _, labels in metrics.values())) | OURS_NOT
    for group in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", bare):
        for label in filter(None, (each.strip() for each in group.split(","))):
            if label not in known:
                mistake(where, f"nothing has a label {label}")


def rules():
    """Of every rule its lines: name, whether it alerts, expression, all of its text."""
    found = []
    for block in re.split(r"\n(?=      - (?:alert|record): )", RULES.read_text())[1:]:
        kind, name = re.match(r"      - (alert|record): (\S+)", block).groups()
        expression = re.search(r"\n        expr: (?:\|\n((?:          .*\n?|\n)+)|(.*))", block)
        found.append((name, kind == "alert", (expression[1] or expression[2]).strip(), block))
    return found


def check_alert(name, block, fired, known):
    for wanted in ("summary:", "description:", "docs:"):
        if wanted not in block:
            mistake(name, f"has no {wanted[:-1]}")
    if not re.search(r"severity: (page|ticket)\b", block):
        mistake(name, "is neither page nor ticket")
    for page in re.findall(r"docs: (\S+)", block):
        if not (ROOT / page).is_file():
            mistake(name, f"leads to {page}, which is not there")
    for label in re.findall(r"\$labels\.(\w+)", block):
        if label not in known:
            mistake(name, f"nothing has a label {label}")
    if name not in fired:
        mistake(name, "is seen firing in no test")


def dashboard_queries(node):
    """Every query below a node of the dashboard, and the text that shows its labels."""
    if isinstance(node, dict):
        if "expr" in node:
            yield node["expr"], node.get("legendFormat", "") + node.get("titleFormat", "")
        for value in node.values():
            yield from dashboard_queries(value)
    elif isinstance(node, list):
        for value in node:
            yield from dashboard_queries(value)


def check_panels(dashboard):
    panels = dashboard["panels"]
    if len({panel["id"] for panel in panels}) != len(panels):
        mistake(DASHBOARD.name, "two panels have one id")
    taken = {}
    for panel in panels:
        at = panel["gridPos"]
        if at["x"] + at["w"] > 24:
            mistake(panel["title"], "is beyond the right edge")
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
            if cell in taken:
                mistake(panel["title"], f"lies over {taken[cell]}")
                break
            taken[cell] = panel["title"]


def parse(queries):
    """Has promtool read each query, as a rule of a file that is thrown away."""
    if not shutil.which("promtool"):
        print("skipped: whether the queries parse (no promtool; Debian's package is prometheus)")
        return
    lines = ["groups:", "  - name: queries", "    rules:"]
    for number, (_, query) in enumerate(queries):
        query = query.replace("$__rate_interval", "5m").replace("$instance", ".*").replace("$provider", ".*")
        lines += [f"      - record: query:{number}", f"        expr: {json.dumps(query)}"]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        ran = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        mistake("promtool", (ran.stdout + ran.stderr).strip())
        for number in set(re.findall(r'record: "?query:(\d+)|"query:(\d+)"', ran.stderr)):
            mistake(*queries[int(number[0] or number[1])])


def main():
    metrics = table()
    if len(metrics) < 25:
        mistake(TABLE.name, f"only {len(metrics)} metrics were found in its tables")
    known = set().union(*(labels for _, labels in metrics.values())) | OURS_NOT
    ruled = rules()
    recorded = {name for name, alerts, _, _ in ruled if not alerts}
    tests = TESTS.read_text()
    fired = set(re.findall(r'alertname="(\w+)"', tests))

    queries = [(name, expression) for name, _, expression, _ in ruled]
    for name, alerts, _, block in ruled:
        if alerts:
            check_alert(name, block, fired, known)
    for gone in fired - {name for name, _, _, _ in ruled}:
        mistake(TESTS.name, f"waits for {gone}, which is no alert")

    dashboard = json.loads(DASHBOARD.read_text())
    check_panels(dashboard)
    for query, legend in dashboard_queries(dashboard):
        queries.append((DASHBOARD.name, query))
        for label in re.findall(r"\{\{\s*(\w+)\s*\}\}", legend):
            if label not in known:
                mistake(DASHBOARD.name, f"nothing has a label {label}")
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            check_names(variable["name"], variable["definition"].removeprefix("label_values"), metrics, recorded)

    for query in re.findall(r"```promql\n(.*?)```", TABLE.read_text(), re.S):
        queries.append((TABLE.name, query.strip()))
    for where, query in queries:
        check_names(where, query, metrics, recorded)
    for series in re.findall(r"series: '([^']*)'", tests):
        if series.split("{")[0] not in BUILT_IN:
            check_names(TESTS.name, series, metrics, recorded)

    asked = {base(name, metrics) for _, query in queries for name in re.findall(r"(?:tollkey|process)_\w+", query)}
    for name in sorted(set(metrics) - asked - {"process_threads"}):
        mistake(name, "is asked for by no panel, alert or query")
    parse(queries)

    for line in mistakes:
        print(line, file=sys.stderr)
    if mistakes:
        sys.exit(1)
    print(f"{len(metrics)} metrics, {len(ruled)} rules, {len(queries)} queries: all fit")


main()
