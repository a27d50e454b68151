"""Replicas over HTTP on one PostgreSQL: what hosting promises, in figures. Writes the table in docs/hosting.md.

    python3 dev.py bench replicas                    all parts, some five minutes
    python3 dev.py bench replicas --part chaos       one of them, and no table

The parts: chaos (replicas killed, the database restarted and replaced), taking-over, failing-over, accepting, telling
(progress to another replica), under-way (10,000 generations), waiting (2,000 clients). Each has a time after which it
is broken off, and starts and ends its own database, service and replicas. Writes .artifacts/replicas.json, and fails
where a goal was not reached.
"""

import argparse
import importlib
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from bench.common import ROOT, write_json
from bench.hosted.lines import Line, unmeasured
from dev import cores
from tests.services.postgres import MISSING, program

PARTS = {
    "chaos": 300, "taking-over": 150, "failing-over": 120, "accepting": 150, "telling": 120, "under-way": 240,
    "waiting": 240,
}  # fmt: skip
"""Seconds after which each is broken off."""
PAGE = ROOT / "docs" / "hosting.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->"
HEAD = """\
Made by `python3 dev.py bench replicas` on {date}: {machine}, Python {python}, PostgreSQL {postgres} with its syncs, \
three replicas, the database, the service and the callers all on that machine. {load}

| | goal | found | reached |
|---|---|---|---|
"""


def main() -> int:
    """Runs the parts, prints their lines, and writes the table where all of them ran."""
    parser = argparse.ArgumentParser(description="replicas on one PostgreSQL, measured")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this one; may come several times")
    parser.add_argument("--generations", type=int, default=300, help="those of `chaos`")
    arguments = parser.parse_args()
    if problem := _impossible():
        print(problem, file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, _ended)
    head = _head()
    lines = {part: _measured(part, arguments.generations) for part in arguments.part or PARTS}
    write_json("replicas", {part: [asdict(line) for line in found] for part, found in lines.items()})
    every = [line for found in lines.values() for line in found]
    if not arguments.part:
        _write(head + "".join(f"{line.row}\n" for line in every))
    return 1 if any(line.reached is False or line.found.startswith("not measured") for line in every) else 0


def _impossible() -> str:
    """The reason why nothing can be measured here."""
    if not Path("/proc/self/task").is_dir():
        return "This bench reads /proc, which only Linux has."
    try:
        program("initdb")
    except RuntimeError:
        return MISSING
    return ""


def _measured(part: str, generations: int) -> list[Line]:
    """The lines of a part; one that says why, where it came to no end."""
    measure: Callable[..., list[Line]] = importlib.import_module(f"bench.hosted.{part.replace('-', '_')}").measure
    how: dict[str, Any] = {"generations": generations} if part == "chaos" else {}
    print(f"\n{part}", flush=True)
    began = time.monotonic()
    try:
        with _broken_off_after(PARTS[part]):
            lines = measure(**how)
    except Exception as error:  # the other parts have figures nevertheless
        lines = [unmeasured(part, f"{type(error).__name__}: {str(error)[:300]}")]
    for line in lines:
        print(f"  {line.what}: {line.found}" + (f"; goal: {line.goal}" if line.goal else ""), flush=True)
    print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    return lines


@contextmanager
def _broken_off_after(seconds: int) -> Generator[None]:
    """Raises TimeoutError in the block after so many seconds."""

    def late(number: int, frame: FrameType | None) -> NoReturn:
        raise TimeoutError(f"not over after {seconds} s")

    signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def _ended(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(1)


def _head() -> str:
    load = os.getloadavg()[0]
    return HEAD.format(
        date=datetime.now(UTC).date().isoformat(),
        machine=f"{platform.system()} on {platform.machine()}, {cores()} cores",
        python=platform.python_version(),
        postgres=Path(program("initdb")).parents[1].name,
        load=f"The load average before it began was {load:.1f}.",
    )


def _write(table: str) -> None:
    before, begin, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if begin and end:
        PAGE.write_text(f"{before}{begin}{table}{end}{after}", "utf-8")
        print(f"written to {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
