"""Random messages of hosts and random responses of providers: does any of them break a promise?

    python3 dev.py bench fuzz --seconds 600

Takes turns: messages of either protocol era, most of them right but for a few changes, at a real server over stdio;
and answers of either provider at its client. The smallest case that fails is printed. Writes .artifacts/fuzz.json.
"""

import argparse
import sys
import time
import traceback
from collections import Counter

from bench.common import write_json
from tests.fuzz.targets import TARGETS, run

TURN = 500


def main() -> int:
    """Runs until the time is up, and prints how many cases there were; fails with the first that broke a promise."""
    parser = argparse.ArgumentParser(description="fuzz the protocol and the providers' answers")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--target", choices=TARGETS, help="only this one")
    arguments = parser.parse_args()
    cases: Counter[str] = Counter()
    names: list[str] = [arguments.target] if arguments.target else list(TARGETS)
    ends = time.monotonic() + arguments.seconds
    failed = False
    while not failed and time.monotonic() < ends:
        for name in names:
            try:
                run(TARGETS[name], TURN, derandomize=False, seen=lambda name=name: cases.update([name]))
            except Exception as error:
                print(f"{name} broke a promise:", *traceback.format_exception(error), sep="\n")
                failed = True
    told = ", ".join(f"{count} of {name}" for name, count in cases.items())
    print(f"{cases.total()} cases ({told}); {'one broke a promise' if failed else 'none broke a promise'}")
    write_json("fuzz", {"cases": cases, "broke a promise": failed})
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
