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
    accounts: Mapping[str, str],
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
    accounts: Mapping[str, str],
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
        _end_submissions(db, other, finds, lost, now)
        db.execute(
            f"UPDATE generations SET answered = 'lost' WHERE {OWES} = ? AND {UNANSWERED} AND answered = 'pending'",
            (other,),
        )
    taken: list[Record] = []
    for provider, account in accounts.items():
        left = (*stages, "submitting") if dead and provider in finds else stages
        whose = f"holder = ? AND {UNFINISHED} AND stage IN {left} AND provider = ?"
        now_ours = {"holder": holder, "account": account, "trouble": None}
        for record in rows.select_all(db, whose, (other, provider)):
            # A row that waits and has the right account needs no heir: any process that may send it can claim it.
            waits = record.stage is Stage.ACCEPTED and record.account == account
            if only is None or (record.id in only and not waits):
                changed = db.execute(
                    "UPDATE generations SET holder = ?, account = ?, trouble = NULL"
                    " WHERE id = ? AND holder = ? AND stage = ?",
                    (holder, account, record.id, other, record.stage),
                )
                if changed.rowcount:  # else somebody claimed it just now
                    taken.append(record.model_copy(update=now_ours))
    return taken


def _end_submissions(db: Connection, dead: str, finds: Collection[str], lost: Failure, now: float) -> None:
    marks = ", ".join("?" * len(finds))
    under_way = f"holder = ? AND {UNFINISHED} AND stage = 'submitting' AND provider NOT IN ({marks})"
    of_whom = (dead, *finds)
    for (token,) in db.execute(f"SELECT submit_token FROM generations WHERE {under_way}", of_whom).fetchall():
        gate.arrived(db, token, now)
    db.execute(
        f"UPDATE generations SET stage = 'failed', failure = ?, finished_at = max(created_at, ?) WHERE {under_way}",
        (lost.model_dump_json(), now, *of_whom),
    )
