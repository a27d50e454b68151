"""The official conformance suite, run over a server in a process of its own, and what it found."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.hosts import PATIENCE_S, Home
from tests.npm import MODULES, NODE

CLI = MODULES / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
WITH_TOKEN = Path(__file__).with_name("with_token.cjs")
CEILING_S = 240.0
"""How long one run of the suite may take before it is given up; it takes seconds."""


@dataclass(frozen=True)
class Check:
    """One thing that a scenario looked at. An id may come several times."""

    scenario: str
    id: str
    status: str
    why: str

    @property
    def entry(self) -> str:
        """What a baseline calls it."""
        return f"{self.scenario}:{self.id}"

    @property
    def missed(self) -> bool:
        """Whether a server should have done otherwise; the suite's own baseline counts warnings as well."""
        return self.status in {"FAILURE", "WARNING"}

    def __str__(self) -> str:
        return f"{self.status} {self.entry}: {self.why}"


@dataclass(frozen=True)
class Report:
    """What came of one run."""

    status: int
    said: str
    checks: list[Check]

    def count(self, status: str) -> int:
        """How many checks ended so."""
        return sum(check.status == status for check in self.checks)

    def missed(self, excused: Collection[str] = ()) -> str:
        """What should have been otherwise and is not excused, one line each."""
        return "\n".join(str(check) for check in self.checks if check.missed and check.entry not in excused)


@contextmanager
def served(home: Home) -> Generator[str]:
    """The URL of the server in `serve.py`; its log, which the suite fills with traces, is kept in a file."""
    pipe, log = subprocess.PIPE, home.path / "server.log"
    with log.open("w") as errors, subprocess.Popen(
        [sys.executable, "-m", "tests.conformance.serve"],
        env=home.environ, cwd=Path(__file__).parents[2], stdin=pipe, stdout=pipe, stderr=errors, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        impatience = threading.Timer(PATIENCE_S, process.kill)
        impatience.start()
        try:
            url = process.stdout.readline().strip()
            impatience.cancel()
            assert url, log.read_text()
            yield url
            process.stdin.close()
            assert process.wait(PATIENCE_S) == 0, log.read_text()
        finally:
            process.kill()


def run(url: str, out: Path, *options: str, token: str = "") -> Report:
    """Runs the suite over this server; `out` is where it leaves what it found. `token`: what each request brings."""
    bringing = ["--require", str(WITH_TOKEN)] if token else []
    done = subprocess.run(
        [NODE, *bringing, CLI, "server", "--url", url, "--output-dir", out, *options],
        env={**os.environ, "TOKEN": token}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=CEILING_S, check=False,
    )  # fmt: skip
    found = [check for folder in sorted(out.glob("server-*")) for check in _checks(folder)]
    return Report(done.returncode, done.stdout, found)


def expected(baseline: Path) -> dict[str, str]:
    """The entries of a baseline file, each with what its comment says."""
    lines = [line.strip() for line in baseline.read_text("utf-8").splitlines()]
    entries = [line.removeprefix("- ").partition(" # ") for line in lines if line.startswith("- ")]
    return {entry: why for entry, _, why in entries}


def _checks(folder: Path) -> list[Check]:
    # The folder of a scenario is called server-SCENARIO-TIME.
    scenario = re.sub(r"^server-|-\d{4}-\d\d-\d\dT[\d-]+Z$", "", folder.name)
    found: list[dict[str, Any]] = json.loads((folder / "checks.json").read_text("utf-8"))
    return [Check(scenario, c["id"], c["status"], c.get("errorMessage") or c["description"]) for c in found]
