"""The ledger's rows of tool calls that clients follow as tasks."""

import json
import sqlite3
from collections.abc import Collection
from enum import StrEnum
from typing import Any

from pydantic import Field

from darkroom.models import Frozen
from darkroom.store.database import Database


class TaskStage(StrEnum):
    """Where a tool call that is followed as a task stands, apart from its generations."""

    ASKING = "asking"
    """Nothing is done before its user has answered."""
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
    created_at: float
    changed_at: float
    questions: dict[str, Any] = Field(default_factory=dict[str, Any])
    """What its user is asked, by key, as the protocol has it."""
    generation_ids: tuple[str, ...] = ()
    refusal: str | None = None


_COLUMNS = tuple(TaskRecord.model_fields)
_JSON = {"arguments", "questions", "generation_ids"}


class TaskRows:
    """Tasks by id. Every method is one transaction, and raises StorageError where the disk refuses it."""

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._run = database.run
        self._transaction = database.transaction

    async def begin(self, record: TaskRecord, *, expired_before: float) -> None:
        """Commits a new row, and removes those that are older than that."""
        row = _to_row(record.model_dump())
        insert = f"INSERT INTO tasks ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"

        def replace_the_expired() -> None:
            self._db.execute("DELETE FROM tasks WHERE created_at < ?", (expired_before,))
            self._db.execute(insert, tuple(row.values()))

        await self._transaction(replace_the_expired)

    async def get(self, task_id: str, owner: str, *, expired_before: float) -> TaskRecord | None:
        """The owner's row of that id, if it is not older than that."""
        sql = f"SELECT {', '.join(_COLUMNS)} FROM tasks WHERE id = ? AND owner = ? AND created_at >= ?"
        row = await self._run(lambda: self._db.execute(sql, (task_id, owner, expired_before)).fetchone())
        return None if row is None else _from_row(row)

    async def change(self, record: TaskRecord, *, stages: Collection[TaskStage], **changes: Any) -> TaskRecord | None:
        """Writes these fields if the row is in one of `stages`; answers the new row, or None where it is not."""
        row = _to_row(changes)
        sets = ", ".join(f"{name} = ?" for name in row)
        where = f"id = ? AND stage IN ({', '.join('?' * len(stages))})"
        values = (*row.values(), record.id, *stages)
        sql = f"UPDATE tasks SET {sets} WHERE {where} RETURNING {', '.join(_COLUMNS)}"
        changed = await self._transaction(lambda: self._db.execute(sql, values).fetchall())
        return _from_row(changed[0]) if changed else None


def agree(db: sqlite3.Connection, task_id: str, generation_id: str, now: float) -> bool:
    """Names, within a transaction, what the user said yes to in this task; False: it asks no more."""
    changed = db.execute(
        "UPDATE tasks SET stage = 'going', generation_ids = ?, changed_at = ? WHERE id = ? AND stage = 'asking'",
        (json.dumps([generation_id]), now, task_id),
    )
    return changed.rowcount == 1


def _to_row(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: json.dumps(value) if name in _JSON else value for name, value in fields.items()}


def _from_row(row: tuple[Any, ...]) -> TaskRecord:
    fields = dict(zip(_COLUMNS, row, strict=True))
    return TaskRecord(**{name: json.loads(value) if name in _JSON else value for name, value in fields.items()})
