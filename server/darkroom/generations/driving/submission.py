"""Sends each generation's one POST, and writes down whatever came of it."""

import logging
import math
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress

import anyio
from anyio.abc import TaskGroup

from darkroom.errors import (
    NotConfigured,
    ProviderUnreachable,
    StorageError,
)
from darkroom.generations.driving.place import Place
from darkroom.generations.driving.posting import Posting
from darkroom.generations.driving.queue import SubmitQueue, look_at_empty
from darkroom.generations.telling.journal import Journal, RowLost
from darkroom.models import Record, Stage
from darkroom.providers.base import Provider
from darkroom.providers.registry import Registry

log = logging.getLogger(__name__)

Elsewhere = Callable[[Record], Awaitable[None]]
"""Hands the POST of a claimed row to a process of its own. Raises ProviderUnreachable: nothing was sent."""

UNCLAIMED_WITHIN_S = 0.3
CLOSING_GRACE_S = 1.2
"""Seconds for which a POST that is under way at shutdown may still bring its job id home."""


class Submitter:
    """One queue per account of this process; `running` is notified of each row that the provider has taken."""

    def __init__(
        self,
        journal: Journal,
        registry: Registry,
        holder: str,
        running: Callable[[Record], None],
        place: Place,
        *,
        only: Collection[str] | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._journal = journal
        self._posting = Posting(journal, registry.inputs)
        self._elsewhere = elsewhere
        self._registry = registry
        self._running = running
        self._place = place
        self._scopes: set[anyio.CancelScope] = set()
        self._queues = {
            provider.access.account: SubmitQueue(provider, journal.ledger, holder, self._submit, only=only)
            for provider in registry.providers.values()
        }

    def start(self, group: TaskGroup) -> None:
        """Starts the queues."""
        for provider in self._registry.providers.values():
            # What waits to be paid for waits on, for a process whose settings can be read.
            with suppress(NotConfigured):
                self._registry.may_start(provider)
                group.start_soon(self._queues[provider.access.account].run, group)
        group.start_soon(look_at_empty, self._queues, self._journal.ledger)

    def close(self) -> None:
        """Begins no POST from now on, and gives those that are under way a last moment."""
        self._end()
        for scope in self._scopes:
            scope.deadline = min(scope.deadline, anyio.current_time() + CLOSING_GRACE_S)

    def sending(self) -> bool:
        """True where a submission is under way."""
        return bool(self._scopes)

    async def finish(self) -> None:
        """Begins no POST from now on, and returns when those that are under way have ended."""
        self._end()
        for queue in self._queues.values():
            await queue.idle()

    def _end(self) -> None:
        for queue in self._queues.values():
            queue.end()

    def wake(self, provider: str) -> None:
        """A row waits to be submitted to this provider, or a slot has become free."""
        self._queues[self._registry.providers[provider].access.account].wake()

    def wordless(self, record: Record) -> bool:
        """True where it was claimed by a claim that raised, so that its POST was never sent and never will be."""
        return any(record.submit_token in queue.wordless for queue in self._queues.values())

    async def look_for(self, record: Record) -> None:
        """Goes on with a row whose sender died in the middle of its POST, if its provider has the job; else ends it."""
        provider = self._registry.providers[record.request.provider]
        try:
            running = await self._posting.look_for(provider, record)
            if running is not None:
                self._running(running)
        except RowLost:
            log.warning("%s was taken over, or had its response, while it was looked for", record.id)
        except Exception:  # the process that adopts it looks for it again
            log.exception("%s: what became of its submission cannot be written down", record.id)
        finally:
            self.wake(provider.name)

    async def _submit(self, provider: Provider, record: Record) -> None:
        over = self._queues[provider.access.account].ended or anyio.current_effective_deadline() == -math.inf
        # Shielded: a POST whose response nobody writes down is a charge that nobody can explain.
        with anyio.CancelScope(shield=True) as scope:
            self._scopes.add(scope)
            try:
                if over:
                    await self._unclaim(record)
                else:
                    await self._post(provider, record)
            except RowLost:
                log.warning("%s was taken over while it was being submitted", record.id)
            except (
                Exception
            ):  # one generation's trouble is not the others'; the process that adopts it says what is known
                log.exception("%s: what became of its submission cannot be written down", record.id)
            finally:
                self._scopes.discard(scope)
                self.wake(provider.name)

    async def _post(self, provider: Provider, record: Record) -> None:
        log.info("%s is being sent to %s", record.id, provider.name)
        try:
            await self._place.ready(record)
        except StorageError as error:
            await self._no_place(record, error)
            return
        except anyio.get_cancelled_exc_class():  # the end came while a drive hung: nothing was sent
            with anyio.move_on_after(UNCLAIMED_WITHIN_S, shield=True):
                await self._unclaim(record)
            raise
        if self._queues[provider.access.account].ended:
            await self._unclaim(record)
            return
        if provider.traits.lasting and self._elsewhere is not None:
            await self._post_elsewhere(record, self._elsewhere)
            return
        running = await self._posting.post(provider, record)
        if running is not None:
            self._running(running)

    async def _post_elsewhere(self, record: Record, elsewhere: Elsewhere) -> None:
        """Leaves the POST to a process that outlives this one, whose rows are adopted once it has ended."""
        try:
            await elsewhere(record)
        except ProviderUnreachable as error:
            await self._posting.not_sent(record, error)

    async def _unclaim(self, record: Record) -> None:
        """No POST begins once the end has begun."""
        await self._journal.unclaim(record)

    async def _no_place(self, record: Record, error: StorageError) -> None:
        back = await self._journal.unclaim(record)
        if back.stage is Stage.ACCEPTED:  # else somebody wished to cancel it meanwhile
            await self._journal.fail(back, error.failure())
