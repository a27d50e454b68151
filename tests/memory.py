"""The memory of processes, as `/proc` tells it."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def grows_by_at_most(megabytes: float, process: int) -> Generator[None]:
    """Holds the peak of its memory during the block against what it has at the beginning."""
    folder = Path(f"/proc/{process}")
    if not (folder / "clear_refs").exists():
        pytest.skip("memory is measured through /proc")
    (folder / "clear_refs").write_text("5")  # the peak begins anew
    before = _kilobytes(folder, "VmRSS")
    yield
    grown = (_kilobytes(folder, "VmHWM") - before) / 1024
    assert grown < megabytes, f"it grew by {grown:.0f} MB"


def _kilobytes(folder: Path, name: str) -> int:
    line = next(line for line in (folder / "status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1])
