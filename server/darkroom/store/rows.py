"""Ledger rows as records and back."""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from darkroom.models import IN_LEDGER, Failure, GenerationRequest, Image, Record, Stage
from darkroom.store.connection import Connection

COLUMNS = (
    "id", "owner", "account", "request", "request_key", "answered", "stage", "holder", "created_at", "refused_since",
    "submit_token", "submitted_at", "job_id", "seed", "provider_queued", "queue_position", "images", "failure",
    "finished_at", "cancel_wished", "trouble", "limited_since", "refusals", "looked_s", "answering", "turn", "kept",
    "cost_micros", "cost_unit", "cost_estimated", "traceparent", "favourites",
)  # fmt: skip
SELECT = f"SELECT {', '.join(COLUMNS)} FROM generations"

# Anything else was certainly not paid for: an identical call is not given it, and it is not counted.
PERHAPS_PAID = "(stage <> 'cancelled' OR failure IS NOT NULL) AND coalesce(failure ->> 'charged', '') <> 'no'"
_NOT_BEFORE = {"finished_at": "max(created_at, ?)"}
"""A clock that was set back ends nothing before it began."""
_IMAGES = TypeAdapter(tuple[Image, ...], config=ConfigDict(defer_build=True))


def insert(db: Connection, record: Record, ledger_file: str) -> None:
    """Adds the record as a new row of that file."""
    row = to_row({name: getattr(record, name) for name in COLUMNS})
    row |= {"provider": record.request.provider, "request_hash": request_hash(record.request)}
    row |= {"ledger_file": ledger_file, "driven_at": record.created_at}
    marks = ", ".join("?" * len(row))
    db.execute(f"INSERT INTO generations ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))


def select_one(db: Connection, where: str, values: tuple[Any, ...]) -> Record | None:
    """The first row of which that is true."""
    row = db.execute(f"{SELECT} WHERE {where}", values).fetchone()
    return None if row is None else from_row(row)


def select_all(db: Connection, where: str, values: tuple[Any, ...]) -> list[Record]:
    """Every row of which that is true, oldest first."""
    return [from_row(row) for row in db.execute(f"{SELECT} WHERE {where} ORDER BY seq", values)]


def among(ids: Collection[str]) -> str:
    """The condition that a row is one of these, for as many values."""
    return f"id IN ({', '.join('?' * len(ids))})"


def update(db: Connection, record: Record, changes: Mapping[str, Any], stages: Collection[Stage]) -> Record | None:
    """Writes these fields where the row is still this record's: see `Ledger.change`."""
    row = to_row(changes)
    sets = ", ".join(f"{name} = {_NOT_BEFORE.get(name, '?')}" for name in row)
    where, values = f"id = ? AND holder = ? AND stage IN ({', '.join('?' * len(stages))})", [record.id, record.holder]
    if record.stage is Stage.SUBMITTING:
        where, values = f"submit_token = ? AND {where}", [record.submit_token, *values]
    sql = f"UPDATE generations SET {sets} WHERE {where} RETURNING {', '.join(COLUMNS)}"
    changed = db.execute(sql, (*row.values(), *values, *stages)).fetchall()
    return from_row(changed[0]) if changed else None


def hold(db: Connection, generation_id: str) -> None:
    """Lets nobody else change this row before the transaction ends."""
    db.execute("UPDATE generations SET id = id WHERE id = ?", (generation_id,))


def dates(record: Record, changes: Mapping[str, Any], now: float) -> dict[str, float]:
    """The times that a change of its stage adds to the row."""
    stage: Stage = changes.get("stage", record.stage)
    if stage.terminal and not record.stage.terminal:
        return {"finished_at": now}
    return {"submitted_at": now} if (record.stage, stage) == (Stage.SUBMITTING, Stage.RUNNING) else {}


def request_hash(request: GenerationRequest) -> str:
    """Names what was asked for: two identical requests have the same."""
    by_content = {"images": {"__all__": {"source"}}}
    return hashlib.sha256(request.model_dump_json(exclude=by_content).encode()).hexdigest()


def to_row(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Record fields as column values; images, request and failure become JSON."""
    row = dict(fields)
    for name in ("request", "failure"):
        if row.get(name) is not None:
            row[name] = row[name].model_dump_json()
    if "kept" in row:
        row["kept"] = json.dumps(row["kept"])
    if "images" in row:
        row["saved_bytes"] = sum(image.bytes or 0 for image in row["images"] if image.key is not None)
        row["images"] = _IMAGES.dump_json(row["images"], context=IN_LEDGER).decode()
    return row


def from_row(row: tuple[Any, ...]) -> Record:
    """A row selected by SELECT as a record."""
    fields = dict(zip(COLUMNS, row, strict=True))
    fields["request"] = GenerationRequest.model_validate_json(fields["request"])
    fields["kept"] = json.loads(fields["kept"])
    fields["images"] = tuple(_with_key(image) for image in _IMAGES.validate_json(fields["images"]))
    if fields["failure"] is not None:
        fields["failure"] = Failure.model_validate_json(fields["failure"])
    record = Record(**fields)
    # Without the names of all fields as those that were set, which take as much memory as the fields themselves.
    return Record.model_construct(_fields_set=set(), **{name: getattr(record, name) for name in COLUMNS})


def _with_key(image: Image) -> Image:
    return image if image.path is None else image.model_copy(update={"key": image.path, "path": None})
