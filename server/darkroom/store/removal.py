"""Rows that were over long ago are removed; their names stay, so that nothing is generated twice."""

import json
from collections.abc import Collection, Mapping

from darkroom.errors import InvalidRequest
from darkroom.models import Record
from darkroom.redact.text import clean
from darkroom.store import rows
from darkroom.store.connection import Connection
from darkroom.store.lists import UNFINISHED


def remove(db: Connection, before: float, most: int, among: Collection[str] | None = None) -> int:
    """Removes up to so many rows that were over before that moment (seconds since 1970); returns how many it removed.

    Within a transaction that no other removal runs beside. `among`: see `Ledger.remove`.
    """
    over, values = f"finished_at < ? AND NOT ({UNFINISHED})", [before]
    if among is not None:
        over, values = f"id IN (SELECT value FROM json_each(?)) AND {over}", [json.dumps(list(among)), before]
    some = f"SELECT id FROM generations WHERE {over} ORDER BY finished_at LIMIT ?"
    # The condition stands twice: a row may have gone on since it was found.
    sql = f"DELETE FROM generations WHERE id IN ({some}) AND {over} RETURNING {_NAMES}"
    gone = db.execute(sql, (*values, most, *values)).fetchall()
    db.executemany(f"INSERT INTO removed ({_NAMES}) VALUES (?, ?, ?, ?, ?)", gone)
    return len(gone)


_NAMES = "id, owner, request_key, request_hash, finished_at"


def ends(db: Connection, ids: Collection[str], owner: str) -> Mapping[str, float]:
    """Those of these that were this owner's and are removed, each with when it was over."""
    sql = f"SELECT id, finished_at FROM removed WHERE {rows.among(ids)} AND owner = ?"
    return dict(db.execute(sql, (*ids, owner)).fetchall())


def check_key(db: Connection, record: Record) -> None:
    """Raises InvalidRequest: the row that this record's request key names is removed. To be called where none has it.

    A row is removed and named here in one transaction, so it is found by a caller that looks for the row first.
    """
    sql = "SELECT id, request_hash FROM removed WHERE owner = ? AND request_key = ?"
    found = db.execute(sql, (record.owner, record.request_key)).fetchone()
    if found is None:
        return
    generation_id, its_hash = found
    named = f"request_key {clean(record.request_key or '', 60)!r} names"
    if its_hash == rows.request_hash(record.request):
        raise InvalidRequest(
            f"{named} {generation_id}, which was made before; its details were removed since.",
            next_step="Its pictures stay where they were saved. Use a new request_key for a new one; nothing was sent.",
        )
    raise InvalidRequest(
        f"{named} another request, {generation_id}, whose details were removed.",
        next_step="Use a new request_key for a new picture; nothing was sent.",
    )
