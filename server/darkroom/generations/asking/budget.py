"""DARKROOM_BUDGET: how many generations a day the user wants to pay for, counted in the ledger."""

from collections.abc import Collection, Generator
from contextlib import contextmanager
from datetime import datetime, time, timedelta

from darkroom.errors import InvalidRequest, RateLimited
from darkroom.models import GenerationRequest
from darkroom.store.ledger import Full, Room

NOTHING_NEW = Room(limit=0, since=0.0, until=0.0)
"""For a call that may only be answered with a generation that exists already."""


def room_today(limit: int | None, request: GenerationRequest, now: float, free: Collection[str]) -> Room | None:
    """What the budget leaves of the day, which begins at midnight here; None: any number, or the request is free.

    `free`: the providers that cost nothing.
    """
    if limit is None or request.provider in free:
        return None
    today = datetime.fromtimestamp(now).date()
    since, until = (datetime.combine(day, time.min).timestamp() for day in (today, today + timedelta(days=1)))
    return Room(limit, since, until, tuple(free))


@contextmanager
def refusing() -> Generator[None]:
    """Says in words that there is no room."""
    try:
        yield
    except Full as full:
        raise _used_up(full.room) if full.room.limit else _taken() from full


def _used_up(room: Room) -> RateLimited:
    generations = "1 generation" if room.limit == 1 else f"{room.limit} generations"
    resets = datetime.fromtimestamp(room.until).astimezone().isoformat(timespec="seconds")
    return RateLimited(
        f"The budget of {generations} a day (DARKROOM_BUDGET) is used up; it resets at {resets}.",
        next_step="Nothing was sent. Tell the user, and call again after that; sketch is free and not counted.",
    )


def _taken() -> InvalidRequest:
    return InvalidRequest(
        "The generation that this call would have been answered with went to another call.",
        next_step="Call again for a new one; nothing was sent.",
    )
