"""Two processes on one ledger: how long after one of them writes a change does a waiter in the other have it?

python3 dev.py bench follow

Writes .artifacts/follow.json.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from bench.common import fatthumb, rows, spread, write_json

GENERATIONS = 100
SUBMIT_ALL = """
import sys, anyio, os
from darkroom.providers.declared import read_settings
from darkroom.app.context import open_app
from darkroom.generations.asking.wishes import Wish
async def main():
    async with open_app(read_settings(os.environ)) as app:
        for number in range(int(sys.argv[1])):
            async with app.desk().submit(Wish(prompt=f"picture {number}")) as generation:
                print(generation.id, flush=True)
        print("all", flush=True)
        await anyio.sleep_forever()
anyio.run(main)
"""
WAIT_FOR_EACH = """
import sys, time, anyio, os
from darkroom.providers.declared import read_settings
from darkroom.app.context import open_app
async def main():
    async with open_app(read_settings(os.environ)) as app:
        async def wait(generation_id):
            async for snapshot in app.desk().watch([generation_id], timeout_s=300):
                pass
            print(generation_id, time.time(), flush=True)
        async with anyio.create_task_group() as tasks:
            for generation_id in sys.argv[1:]:
                tasks.start_soon(wait, generation_id)
anyio.run(main)
"""


def main() -> int:
    """Runs it and prints the figures; fails where a waiter was told nothing."""
    with tempfile.TemporaryDirectory() as folder, fatthumb(duration=30.0) as provider:
        home = Path(folder)
        environ = provider.environ(home, "submit=10/1,requests=1000000/3600")
        driver = subprocess.Popen(
            [sys.executable, "-c", SUBMIT_ALL, str(GENERATIONS)], env=environ, stdout=subprocess.PIPE, text=True
        )
        with driver:
            assert driver.stdout is not None
            ids = [driver.stdout.readline().split()[0] for _ in range(GENERATIONS)]
            waiter = subprocess.run(
                [sys.executable, "-c", WAIT_FOR_EACH, *ids],
                env=environ, capture_output=True, text=True, timeout=300, check=True,
            )  # fmt: skip
            driver.kill()
        told = dict(line.split() for line in waiter.stdout.splitlines())
        written = dict(rows(home, "SELECT id, finished_at FROM generations"))
    late = [float(told[generation_id]) - written[generation_id] for generation_id in told]
    print(f"{len(told)} of {GENERATIONS} generations driven by one process and waited for in another")
    print(f"from the row that says so to the waiter that knows: {spread(late)}")
    write_json("follow", {"generations": GENERATIONS, "median s late": median(late)})
    return 0 if len(told) == GENERATIONS else 1


if __name__ == "__main__":
    sys.exit(main())
