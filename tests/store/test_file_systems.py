"""Pictures are saved on file systems that lack something, and a place where they cannot be is found out beforehand."""

import errno
import os
import shutil
import stat
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from darkroom.errors import StorageError
from darkroom.models import Charged
from darkroom.store.files import try_place
from tests.arriving import saved_picture

DAY = datetime(2026, 11, 20)
DAY_FOLDER = "2026-11-20"
FOLDER = "2026-11-20"
DATA, NOTES = b"a picture" * 1000, b"my own notes"
SAID = [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EACCES, errno.EMLINK, errno.EXDEV]
"""What file systems say that cannot do what was asked of them."""

Lacks = Callable[[str, int], None]


@pytest.fixture
def lacks(monkeypatch: pytest.MonkeyPatch) -> Lacks:
    """Takes an ability from the file system: the call fails with this number, for folders alone if it is a sync."""

    def without(name: str, number: int) -> None:
        real = getattr(os, name)

        def call(*args: Any, **named: Any) -> Any:
            if name == "fsync" and not stat.S_ISDIR(os.fstat(args[0]).st_mode):
                return real(*args, **named)
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, name, call)

    return without


def save(root: Path, data: bytes = DATA) -> Path:
    return saved_picture(root, DAY, "fox", ".png", data)


def names(root: Path) -> list[str]:
    return sorted(path.name for path in (root / FOLDER).iterdir())


@pytest.mark.parametrize("name", ["link", "fsync", "chmod"])
@pytest.mark.parametrize("number", SAID, ids=errno.errorcode.get)
def test_a_picture_is_saved_where_the_file_system_lacks_an_ability(
    tmp_path: Path, lacks: Lacks, name: str, number: int
) -> None:
    lacks(name, number)
    path = save(tmp_path)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (DATA, 0o600)
    assert names(tmp_path) == ["fox.png"]
    assert save(tmp_path) == path, "the same picture is found again"
    try_place(tmp_path, DAY_FOLDER, 1)


def test_without_hard_links_a_picture_still_takes_no_other_file_s_name(tmp_path: Path, lacks: Lacks) -> None:
    lacks("link", errno.EPERM)
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "fox.png").write_bytes(NOTES)
    assert save(tmp_path).name == "fox-2.png"
    assert (tmp_path / FOLDER / "fox.png").read_bytes() == NOTES
    assert names(tmp_path) == ["fox-2.png", "fox.png"]


def test_without_hard_links_a_picture_is_on_the_disk_before_it_counts_as_saved(
    tmp_path: Path, lacks: Lacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacks("link", errno.EPERM)
    synced: list[int] = []
    real = os.fsync

    def noting(file: int) -> None:
        synced.append(os.fstat(file).st_ino)
        real(file)

    monkeypatch.setattr(os, "fsync", noting)
    path = save(tmp_path)
    assert path.stat().st_ino in synced
    assert synced[-1] == path.parent.stat().st_ino


def test_without_hard_links_a_disk_that_fails_leaves_nothing(
    tmp_path: Path, lacks: Lacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacks("link", errno.EPERM)
    real, syncs = os.fsync, [0]

    def fail_the_second_file(file: int) -> None:
        syncs[0] += stat.S_ISREG(os.fstat(file).st_mode)
        if syncs[0] == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file)

    monkeypatch.setattr(os, "fsync", fail_the_second_file)
    with pytest.raises(StorageError, match="No space left"):
        save(tmp_path)
    assert names(tmp_path) == []


def test_a_place_that_was_tried_holds_nothing_afterwards(tmp_path: Path) -> None:
    try_place(tmp_path / "new" / "pictures", DAY_FOLDER, 1)
    assert names(tmp_path / "new" / "pictures") == []
    assert stat.S_IMODE((tmp_path / "new" / "pictures").stat().st_mode) == 0o700


def a_file(root: Path, patch: pytest.MonkeyPatch) -> str:
    root.write_bytes(NOTES)
    return "File exists"


def a_day_that_is_a_link(root: Path, patch: pytest.MonkeyPatch) -> str:
    root.mkdir()
    (root / FOLDER).symlink_to(root)
    return "Not a directory"


def failing(name: str, number: int) -> Callable[[Path, pytest.MonkeyPatch], str]:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    def prepare(root: Path, patch: pytest.MonkeyPatch) -> str:
        patch.setattr(os, name, fail)
        return os.strerror(number)

    return prepare


def almost_full(root: Path, patch: pytest.MonkeyPatch) -> str:
    patch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 999, 999))  # pyright: ignore
    return "only 999 bytes are free, 4,194,304 are needed"


UNUSABLE = {
    "a file": a_file,
    "a day that is a link": a_day_that_is_a_link,
    "nothing may be made": failing("mkdir", errno.EACCES),
    "a file system that is only read": failing("mkdir", errno.EROFS),
    "a disk that fails": failing("fsync", errno.EIO),
    "a full disk": failing("fsync", errno.ENOSPC),
    "a quota that is used up": failing("fsync", errno.EDQUOT),
    "a disk with hardly any room": almost_full,
}


@pytest.mark.parametrize("prepare", UNUSABLE.values(), ids=UNUSABLE)
def test_a_place_where_no_picture_can_be_saved_is_named_with_its_reason_and_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepare: Callable[[Path, pytest.MonkeyPatch], str]
) -> None:
    root = tmp_path / "pictures"
    with monkeypatch.context() as patch:
        reason = prepare(root, patch)
        with pytest.raises(StorageError) as caught:
            try_place(root, DAY_FOLDER, 4 * 2**20)
    assert (str(root) in caught.value.message, reason in caught.value.message) == (True, True)
    assert "nothing was sent" in caught.value.message
    assert "DARKROOM_PICTURES" in caught.value.next_step
    assert caught.value.charged is Charged.NO
    assert not list(root.rglob("*.part"))


def test_a_drive_that_does_not_tell_its_size_is_taken_at_its_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, 0))  # pyright: ignore
    try_place(tmp_path, DAY_FOLDER, 4 * 2**20)
