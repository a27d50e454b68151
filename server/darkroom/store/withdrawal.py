"""Taking generations back, inside one transaction of the ledger: at once, or as soon as it turns out that it can be."""

from darkroom.models import Record, Stage
from darkroom.store import rows
from darkroom.store.connection import Connection
from darkroom.store.lists import UNFINISHED

CANCELLED = "UPDATE generations SET stage = 'cancelled', finished_at = max(created_at, ?) WHERE stage = 'accepted'"
"""Cancels those waiting rows of which the rest of the condition is true."""


def cancel(db: Connection, generation_id: str, owner: str, now: float) -> Record | None:
    """See `Ledger.cancel`."""
    whose = (generation_id, owner)
    db.execute(
        "UPDATE generations SET cancel_wished = 1 WHERE id = ? AND owner = ? AND stage IN ('accepted', 'submitting')",
        whose,
    )
    return as_wished(db, rows.select_one(db, "id = ? AND owner = ?", whose), now)


def note_wish(db: Connection, record: Record, *, wished: bool) -> Record | None:
    """See `Ledger.note_wish`."""
    whose = (record.id, record.owner)
    sql = "UPDATE generations SET cancel_wished = ? WHERE id = ? AND owner = ? AND stage = 'running'"
    return rows.select_one(db, "id = ? AND owner = ?", whose) if db.execute(sql, (wished, *whose)).rowcount else None


def unclaim(db: Connection, record: Record, now: float) -> Record | None:
    """See `Ledger.unclaim`."""
    db.execute("DELETE FROM submissions WHERE submit_token = ?", (record.submit_token,))
    return put_back(db, record, now)


def put_back(db: Connection, record: Record, now: float, **since: float | int | None) -> Record | None:
    """Takes a claimed row out of `submitting`: it waits again, or is cancelled where that was wished meanwhile."""
    back = {"stage": Stage.ACCEPTED, "submit_token": None, "submitted_at": None, **since}
    return as_wished(db, rows.update(db, record, back, (Stage.SUBMITTING,)), now)


def as_wished(db: Connection, record: Record | None, now: float) -> Record | None:
    """The row, cancelled if it waits and that is wished."""
    if record is None or record.stage is not Stage.ACCEPTED or not record.cancel_wished:
        return record
    db.execute(f"{CANCELLED} AND id = ?", (now, record.id))
    return rows.select_one(db, "id = ?", (record.id,))


def share(db: Connection, account: str, name: str, since: float) -> None:
    """Writes a cause that keeps one row of an account waiting to them all: it counts once, and ends them together."""
    db.execute(
        f"UPDATE generations SET {name} = ? WHERE account = ? AND stage = 'accepted' AND {name} IS NULL",
        (since, account),
    )


def clear_refusals(db: Connection, account: str) -> None:
    """The provider has taken a submission: what kept the account waiting before is over."""
    db.execute(
        "UPDATE generations SET refused_since = NULL, limited_since = NULL WHERE account = ? AND stage = 'accepted'"
        " AND (refused_since IS NOT NULL OR limited_since IS NOT NULL)",
        (account,),
    )


def of_account(db: Connection, account: str, now: float) -> None:
    """Cancels what waits of this account and is no longer wanted: an older version put it back without a look."""
    db.execute(f"{CANCELLED} AND account = ? AND cancel_wished <> 0", (now, account))


def of_holder(db: Connection, holder: str, now: float) -> None:
    """Cancels what waits of this holder and is no longer wanted."""
    db.execute(f"{CANCELLED} AND {UNFINISHED} AND holder = ? AND cancel_wished <> 0", (now, holder))
