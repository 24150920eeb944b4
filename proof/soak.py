#!/usr/bin/env python3
"""Load and time: storms, a million calls, idle and slow callers, drains, reloads, no descriptors left, no secret seen.

    python3 proof/soak.py [--short] [--only PART]… [--proxy FILE] [--out FILE] [--seed N] [--keep]
"""

import argparse
import importlib
import logging
import pathlib
import random
import time
import traceback

import rig
from load import stage

PARTS = {
    "search": "every way to write a canary is found where it is planted",
    "storm": "10,000 callers wait for one token",
    "million": "a million calls; memory does not grow, nor with one in twenty going wrong",
    "idle": "10,000 idle connections",
    "large": "1 GiB up and down, with slow peers",
    "slow": "slow heads, slow content, slow readers; what others notice",
    "leaving": "10,000 callers hang up; nothing leaks",
    "changing": "a hundred drains and a hundred reloads under load",
    "descriptors": "no descriptors left, and again",
    "secrets": "talkative logs, failing providers, commands, another user's tools",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=PARTS, help="this part; may be repeated")
    parser.add_argument("--keep", action="store_true", help="leave the folder with logs and state")
    arguments = rig.parsed(parser, short="every part with a hundredth of its calls, or less, in some 40 s")
    terms = stage.Terms(str(arguments.proxy), arguments.short, random.Random(arguments.seed))
    # Peers that hang up in the middle are what this is about.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    rows, findings = [], []
    with rig.folder(arguments.keep) as folder:
        if arguments.keep:
            print(f"kept: {folder}")
        for name in arguments.only or PARTS:
            start = time.monotonic()
            print(f"{name}: {PARTS[name]} …", flush=True)
            figures = _run(name, terms, folder / name)
            rows += figures.rows
            findings += figures.findings
            print(f"{name}: {time.monotonic() - start:.1f} s, {len(figures.findings)} findings", flush=True)
    for finding in findings:
        print(f"FINDING {finding}")
    rig.finish("soak", rows, len(findings), arguments)


def _run(name, terms, path: pathlib.Path):
    try:
        return importlib.import_module(f"load.{name}").run(terms, path)
    # Whatever ends a part is a finding, and no reason to leave the others out.
    except Exception as error:
        if not isinstance(error, (rig.Failure, OSError)):
            traceback.print_exc()
        figures = stage.Figures(name)
        figures.add("could not go on", str(error) or type(error).__name__)
        figures.findings.append(f"{name}: could not go on: {error}")
        return figures


if __name__ == "__main__":
    main()
