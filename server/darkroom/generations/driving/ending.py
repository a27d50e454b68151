"""The last row of a generation that was sent: as its provider's last word leaves it, or given up."""

from contextlib import suppress

from darkroom.errors import Cancelled, DarkroomError, Expired, StorageError
from darkroom.generations.driving.collect import Collected
from darkroom.generations.driving.job import Job
from darkroom.generations.outcome import costing, failure_of, outcome, settle, stopped
from darkroom.generations.telling.journal import Journal
from darkroom.models import ImageStatus, Stage
from darkroom.providers.base import Reading


class Ending:
    """Writes it down, dated by the ledger; one for each process."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def settle(self, job: Job, collected: Collected, reading: Reading) -> None:
        """Ends a job that its provider has finished. Raises RowLost."""
        images = settle(job.record, reading, collected.lacking)
        job.record = await self._journal.write(
            job.record,
            stage=outcome(images),
            images=images,
            failure=failure_of(images),
            between=job.between,
            **costing(job.record, reading.cost),
        )

    async def give_up(self, job: Job, error: DarkroomError) -> None:
        """Ends a job that is not waited for any longer. Raises RowLost."""
        if isinstance(error, Expired):
            error = await self._as_wished(job) or error
        lost = {"status": ImageStatus.FAILED, "error": error.failure()}
        images = tuple(
            image.model_copy(update=lost) if image.status is ImageStatus.PROCESSING else image
            for image in job.record.images
        )
        saved = any(image.status is ImageStatus.SUCCEEDED for image in images)
        ended = Stage.CANCELLED if isinstance(error, Cancelled) else Stage.FAILED
        job.record = await self._journal.write(
            job.record,
            stage=Stage.PARTIAL if saved else ended,
            images=images,
            failure=error.failure(),
            looked_s=job.record.looked_s + job.seen_s,
        )

    async def _as_wished(self, job: Job) -> DarkroomError | None:
        """The error for a job that is gone because its provider was asked to stop it, in whichever process."""
        with suppress(StorageError):
            row = await self._journal.ledger.get(job.record.id, job.record.owner)
            return None if row is None else stopped(row, None)
        return None
