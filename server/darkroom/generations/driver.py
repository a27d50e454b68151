"""Drives each generation from accepted to terminal, whoever waits for it or not."""

import logging
import time
from collections.abc import Callable

from anyio.abc import TaskGroup

from darkroom.errors import (
    DarkroomError,
    Expired,
    NotFound,
    ProviderError,
    RateLimited,
    TimedOut,
)
from darkroom.generations import polling
from darkroom.generations.collect import Collector, outcome, settle, wanted_again, worth_another_try
from darkroom.generations.journal import Journal, RowLost
from darkroom.generations.limits import RequestAllowance
from darkroom.generations.polling import Looks, RetryAllowance
from darkroom.generations.submission import Submitter
from darkroom.models import Charged, ImageStatus, Record, Stage
from darkroom.providers.base import Provider, Reading
from darkroom.providers.registry import Registry

log = logging.getLogger(__name__)

FORGIVING_S = 10.0
"""How long after its submission a job that the provider says it does not know is still believed in."""


class Driver:
    """One per process. Its tasks live in the server's lifespan, never in a request."""

    def __init__(
        self,
        journal: Journal,
        registry: Registry,
        holder: str,
        collector: Collector,
        tasks: TaskGroup,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._registry = registry
        self._collector = collector
        self._tasks = tasks
        self._clock = clock
        self._looks: dict[str, Looks] = {}
        self._requests = {
            name: RequestAllowance(provider.access, journal.ledger, clock=clock)
            for name, provider in registry.providers.items()
        }
        self._retries = {name: RetryAllowance() for name in registry.providers}
        self._submitter = Submitter(journal, registry, holder, self._drive, collector.place, clock=clock)

    def start(self) -> None:
        """Starts the submit queues."""
        self._submitter.start(self._tasks)

    def close(self) -> None:
        """Prepares for the end of the tasks: POSTs under way get a last moment, the rest may stop anywhere."""
        self._submitter.close()

    def accepted(self, record: Record) -> None:
        """A new row waits to be submitted."""
        self._submitter.wake(record.request.provider)

    async def look_again(self, record: Record) -> Record:
        """The row after a fresh look at the provider, if it is one that this process can look at.

        A running job is read at once unless its last look is younger than the provider's shortest interval; a
        finished one with pictures missing has those fetched again.
        """
        provider = self._registry.providers.get(record.request.provider)
        if provider is None:
            return record
        if worth_another_try(record):
            return await self._collect_again(provider, record)
        looks = self._looks.get(record.id)
        if looks is not None:
            await looks.once_more(self._clock(), provider.traits.shortest_interval_s)
        return await self._journal.ledger.get(record.id, record.owner) or record

    def resume(self, record: Record) -> None:
        """Goes on with a row that another process left unfinished."""
        if record.stage is Stage.ACCEPTED:
            self.accepted(record)
        else:
            self._drive(record, resumed=True)

    def _drive(self, record: Record, resumed: bool = False) -> None:
        self._looks[record.id] = Looks()
        self._tasks.start_soon(self._watch, record, resumed)

    async def _watch(self, record: Record, resumed: bool) -> None:
        """The one poller of this generation, however many wait for it."""
        provider = self._registry.providers[record.request.provider]
        looks = self._looks[record.id]
        wait = polling.first_look(provider.traits, resumed=resumed)
        failures = 0
        try:
            while not record.stage.terminal:
                await looks.pause(wait)
                if failures:
                    await self._retries[provider.name].draw()
                error: DarkroomError | None = None
                try:
                    record = await self._look(provider, record)
                except (Expired, TimedOut) as final:
                    record = await self._give_up(record, final)
                except DarkroomError as transient:
                    error = transient
                failures = failures + 1 if error else 0
                wait = polling.next_look(provider.traits, failures, error, resumed=resumed)
                self._journal.struggling(record, f"{error.message}; trying again in {wait:.0f} s." if error else None)
                looks.done(self._clock(), firm=isinstance(error, RateLimited))
        except RowLost:
            log.warning("%s is driven by another process now", record.id)
        except Exception:  # one generation's trouble is not the others'; the next start resumes it
            log.exception("%s: driving it broke", record.id)
            self._journal.struggling(record, "Darkroom itself failed here; its log says how. A restart goes on.")
        finally:
            looks.done(self._clock(), firm=True)
            del self._looks[record.id]
            self._submitter.wake(provider.name)

    async def _give_up(self, record: Record, error: DarkroomError) -> Record:
        lost = {"status": ImageStatus.FAILED, "error": error.failure()}
        images = tuple(
            image.model_copy(update=lost) if image.status is ImageStatus.PROCESSING else image
            for image in record.images
        )
        saved = any(image.status is ImageStatus.SUCCEEDED for image in images)
        return await self._journal.write(
            record,
            stage=Stage.PARTIAL if saved else Stage.FAILED,
            images=images,
            failure=error.failure(),
            finished_at=self._clock(),
        )

    async def _look(self, provider: Provider, record: Record) -> Record:
        overdue = self._clock() > (record.submitted_at or record.created_at) + provider.traits.deadline_s
        try:
            reading = await self._read(provider, record)
        except DarkroomError as error:
            if overdue and not isinstance(error, Expired):
                raise _timed_out(provider, error.message) from error
            raise
        if reading.done:
            return await self._finish(provider, record, reading)
        if overdue:
            raise _timed_out(provider, f"{provider.traits.title} still says that it is working on it")
        queued = reading.queued and record.provider_queued  # a status does not go backwards
        position = reading.queue_position if queued else None
        if (queued, position) != (record.provider_queued, record.queue_position):
            record = await self._journal.write(record, provider_queued=queued, queue_position=position)
        return await self._collector.collect(provider, record, reading, self._retries[provider.name])

    async def _finish(self, provider: Provider, record: Record, reading: Reading) -> Record:
        if record.stage is Stage.RUNNING:
            record = await self._journal.write(
                record, stage=Stage.COLLECTING, provider_queued=False, queue_position=None
            )
            self._submitter.wake(provider.name)
        record = await self._collector.collect(provider, record, reading, self._retries[provider.name])
        return await self._settle(record, reading)

    async def _collect_again(self, provider: Provider, record: Record) -> Record:
        try:
            reading = await self._read(provider, record)
            if not reading.done:
                return record
            retries = self._retries[provider.name]
            again = await self._collector.collect(provider, wanted_again(record), reading, retries)
            return await self._settle(again, reading)
        except RowLost:
            return await self._journal.ledger.get(record.id, record.owner) or record
        except DarkroomError as error:
            log.info("%s: its missing pictures cannot be fetched now: %s", record.id, error.message)
            return record

    async def _settle(self, record: Record, reading: Reading) -> Record:
        images = settle(record, reading)
        stage = outcome(images)
        failure = images[0].error if stage is Stage.FAILED else None
        return await self._journal.write(
            record, stage=stage, images=images, failure=failure, finished_at=record.finished_at or self._clock()
        )

    async def _read(self, provider: Provider, record: Record) -> Reading:
        title = provider.traits.title
        await self._requests[provider.name].draw()
        try:
            reading = await provider.read(record.job_id or "", record.request)
            self._retries[provider.name].succeeded()
            return reading
        except RateLimited as error:
            self._requests[provider.name].close(polling.next_look(provider.traits, 1, error))
            raise
        except NotFound as error:
            if self._clock() - (record.submitted_at or 0.0) < FORGIVING_S:
                raise ProviderError(f"{title} does not know the job yet", next_step=error.next_step) from error
            raise Expired(
                f"{title} no longer has this job ({error.message}).",
                charged=Charged.MAYBE,
                next_step=f"Look in the {title} account's own gallery; check that the key is of the same account.",
            ) from error
        except DarkroomError:
            raise
        except Exception as error:  # whatever an answer broke in our own code, the job goes on
            log.exception("%s: reading it broke", record.id)
            raise ProviderError(f"{title}'s answer could not be used", next_step="Wait.") from error


def _timed_out(provider: Provider, what: str) -> TimedOut:
    minutes = provider.traits.deadline_s / 60
    return TimedOut(
        f"Not done after {minutes:.0f} minutes: {what}.",
        charged=Charged.MAYBE,
        next_step="Call get_status later: Darkroom looks once more, at no cost. The provider's own gallery may "
        "have it too.",
    )
