"""One look at a job: its new state, its pictures, and its end."""

from collections.abc import Callable

import anyio

from darkroom.errors import DarkroomError
from darkroom.generations.driving.again import Again
from darkroom.generations.driving.collect import Collector
from darkroom.generations.driving.ending import Ending
from darkroom.generations.driving.job import Job
from darkroom.generations.driving.pace import longest_wait, named_wait
from darkroom.generations.driving.reading import Reader, timed_out
from darkroom.generations.telling.journal import Journal
from darkroom.models import ImageStatus, Record, Stage
from darkroom.providers.base import Provider, Reading

FORGIVING_S = 10.0
"""Seconds, from the first look on, for which a job that the provider says it does not know is still believed in."""
COLLECTING_S = 60.0
"""Seconds for which a picture that a finished job does not give is asked for again, from the first time on."""
LONGEST_NAMED_WAIT_S = 600.0
"""A host that asks us to wait longer is not waited for: the generation ends, and says to look again."""


class Looker:
    """One per process. `free` is called with the row of a job that its provider has finished."""

    def __init__(
        self,
        journal: Journal,
        collector: Collector,
        reader: Reader,
        again: Again,
        ending: Ending,
        free: Callable[[Record], None],
        collecting_s: float,
    ) -> None:
        self._journal = journal
        self._collector = collector
        self._reader = reader
        self._again = again
        self._ending = ending
        self._free = free
        self._collecting_s = collecting_s

    async def look(self, provider: Provider, job: Job) -> DarkroomError | None:
        """Reads the job and brings what there is; returns what keeps a finished one from being whole, if it may pass.

        Raises:
            Expired, TimedOut: it is given up.
            DarkroomError: it could not be looked at.
        """
        young = anyio.current_time() - job.began_at < FORGIVING_S
        try:
            reading = await self._reader.read(provider, job.record, young=young)
        except DarkroomError:
            if job.done is None:
                raise
            reading = job.done  # its pictures may be had, though nothing can be read
        if reading.done or job.done is not None:  # what was finished stays so
            if reading.done:
                job.is_done(reading)
            return await self._finish(provider, job, job.done or reading)
        queued = reading.queued and job.record.provider_queued  # a status does not go backwards
        position = reading.queue_position if queued else None
        if (queued, position) != (job.record.provider_queued, job.record.queue_position):
            job.record = await self._journal.note(job.record, provider_queued=queued, queue_position=position)
        if reading != job.reading or any(image.status is ImageStatus.SUCCEEDED for image in reading.images):
            job.record = (await self._collector.collect(provider, job.record, reading)).record
            job.reading = reading
        self._count(provider, job)
        return None

    def _count(self, provider: Provider, job: Job) -> None:
        """Adds the time since the last look that succeeded, and ends a job that has been seen at work for too long."""
        job.seen_at_work()
        if job.record.looked_s + job.seen_s > provider.traits.deadline_s:
            raise timed_out(provider)

    async def _finish(self, provider: Provider, job: Job, reading: Reading) -> DarkroomError | None:
        if job.record.stage is Stage.RUNNING:
            job.record = await self._journal.write(
                job.record, stage=Stage.COLLECTING, provider_queued=False, queue_position=None
            )
            self._free(job.record)
        collected = await self._collector.collect(provider, job.record, reading)
        job.record = collected.record
        named = longest_wait(collected.lacking.values())
        patient = job.lacking_for_s() < self._collecting_s and (named or 0.0) <= LONGEST_NAMED_WAIT_S
        if reading.error is None and collected.lacking and patient:
            return max(collected.lacking.values(), key=lambda error: named_wait(error) or 0.0)
        if named is not None:
            self._again.hold(job.record, named)
        await self._ending.settle(job, collected, reading)
        if job.record.stage is Stage.SUCCEEDED:
            with anyio.CancelScope(shield=True):  # a command leaves at this very moment
                await provider.over(job.record.receipt)
        return None
