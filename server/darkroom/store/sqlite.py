"""The ledger on SQLite: one connection, one transaction at a time, on a worker thread."""

import os
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import anyio
from anyio import to_thread
from pydantic import TypeAdapter

from darkroom.errors import StorageError
from darkroom.models import Failure, GenerationRequest, Image, Record, Stage, Status
from darkroom.settings import Limits
from darkroom.store import gate
from darkroom.store.ledger import Later, Page
from darkroom.store.migrations import NewerLedger, migrate

T = TypeVar("T")

FILE_NAME = "ledger.sqlite3"
BUSY_TIMEOUT_MS = 5_000
# SQLite before this one can corrupt a WAL file under concurrent checkpoints (sqlite.org/wal.html, "reset bug").
FIRST_SAFE_WAL = (3, 51, 3)

_IMAGES = TypeAdapter(tuple[Image, ...])
_COLUMNS = (
    "id", "owner", "account", "request", "stage", "holder", "created_at", "not_before", "refused_since",
    "submit_token", "submitted_at", "job_id", "seed", "provider_queued", "queue_position", "images", "failure",
    "finished_at",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM generations"
_UNFINISHED = "'accepted', 'submitting', 'running', 'collecting'"
_BY_STATUS = {
    Status.QUEUED: "(stage IN ('accepted', 'submitting') OR stage = 'running' AND provider_queued)",
    Status.PROCESSING: "(stage = 'collecting' OR stage = 'running' AND NOT provider_queued)",
}


@asynccontextmanager
async def open_ledger(home: Path) -> AsyncGenerator["SqliteLedger"]:
    """The ledger in this folder, made or brought up to date if need be.

    Raises:
        StorageError: the folder or the file cannot be used; it is left as it is.
    """
    thread = anyio.CapacityLimiter(1)
    db = await to_thread.run_sync(_connect, home, limiter=thread)
    try:
        yield SqliteLedger(db, thread)
    finally:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(db.close, limiter=thread)


class SqliteLedger:
    """See `Ledger`."""

    def __init__(self, db: sqlite3.Connection, thread: anyio.CapacityLimiter) -> None:
        self._db = db
        self._thread = thread

    async def insert(self, record: Record) -> None:
        """See `Ledger.insert`."""
        row = _to_row({name: getattr(record, name) for name in _COLUMNS})
        names = ", ".join((*row, "provider"))
        marks = ", ".join("?" * (len(row) + 1))
        values = (*row.values(), record.request.provider)

        def write() -> None:
            self._db.execute(f"INSERT INTO generations ({names}) VALUES ({marks})", values)

        await self._transaction(write)

    async def get(self, generation_id: str, owner: str) -> Record | None:
        """See `Ledger.get`."""
        return await self._read(lambda: self._one(f"{_SELECT} WHERE id = ? AND owner = ?", (generation_id, owner)))

    async def page(
        self, owner: str, *, status: Status | None, provider: str | None, limit: int, before: int | None
    ) -> Page:
        """See `Ledger.page`."""
        where, values = ["owner = ?"], [owner]
        if status is not None:
            where.append(_BY_STATUS.get(status, f"stage = '{status.value}'"))
        if provider is not None:
            where.append("provider = ?")
            values.append(provider)
        if before is not None:
            where.append("seq < ?")
        wanted = (*values, *(() if before is None else (before,)), limit + 1)
        sql = f"{_SELECT.replace('SELECT', 'SELECT seq,')} WHERE {' AND '.join(where)} ORDER BY seq DESC LIMIT ?"
        rows = await self._read(lambda: self._db.execute(sql, wanted).fetchall())
        shown = rows[:limit]
        return Page(
            records=tuple(_from_row(row[1:]) for row in shown),
            next_cursor=str(shown[-1][0]) if len(rows) > limit else None,
        )

    async def claim_next(
        self, account: str, limits: Limits, *, holder: str, token: str, now: float
    ) -> Record | Later | None:
        """See `Ledger.claim_next`."""

        def claim() -> Record | Later | None:
            answer = gate.pass_gate(self._db, account, limits, holder=holder, token=token, now=now)
            return self._one(f"{_SELECT} WHERE id = ?", (answer,)) if isinstance(answer, str) else answer

        return await self._transaction(claim)

    async def unsend(self, record: Record, changes: Mapping[str, Any]) -> Record | None:
        """See `Ledger.unsend`."""

        def take_back() -> Record | None:
            self._db.execute("DELETE FROM submissions WHERE submit_token = ?", (record.submit_token,))
            return self._write(record, changes, (Stage.SUBMITTING,))

        return await self._transaction(take_back)

    async def change(
        self, record: Record, changes: Mapping[str, Any], *, stages: Collection[Stage] | None = None
    ) -> Record | None:
        """See `Ledger.change`."""
        allowed = (record.stage,) if stages is None else tuple(stages)
        return await self._transaction(lambda: self._write(record, changes, allowed))

    async def other_holders(self, holder: str) -> list[str]:
        """See `Ledger.other_holders`."""
        sql = f"SELECT DISTINCT holder FROM generations WHERE holder <> ? AND stage IN ({_UNFINISHED})"
        rows = await self._read(lambda: self._db.execute(sql, (holder,)).fetchall())
        return [name for (name,) in rows]

    async def adopt(
        self, dead: str, holder: str, accounts: Mapping[str, str], *, lost: Failure, now: float
    ) -> list[Record]:
        """See `Ledger.adopt`."""

        def take_over() -> list[Record]:
            self._db.execute(
                "UPDATE generations SET stage = 'failed', failure = ?, finished_at = ?"
                " WHERE holder = ? AND stage = 'submitting'",
                (lost.model_dump_json(), now, dead),
            )
            adopted: list[Record] = []
            for provider, account in accounts.items():
                whose = f"holder = ? AND provider = ? AND stage IN ({_UNFINISHED})"
                rows = self._db.execute(f"{_SELECT} WHERE {whose} ORDER BY seq", (dead, provider)).fetchall()
                self._db.execute(
                    f"UPDATE generations SET holder = ?, account = ? WHERE {whose}",
                    (holder, account, dead, provider),
                )
                now_ours = {"holder": holder, "account": account}
                adopted += [_from_row(row).model_copy(update=now_ours) for row in rows]
            return adopted

        return await self._transaction(take_over)

    def _write(self, record: Record, changes: Mapping[str, Any], stages: Collection[Stage]) -> Record | None:
        row = _to_row(changes)
        sets = ", ".join(f"{name} = ?" for name in row)
        marks = ", ".join("?" * len(stages))
        changed = self._db.execute(
            f"UPDATE generations SET {sets} WHERE id = ? AND holder = ? AND stage IN ({marks})",
            (*row.values(), record.id, record.holder, *stages),
        )
        return self._one(f"{_SELECT} WHERE id = ?", (record.id,)) if changed.rowcount else None

    def _one(self, sql: str, values: tuple[Any, ...]) -> Record | None:
        row = self._db.execute(sql, values).fetchone()
        return None if row is None else _from_row(row)

    async def _transaction(self, work: Callable[[], T]) -> T:
        def run() -> T:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                result = work()
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            return result

        return await self._read(run)

    async def _read(self, work: Callable[[], T]) -> T:
        try:
            return await to_thread.run_sync(work, limiter=self._thread)
        except sqlite3.Error as error:
            raise storage_error(error) from error


def storage_error(error: sqlite3.Error) -> StorageError:
    """SQLite's own words, which hold no data of the rows."""
    return StorageError(
        f"The ledger could not be used ({error}).",
        next_step="Check the disk under DARKROOM_HOME, then call again.",
    )


def _connect(home: Path) -> sqlite3.Connection:
    path = home / FILE_NAME
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o600))
        # One connection used by one thread at a time (the limiter's), not always the same one.
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_MS / 1000)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, f"cannot be opened ({error})") from error
    try:
        wal = sqlite3.sqlite_version_info >= FIRST_SAFE_WAL
        db.execute(f"PRAGMA journal_mode = {'WAL' if wal else 'DELETE'}")
        db.execute("PRAGMA synchronous = FULL")
        if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise _unusable(path, "is damaged")
        migrate(db, time.time())
    except NewerLedger:
        db.close()
        raise _unusable(path, "was written by a newer Darkroom") from None
    except sqlite3.Error as error:
        db.close()
        raise _unusable(path, f"cannot be read ({error})") from error
    except BaseException:
        db.close()
        raise
    return db


def _unusable(path: Path, why: str) -> StorageError:
    return StorageError(
        f"The ledger {path} {why}. It was left as it is.",
        next_step="Move that file away (it names what was paid for), or set DARKROOM_HOME to another folder.",
    )


def _to_row(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Record fields as column values; images, request and failure become JSON."""
    row = dict(fields)
    for name in ("request", "failure"):
        value = row.get(name)
        if value is not None:
            row[name] = value.model_dump_json()
    if "images" in row:
        row["images"] = _IMAGES.dump_json(_IMAGES.validate_python(row["images"])).decode()
    return row


def _from_row(row: tuple[Any, ...]) -> Record:
    fields = dict(zip(_COLUMNS, row, strict=True))
    fields["request"] = GenerationRequest.model_validate_json(fields["request"])
    fields["images"] = _IMAGES.validate_json(fields["images"])
    if fields["failure"] is not None:
        fields["failure"] = Failure.model_validate_json(fields["failure"])
    return Record(**fields)
