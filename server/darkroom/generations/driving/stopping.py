"""Asks a provider to stop a job that it has; what comes of that is told by the job's own status."""

import logging
from collections.abc import Callable
from contextlib import suppress

import anyio

from darkroom.errors import DarkroomError, OutcomeUnknown, ProviderError, StorageError
from darkroom.generations.driving.driver import Driver
from darkroom.generations.telling.changes import Changes
from darkroom.generations.telling.journal import Journal
from darkroom.models import Record, Stage
from darkroom.providers.base import Provider
from darkroom.providers.owners import Owners
from darkroom.providers.stopping import NO_WAY, Reply, Stop, Stopper

log = logging.getLogger(__name__)

SENT_WITHIN_S = 5.0
"""Seconds that it waits for the answer to a submission that is under way at that moment."""
STOPPED_WITHIN_S = 3.0
"""Seconds that it waits for the job's own status, once its provider was asked."""
LOOKED_AT_WITHIN_S = 15.0
"""Seconds for the look before: a job that is done is not stopped but collected."""


class Stopping:
    """One per process. Every call asks at most once, and nothing here asks again by itself."""

    def __init__(self, owners: Owners, journal: Journal, changes: Changes, driver: Driver) -> None:
        self._owners = owners
        self._journal = journal
        self._changes = changes
        self._driver = driver

    async def stop(self, record: Record) -> tuple[Record, Stop]:
        """Asks the provider of a job that it has, or is being sent, and waits a little for the job's own status.

        Returns the row as it is then. Raises StorageError: nothing was asked.
        """
        if record.stage is Stage.SUBMITTING and self._possible(record):
            record = await self._changed(record, lambda row: row.stage is not Stage.SUBMITTING, SENT_WITHIN_S)
        stop = await self._stop(record) if record.stage is Stage.RUNNING else NO_WAY
        if stop.came in {"asked", "late"}:
            self._driver.look_soon(record)
            record = await self._changed(record, lambda row: row.stage.terminal, STOPPED_WITHIN_S)
        return record, stop

    async def _changed(self, record: Record, true: Callable[[Record], bool], within_s: float) -> Record:
        """The row as soon as that is true of it, or as it is after so many seconds."""
        with self._changes.subscribe([record.id]) as subscription, anyio.move_on_after(within_s):
            record = await self._journal.ledger.get(record.id, record.owner) or record
            while not true(record):
                record = (await subscription.take()).get(record.id, record)
        return record

    def _possible(self, record: Record) -> bool:
        """True where its provider may be asked, as far as is known beforehand."""
        provider = self._owners.provider(record)
        return isinstance(provider, Stopper) and provider.traits.cancels

    async def _stop(self, record: Record) -> Stop:
        """Asks the provider of a running job, if that still works on it."""
        provider = self._owners.provider(record)
        if not isinstance(provider, Stopper) or not self._possible(record):
            return NO_WAY if provider is not None else Stop("not asked", "its key is not set here")
        if provider.access.account != record.account:
            return Stop("not asked", "the key that is set here is not the one that it was sent with")
        if (kept := await _kept_from(provider, record)) is not None:
            return kept
        if await self._journal.ledger.note_wish(record, wished=True) is None:
            return Stop("late")
        stop = await _asked(provider, record)
        log.info("%s: %s was asked to stop it: %s", record.id, provider.name, stop.came)
        if stop.came not in {"asked", "unknown"}:
            with suppress(StorageError):  # a wish that is not taken back costs a word
                await self._journal.ledger.note_wish(record, wished=False)
        return stop


async def _kept_from(provider: Provider, record: Record) -> Stop | None:
    """The reason why a look at the job keeps it from being stopped; None: nothing does."""
    try:
        with anyio.fail_after(LOOKED_AT_WITHIN_S):
            reading = await provider.read(record.receipt, record.request)
    except TimeoutError:
        return Stop("not asked", "it did not say in time how far the job is")
    except DarkroomError as error:
        return Stop("not asked", error.message)
    except Exception:  # it may be anybody's code
        log.exception("%s: reading it broke", record.id)
        return Stop("not asked", "its response could not be used")
    return Stop("late") if reading.done else None


async def _asked(provider: Stopper, record: Record) -> Stop:
    try:
        reply = await provider.cancel(record.receipt, record.request)
    except OutcomeUnknown:
        return Stop("unknown", "no reply came")
    except ProviderError as error:
        return Stop("unknown", error.message)
    except DarkroomError as error:
        return Stop("refused", error.message)
    except Exception:  # it may be anybody's code
        log.exception("%s: asking for its end broke", record.id)
        return Stop("unknown", "its reply could not be used")
    return NO_WAY if reply is None else _REPLIES[reply]


_REPLIES = {Reply.ASKED: Stop("asked"), Reply.LATE: Stop("late"), Reply.GONE: Stop("gone")}
