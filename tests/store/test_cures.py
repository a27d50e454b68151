"""A ledger that cannot be used: what is in its way, for how long, and what helps against just that."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from darkroom.errors import StorageError
from darkroom.store import database
from darkroom.store.database import open_database

MOVE = "Move that file away"


async def refusal(home: Path) -> str:
    with pytest.raises(StorageError) as caught:
        async with open_database(home):
            pass
    return str(caught.value)


async def test_a_locked_ledger_says_how_long_it_was_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_database(tmp_path):
        pass
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.6)
    with closing(sqlite3.connect(tmp_path / database.FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        text = await refusal(tmp_path)
    assert "locked by another process; 1 s were waited for it" in text
    assert "let it go on or end it" in text
    assert MOVE not in text


async def test_a_ledger_that_is_locked_later_says_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.6)
    async with open_database(tmp_path) as opened:
        with closing(sqlite3.connect(tmp_path / database.FILE_NAME, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageError, match="1 s were waited for it"):
                await opened.transaction(lambda: None)


async def test_a_folder_that_cannot_be_is_named_and_no_file_is_to_be_moved(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for home in (tmp_path / "file", tmp_path / "file" / "home"):
        text = await refusal(home)
        assert f"no folder {home}" in text
        assert "Make it" in text
        assert MOVE not in text


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (PermissionError(13, "Permission denied"), "readable and writable for you"),
        (OSError(30, "Read-only file system"), "readable and writable for you"),
        (OSError(28, "No space left on device"), "Make room"),
        (IsADirectoryError(21, "Is a directory"), MOVE),
    ],
)
async def test_each_trouble_of_the_file_has_its_own_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, cure: str
) -> None:
    def refuse(*_: object) -> int:
        raise error

    monkeypatch.setattr(os, "open", refuse)
    text = await refusal(tmp_path)
    assert cure in text
    assert (MOVE in text) is (cure == MOVE)


async def test_what_is_no_ledger_is_to_be_moved_away(tmp_path: Path) -> None:
    (tmp_path / database.FILE_NAME).write_bytes(b"no database at all " * 100)
    assert MOVE in await refusal(tmp_path)
