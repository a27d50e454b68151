"""DARKROOM_BUDGET: how many generations a day the user wants to pay for, counted in the ledger."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

from darkroom.errors import DarkroomError, InvalidRequest, RateLimited
from darkroom.store.ledger import Full, Room

NOTHING_NEW = Room(limit=0)
"""For a call that may only be given a generation that exists already."""


@contextmanager
def refusing(room: Room | None) -> Generator[None]:
    """Says in words that there is no room."""
    try:
        yield
    except Full as full:
        raise _refusal(room or NOTHING_NEW, full) from full


def _refusal(room: Room, full: Full) -> DarkroomError:
    if not room.limit:
        return InvalidRequest(
            "The generation that this call would have been given went to another call.",
            next_step="Call again for a new one; nothing was sent.",
        )
    generations = "1 generation" if room.limit == 1 else f"{room.limit} generations"
    resets = datetime.fromtimestamp(full.until).astimezone().isoformat(timespec="seconds")
    return RateLimited(
        f"The budget of {generations} a day (DARKROOM_BUDGET) is used up; it resets at {resets}.",
        next_step="Nothing was sent. Tell the user, and call again after that; sketch is free and not counted.",
    )
