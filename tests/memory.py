"""The memory of processes, as `/proc` tells it."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

_HEAP = 64 * 2**20


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


def arenas(process: int) -> int:
    """The number of heaps that glibc made for threads: 64 MiB of addresses each, of which the first part is in use."""
    folder = Path(f"/proc/{process}")
    if not folder.exists():
        pytest.skip("memory is measured through /proc")
    lines = [line.split() for line in (folder / "maps").read_text().splitlines()]
    parts = [([int(end, 16) for end in line[0].split("-")], line[1]) for line in lines if len(line) == 5]
    used = {end for (start, end), mode in parts if mode == "rw-p" and start % _HEAP == 0}
    return sum(start in used and end % _HEAP == 0 for (start, end), mode in parts if mode == "---p")


def _kilobytes(folder: Path, name: str) -> int:
    line = next(line for line in (folder / "status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1])
