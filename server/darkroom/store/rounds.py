"""Owners take turns in an account's queue: the one served least recently is next, each with its oldest row."""

from darkroom.store.connection import Connection

CROWDED_S = 2.0
"""Seconds between looks at an owner who has as many generations under way as it may, in whichever account."""

NUMBER = (
    "coalesce((SELECT number FROM served WHERE served.account = generations.account"
    " AND served.owner = generations.owner), 0)"
)
"""The number of the last turn of a row's owner in its account's queue, in SQL: the larger the later."""
_WAITING = "account = ? AND stage = 'accepted'"


def waiting(db: Connection, account: str) -> list[str]:
    """The owners of whom something waits, in the order of their turns, however much waits of each."""
    first = f"SELECT min(owner) FROM generations WHERE {_WAITING}"
    found = db.execute(
        f"WITH RECURSIVE names (owner) AS ({first} UNION ALL"
        f" SELECT ({first} AND generations.owner > names.owner) FROM names WHERE names.owner IS NOT NULL)"
        " SELECT names.owner, coalesce(served.number, 0) AS number,"
        f" (SELECT min(seq) FROM generations WHERE {_WAITING} AND generations.owner = names.owner) AS oldest"
        " FROM names LEFT JOIN served ON served.account = ? AND served.owner = names.owner"
        " WHERE names.owner IS NOT NULL ORDER BY number, oldest",
        (account, account, account, account),
    )
    return [owner for owner, _, _ in found.fetchall()]


def serve(db: Connection, generation_id: str) -> None:
    """Notes that the account's queue has come to this row, and so to its owner."""
    number = "(SELECT coalesce(max(number), 0) + 1 FROM served WHERE served.account = generations.account)"
    db.execute(
        f"INSERT INTO served (account, owner, number) SELECT account, owner, {number} FROM generations WHERE id = ?"
        " ON CONFLICT (account, owner) DO UPDATE SET number = excluded.number",
        (generation_id,),
    )


def under_way(db: Connection, owner: str) -> int:
    """The number of the owner's rows that are at providers, or on their way there."""
    (number,) = db.execute(
        "SELECT count(*) FROM generations WHERE owner = ? AND stage IN ('submitting', 'running')", (owner,)
    ).fetchone()
    return int(number)


def stored(db: Connection, owner: str) -> int:
    """Bytes of the owner's saved pictures."""
    sql = "SELECT CAST(coalesce(sum(saved_bytes), 0) AS BIGINT) FROM generations WHERE owner = ? AND saved_bytes > 0"
    (size,) = db.execute(sql, (owner,)).fetchone()
    return int(size)
