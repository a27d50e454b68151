"""What an agent is started with here, and what must be true after each."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.services.model import NEXT_STEP, Model

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
LONG_ENOUGH_S = 150.0
"""For one agent, which takes 20 s on two busy cores."""


def run(command: Sequence[str | Path], home: Path, **environ: str) -> str:
    """Runs an agent to its end, with nothing of our environment but the PATH; returns its stdout."""
    path = os.pathsep.join((str(BIN), os.environ["PATH"]))
    done = subprocess.run(
        command, cwd=home, env={"PATH": path, "HOME": str(home), **environ}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=LONG_ENOUGH_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def assert_saved_and_said(home: Path, out: str) -> None:
    """Two pictures are on the disk, and the agent's user learns where."""
    saved = sorted(str(path) for path in (home / "Pictures").rglob("*.png"))
    assert len(saved) == 2
    assert [path for path in saved if path not in out] == []


def assert_led_and_seeing(model: Model) -> None:
    """The model found its next step in what the agent showed it of `generate`, and one contact sheet in the end."""
    steps = [NEXT_STEP.search(shown.results[-1]) for shown in model.shown if shown.results]
    assert any(steps)
    last = model.shown[-1]
    assert (last.images, last.pasted, last.refusal) == (1, False, "")
