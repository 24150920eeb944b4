#!/usr/bin/env python3
"""Looks for inputs of which the properties in Tests/*/Fuzz do not hold, or that trap: libFuzzer with AddressSanitizer.

    scripts/fuzz.py [TARGET ...] [--seconds N] [--short] [--keep] [--seed N] [--out FILE]

Each target runs for N seconds (60), from what fuzz/corpus/TARGET holds. --short replays that, and goes on for 2 s.
--keep puts what was found on the way into fuzz/corpus, reduced to the least that reaches as much. Exit status 0 only
when nothing was found. Built with swiftc into .build-fuzz, the optimised code with all its checks.
"""
import argparse
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build-fuzz"
CORPUS = ROOT / "fuzz" / "corpus"
BINARY = BUILD / "fuzz"
# In the order of a request's way; with the longest input that is tried.
TARGETS = {
    "request": 4_096, "route": 1_024, "chunks": 4_096, "answer": 4_096, "request-id": 2_048, "rates": 2_048,
    "token": 4_096, "times": 512, "records": 2_048, "lines": 256, "trace": 512, "config": 9_000,
}
# Inputs that are kept of one target, besides those that a person has written.
KEPT_MAX = 10
FLAGS = [
    "-swift-version", "6", "-package-name", "tollkey", "-enable-upcoming-feature", "ExistentialAny",
    "-enable-upcoming-feature", "MemberImportVisibility", "-enable-upcoming-feature", "InternalImportsByDefault",
    "-O", "-wmo", "-parse-as-library", "-sanitize=fuzzer,address",
]


def sources(folder):
    return sorted(path for path in (ROOT / folder).rglob("*.swift") if not path.name.endswith("Tests.swift"))


def compile_swift(output, arguments, files, needs=()):
    """Compiles anew when something is newer than `output`."""
    files = [str(path) for path in files]
    newest = max(os.path.getmtime(path) for path in [*files, *needs])
    if output.exists() and output.stat().st_mtime >= newest:
        return
    print(f"Compiling {output.name}. The first time takes some minutes.", flush=True)
    result = subprocess.run(
        [os.environ.get("SWIFTC", "swiftc"), *FLAGS, *arguments, "-o", str(output), *files], cwd=BUILD,
        capture_output=True, text=True, timeout=1_800)
    if result.returncode:
        sys.exit(f"{result.stdout}{result.stderr}\n{output.name} does not compile")


def compile_module(name, files, arguments=(), needs=()):
    library = BUILD / f"lib{name}.a"
    compile_swift(
        library, ["-emit-library", "-static", "-emit-module", "-module-name", name, "-I", str(BUILD), *arguments], files,
        needs)
    return library


def embedded():
    """The shipped descriptions, as the package's build would embed them."""
    lines = ["struct PackageResources {"]
    for path in sorted((ROOT / "Sources/TollkeyConfig/Providers").glob("*.yaml")):
        name = path.name.replace(".", "_")
        lines += [f'static let {name}: [UInt8] = Array(####"""', path.read_text(), '"""####.utf8)']
    text = "\n".join([*lines, "}", ""])
    output = BUILD / "embedded.swift"
    if not output.exists() or output.read_text() != text:
        output.write_text(text)
    return output


def build():
    BUILD.mkdir(exist_ok=True)
    yaml = ["-I", str(ROOT / "Sources/CYaml")]
    core = compile_module("TollkeyCore", sources("Sources/TollkeyCore"))
    config = compile_module(
        "TollkeyConfig", [*sources("Sources/TollkeyConfig"), embedded()], yaml, [core])
    tests = ROOT / "Tests/TollkeyCoreTests"
    shared = [tests / "Reading.swift", tests / "Dice.swift", tests / "Answers/Answers.swift"]
    properties = sources("Tests/TollkeyCoreTests/Fuzz") + sources("Tests/TollkeyConfigTests/Fuzz")
    compile_swift(
        BINARY,
        ["-module-name", "Fuzz", "-I", str(BUILD), *yaml, "-use-ld=lld", str(config), str(core), "-lyaml"],
        [*shared, *properties, ROOT / "fuzz/Entry.swift"], [core, config])


def run(target, arguments, folders, seconds):
    # Swift's own report of a crash would outlive the crash, and AddressSanitizer has one too. Where memory was
    # allocated is not worth a third of the time.
    environment = {
        **os.environ, "FUZZ_TARGET": target, "SWIFT_BACKTRACE": "enable=no", "ASAN_OPTIONS": "malloc_context_size=1",
    }
    command = [str(BINARY), *arguments, *map(str, folders)]
    try:
        result = subprocess.run(
            command, cwd=BUILD, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds + 300)
        return result.returncode, result.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        # libFuzzer would have told an input that takes long: somebody has stopped it, or all of the machine.
        return 1, (late.stderr or b"").decode(errors="replace") + f"\n{target}: it did not end\n"


def fuzz(target, seconds, seed):
    """What came of it; None when something was found."""
    found, crashes = BUILD / "found" / target, BUILD / "crashes"
    for folder in (found, crashes, CORPUS / target):
        folder.mkdir(parents=True, exist_ok=True)
    limits = [f"-max_total_time={seconds}", f"-max_len={TARGETS[target]}", "-timeout=10", "-rss_limit_mb=2048"]
    status, log = run(
        target, [*limits, f"-seed={seed}", f"-dict={ROOT}/fuzz/words.dict", "-print_final_stats=1",
                 f"-artifact_prefix={crashes}/{target}-"], [found, CORPUS / target], seconds)
    (BUILD / f"{target}.log").write_text(log)
    if status:
        tell(target, log)
        return None
    figure = lambda pattern: int((re.findall(pattern, log) or [0])[-1])
    return {
        "executions": figure(r"number_of_executed_units: (\d+)"), "seconds": seconds,
        "edges": figure(r"cov: (\d+)"), "features": figure(r"ft: (\d+)"), "inputs": figure(r"corp: (\d+)"),
    }


def tell(target, log):
    """A finding, with what it takes to repeat it."""
    pattern = rf"{target}: |SUMMARY|==\d+== ?ERROR|Fatal error|\s+#\d+ \S+ in \$s\d+Tollkey"
    words = [line for line in log.splitlines() if re.match(pattern, line)]
    print(f"FINDING {target}\n  " + "\n  ".join(words[:6] or log.splitlines()[-12:]))
    for path in re.findall(r"Test unit written to (\S+)", log):
        content = pathlib.Path(path).read_bytes()
        print(f"  {len(content)} bytes in {path}:\n    {content[:600]!r}")
        print(f"  again: SWIFT_BACKTRACE=enable=no FUZZ_TARGET={target} {BINARY} {path}")


def keep(target):
    """Reduces all inputs to the least that reach as much, and keeps an even choice of them."""
    kept, merged = CORPUS / target, BUILD / "merged" / target
    shutil.rmtree(merged, ignore_errors=True)
    merged.mkdir(parents=True)
    run(target, ["-merge=1", f"-max_len={TARGETS[target]}"], [merged, kept, BUILD / "found" / target], 300)
    for path in kept.iterdir():
        # Those that a person has written have a name, and stay.
        if re.fullmatch(r"[0-9a-f]{40}", path.name):
            path.unlink()
    smallest = sorted(merged.iterdir(), key=lambda path: path.stat().st_size)
    held = {path.read_bytes() for path in kept.iterdir()}
    for path in smallest[:: max(1, -(-len(smallest) // KEPT_MAX))]:
        content = path.read_bytes()
        if content not in held:
            (kept / hashlib.sha1(content).hexdigest()).write_bytes(content)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1 << 31))
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    unknown = set(arguments.targets) - set(TARGETS)
    if unknown:
        parser.error(f"no target {', '.join(sorted(unknown))}: there are {', '.join(TARGETS)}")
    build()
    seconds = 2 if arguments.short else arguments.seconds
    print(f"{seconds} s each, seed {arguments.seed}", flush=True)
    figures = {}
    for target in arguments.targets or TARGETS:
        figures[target] = fuzz(target, seconds, arguments.seed)
        if figures[target]:
            print(f"  {target:<11}" + "".join(f"{value:>12,} {name}" for name, value in figures[target].items()), flush=True)
            if arguments.keep:
                keep(target)
    findings = [target for target, figure in figures.items() if figure is None]
    print(f"findings: {', '.join(findings) or 'none'}")
    if arguments.out:
        arguments.out.write_text(json.dumps({"seed": arguments.seed, "targets": figures}, indent=2) + "\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
