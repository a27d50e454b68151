"""Sends each generation's one POST, and writes down whatever came of it."""

import logging
import math
import time
from collections.abc import Callable, Collection
from contextlib import suppress

import anyio
from anyio.abc import TaskGroup

from darkroom.errors import (
    DarkroomError,
    NotConfigured,
    OutcomeUnknown,
    ProviderUnreachable,
    RateLimited,
    StorageError,
)
from darkroom.generations.driving.place import Place
from darkroom.generations.driving.queue import SubmitQueue
from darkroom.generations.telling.journal import Journal, RowLost
from darkroom.models import Charged, Record, Stage
from darkroom.providers.base import Provider, Submission
from darkroom.providers.registry import Registry

log = logging.getLogger(__name__)

UNREACHABLE_FOR_S = 600.0
"""How long a provider that cannot be reached is tried before the generation fails, not charged."""
LONGEST_BACKOFF_S = 60.0
LEAST_WAIT_S = 5.0
LONGEST_WAIT_S = 300.0
"""How long a 429 is obeyed at least, whatever time it names: from the first on, doubling up to the second."""
LIMITED_FOR_S = 24 * 3600.0
"""How long a provider that says nothing but 429 is tried before the generation fails, not charged."""
NARROWED_FOR_S = 600.0
"""How long after a 429 the account is submitted to at half its pace: its limits are not what we believed."""
UNCLAIMED_WITHIN_S = 0.3
CLOSING_GRACE_S = 1.2
"""How long a POST that is under way at shutdown may still bring its job id home."""


class Submitter:
    """One queue per account of this process; `running` is told of each row that the provider has taken."""

    def __init__(
        self,
        journal: Journal,
        registry: Registry,
        holder: str,
        running: Callable[[Record], None],
        place: Place,
        *,
        only: Collection[str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._registry = registry
        self._running = running
        self._place = place
        self._clock = clock
        self._posting: set[anyio.CancelScope] = set()
        self._queues = {
            provider.access.account: SubmitQueue(provider, journal.ledger, holder, self._submit, only=only)
            for provider in registry.providers.values()
        }

    def start(self, tasks: TaskGroup) -> None:
        """Starts the queues."""
        for provider in self._registry.providers.values():
            # What waits to be paid for waits on, for a process whose settings can be read.
            with suppress(NotConfigured):
                self._registry.may_start(provider)
                tasks.start_soon(self._queues[provider.access.account].run, tasks)

    def close(self) -> None:
        """Begins no POST from now on, and gives those that are under way a last moment."""
        self._end()
        for scope in self._posting:
            scope.deadline = min(scope.deadline, anyio.current_time() + CLOSING_GRACE_S)

    def sending(self) -> bool:
        """Whether a submission is under way."""
        return bool(self._posting)

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
        """Whether it was claimed by a claim that raised, so that its POST was never sent and never will be."""
        return any(record.submit_token in queue.wordless for queue in self._queues.values())

    async def _submit(self, provider: Provider, record: Record) -> None:
        over = self._queues[provider.access.account].ended or anyio.current_effective_deadline() == -math.inf
        # Shielded: a POST whose answer nobody writes down is a charge that nobody can explain.
        with anyio.CancelScope(shield=True) as scope:
            self._posting.add(scope)
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
                self._posting.discard(scope)
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
        try:
            submitted = await provider.submit(record.request, record.id)
        except ProviderUnreachable as error:
            await self._not_sent(record, error)
        except RateLimited as error:
            await self._told_to_wait(provider, record, error)
        except DarkroomError as error:
            await self._journal.fail(record, error.failure(), self._clock())
        except Exception:
            log.exception("%s: the submission broke", record.id)
            await self._journal.fail(record, lost_in_submission().failure(), self._clock())
        else:
            await self._sent(record, submitted)

    async def _unclaim(self, record: Record) -> None:
        """No POST begins once the end has begun."""
        await self._journal.unclaim(record)

    async def _sent(self, record: Record, submitted: Submission) -> None:
        receipt = submitted.receipt
        try:
            running = await self._journal.write(
                record, stage=Stage.RUNNING, job_id=receipt.job_id, kept=receipt.kept, provider_queued=submitted.queued,
                submitted_at=self._clock(),
            )  # fmt: skip
        except RowLost:
            running = await self._journal.write_late(record, receipt)
        self._running(running)
        self._journal.struggling(record, None)

    async def _no_place(self, record: Record, error: StorageError) -> None:
        back = await self._journal.unclaim(record)
        if back.stage is Stage.ACCEPTED:  # else somebody wished to cancel it meanwhile
            await self._journal.fail(back, error.failure(), self._clock())

    async def _not_sent(self, record: Record, error: ProviderUnreachable) -> None:
        now = self._clock()
        since = min(record.refused_since or now, now)  # a clock set back leaves times in the future
        if now - since > UNREACHABLE_FOR_S:
            await self._journal.fail(record, error.failure(), now)
            return
        wait = min(1.0 + (now - since), LONGEST_BACKOFF_S)
        back = await self._journal.unsend(record, closed_s=wait, narrowed_s=None)
        self._journal.struggling(back, f"{error.message}.")

    async def _told_to_wait(self, provider: Provider, record: Record, error: RateLimited) -> None:
        now = self._clock()
        so_far = now - (record.limited_since or now)
        if so_far > LIMITED_FOR_S:
            await self._journal.fail(record, _never_let_in(provider, error).failure(), now)
            return
        wait = max(min(LEAST_WAIT_S * 2.0 ** min(record.refusals, 10), LONGEST_WAIT_S), error.retry_after or 0.0)
        back = await self._journal.unsend(record, closed_s=wait, narrowed_s=wait + NARROWED_FOR_S)
        self._journal.struggling(back, f"{error.message}.")


def _never_let_in(provider: Provider, error: RateLimited) -> RateLimited:
    return RateLimited(
        f"{error.message}, and has said so for {LIMITED_FOR_S / 3600:.0f} hours. It was never accepted",
        next_step=f"Look at the limits of the {provider.traits.title} account, then generate again.",
    )


def lost_in_submission() -> OutcomeUnknown:
    """What a row that was left in the middle of its submission ends with."""
    return OutcomeUnknown(
        "Darkroom was interrupted while it was sending this. It may have started and been charged.",
        charged=Charged.MAYBE,
        next_step="Look in the provider account's own gallery and credits before generating this again; Darkroom "
        "will not send it a second time.",
    )
