"""The ledger's rows of tool calls that clients follow as tasks."""

import json
import time
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Any, Protocol

from pydantic import Field

from darkroom.models import Frozen
from darkroom.store.connection import Connection, Database


class TaskStage(StrEnum):
    """The stages of a tool call that is followed as a task, apart from its generations."""

    ASKING = "asking"
    """Nothing is done before its user has replied."""
    GOING = "going"
    """It is as far as its generations are."""
    REFUSED = "refused"
    """It ended with `refusal`, and made nothing."""
    CANCELLED = "cancelled"
    """Its caller no longer wants to know."""


class TaskRecord(Frozen):
    """The ledger's row of a tool call that its client follows as a task. Times are seconds since 1970, UTC."""

    id: str
    owner: str
    tool: str
    arguments: dict[str, Any]
    """As the tool was called with them, and so already checked."""
    stage: TaskStage
    created_at: float = 0.0
    changed_at: float = 0.0
    """Times at which the ledger accepted it and at which it last changed, both by the ledger's clock."""
    age_s: float = 0.0
    """Its age when it was read, in seconds."""
    questions: dict[str, Any] = Field(default_factory=dict[str, Any])
    """The questions for its user, by key, in the protocol's form."""
    generation_ids: tuple[str, ...] = ()
    refusal: str | None = None


_COLUMNS = tuple(name for name in TaskRecord.model_fields if name != "age_s")
_JSON = {"arguments", "questions", "generation_ids"}


class TaskRows(Protocol):
    """Tasks by id. Every method is one transaction, and raises StorageError where the disk refuses it."""

    async def begin(self, record: TaskRecord, *, kept_s: float) -> TaskRecord:
        """Commits a new row, which the ledger's clock dates, and removes those that are older than that."""
        ...

    async def get(self, task_id: str, owner: str, *, kept_s: float) -> TaskRecord | None:
        """The owner's row of that id, if it is not older than that."""
        ...

    async def change(self, record: TaskRecord, *, stages: Collection[TaskStage], **changes: Any) -> TaskRecord | None:
        """Writes these fields if the row is in one of `stages`; returns the new row, or None where it is not."""
        ...


class SqlTasks:
    """See `TaskRows`. `clock`: seconds since 1970."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._db = database.db
        self._clock = clock
        self._run = database.run
        self._transaction = database.transaction

    async def begin(self, record: TaskRecord, *, kept_s: float) -> TaskRecord:
        """See `TaskRows.begin`."""

        def replace_the_expired() -> TaskRecord:
            now = self._clock()
            dated = record.model_copy(update={"created_at": now, "changed_at": now})
            row = _to_row(dated.model_dump(include={*_COLUMNS}))
            self._db.execute("DELETE FROM tasks WHERE created_at < ?", (now - kept_s,))
            self._db.execute(
                f"INSERT INTO tasks ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
            )
            return dated

        return await self._transaction(replace_the_expired)

    async def get(self, task_id: str, owner: str, *, kept_s: float) -> TaskRecord | None:
        """See `TaskRows.get`."""

        def find() -> TaskRecord | None:
            now = self._clock()
            sql = f"SELECT {', '.join(_COLUMNS)} FROM tasks WHERE id = ? AND owner = ? AND created_at >= ?"
            row = self._db.execute(sql, (task_id, owner, now - kept_s)).fetchone()
            return None if row is None else _from_row(row, now)

        return await self._run(find)

    async def change(self, record: TaskRecord, *, stages: Collection[TaskStage], **changes: Any) -> TaskRecord | None:
        """See `TaskRows.change`."""

        def change_it() -> TaskRecord | None:
            now = self._clock()
            row = _to_row({**changes, "changed_at": now})
            sets = ", ".join(f"{name} = ?" for name in row)
            where = f"id = ? AND stage IN ({', '.join('?' * len(stages))})"
            sql = f"UPDATE tasks SET {sets} WHERE {where} RETURNING {', '.join(_COLUMNS)}"
            changed = self._db.execute(sql, (*row.values(), record.id, *stages)).fetchall()
            return _from_row(changed[0], now) if changed else None

        return await self._transaction(change_it)


def agree(db: Connection, task_id: str, generation_id: str, now: float) -> bool:
    """Names, within a transaction, what the user said yes to in this task; False: it asks no more."""
    changed = db.execute(
        "UPDATE tasks SET stage = 'going', generation_ids = ?, changed_at = ? WHERE id = ? AND stage = 'asking'",
        (json.dumps([generation_id]), now, task_id),
    )
    return changed.rowcount == 1


def _to_row(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: json.dumps(value) if name in _JSON else value for name, value in fields.items()}


def _from_row(row: tuple[Any, ...], now: float) -> TaskRecord:
    fields = {name: json.loads(value) if name in _JSON else value for name, value in zip(_COLUMNS, row, strict=True)}
    return TaskRecord(**fields, age_s=max(now - fields["created_at"], 0.0))
