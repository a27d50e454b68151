"""After an end that nobody foresaw a ledger is read through while it is used, and used no more where it is damaged."""

import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from darkroom.app.context import open_app
from darkroom.errors import StorageError
from darkroom.settings import Settings
from darkroom.store.database import FILE_NAME, open_database
from darkroom.store.presence import present
from tests.hosts import PATIENCE_S
from tests.ledgers import ANY_AGE_S, open_ledger, sqlite
from tests.store.test_migrations import RECORD, fingerprint

PARTS = ["generations", "generations_unfinished", "submissions", "requests", "accounts"]
both = pytest.mark.parametrize("which", ["older", "newer"])


async def made(home: Path) -> Path:
    """A ledger with a row."""
    async with open_ledger(home) as ledger:
        await ledger.begin(RECORD, adopt_within_s=ANY_AGE_S)
    return home / FILE_NAME


def damage(path: Path, part: str) -> None:
    """The first page of that table or index is no such page any more."""
    with closing(sqlite3.connect(path)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (part,)).fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    data = bytearray(path.read_bytes())
    data[(page - 1) * size : (page - 1) * size + 8] = b"\xff" * 8
    path.write_bytes(data)


def killed(home: Path) -> None:
    """A process has ended on this ledger without a word."""
    (home / "processes").mkdir(parents=True, exist_ok=True)
    (home / "processes" / "0123456789abcdef.lock").touch()


@both
@pytest.mark.parametrize("part", PARTS)
async def test_a_ledger_with_one_broken_part_is_used_no_more_once_that_is_found(
    tmp_path: Path, which: str, part: str
) -> None:
    with sqlite(which):
        path = await made(tmp_path)
        damage(path, part)
        before = fingerprint(tmp_path)[FILE_NAME]
        async with open_database(tmp_path) as database:
            assert not await database.check()
            for work in (database.run, database.transaction):
                with pytest.raises(StorageError, match=r"is damaged\. It was left as it is"):
                    await work(lambda: database.db.execute("INSERT INTO accounts VALUES ('key', 1.0, 1.0)"))
    assert fingerprint(tmp_path)[FILE_NAME] == before


@both
async def test_a_sound_ledger_is_found_sound_and_used_on(tmp_path: Path, which: str) -> None:
    with sqlite(which):
        await made(tmp_path)
        async with open_database(tmp_path) as database:
            assert await database.check()
            assert await database.run(lambda: database.db.execute("SELECT id FROM generations").fetchall())


@both
async def test_a_check_waits_for_no_writer_and_no_writer_for_it(
    tmp_path: Path, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("darkroom.store.database.BUSY_TIMEOUT_S", 2 * PATIENCE_S)
    with sqlite(which):
        await made(tmp_path)
        async with open_database(tmp_path) as database, open_database(tmp_path) as other:
            other.db.execute("BEGIN EXCLUSIVE")
            with anyio.fail_after(PATIENCE_S):
                assert await database.check()
            other.db.execute("COMMIT")


async def test_a_damaged_part_that_is_met_before_is_told_as_damage(tmp_path: Path) -> None:
    damage(await made(tmp_path), "accounts")
    async with open_database(tmp_path) as database:
        with pytest.raises(StorageError, match="is damaged"):
            await database.run(lambda: database.db.execute("SELECT * FROM accounts").fetchall())


def test_only_an_end_without_a_word_asks_for_a_check_and_only_a_check_settles_it(tmp_path: Path) -> None:
    for _ in range(2):
        with present(tmp_path) as process:
            assert process.checked
    killed(tmp_path)
    for _ in range(2):
        with present(tmp_path) as process:
            process.remove_dead()
            assert not process.checked
    with present(tmp_path) as process:
        process.note_check()
    with present(tmp_path) as process:
        assert process.checked


async def test_a_start_does_not_wait_for_the_check_that_an_end_without_a_word_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, over = anyio.Event(), anyio.Event()

    async def slow(path: Path, *, has_log: bool) -> bool:
        begun.set()
        await over.wait()
        return True

    monkeypatch.setattr("darkroom.store.database.is_sound", slow)
    settings = Settings(home=tmp_path / "home", pictures=tmp_path / "pictures")
    async with open_app(settings):
        await anyio.wait_all_tasks_blocked()
    assert not begun.is_set()
    killed(settings.home)
    with anyio.fail_after(PATIENCE_S):
        async with open_app(settings):
            await begun.wait()
            over.set()
            await anyio.wait_all_tasks_blocked()
    async with open_app(settings):
        begun, over = anyio.Event(), anyio.Event()
        await anyio.wait_all_tasks_blocked()
    assert not begun.is_set()


async def test_a_server_that_finds_the_damage_refuses_from_then_on(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", pictures=tmp_path / "pictures")
    damage(await made(settings.home), "requests")
    killed(settings.home)

    async def used() -> None:
        async with open_app(settings) as app:
            while True:
                await app.desk().get(RECORD.id)
                await anyio.sleep(0.01)

    with anyio.fail_after(PATIENCE_S), pytest.raises(StorageError, match="is damaged"):
        await used()
