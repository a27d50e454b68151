"""Budgets: how much a day is to be paid for, in generations or money, and how much stored, counted in the ledger."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

from darkroom.errors import DarkroomError, InvalidRequest, RateLimited, StorageError
from darkroom.models import Record
from darkroom.money import Cost, Money
from darkroom.redact.text import clean
from darkroom.store.ledger import Full, Room, StorageFull, Unpriced

NOTHING_NEW = Room(limit=0)
"""For a call that may only be given a generation that exists already."""


@contextmanager
def refusing(room: Room | None, record: Record) -> Generator[None]:
    """Says in words that there is no room for this row."""
    try:
        yield
    except Full as full:
        raise _refusal(room or NOTHING_NEW, full, record.cost) from full
    except Unpriced as unpriced:
        raise _unpriced(record, room or NOTHING_NEW) from unpriced
    except StorageFull as full:
        raise StorageError(
            f"The saved pictures have {_megabytes(full.stored)} together; {_megabytes((room or NOTHING_NEW).stored)}"
            " are allowed (stored_mb, set for this tenant).",
            next_step="Nothing was sent. Tell the user: the operator of this server can allow more.",
        ) from full


def _refusal(room: Room, full: Full, cost: Cost | None) -> DarkroomError:
    if room.limit == 0:
        return InvalidRequest(
            "The generation that this call would have been given went to another call.",
            next_step="Call again for a new one; nothing was sent.",
        )
    if cost is not None and room.money is not None and cost.money.micros > room.money.micros:
        return InvalidRequest(
            f"This costs {cost}, more than the whole budget of {room.money} a day ({room.rule}).",
            next_step="Nothing was sent. Ask for fewer pictures or a cheaper model, or tell the user; sketch is free.",
        )
    resets = datetime.fromtimestamp(full.until).astimezone().isoformat(timespec="seconds")
    return RateLimited(
        f"{_used_up(room, full.spent, cost)}; it resets at {resets}.",
        next_step="Nothing was sent. Tell the user, and call again after that; sketch is free and not counted.",
    )


def _used_up(room: Room, spent: Money | None, cost: Cost | None) -> str:
    if spent is not None:
        return f"This costs {cost}, and of the budget of {room.money} a day ({room.rule}) {spent} is spent or reserved"
    generations = "1 generation" if room.limit == 1 else f"{room.limit} generations"
    return f"The budget of {generations} a day ({room.rule}) is used up"


def _megabytes(size: int | None) -> str:
    return f"{(size or 0) / 10**6:,.1f} MB"


def _unpriced(record: Record, room: Room) -> DarkroomError:
    unit, request = room.money.unit if room.money else "money", record.request
    model = f" (model {clean(request.model, 60)})" if request.model else ""
    return InvalidRequest(
        f"{request.provider}{model} has no price in {unit} for this, so it cannot be counted against the budget of "
        f"{room.money} a day ({room.rule}).",
        next_step=f"Nothing was sent. Choose what list_models names a price in {unit} for, or tell the user; sketch "
        "is free.",
    )
