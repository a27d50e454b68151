"""Looks after rows that this process holds and nobody drives: a commit may have succeeded, and its reply been lost."""

import logging
from collections.abc import Collection
from typing import Protocol

import anyio

from darkroom.errors import StorageError
from darkroom.generations.telling.journal import Journal
from darkroom.models import Record, Stage

log = logging.getLogger(__name__)

SWEEP_S = 2.0


class _Drives(Protocol):
    """The part of this process that drives its rows."""

    def stranded(self, record: Record) -> bool:
        """True where it does nothing for this row, which it holds."""
        ...

    def resume(self, record: Record) -> None:
        """Goes on with it."""
        ...

    def driven(self) -> set[str]:
        """The ids of the rows that it follows."""
        ...

    async def keep_looks(self) -> None:
        """Writes down for how long they were seen at work. Raises StorageError."""
        ...

    def leave(self, generation_id: str) -> None:
        """Follows this one no more."""
        ...

    def awaited_elsewhere(self, ids: Collection[str]) -> None:
        """Somebody waits for these in whichever process, and for no others."""
        ...


async def sweep_until_cancelled(journal: Journal, holder: str, driver: _Drives) -> None:
    """Sweeps every few seconds, and writes down for other processes what this one's generations struggle with."""
    held, seen = True, object()
    while True:
        await anyio.sleep(SWEEP_S)
        try:
            stamp = await journal.ledger.stamp()
            if held or stamp != seen:
                held = await sweep(journal, holder, driver)
                seen = stamp
            await driver.keep_looks()
            await journal.share_trouble(holder)
        except StorageError as error:
            log.error("Rows of this process cannot be looked after: %s", error.message)
        except Exception:  # one row's trouble must not end the process
            log.exception("Rows of this process cannot be looked after")


async def sweep(journal: Journal, holder: str, driver: _Drives) -> bool:
    """Goes on with every stranded row, and leaves each that another process holds by now: this one was stopped.

    A row that is stranded in its claim was never sent: it waits again.

    False: this process holds none, and so there is nothing to do until somebody writes.

    Raises:
        StorageError: the ledger cannot be used; the next sweep does the rest.
    """
    driven = driver.driven()
    held, loose = await journal.ledger.held(holder, driven)
    if strange := driven - held:
        await _leave(journal, holder, driver, strange)
    if held:
        driver.awaited_elsewhere(await journal.ledger.awaited(holder))
    for record in loose:
        if not driver.stranded(record):
            continue
        if record.stage is Stage.ACCEPTED:
            driver.resume(record)  # that wakes its queue, and no more, whatever has become of this row
            continue
        # Its drive may have ended since these rows were read; what it wrote last is there by now.
        now = await journal.ledger.get(record.id, record.owner)
        if now is None or (now.stage, now.holder) != (record.stage, holder) or not driver.stranded(record):
            continue
        if record.stage is not Stage.SUBMITTING:
            driver.resume(record)
        elif (back := await journal.ledger.unclaim(record)) is not None:
            driver.resume(journal.published(back))
    return bool(held)


async def _leave(journal: Journal, holder: str, driver: _Drives, strange: Collection[str]) -> None:
    for record in await journal.ledger.newest([*strange]):
        if record.holder != holder:
            log.warning("%s is driven by another process now", record.id)
            driver.leave(record.id)
