"""The row for a call: the one of its name, an identical one whose result was lost, or leave to begin its own."""

from datetime import datetime, time, timedelta

from darkroom.models import Answered, Record
from darkroom.money import Money
from darkroom.store import removal, rounds, rows
from darkroom.store.connection import Connection
from darkroom.store.ledger import Full, Room, StorageFull, Unpriced
from darkroom.store.signs import Life, Signs

UNANSWERED = "answered <> 'delivered'"  # an index's own words, so that it is used
OWES = "coalesce(answering, holder)"


def committed(db: Connection, record: Record) -> Record | None:
    """This very row, where the word of its commit was lost."""
    return rows.select_one(db, "id = ? AND owner = ?", (record.id, record.owner))


def named(db: Connection, record: Record) -> Record | None:
    """The row that has this call's request key. Raises InvalidRequest: it is removed."""
    if not record.request_key:
        return None
    found = rows.select_one(db, "owner = ? AND request_key = ?", (record.owner, record.request_key))
    if found is None:
        removal.check_key(db, record)
    return found


def lost(db: Connection, signs: Signs, record: Record, adopt_since: float) -> Record | None:
    """The oldest row after that for the same request whose caller has no result; within a write transaction.

    Where every result counts as lost at first, another request key asks for another row.
    """
    alike = rows.select_all(
        db,
        f"owner = ? AND request_hash = ? AND {UNANSWERED} AND created_at > ?"
        f" AND {rows.PERHAPS_PAID} AND (request_key IS NULL OR coalesce(?, request_key) = request_key)",
        (record.owner, rows.request_hash(record.request), adopt_since, record.request_key),
    )
    if record.answered is Answered.LOST and record.request_key is not None:
        alike = [row for row in alike if row.request_key == record.request_key]
    return next((row for row in alike if is_lost(signs, row)), None)


def taken(db: Connection, record: Record, adopt_since: float) -> Record | None:
    """The row that this call was given by a commit whose word was lost."""
    return rows.select_one(
        db,
        f"owner = ? AND request_hash = ? AND {UNANSWERED} AND answered = ? AND answering = ? AND turn > 1"
        " AND created_at > ?",
        (record.owner, rows.request_hash(record.request), record.answered, record.answering, adopt_since),
    )


def is_lost(signs: Signs, row: Record) -> bool:
    """True where nobody will be given the row's result; called within a write transaction."""
    if row.answered is Answered.PENDING:
        return signs.life(row.answering or row.holder) is not Life.RUNNING
    return row.answered is Answered.LOST


def check_room(db: Connection, record: Record, room: Room | None, now: float) -> None:
    """Raises Full, Unpriced, StorageFull: the owner may not begin this row now."""
    if room is not None and room.stored is not None and (stored := rounds.stored(db, record.owner)) >= room.stored:
        raise StorageFull(stored)
    if room is not None and room.limit is not None:
        _check_number(db, record.owner, room.limit, room.free, now)
    if room is not None and room.money is not None:
        _check_money(db, record, room.money, room.free, now)


def _check_number(db: Connection, owner: str, limit: int, free: tuple[str, ...], now: float) -> None:
    today, values = _paid_today(owner, free, now)
    (begun,) = db.execute(f"SELECT count(*) FROM ({today} LIMIT ?) counted", (*values, limit)).fetchone()
    if begun >= limit:
        raise Full(day_of(now)[1])


def _check_money(db: Connection, record: Record, most: Money, free: tuple[str, ...], now: float) -> None:
    if record.cost_micros is None or record.cost_unit != most.unit:
        raise Unpriced
    today, values = _paid_today(record.owner, free, now)
    sql = f"SELECT {_SUM} FROM ({today}) counted WHERE cost_unit = ?"
    (spent,) = db.execute(sql, (*values, most.unit)).fetchone()
    if spent + record.cost_micros > most.micros:
        raise Full(day_of(now)[1], Money(spent, most.unit))


def begun_today(db: Connection, owner: str, free: tuple[str, ...], now: float) -> tuple[int, tuple[Money, ...]]:
    """The number of the owner's rows of today that a budget counts, and their costs in each unit."""
    today, values = _paid_today(owner, free, now)
    sql = f"SELECT cost_unit, count(*), {_SUM} FROM ({today}) counted GROUP BY cost_unit"
    found = db.execute(sql, values).fetchall()
    money = tuple(Money(micros, unit) for unit, _, micros in found if unit is not None)
    return sum(number for _, number, _ in found), money


_SUM = "CAST(coalesce(sum(cost_micros), 0) AS BIGINT)"


def _paid_today(owner: str, free: tuple[str, ...], now: float) -> tuple[str, tuple[str | float, ...]]:
    """A query, and its values, for an owner's rows of today that were perhaps paid for at none of these providers.

    Those that were removed today count as well: nobody gets a new budget by deleting pictures.
    """
    marks = ", ".join("?" * len(free))
    each = f"cost_unit, cost_micros FROM {{}} WHERE owner = ? AND {{}} >= ? AND {{}} < ? AND provider NOT IN ({marks})"
    rows_of = each.format("generations", "created_at", "created_at")
    removed = each.format("removed", "paid_at", "paid_at")
    values = (owner, *day_of(now), *free)
    return f"SELECT {rows_of} AND {rows.PERHAPS_PAID} UNION ALL SELECT {removed}", values * 2


def day_of(now: float) -> tuple[float, float]:
    """The local midnights before and after this moment; some days have 23 hours."""
    today = datetime.fromtimestamp(now).date()
    since, until = (datetime.combine(day, time.min).timestamp() for day in (today, today + timedelta(days=1)))
    return since, until
