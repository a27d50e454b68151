"""Rows that were over long ago are removed, and their names stay, so that nothing is made twice; or all of an owner.

Each function runs within a transaction of the ledger.
"""

from collections.abc import Collection, Mapping, Sequence

from darkroom.errors import InvalidRequest
from darkroom.models import Record, Stage
from darkroom.redact.text import clean
from darkroom.store import rows, withdrawal
from darkroom.store.connection import Connection
from darkroom.store.lists import UNFINISHED
from darkroom.store.removals import Pictures, Removable, Removed, say_pictures

SHORT_ID = len("gen_") + 8
"""So much of an id is part of a picture's name on a disk."""


COUNTED_S = 2 * 86_400.0
"""Seconds for which the budget of a day may count what was begun: no day is longer."""


def remove(db: Connection, before: float, most: int, now: float) -> int:
    """Removes up to so many rows that were over before that moment (seconds since 1970); returns how many it removed.

    Within a transaction that no other removal runs beside.
    """
    over = f"finished_at < ? AND NOT ({UNFINISHED})"
    some = f"SELECT id FROM generations WHERE {over} ORDER BY finished_at LIMIT ?"
    # The condition stands twice: a row may have gone on since it was found.
    return _taken(db, f"id IN ({some}) AND {over}", (before, most, before), Pictures.KEPT, now)


def discard(db: Connection, ids: Collection[str], owner: str, pictures: Pictures, now: float) -> int:
    """See `Removals.discard`; within a transaction that no other removal runs beside."""
    over = f"{rows.among(ids)} AND owner = ? AND NOT ({UNFINISHED})"
    return _taken(db, over, (*ids, owner), pictures, now)


def _taken(db: Connection, where: str, values: Sequence[str | float], pictures: Pictures, now: float) -> int:
    """Removes the rows, and keeps of each its names, and what a budget of its day still counts."""
    paid_at = f"CASE WHEN {rows.PERHAPS_PAID} AND created_at > ? THEN created_at END"
    sql = f"DELETE FROM generations WHERE {where} RETURNING {_NAMES}, provider, cost_micros, cost_unit, {paid_at}"
    gone = db.execute(sql, (*values, now - COUNTED_S)).fetchall()
    kept = [(*row[:5], pictures.value, *(row[5:] if row[-1] is not None else _UNPAID)) for row in gone]
    marks = ", ".join("?" * 10)
    db.executemany(
        f"INSERT INTO removed ({_NAMES}, pictures, provider, cost_micros, cost_unit, paid_at) VALUES ({marks})", kept
    )
    return len(gone)


_NAMES = "id, owner, request_key, request_hash, finished_at"
_UNPAID = ("", None, None, None)


def removed(db: Connection, ids: Collection[str], owner: str) -> Mapping[str, Removed]:
    """See `Removals.removed`."""
    sql = f"SELECT id, finished_at, pictures FROM removed WHERE {rows.among(ids)} AND owner = ?"
    found = db.execute(sql, (*ids, owner)).fetchall()
    return {each: Removed(finished_at, Pictures(pictures)) for each, finished_at, pictures in found}


def check_key(db: Connection, record: Record) -> None:
    """Raises InvalidRequest: the row that this record's request key names is removed. To be called where none has it.

    A row is removed and named here in one transaction, so it is found by a caller that looks for the row first.
    """
    sql = "SELECT id, request_hash, pictures FROM removed WHERE owner = ? AND request_key = ?"
    found = db.execute(sql, (record.owner, record.request_key)).fetchone()
    if found is None:
        return
    generation_id, its_hash, pictures = found
    named = f"request_key {clean(record.request_key or '', 60)!r} names"
    if its_hash == rows.request_hash(record.request):
        raise InvalidRequest(
            f"{named} {generation_id}, which was made before; its details were removed since.",
            next_step=f"{say_pictures(Pictures(pictures))} Use a new request_key for a new one; nothing was sent.",
        )
    raise InvalidRequest(
        f"{named} another request, {generation_id}, whose details were removed.",
        next_step="Use a new request_key for a new picture; nothing was sent.",
    )


def stages(db: Connection, owner: str) -> Mapping[Stage, int]:
    """See `Removals.stages`."""
    found = db.execute("SELECT stage, count(*) FROM generations WHERE owner = ? GROUP BY stage", (owner,))
    return {Stage(stage): int(number) for stage, number in found.fetchall()}


def withdraw(db: Connection, owner: str, now: float, most: int) -> int:
    """See `Removals.withdraw`."""
    some = "SELECT id FROM generations WHERE owner = ? AND stage = 'accepted' ORDER BY seq LIMIT ?"
    return db.execute(f"{withdrawal.CANCELLED} AND id IN ({some})", (now, owner, most)).rowcount


def removable(db: Connection, owner: str, most: int) -> list[Removable]:
    """See `Removals.removable`."""
    sql = f"{rows.SELECT} WHERE owner = ? AND NOT ({UNFINISHED}) ORDER BY seq LIMIT ?"
    written = rows.COLUMNS.index("images")
    return [Removable(rows.from_row(row), row[written]) for row in db.execute(sql, (owner, most)).fetchall()]


def shared(db: Connection, ids: Collection[str], owner: str) -> frozenset[str]:
    """See `Removals.shared`."""
    alike = f"{rows.SELECT} WHERE id >= ? AND id < ? AND owner <> ?"
    kept: set[str] = set()
    for beginning in (each[:SHORT_ID] for each in ids):
        for row in db.execute(alike, (beginning, f"{beginning}\U0010ffff", owner)).fetchall():
            kept.update(image.key for image in rows.from_row(row).images if image.key)
    return frozenset(kept)


def erase(db: Connection, removable: Sequence[Removable]) -> int:
    """See `Removals.erase`."""
    sql = f"DELETE FROM generations WHERE id = ? AND owner = ? AND images = ? AND NOT ({UNFINISHED})"
    gone = (db.execute(sql, (record.id, record.owner, written)) for record, written in removable)
    return sum(each.rowcount for each in gone)


def names(db: Connection, owner: str, most: int) -> Mapping[str, float]:
    """See `Removals.names`."""
    sql = "SELECT id, finished_at FROM removed WHERE owner = ? ORDER BY finished_at LIMIT ?"
    return dict(db.execute(sql, (owner, most)).fetchall())


def forget(db: Connection, owner: str, ids: Collection[str]) -> None:
    """See `Removals.forget`."""
    db.execute(f"DELETE FROM removed WHERE {rows.among(ids)} AND owner = ?", (*ids, owner))
    for table in ("tasks", "served"):
        db.execute(f"DELETE FROM {table} WHERE owner = ?", (owner,))
