"""A server that nobody asks for anything: its share of a core, beats and sweeps included.

python3 dev.py bench idle

Writes .artifacts/idle.json.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from bench.common import user, write_json
from bench.start import OPENINGS, SETTLED_S, Started

GOAL = 0.1


def main() -> int:
    """Runs it, and prints the figure."""
    parser = argparse.ArgumentParser(description="the processor time of a server that is not used")
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        started = Started([sys.executable, "-m", "darkroom", "serve"], user(Path(home)), "2025-11-25")
        started.ask(*OPENINGS["2025-11-25"])
        started.notify_initialized()
        started.ask("tools/call", {"name": "list_generations", "arguments": {}})
        time.sleep(2 * SETTLED_S)
        before = started.processor_s()
        time.sleep(arguments.seconds)
        share = 100 * (started.processor_s() - before) / arguments.seconds
        started.end()
    print(f"{share:.3f} % of a core in {arguments.seconds:.0f} s; goal: {GOAL} %")
    write_json("idle", {"seconds": arguments.seconds, "percent of a core": share})
    return 0


if __name__ == "__main__":
    sys.exit(main())
