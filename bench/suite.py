"""Every benchmark of speed, one after the other; writes docs/performance.md, with the machine and the date.

    python3 dev.py bench

`kill` and `limits` count what must never happen, `fuzz` looks for faults: they are run by their names, and in CI.
"""

import importlib
import platform
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version

from bench.common import ROOT
from dev import cores

PAGE = ROOT / "docs" / "performance.md"
NAMES = ("start", "calls", "idle", "polling", "hour", "load", "rows")
HEAD = """\
# Performance

Made by `python3 dev.py bench` on {date}: {machine}, Python {python}, SQLite {sqlite}, mcp {mcp}.
Each benchmark takes its baseline in the same run; `python3 dev.py bench start` runs one of them on your machine.
"""


def main() -> int:
    """Runs them, shows what each prints, and writes the page; returns 1 where one of them failed."""
    parts = [
        HEAD.format(
            date=datetime.now(UTC).date().isoformat(),
            machine=f"{platform.system()} on {platform.machine()}, {cores()} cores",
            python=platform.python_version(),
            sqlite=sqlite3.sqlite_version,
            mcp=version("mcp"),
        )
    ]
    failed = False
    for name in NAMES:
        about = (importlib.import_module(f"bench.{name}").__doc__ or "").partition("\n")[0]
        print(f"\n{name}: {about}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"bench.{name}"], stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout, flush=True)
        failed = failed or done.returncode != 0
        parts.append(f"\n## {name}\n\n{about}\n\n```text\n{done.stdout.strip()}\n```\n")
    PAGE.write_text("".join(parts), "utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
