"""What a save that was killed has left behind does not stay for ever, and nothing else is taken for it."""

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from darkroom.store.day_folders import STALE_S
from tests.arriving import saved_picture

DAY = datetime(2026, 11, 20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of that day."""
    folder = tmp_path / "pictures" / "2026-11-20"
    folder.mkdir(parents=True)
    return folder


def save(folder: Path) -> set[str]:
    """What lies in the folder after a save, but for what was saved."""
    saved_picture(folder.parent, DAY, "fox-1", ".png", b"a picture").unlink()
    return {path.name for path in folder.iterdir()}


def age(path: Path, seconds: float) -> None:
    then = datetime.now().timestamp() - seconds
    os.utime(path, (then, then), follow_symlinks=False)


def test_what_a_killed_save_left_is_removed_by_a_later_one(folder: Path) -> None:
    old, young = folder / f".{'0af9' * 4}.part", folder / f".{'1af9' * 4}.part"
    for path in (old, young):
        path.write_bytes(b"half a pic")
    age(old, 2 * STALE_S)
    age(young, STALE_S / 2)  # somebody may still be writing it
    assert save(folder) == {young.name}


def test_what_a_dead_process_was_writing_is_removed_by_the_next_save_and_what_a_living_one_writes_is_not(
    folder: Path,
) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from darkroom.store.files import Draft\n"
        "draft = Draft(Path(sys.argv[1]), '2026-11-20'); draft.write([b'half']); draft.file.flush()\n"
        "print('written', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(folder.parent)], stdout=subprocess.PIPE) as writing:
        try:
            assert writing.stdout is not None
            assert writing.stdout.readline() == b"written\n"
            (draft,) = folder.iterdir()
            assert save(folder) == {draft.name}
        finally:
            writing.kill()
    assert save(folder) == set()


def test_what_only_looks_like_it_is_left_alone(folder: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("my own notes")
    others = [folder / name for name in ("notes.part", ".notes.part", f".{'0' * 16}.part.png", f".{'0' * 17}.part")]
    for path in others:
        path.write_bytes(b"mine")
    a_folder, a_link = folder / f".{'2' * 16}.part", folder / f".{'3' * 16}.part"
    a_folder.mkdir()
    a_link.symlink_to(notes)
    for path in (*others, a_folder, a_link):
        age(path, 2 * STALE_S)
    assert save(folder) == {path.name for path in (*others, a_folder)}
    assert notes.read_text() == "my own notes"
