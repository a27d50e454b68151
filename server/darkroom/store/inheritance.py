"""Rows and debts of a process that died, or that lives but does not run, and who goes on with them."""

from collections.abc import Collection, Mapping

from darkroom.models import Failure, Record, Stage
from darkroom.store import gate, rows, withdrawal
from darkroom.store.answers import OWES, UNANSWERED
from darkroom.store.connection import Connection
from darkroom.store.lists import UNFINISHED
from darkroom.store.presence import Life, Signs


def others(db: Connection, holder: str, providers: Collection[str] | None) -> list[str]:
    """See `Ledger.others`."""
    marks = ", ".join("?" * len(providers or ()))
    ours = "1 = 1" if providers is None else f"(provider IN ({marks}) OR stage = 'submitting')"
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
) -> list[Record]:
    """Takes over, within a transaction, what those of `others` left that do not run: see `Ledger.adopt`."""
    taken: list[Record] = []
    for other in others:
        life = signs.life(other)
        if life is not Life.RUNNING:
            taken += _take(db, other, holder, accounts, only, finds, lost, now, dead=life is Life.DEAD)
    return taken


def _take(
    db: Connection,
    other: str,
    holder: str,
    accounts: Mapping[str, Mapping[str, str]],
    only: Collection[str] | None,
    finds: Collection[str],
    lost: Failure,
    now: float,
    *,
    dead: bool,
) -> list[Record]:
    stages = ("running", "collecting")
    if dead:
        stages = ("accepted", *stages)
        withdrawal.of_holder(db, other, now)
        _end_submissions(db, other, accounts, finds, lost, now)
        db.execute(
            f"UPDATE generations SET answered = 'lost' WHERE {OWES} = ? AND {UNANSWERED} AND answered = 'pending'",
            (other,),
        )
    taken: list[Record] = []
    for record in rows.select_all(db, f"holder = ? AND {UNFINISHED}", (other,)):
        account = accounts.get(record.owner, {}).get(record.request.provider)
        looked_for = dead and record.stage is Stage.SUBMITTING and record.request.provider in finds
        if account is not None and (record.stage in stages or looked_for):
            # A row that waits and has the right account needs no heir: any process that may send it can claim it.
            waits = record.stage is Stage.ACCEPTED and record.account == account
            if only is None or (record.id in only and not waits):
                changed = db.execute(
                    "UPDATE generations SET holder = ?, account = ?, trouble = NULL"
                    " WHERE id = ? AND holder = ? AND stage = ?",
                    (holder, account, record.id, other, record.stage),
                )
                if changed.rowcount:  # else somebody claimed it just now
                    ours = {"holder": holder, "account": account, "trouble": None}
                    taken.append(record.model_copy(update=ours))
    return taken


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
