"""Four processes, one key, 200 generations: how often was a window of the provider exceeded, by its own clock?

    python3 dev.py bench limits

The windows are the provider's own, scaled down so that the run takes about a minute: 10 submissions per 3 s and 120
requests per 10 s. The service enforces them as well, and counts what it refuses. Writes .artifacts/limits.json.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.common import fatthumb, rows, write_json

SUBMIT = (10, 3.0)
REQUESTS = (120, 10.0)
LIMITS = f"submit={SUBMIT[0]}/{SUBMIT[1]:g},requests={REQUESTS[0]}/{REQUESTS[1]:g}"
ASK_FOR_ALL = """
import sys, anyio, os
from darkroom.providers.declared import read_settings
from darkroom.app.context import open_app
from darkroom.generations.asking.wishes import Wish
async def main():
    async with open_app(read_settings(os.environ)) as app:
        ids = []
        for number in range(int(sys.argv[2])):
            async with app.desk().submit(Wish(prompt=f"{sys.argv[1]} {number}")) as generation:
                ids.append(generation.id)
        async for snapshot in app.desk().watch(ids, timeout_s=600):
            pass
        print(sum(generation.status == "succeeded" for generation in snapshot.generations))
anyio.run(main)
"""


def main() -> int:
    """Runs it, prints the figures, and fails where a window was exceeded or a generation did not succeed."""
    parser = argparse.ArgumentParser(description="four processes, one key")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--generations", type=int, default=200)
    arguments = parser.parse_args()
    knobs: dict[str, Any] = {"duration": 0.5, "submit_limit": SUBMIT, "request_limit": REQUESTS}
    with tempfile.TemporaryDirectory() as folder, fatthumb(**knobs) as provider:
        home = Path(folder)
        environ = provider.environ(home, LIMITS)
        started = time.monotonic()
        each = arguments.generations // arguments.processes
        running = [
            subprocess.Popen(
                [sys.executable, "-c", ASK_FOR_ALL, f"process {number}", str(each)],
                env=environ, stdout=subprocess.PIPE, text=True,
            )
            for number in range(arguments.processes)
        ]  # fmt: skip
        done = sum(int(process.communicate(timeout=900)[0]) for process in running)
        log = provider.log()
        accepted = [at for at, _, route in log["times"] if route == "submit"]
        every = [at for at, _, route in log["times"] if route in {"submit", "read"}]
        exceeded = over(accepted, *SUBMIT) + over(every, *REQUESTS)
        waited = rows(home, "SELECT max(finished_at) - min(created_at) FROM generations")[0][0]
    print(f"{done} of {each * arguments.processes} generations by {arguments.processes} processes in {waited:.1f} s "
          f"({time.monotonic() - started:.1f} s with their start); {len(every)} requests")  # fmt: skip
    print(f"most submissions in any {SUBMIT[1]:g} s: {most(accepted, SUBMIT[1])} of {SUBMIT[0]}")
    print(f"most requests in any {REQUESTS[1]:g} s: {most(every, REQUESTS[1])} of {REQUESTS[0]}")
    print(f"windows exceeded: {exceeded}; refused by the service with 429: {log['refused_429']}")
    write_json("limits", {"done": done, "seconds": waited, "exceeded": exceeded, "refused_429": log["refused_429"]})
    return 1 if exceeded or log["refused_429"] or done != each * arguments.processes else 0


def most(times: list[float], seconds: float) -> int:
    """The largest number of times within any window that long."""
    ordered = sorted(times)
    return max(sum(1 for at in ordered[i:] if at < start + seconds) for i, start in enumerate(ordered))


def over(times: list[float], limit: int, seconds: float) -> int:
    """The number of arrivals that were one too many for the window before them."""
    ordered = sorted(times)
    return sum(1 for i, at in enumerate(ordered) if i >= limit and at - ordered[i - limit] < seconds)


if __name__ == "__main__":
    sys.exit(main())
