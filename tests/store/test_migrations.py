"""A ledger file of any age becomes the one of today, or is refused and left as it is."""

import hashlib
import sqlite3
import subprocess
import sys
import threading
from concurrent import futures
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from darkroom.errors import StorageError
from darkroom.models import GenerationRequest, Record, Stage
from darkroom.store.database import FILE_NAME
from darkroom.store.migrations import MIGRATIONS, migrate
from tests.hosts import PATIENCE_S
from tests.ledgers import ANY_AGE_S, open_ledger

NAMES = [name for name, _ in MIGRATIONS]
RECORD = Record(
    id="gen_1",
    owner="local",
    request=GenerationRequest(provider="alpha", prompt="a fox", model="m"),
    account="key",
    stage=Stage.ACCEPTED,
    created_at=1.0,
)
OPENING = """
import sys, anyio
from pathlib import Path
from darkroom.store.database import open_database
from darkroom.store.sql import SqlLedger
from tests.ledgers import ANY_AGE_S, Seen

async def main(home):
    async with open_database(home) as database:
        await SqlLedger(database, Seen()).version()

print("ready", flush=True)
for line in sys.stdin:
    anyio.run(main, Path(line.strip()))
    print("ready", flush=True)
"""


async def opened(home: Path) -> Path:
    """Opens the ledger in this folder as a server does, and closes it again."""
    async with open_ledger(home):
        return home / FILE_NAME


def written_by_version(home: Path, steps: int) -> Path:
    """A ledger as a Darkroom with only that many migrations left it."""
    path = home / FILE_NAME
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("CREATE TABLE migrations (name TEXT PRIMARY KEY, at REAL NOT NULL) STRICT")
        for name, step in MIGRATIONS[:steps]:
            step(db)
            db.execute("INSERT INTO migrations (name, at) VALUES (?, 1.0)", (name,))
    return path


def schema(path: Path) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()


def recorded(path: Path) -> list[tuple[str, float]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT name, at FROM migrations ORDER BY rowid").fetchall()


def make_foreign(path: Path) -> None:
    """As a version of another line left it: it took a step that we do not know, and not one that we do."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE migrations SET name = '9999_from_the_future' WHERE name = ?", (NAMES[-2],))


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file in the folder, byte for byte."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


async def refused(home: Path) -> StorageError:
    with pytest.raises(StorageError) as caught:
        await opened(home)
    return caught.value


@pytest.mark.parametrize("steps", range(len(MIGRATIONS) + 1))
async def test_every_older_ledger_ends_in_the_schema_of_a_blank_one(tmp_path: Path, steps: int) -> None:
    blank = await opened(tmp_path / "blank")
    older = written_by_version(tmp_path, steps)
    await opened(tmp_path)
    assert schema(older) == schema(blank)
    assert [name for name, _ in recorded(older)] == NAMES == [name for name, _ in recorded(blank)]


@pytest.mark.parametrize("steps", range(1, len(MIGRATIONS) + 1))
async def test_steps_already_taken_are_not_taken_again(tmp_path: Path, steps: int) -> None:
    path = written_by_version(tmp_path, steps)
    await opened(tmp_path)
    assert recorded(path)[:steps] == [(name, 1.0) for name in NAMES[:steps]]


async def test_an_empty_file_is_a_blank_ledger(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).touch()
    assert [name for name, _ in recorded(await opened(tmp_path))] == NAMES


async def test_opening_twice_changes_nothing(tmp_path: Path) -> None:
    async with open_ledger(tmp_path) as ledger:
        begun = await ledger.begin(RECORD, adopt_within_s=ANY_AGE_S)
    before = fingerprint(tmp_path)
    async with open_ledger(tmp_path) as ledger:
        assert await ledger.get(RECORD.id, RECORD.owner) == begun
    assert fingerprint(tmp_path) == before


async def test_a_ledger_of_another_line_is_refused_and_left_byte_for_byte(tmp_path: Path) -> None:
    make_foreign(await opened(tmp_path))
    before = fingerprint(tmp_path)
    error = await refused(tmp_path)
    assert "newer Darkroom" in error.message
    assert "left as it is" in error.message
    assert fingerprint(tmp_path) == before


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
async def test_a_ledger_of_another_line_is_left_byte_for_byte_whatever_its_journal(tmp_path: Path, mode: str) -> None:
    """The version of SQLite that wrote it need not be the one that looks at it now."""
    path = await opened(tmp_path)
    make_foreign(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute(f"PRAGMA journal_mode = {mode}").fetchone() == (mode.lower(),)
    before = fingerprint(tmp_path)
    await refused(tmp_path)
    assert fingerprint(tmp_path) == before


async def test_a_step_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    path = written_by_version(tmp_path, 1)
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE accounts (in_the_way TEXT)")  # the last thing that the second step makes
    before = schema(path)
    error = await refused(tmp_path)
    assert "cannot be used" in error.message
    assert schema(path) == before
    assert [name for name, _ in recorded(path)] == NAMES[:1]


# SQLite itself takes a file of less than its 16 magic bytes for a blank one; nothing of a ledger can be in it.
@given(text=st.binary(min_size=16, max_size=4000))
@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_a_file_that_is_no_ledger_is_refused_and_left_byte_for_byte(tmp_path: Path, text: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(text)
    error = await refused(tmp_path)
    assert "left as it is" in error.message
    assert fingerprint(tmp_path) == {FILE_NAME: hashlib.sha256(text).hexdigest()}


@given(page=st.integers(0, 8), kept=st.integers(0, 99), noise=st.binary(min_size=40, max_size=400))
@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_a_damaged_ledger_is_never_written_to(tmp_path: Path, page: int, kept: int, noise: bytes) -> None:
    """Damage inside a value or in free space may go unseen; then nothing is changed either."""
    path = tmp_path / FILE_NAME
    path.unlink(missing_ok=True)
    async with open_ledger(tmp_path) as ledger:
        await ledger.begin(RECORD, adopt_within_s=ANY_AGE_S)
    data = bytearray(path.read_bytes())
    start = page * 4096 + kept
    data[start : start + len(noise)] = noise
    path.write_bytes(data)
    before = fingerprint(tmp_path)
    with suppress(StorageError):
        await opened(tmp_path)
    assert fingerprint(tmp_path) == before


async def test_a_ledger_cut_in_half_is_refused_and_left_byte_for_byte(tmp_path: Path) -> None:
    path = await opened(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    before = fingerprint(tmp_path)
    await refused(tmp_path)
    assert fingerprint(tmp_path) == before


def test_two_processes_that_open_a_blank_ledger_at_once_both_succeed(tmp_path: Path) -> None:
    homes = [tmp_path / str(turn) for turn in range(5)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPENING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for home in homes:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(f"{home}\n")
            process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, errors
    for home in homes:
        assert [name for name, _ in recorded(home / FILE_NAME)] == NAMES


def test_the_steps_are_named_in_order_and_never_twice() -> None:
    assert sorted(set(NAMES)) == NAMES


def test_a_ledger_that_a_peer_is_migrating_is_waited_for(tmp_path: Path) -> None:
    """The peer comes at the worst moment: after the steps that were taken have been read."""
    path = written_by_version(tmp_path, 1)
    peer_is_in = threading.Event()

    def migrate_as_peer() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.set_trace_callback(lambda sql: note(sql, "BEGIN IMMEDIATE", "INSERT"))
            migrate(db, 3.0)

    def note(sql: str, *signs: str) -> None:
        if sql.startswith(signs):
            peer_is_in.set()

    peer = futures.ThreadPoolExecutor(1)
    started: list[futures.Future[None]] = []

    def let_the_peer_in(sql: str) -> None:
        if sql.startswith("SELECT name FROM migrations"):
            started.append(peer.submit(migrate_as_peer))
            assert peer_is_in.wait(PATIENCE_S)

    with peer, closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.set_trace_callback(let_the_peer_in)
        migrate(db, 2.0)
        started[0].result(timeout=PATIENCE_S)
    assert recorded(path) == [(name, 1.0 if name == NAMES[0] else 2.0) for name in NAMES]
