"""A picture is its owner's alone whatever the umask, and on the disk before it has its name; or there is none."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from darkroom.errors import StorageError
from tests.arriving import saved_picture
from tests.hosts import Home, call, connected

DAY = datetime(2026, 11, 20)
DATA = b"a picture" * 1000

SAVES = (
    "import os, resource, sys; from datetime import datetime; from pathlib import Path\n"
    "from tests.arriving import saved_picture\n"
    "os.umask(int(sys.argv[2], 8)); resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)\n"
    "saved_picture(Path(sys.argv[1]), datetime(2026, 11, 20), 'fox', '.png', b'a picture' * 1000)"
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", ["000", "002", "022", "027", "077", "177", "277", "777"])
def test_folders_and_pictures_are_their_owner_s_alone_whatever_the_umask(tmp_path: Path, umask: str) -> None:
    root = tmp_path / "a new folder" / "pictures"
    subprocess.run([sys.executable, "-c", SAVES, str(root), umask, "1000000"], check=True)
    folder = root / "2026-11-20"
    assert [mode(path) for path in (root.parent, root, folder, folder / "fox.png")] == [0o700, 0o700, 0o700, 0o600]


def test_a_folder_of_the_user_s_own_keeps_its_permissions(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    path = saved_picture(tmp_path, DAY, "fox", ".png", DATA)
    assert (mode(tmp_path), mode(path)) == (0o755, 0o600)


async def test_a_server_started_with_an_open_umask_closes_what_it_makes(home: Home) -> None:
    before = os.umask(0)
    try:
        async with connected(home) as client:
            started = await call(client, "generate", prompt="A fox")
            await call(client, "wait", generation_ids=[started["id"]])
    finally:
        os.umask(before)
    (picture,) = home.saved()
    assert mode(picture) == 0o600
    assert {mode(path) for path in (home.pictures, picture.parent, home.ledger.parent)} == {0o700}


def test_a_picture_that_the_disk_has_no_room_for_leaves_nothing(tmp_path: Path) -> None:
    root = tmp_path / "pictures"
    done = subprocess.run([sys.executable, "-c", SAVES, str(root), "022", "500"], capture_output=True, check=False)
    assert b"StorageError" in done.stderr
    assert list((root / "2026-11-20").iterdir()) == []


def test_a_picture_is_on_the_disk_before_it_has_its_name_and_so_is_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the operating system is asked for, in order."""
    asked: list[str] = []

    def noting(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            kind = ""
            if name == "fsync":
                kind = " a folder" if stat.S_ISDIR(os.fstat(args[0]).st_mode) else " a file"
            asked.append(name + kind)
            return real(*args, **kwargs)

        return call

    for name in ("mkdir", "fsync", "link", "unlink", "rename", "replace"):
        monkeypatch.setattr(os, name, noting(name))
    saved_picture(tmp_path, DAY, "fox", ".png", DATA)
    wanted = ["mkdir", "mkdir", "fsync a folder", "rename", "fsync a file", "link", "fsync a folder", "unlink"]
    assert asked == wanted, "the first mkdir finds the user's folder there"


FAILING = ["fsync", "link"]


@pytest.mark.parametrize("name", FAILING)
def test_a_disk_that_fails_at_any_step_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "2026-11-20").mkdir()

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, name, fail)
        with pytest.raises(StorageError, match="Input/output error"):
            saved_picture(tmp_path, DAY, "fox", ".png", DATA)
    assert list((tmp_path / "2026-11-20").iterdir()) == []
