"""What clients are told when providers fail: at every byte, over restarts, by name, at the token endpoint.

    python3 proof/faults.py [--short] [--only offsets,restarts,names,tokens] [--proxy BINARY] [--seed N] [--out FILE]
"""

import argparse
import importlib
import secrets
import sys
import time

import rig

PARTS = ("offsets", "restarts", "names", "tokens")
# Beyond so many findings the next one tells nothing more.
TOLD_MAX = 40


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxy", default=rig.BINARY)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    parser.add_argument("--out")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    count = 0

    def complain(words):
        nonlocal count
        count += 1
        if count <= TOLD_MAX:
            print(f"FINDING {words}", flush=True)

    rows = []
    with rig.folder() as folder:
        authority = rig.Authority(folder / "authority")
        for part in arguments.only.split(","):
            began = time.monotonic()
            found = importlib.import_module(part).prove(
                folder, authority, arguments.proxy, arguments.short, arguments.seed, complain)
            rows += found
            print(f"{part}: {time.monotonic() - began:.0f} s", flush=True)
    rows.append(("findings", count))
    rig.report("faults", rows, arguments.out)
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
