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
from darkroom.generations.driving.queue import SubmitQueue
from darkroom.generations.telling.journal import Journal, RowLost
from darkroom.models import Record, Stage
from darkroom.providers.base import Provider
from darkroom.providers.owners import Owners
from darkroom.tenants import LOCAL

log = logging.getLogger(__name__)

Elsewhere = Callable[[Record], Awaitable[None]]
"""Hands the POST of a claimed row to a process of its own. Raises ProviderUnreachable: nothing was sent."""

UNCLAIMED_WITHIN_S = 0.3
CLOSING_GRACE_S = 1.2
"""Seconds for which a POST that is under way at shutdown may still bring its job id home."""
LOOK_S = 1.0
"""Seconds between looks at what waits: another process may have left something in a queue that is empty here."""


class Submitter:
    """One queue per account of which something waits; `running` is notified of each row that the provider has taken."""

    def __init__(
        self,
        journal: Journal,
        owners: Owners,
        holder: str,
        running: Callable[[Record], None],
        place: Place,
        *,
        only: Collection[str] | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._journal = journal
        self._posting = Posting(journal, owners.local.registry.inputs)
        self._elsewhere = elsewhere
        self._owners = owners
        self._holder = holder
        self._only = only
        self._running = running
        self._place = place
        self._scopes: set[anyio.CancelScope] = set()
        self._group: TaskGroup | None = None
        self._ended = False
        self._queues: dict[str, SubmitQueue] = {}

    def start(self, group: TaskGroup) -> None:
        """Starts the queues: those of the local user's keys at once, a tenant's when something of it waits."""
        self._group = group
        for provider in self._owners.local.registry.providers.values():
            self._queue(provider)
        group.start_soon(self._look_at_what_waits)

    def _queue(self, provider: Provider) -> SubmitQueue | None:
        """The queue of the provider's account; None: this process sends nothing there."""
        account = provider.access.account
        if self._group is None or self._ended or account in self._queues:
            return self._queues.get(account)
        # What waits to be paid for waits on, for a process whose settings can be read.
        with suppress(NotConfigured):
            self._owners.local.registry.may_start(provider)
            queue = self._queues[account] = SubmitQueue(
                provider, self._journal.ledger, self._holder, self._submit, only=self._only,
                owners=lambda: self._owners.shares,
            )  # fmt: skip
            self._group.start_soon(queue.run, self._group)
        return self._queues.get(account)

    async def _look_at_what_waits(self) -> None:
        """Wakes the queues in which another process has left something; while nobody writes, it is idle."""
        seen: object = None
        while True:
            await anyio.sleep(LOOK_S)
            stamp = await self._journal.ledger.stamp(), self._owners.entries
            if stamp == seen:
                continue
            try:
                for account, owner, provider in await self._journal.ledger.waiting():
                    await self._look_at(account, owner, provider)
            except Exception as error:  # the queues themselves report an outage, and look now and then whatever happens
                log.debug("It cannot be seen what waits: %s", error)
                continue
            seen = stamp

    async def _look_at(self, account: str, owner: str, name: str) -> None:
        means = self._owners.found(owner)
        provider = None if means is None else means.registry.providers.get(name)
        if provider is None:
            return
        if provider.access.account == account:
            if (queue := self._queue(provider)) is not None:
                queue.waits()
        elif owner != LOCAL:  # a host may have another key of the local user's; a tenant's are those of its entry
            await self._journal.ledger.recount(owner, name, provider.access.account)

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
        self._ended = True
        for queue in self._queues.values():
            queue.end()

    def wake(self, record: Record) -> None:
        """This row waits to be submitted, or has made a slot free: at its provider, or among those of its owner."""
        if (provider := self._owners.provider(record)) is not None and (queue := self._queue(provider)) is not None:
            queue.wake()
        if record.stage is not Stage.ACCEPTED and self._owners.shares.get(record.owner) is not None:
            for queue in self._queues.values():
                queue.wake()

    def wordless(self, record: Record) -> bool:
        """True where it was claimed by a claim that raised, so that its POST was never sent and never will be."""
        return any(record.submit_token in queue.wordless for queue in self._queues.values())

    async def look_for(self, record: Record) -> None:
        """Goes on with a row whose sender died in the middle of its POST, if its provider has the job; else ends it."""
        try:
            if (provider := self._owners.provider(record)) is None:
                return  # until its owner is here again
            running = await self._posting.look_for(provider, record)
            if running is not None:
                self._running(running)
        except RowLost:
            log.warning("%s was taken over, or had its response, while it was looked for", record.id)
        except Exception:  # the process that adopts it looks for it again
            log.exception("%s: what became of its submission cannot be written down", record.id)
        finally:
            self.wake(record)

    async def _submit(self, record: Record) -> None:
        over = self._ended or anyio.current_effective_deadline() == -math.inf
        # Shielded: a POST whose response nobody writes down is a charge that nobody can explain.
        with anyio.CancelScope(shield=True) as scope:
            self._scopes.add(scope)
            try:
                provider = self._owners.provider(record)
                if over or provider is None or provider.access.account != record.account:
                    await self._journal.unclaim(record)
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
                self.wake(record)

    async def _post(self, provider: Provider, record: Record) -> None:
        log.info("%s is being sent to %s", record.id, provider.name)
        try:
            await self._place.ready(record)
        except StorageError as error:
            await self._no_place(record, error)
            return
        except anyio.get_cancelled_exc_class():  # the end came while a drive hung: nothing was sent
            with anyio.move_on_after(UNCLAIMED_WITHIN_S, shield=True):
                await self._journal.unclaim(record)
            raise
        if self._ended:
            await self._journal.unclaim(record)
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

    async def _no_place(self, record: Record, error: StorageError) -> None:
        back = await self._journal.unclaim(record)
        if back.stage is Stage.ACCEPTED:  # else somebody wished to cancel it meanwhile
            await self._journal.fail(back, error.failure())
