"""DARKROOM_KEEP_DAYS: what was over longer ago than that is removed from the ledger, a little at a time."""

import logging

import anyio

from darkroom.errors import StorageError
from darkroom.store.ledger import Ledger

log = logging.getLogger(__name__)

BATCH = 200
"""Rows that one transaction removes: others wait for it for some milliseconds."""
PAUSE_S = 1.0
INTERVAL_S = 600.0
DAY_S = 86_400.0


async def remove_until_cancelled(ledger: Ledger, days: int) -> None:
    """Removes rows in batches, again and again. Every process of a ledger may do so: they take turns."""
    while True:
        removed = 0
        try:
            removed = await ledger.remove(older_s=days * DAY_S, most=BATCH)
        except StorageError as error:
            log.warning("What is older than DARKROOM_KEEP_DAYS cannot be removed now: %s", error.message)
        except Exception:  # one row's trouble must not end the process
            log.exception("What is older than DARKROOM_KEEP_DAYS cannot be removed")
        if removed:
            log.info("%d generations that were over more than %d days ago were removed", removed, days)
        await anyio.sleep(PAUSE_S if removed == BATCH else INTERVAL_S)
