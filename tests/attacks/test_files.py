"""What else lies where pictures are saved is never followed, waited for or written over."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from darkroom.errors import StorageError
from darkroom.models import Charged
from darkroom.store import files
from tests.arriving import saved_picture
from tests.hosts import PATIENCE_S

DAY = datetime(2026, 11, 20)
FOLDER = "2026-11-20"
DATA, NOTES = b"a picture", b"my own notes"


def save(root: Path, data: bytes = DATA) -> Path:
    return saved_picture(root, DAY, "fox-1", ".png", data)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def refusal(root: Path) -> str:
    with pytest.raises(StorageError) as caught:
        save(root)
    assert caught.value.charged is Charged.YES
    assert "get_status" in caught.value.next_step
    return caught.value.message


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The user's pictures, with today's folder."""
    folder = tmp_path / "pictures" / FOLDER
    folder.mkdir(parents=True)
    return folder.parent


@pytest.fixture
def elsewhere(tmp_path: Path) -> Generator[Path]:
    """A folder of somebody else's with a file in it; nobody may touch either."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "notes.txt").write_bytes(NOTES)
    yield folder
    assert (names(folder), (folder / "notes.txt").read_bytes()) == (["notes.txt"], NOTES)


# In the picture's place


def a_file(place: Path, elsewhere: Path) -> None:
    place.write_bytes(NOTES)


def an_empty_file(place: Path, elsewhere: Path) -> None:
    place.touch()


def a_file_that_starts_alike(place: Path, elsewhere: Path) -> None:
    place.write_bytes(DATA + b" and more")


def a_file_nobody_may_read(place: Path, elsewhere: Path) -> None:
    place.write_bytes(NOTES)
    place.chmod(0)


def a_link_to_a_file(place: Path, elsewhere: Path) -> None:
    place.symlink_to(elsewhere / "notes.txt")


def a_link_to_the_same_picture(place: Path, elsewhere: Path) -> None:
    (place.parent.parent / "original.png").write_bytes(DATA)
    place.symlink_to(place.parent.parent / "original.png")


def a_link_to_nothing(place: Path, elsewhere: Path) -> None:
    place.symlink_to(elsewhere / "new.txt")


def a_link_to_itself(place: Path, elsewhere: Path) -> None:
    place.symlink_to(place)


def a_link_to_a_device(place: Path, elsewhere: Path) -> None:
    place.symlink_to("/dev/zero")


def a_hard_link(place: Path, elsewhere: Path) -> None:
    place.hardlink_to(elsewhere / "notes.txt")


def a_folder(place: Path, elsewhere: Path) -> None:
    place.mkdir()


def a_pipe(place: Path, elsewhere: Path) -> None:
    os.mkfifo(place)


PLANTED = [
    a_file,
    an_empty_file,
    a_file_that_starts_alike,
    a_file_nobody_may_read,
    a_link_to_a_file,
    a_link_to_the_same_picture,
    a_link_to_nothing,
    a_link_to_itself,
    a_link_to_a_device,
    a_hard_link,
    a_folder,
    a_pipe,
]


def words(function: Callable[..., object]) -> str:
    return function.__name__.replace("_", " ")


@pytest.mark.parametrize("plant", PLANTED, ids=words)
def test_what_has_the_picture_s_name_is_left_and_the_picture_takes_another(
    root: Path, elsewhere: Path, plant: Callable[[Path, Path], None]
) -> None:
    place = root / FOLDER / "fox-1.png"
    plant(place, elsewhere)
    before = place.lstat()
    open_before = names(Path("/proc/self/fd"))
    path = save(root)
    assert (path, path.read_bytes()) == (root / FOLDER / "fox-1-2.png", DATA)
    assert not path.is_symlink()
    after = place.lstat()
    assert (after.st_ino, after.st_mode, after.st_size) == (before.st_ino, before.st_mode, before.st_size)
    assert names(root / FOLDER) == ["fox-1-2.png", "fox-1.png"]
    assert len(names(Path("/proc/self/fd"))) == len(open_before)


def test_the_same_picture_is_found_again(root: Path) -> None:
    assert save(root) == save(root)
    assert names(root / FOLDER) == ["fox-1.png"]


def test_when_every_name_is_taken_the_picture_is_not_saved(root: Path) -> None:
    for number in range(1, 1000):
        name = "fox-1.png" if number == 1 else f"fox-1-{number}.png"
        (root / FOLDER / name).write_bytes(NOTES)
    assert "a thousand files" in refusal(root)
    assert len(names(root / FOLDER)) == 999


@pytest.mark.parametrize("plant", [a_file, a_link_to_a_file, a_link_to_nothing, a_folder, a_pipe], ids=words)
def test_what_has_the_temporary_file_s_name_is_left(
    root: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[Path, Path], None]
) -> None:
    monkeypatch.setattr(files.secrets, "token_hex", lambda _: "0123456789abcdef")  # pyright: ignore
    place = root / FOLDER / ".0123456789abcdef.part"
    plant(place, elsewhere)
    before = place.lstat()
    assert "File exists" in refusal(root)
    assert place.lstat().st_ino == before.st_ino
    assert names(root / FOLDER) == [place.name]


# In the folder's place


def folder_linked(root: Path, elsewhere: Path) -> None:
    (root / FOLDER).symlink_to(elsewhere)


def folder_linked_to_nothing(root: Path, elsewhere: Path) -> None:
    (root / FOLDER).symlink_to(elsewhere / "new")


def folder_linked_to_the_pictures(root: Path, elsewhere: Path) -> None:
    (root / FOLDER).symlink_to(root)


def folder_is_a_file(root: Path, elsewhere: Path) -> None:
    (root / FOLDER).write_bytes(NOTES)


def folder_is_a_pipe(root: Path, elsewhere: Path) -> None:
    os.mkfifo(root / FOLDER)


@pytest.mark.parametrize(
    "plant",
    [folder_linked, folder_linked_to_nothing, folder_linked_to_the_pictures, folder_is_a_file, folder_is_a_pipe],
    ids=words,
)
def test_what_has_the_day_s_name_is_not_entered(
    root: Path, elsewhere: Path, plant: Callable[[Path, Path], None]
) -> None:
    (root / FOLDER).rmdir()
    plant(root, elsewhere)
    refusal(root)
    assert names(root) == [FOLDER]


def test_a_link_that_the_user_made_to_all_pictures_is_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    assert save(tmp_path / "link") == tmp_path / "link" / FOLDER / "fox-1.png"
    assert (root / FOLDER / "fox-1.png").read_bytes() == DATA


# Meanwhile


@contextmanager
def just_before(name: str, happens: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Something else happens right before the first call of this function of the operating system."""
    real, left = getattr(os, name), [happens]

    def call(*args: Any, **kwargs: Any) -> Any:
        if left:
            left.pop()()
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, name, call)
        yield
    assert not left


@pytest.mark.parametrize("moment", ["fsync", "link", "unlink"])
def test_a_folder_swapped_for_a_link_meanwhile_is_not_followed(
    root: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def swap() -> None:
        (root / FOLDER).rename(root / "moved")
        (root / FOLDER).symlink_to(elsewhere)

    with just_before(moment, swap, monkeypatch):
        save(root)
    assert (root / "moved" / "fox-1.png").read_bytes() == DATA
    assert names(root / "moved") == ["fox-1.png"]


@pytest.mark.parametrize("moment", ["fsync", "link"])
def test_a_folder_that_vanishes_meanwhile_is_a_storage_error(
    root: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    with just_before(moment, lambda: shutil.rmtree(root), monkeypatch):
        assert "No such file" in refusal(root)
    assert not root.exists()
    assert save(root).read_bytes() == DATA


def test_a_name_taken_at_the_last_moment_is_left(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with just_before("link", lambda: (root / FOLDER / "fox-1.png").write_bytes(NOTES), monkeypatch):
        assert save(root).name == "fox-1-2.png"
    assert (root / FOLDER / "fox-1.png").read_bytes() == NOTES


def test_processes_that_save_at_once_take_a_name_each(tmp_path: Path) -> None:
    code = (
        "import sys; from datetime import datetime; from pathlib import Path\n"
        "from tests.arriving import saved_picture\n"
        "sys.stdin.read()\n"
        "for n in range(20): saved_picture(Path(sys.argv[1]), datetime(2026, 11, 20), 'fox', '.png',"
        " f'{sys.argv[2]} {n}'.encode())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "new" / "pictures")]
    processes = [subprocess.Popen([*command, str(number)], stdin=subprocess.PIPE) for number in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait(PATIENCE_S) for process in processes] == [0, 0, 0]
    saved = list((tmp_path / "new" / "pictures" / FOLDER).iterdir())
    assert {path.read_text() for path in saved} == {f"{number} {n}" for number in range(3) for n in range(20)}
    assert len(saved) == 60
