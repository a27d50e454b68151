"""Two libraries of SQLite on one ledger: its journal is its maker's choice, and what cannot keep it refuses."""

import errno
import os
import sqlite3
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import pytest

from darkroom.errors import StorageError
from darkroom.store import database as module
from darkroom.store.database import FIRST_SAFE_WAL
from tests.attacks.test_safekeeping import mode
from tests.ledgers import ANY_AGE_S, LOG, ROLLBACK, journal_of, open_ledger, sqlite
from tests.store.test_migrations import RECORD, fingerprint, opened

KEEPS = {"older": ROLLBACK, "newer": LOG}


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def opened_by(which: str, home: Path) -> None:
    with sqlite(which):
        await opened(home)


def test_the_newer_library_may_keep_a_log() -> None:
    assert import_module("pysqlite3").sqlite_version_info >= FIRST_SAFE_WAL


@pytest.mark.parametrize("maker", KEEPS)
async def test_a_ledger_has_the_journal_that_its_maker_can_keep(tmp_path: Path, maker: str) -> None:
    with sqlite(maker):
        async with open_ledger(tmp_path) as ledger:
            assert journal_of(tmp_path) == KEEPS[maker]
            begun = await ledger.begin(RECORD, adopt_within_s=ANY_AGE_S)
        async with open_ledger(tmp_path) as ledger:
            assert await ledger.get(RECORD.id, RECORD.owner) == begun
    assert files_in(tmp_path) == ["ledger.sqlite3"]


async def test_a_ledger_without_a_log_keeps_none_whatever_opens_it(tmp_path: Path) -> None:
    for which in ("older", "newer", "older", "newer"):
        await opened_by(which, tmp_path)
        assert journal_of(tmp_path) == ROLLBACK


async def test_a_library_too_old_for_a_log_refuses_for_that_reason_and_harms_nothing(tmp_path: Path) -> None:
    await opened_by("newer", tmp_path)
    before = fingerprint(tmp_path)
    with pytest.raises(StorageError) as refused:
        await opened_by("older", tmp_path)
    assert sqlite3.sqlite_version in refused.value.message
    assert "left as it is" in refused.value.message
    assert ".".join(map(str, FIRST_SAFE_WAL)) in refused.value.next_step
    assert "Move that file away" not in refused.value.next_step
    assert fingerprint(tmp_path) == before
    await opened_by("newer", tmp_path)
    assert journal_of(tmp_path) == LOG


@pytest.mark.parametrize("quicker", KEEPS)
@pytest.mark.parametrize("slower", KEEPS)
def test_who_comes_second_in_making_a_ledger_takes_what_the_first_has_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quicker: str, slower: str
) -> None:
    """The other process makes it at the worst moment: when ours is whole but has no name yet."""
    link = os.link

    def too_late(*paths: Any) -> None:
        monkeypatch.setattr(os, "link", link)
        anyio.run(opened_by, quicker, tmp_path)
        link(*paths)

    monkeypatch.setattr(os, "link", too_late)
    with sqlite(slower):
        if (quicker, slower) == ("newer", "older"):
            with pytest.raises(StorageError, match="write-ahead log"):
                module._connect(tmp_path)  # pyright: ignore[reportPrivateUsage]
        else:
            db, reader, _ = module._connect(tmp_path)  # pyright: ignore[reportPrivateUsage]
            db.close()
            reader.close()
    assert journal_of(tmp_path) == KEEPS[quicker]
    assert files_in(tmp_path) == ["ledger.sqlite3"]


async def test_where_files_cannot_be_linked_a_ledger_is_made_without_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    await opened_by("newer", tmp_path)
    assert journal_of(tmp_path) == ROLLBACK
    assert files_in(tmp_path) == ["ledger.sqlite3"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permissions of this kind")
@pytest.mark.parametrize("which", KEEPS)
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277, 0o777])
async def test_the_ledger_is_its_owner_s_alone_whatever_the_umask(tmp_path: Path, which: str, umask: int) -> None:
    home = tmp_path / "share" / "home"
    before = os.umask(umask)
    try:
        with sqlite(which):
            async with open_ledger(home) as ledger:
                await ledger.begin(RECORD, adopt_within_s=ANY_AGE_S)
                assert {mode(path) for path in home.iterdir()} == {0o600}
    finally:
        os.umask(before)
    assert [mode(path) for path in (home.parent, home)] == [0o700] * 2


async def test_a_ledger_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    path = await opened(tmp_path)
    path.chmod(0o644)
    await opened(tmp_path)
    assert mode(path) == 0o600
