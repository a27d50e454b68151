"""The time that generations took: the newest of each kind, so that there are few however long the ledger is."""

from darkroom.models import Record
from darkroom.store.connection import Connection
from darkroom.store.turns import Took

KEPT = 100
"""So many are remembered of an account's model and number of pictures."""

_KIND = "account = ? AND model = ? AND count = ?"


def add(db: Connection, record: Record, between: tuple[float, float] | None) -> None:
    """Remembers this one, which has just succeeded, and forgets the oldest like it."""
    if record.finished_at is None or record.submitted_at is None:
        return
    kind = record.account, record.request.model, record.request.count
    ended_s = max(record.finished_at - record.submitted_at, 0.0)
    not_yet_s, ready_s = between or (None, None)
    db.execute(
        "INSERT INTO durations (account, model, count, ended_s, not_yet_s, ready_s) VALUES (?, ?, ?, ?, ?, ?)",
        (*kind, ended_s, not_yet_s, ready_s),
    )
    oldest = f"SELECT seq FROM durations WHERE {_KIND} ORDER BY seq DESC LIMIT 1 OFFSET {KEPT}"
    db.execute(f"DELETE FROM durations WHERE {_KIND} AND seq <= ({oldest})", (*kind, *kind))


def newest(db: Connection, account: str, model: str, count: int) -> list[Took]:
    """See `Gate.durations`."""
    sql = f"SELECT ended_s, not_yet_s, ready_s FROM durations WHERE {_KIND} ORDER BY seq DESC LIMIT {KEPT}"
    return [
        Took(ended_s, None if not_yet_s is None or ready_s is None else (not_yet_s, ready_s))
        for ended_s, not_yet_s, ready_s in db.execute(sql, (account, model, count))
    ]
