"""Every benchmark of speed, one after the other; writes docs/performance.md, with the machine and the date.

    python3 dev.py bench
    python3 dev.py bench suite --short        the short forms that CI runs, which write no page

`kill` and `limits` count what must never happen, `fuzz` looks for faults: they are run by their names, and in CI. Each
benchmark writes its figures to .artifacts/NAME.json as well.
"""

import argparse
import importlib
import os
import platform
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version

from bench.common import ROOT
from dev import cores

PAGE = ROOT / "docs" / "performance.md"
NAMES = ("start", "calls", "idle", "polling", "hour", "waits", "follow", "rows")
SHORT = {
    "start": ["--rounds", "1"], "calls": ["--calls", "10"], "polling": ["--generations", "500"], "hour": [],
    "waits": ["--generations", "60"],
}  # fmt: skip
"""Those that a short run has, with their words: what they assert holds on a busy machine too."""
HEAD = """\
# Performance

Made by `python3 dev.py bench` on {date}: {machine}, Python {python}, SQLite {sqlite}, mcp {mcp}.
Each benchmark takes its baseline in the same run; `python3 dev.py bench start` runs one of them on your machine.
{beside}
"""


def main() -> int:
    """Runs them, shows what each prints, and writes the page; returns 1 where one of them failed."""
    parser = argparse.ArgumentParser(description="every benchmark of speed")
    parser.add_argument("--short", action="store_true", help="only the short forms; no page is written")
    short = parser.parse_args().short
    beginning = head()
    results = [ran(name, SHORT[name] if short else []) for name in (SHORT if short else NAMES)]
    if not short:
        PAGE.write_text("".join([beginning, *(part for part, _ in results)]), "utf-8")
    return 0 if all(well for _, well in results) else 1


def head() -> str:
    """The beginning of the page."""
    return HEAD.format(
        date=datetime.now(UTC).date().isoformat(),
        machine=f"{platform.system()} on {platform.machine()}, {cores()} cores",
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        mcp=version("mcp"),
        beside=f"The load average before it began was {os.getloadavg()[0]:.1f}." if hasattr(os, "getloadavg") else "",
    )


def ran(name: str, words: list[str]) -> tuple[str, bool]:
    """Its part of the page, and whether it reached what it asserts."""
    about = (importlib.import_module(f"bench.{name}").__doc__ or "").partition("\n")[0]
    print(f"\n{name}: {about}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{name}", *words], stdout=subprocess.PIPE, text=True, check=False
    )
    print(done.stdout, flush=True)
    said = "\n".join(line for line in done.stdout.rstrip().splitlines() if not line.startswith("written to "))
    well = done.returncode == 0
    missed = "" if well else "\nIt did not reach all that it asserts.\n"
    return f"\n## {name}\n\n{about}\n\n```text\n{said}\n```\n{missed}", well


if __name__ == "__main__":
    sys.exit(main())
