"""What clients are told when providers fail: at every byte, over restarts, by name, at the token endpoint.

    python3 proof/faults.py [--short] [--only offsets,restarts,names,tokens] [--proxy BINARY] [--seed N] [--out FILE]
"""

import argparse
import importlib
import time

import rig

PARTS = ("offsets", "restarts", "names", "tokens")
# Beyond so many findings the next one tells nothing more.
TOLD_MAX = 40


def prove(arguments, folder, complain):
    rows = []
    authority = rig.Authority(folder / "authority")
    for part in arguments.only:
        began = time.monotonic()
        prove_part = importlib.import_module(part).prove
        rows += rig.attempt(part, complain, lambda prove_part=prove_part: prove_part(
            folder, authority, arguments.proxy, arguments.short, arguments.seed, complain))
        print(f"{part}: {time.monotonic() - began:.0f} s", flush=True)
    return rows


def parts(text):
    names = text.split(",")
    for name in names:
        if name not in PARTS:
            raise argparse.ArgumentTypeError(f"'{name}' is none of {', '.join(PARTS)}")
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=parts, default=PARTS, help=f"of {', '.join(PARTS)}: these, with commas")
    rig.judge("faults", parser, prove, TOLD_MAX)


if __name__ == "__main__":
    main()
