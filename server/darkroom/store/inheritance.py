"""Rows and debts of a process that died, or that lives but does not run, and who goes on with them."""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice

from darkroom.models import Failure, Record
from darkroom.store import gate, rows, withdrawal
from darkroom.store.answers import OWES, UNANSWERED
from darkroom.store.connection import Connection
from darkroom.store.lists import UNFINISHED
from darkroom.store.processes import BATCH
from darkroom.store.signs import Life, Signs


def others(db: Connection, holder: str, providers: Collection[str] | None) -> list[str]:
    """See `Ledger.others`."""
    ours = "1 = 1" if providers is None else f"(provider IN ({_marks(providers)}) OR stage = 'submitting')"
    sql = (
        f"SELECT holder FROM generations WHERE holder <> ? AND {UNFINISHED} AND {ours} UNION"
        f" SELECT {OWES} FROM generations WHERE {OWES} <> ? AND {UNANSWERED} AND answered = 'pending'"
    )
    return [name for (name,) in db.execute(sql, (holder, *(providers or ()), holder))]


def take(
    db: Connection,
    signs: Signs,
    others: Collection[str],
    holder: str,
    accounts: Mapping[str, Mapping[str, str]],
    only: Collection[str] | None,
    finds: Collection[str],
    lost: Failure,
    now: float,
    most: int,
) -> list[Record]:
    """Takes over, within a transaction, what those of `others` left that do not run: see `Ledger.adopt`."""
    taken: list[Record] = []
    for other in others:
        life = signs.life(other)
        if life is Life.RUNNING or len(taken) >= most:
            continue
        stages = ["running", "collecting"]
        if life is Life.DEAD:
            _end(db, other, accounts, finds, lost, now)
            stages += ["accepted", "submitting"]
        found = _left(db, other, stages, accounts, only, finds)
        taken += _take(db, other, holder, dict(islice(found, most - len(taken))))
    return taken


def _end(
    db: Connection,
    dead: str,
    accounts: Mapping[str, Mapping[str, str]],
    finds: Collection[str],
    lost: Failure,
    now: float,
) -> None:
    """Ends what nobody can go on with, and what it owed its callers."""
    withdrawal.of_holder(db, dead, now)
    _end_submissions(db, dead, accounts, finds, lost, now)
    db.execute(
        f"UPDATE generations SET answered = 'lost' WHERE {OWES} = ? AND {UNANSWERED} AND answered = 'pending'",
        (dead,),
    )


def _left(
    db: Connection,
    other: str,
    stages: Collection[str],
    accounts: Mapping[str, Mapping[str, str]],
    only: Collection[str] | None,
    finds: Collection[str],
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Those of its rows that this process can go on with, oldest first: the id, its stage and its account here."""
    some = f"holder = ? AND {UNFINISHED} AND stage IN ({_marks(stages)}) AND owner IN ({_marks(accounts)})"
    sql = f"SELECT id, owner, provider, account, stage, seq FROM generations WHERE {some} AND seq > ? ORDER BY seq"
    last, found = 0, [None]
    while found:
        found = db.execute(f"{sql} LIMIT {BATCH}", (other, *stages, *accounts, last)).fetchall()
        for name, owner, provider, known, stage, last in found:  # noqa: B007 - the last one is where the next page begins
            account = accounts[owner].get(provider)
            # A row that waits and has the right account needs no heir: any process that may send it can claim it.
            waits = stage == "accepted" and known == account
            wanted = only is None or (name in only and not waits)
            if account is not None and wanted and (stage != "submitting" or provider in finds):
                yield name, (stage, account)


def _take(db: Connection, other: str, holder: str, found: Mapping[str, tuple[str, str]]) -> list[Record]:
    """Those of these rows that nobody claimed just now, with this holder."""
    taken: dict[str, Record] = {}
    for stage, account in sorted(set(found.values())):
        ids = [name for name, means in found.items() if means == (stage, account)]
        changed = db.execute(
            f"UPDATE generations SET holder = ?, account = ?, trouble = NULL WHERE {rows.among(ids)}"
            f" AND holder = ? AND stage = ? RETURNING {', '.join(rows.COLUMNS)}",
            (holder, account, *ids, other, stage),
        )
        taken |= {row[0]: rows.from_row(row) for row in changed.fetchall()}
    return [taken[name] for name in found if name in taken]


def _end_submissions(
    db: Connection,
    dead: str,
    accounts: Mapping[str, Mapping[str, str]],
    finds: Collection[str],
    lost: Failure,
    now: float,
) -> None:
    """Ends what it was sending, but for what a provider of the same owner can be asked for."""
    under_way = f"holder = ? AND {UNFINISHED} AND stage = 'submitting'"
    for record in rows.select_all(db, under_way, (dead,)):
        provider = record.request.provider
        if provider in finds and provider in accounts.get(record.owner, {}):
            continue
        gate.arrived(db, record.submit_token, now)
        db.execute(
            "UPDATE generations SET stage = 'failed', failure = ?, finished_at = max(created_at, ?)"
            f" WHERE id = ? AND {under_way}",
            (lost.model_dump_json(), now, record.id, dead),
        )


def _marks(values: Collection[str]) -> str:
    return ", ".join("?" * len(values))
