"""The person's own rows of the ledger, oldest first, however many there are."""

import argparse
from collections.abc import AsyncGenerator
from datetime import datetime

from darkroom.app.context import Opened
from darkroom.models import Record

PAGE = 500


async def oldest(app: Opened) -> AsyncGenerator[tuple[Record, ...]]:
    """All of them, some at a time."""
    records, reached = await app.service.ledger.oldest(app.owner(), after=0, limit=PAGE)
    while records:
        yield records
        records, reached = await app.service.ledger.oldest(app.owner(), after=reached, limit=PAGE)


def day(text: str) -> datetime:
    """The midnight here with which this day begins. Raises ArgumentTypeError."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").astimezone()
    except (ValueError, OverflowError, OSError):
        raise argparse.ArgumentTypeError("a day, as in 2026-03-31") from None
