"""Drives each generation from accepted to terminal, whether anybody waits for it or not."""

import logging
from collections.abc import Collection, Iterable

import anyio
from anyio.abc import TaskGroup

from darkroom.about import about_row
from darkroom.errors import DarkroomError, Expired, TimedOut
from darkroom.generations.driving import polling
from darkroom.generations.driving.again import Again
from darkroom.generations.driving.collect import Collector
from darkroom.generations.driving.ending import Ending
from darkroom.generations.driving.job import KEPT_EVERY_S, Job
from darkroom.generations.driving.listening import Listener
from darkroom.generations.driving.looking import COLLECTING_S, Looker
from darkroom.generations.driving.pace import named_wait
from darkroom.generations.driving.reading import REFUSED, Reader, refused
from darkroom.generations.driving.submission import Elsewhere, Submitter
from darkroom.generations.driving.sweep import sweep_until_cancelled
from darkroom.generations.driving.timing import Timing
from darkroom.generations.outcome import worth_another_try
from darkroom.generations.telling.journal import Journal, RowLost
from darkroom.generations.telling.telemetry import Step
from darkroom.models import Record, Stage
from darkroom.providers.base import Provider
from darkroom.providers.owners import Owners

log = logging.getLogger(__name__)

REFUSALS = 3
"""After so many definite refusals in a row a job is no longer asked about."""


class Driver:
    """One per process. Its tasks live in the server's lifespan, never in a request.

    `only`: it goes on with no others than these, to which `named` adds; None: with whatever there is.
    """

    def __init__(
        self,
        journal: Journal,
        owners: Owners,
        holder: str,
        collector: Collector,
        group: TaskGroup,
        *,
        only: set[str] | None = None,
        collecting_s: float = COLLECTING_S,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._journal = journal
        self._owners = owners
        self._group = group
        self._only = only
        self._ending = Ending(journal)
        self._holder = holder
        self._broken: set[str] = set()
        self._jobs: dict[str, Job] = {}
        self._timing = Timing(journal)
        self._reader = Reader(self._recovered)
        self._listener = Listener(journal, lambda job: group.start_soon(self._hurry, job), group)
        self._again = Again(journal, collector, self._reader, group)
        self._submitter = Submitter(
            journal, owners, holder, self._drive, collector.place, only=only, elsewhere=elsewhere
        )
        self._looker = Looker(
            journal, collector, self._reader, self._again, self._ending, self._submitter.wake, collecting_s
        )
        # As `close`, but what is being sent is waited for; and whether anything is.
        self.finish, self.sending = self._submitter.finish, self._submitter.sending

    def start(self) -> None:
        """Starts the submit queues, and looks after what a lost word of the ledger has stranded."""
        self._submitter.start(self._group)
        self._group.start_soon(sweep_until_cancelled, self._journal, self._holder, self)

    def close(self) -> None:
        """Prepares for the end of its task group: POSTs under way get a last moment, the rest may stop anywhere."""
        self._submitter.close()

    def named(self, record: Record) -> None:
        """Somebody made this row here, was given it, or waits for it."""
        if self._only is not None:
            self._only.add(record.id)
        if record.stage is Stage.ACCEPTED:
            self._submitter.wake(record)

    async def look_again(self, record: Record) -> Record:
        """The row after a fresh look at the provider, if it is one that this process can look at.

        A running job is read at once unless its last look is younger than the provider's shortest interval; a
        finished one with pictures missing has those fetched again. Neither is waited for longer than a few seconds.
        """
        over = self.fetch_again(record)
        job = self._jobs.get(record.id)
        if over is None and job is None:
            return record
        if over is not None:
            with anyio.move_on_after(polling.PATIENCE_S):
                await over.wait()
        elif job is not None and (provider := self._owners.provider(record)) is not None:
            await job.looks.once_more(provider.traits.shortest_interval_s)
        return await self._journal.ledger.get(record.id, record.owner) or record

    def fetch_again(self, record: Record) -> anyio.Event | None:
        """Fetches what a finished generation lacks, once for all who ask; the event says when that is over.

        None: it lacks nothing that may still come, or nobody here can look.
        """
        provider = self._owners.provider(record)
        if provider is None or not worth_another_try(record):
            return None
        return self._again.fetch(provider, record)

    def awaited(self, ids: Iterable[str]) -> None:
        """Somebody waits for these: each pause becomes as if that had always been so; after a failure it ends."""
        for job in (self._jobs[each] for each in ids if each in self._jobs):
            if job.failures:
                self._ring(job)
            else:
                self._group.start_soon(self._hurry, job)

    def awaited_elsewhere(self, ids: Collection[str]) -> None:
        """Somebody waits for these in whichever process, and for no others."""
        before = {each for each, job in self._jobs.items() if job.awaited_elsewhere}
        for generation_id, job in self._jobs.items():
            job.awaited_elsewhere = generation_id in ids
        self.awaited(set(ids) - before)

    def look_soon(self, record: Record) -> None:
        """Looks at it as soon as the last look allows, if it is driven here."""
        if (job := self._jobs.get(record.id)) is not None:
            self._ring(job)

    async def _hurry(self, job: Job) -> None:
        if (provider := self._owners.provider(job.record)) is not None:
            job.look_by(await self._timing.pause(provider, job))

    def resume(self, record: Record) -> None:
        """Goes on with a row that another process left unfinished."""
        if record.stage is Stage.ACCEPTED:
            self._submitter.wake(record)
        elif record.stage is Stage.SUBMITTING:
            with about_row(record):
                self._group.start_soon(self._submitter.look_for, record)
        else:
            self._drive(record, resumed=True)

    def driven(self) -> set[str]:
        """The ids of the generations that this process follows."""
        return {*self._jobs}

    async def keep_looks(self) -> None:
        """Writes down, of all at once, for how long they were seen at work. Raises StorageError: later, with more."""
        due = {job: job.seen_s for job in self._jobs.values() if job.seen_s >= KEPT_EVERY_S}
        if due:
            await self._journal.ledger.note_looked(self._holder, {job.record.id: seen_s for job, seen_s in due.items()})
            for job, seen_s in due.items():
                job.looks_kept(seen_s)

    def leave(self, generation_id: str) -> None:
        """Follows this one no more: another process does."""
        if (job := self._jobs.get(generation_id)) is not None:
            job.scope.cancel()

    def stranded(self, record: Record) -> bool:
        """True where this process holds it and does nothing for it, because the word of a commit was lost."""
        if self._owners.provider(record) is None:  # its owner is gone, or the key: nobody here goes on with it
            return False
        if record.stage is Stage.SUBMITTING:
            return self._submitter.wordless(record)
        return record.stage is Stage.ACCEPTED or record.id not in self._jobs.keys() | self._broken

    def _recovered(self, provider: Provider) -> None:
        for job in self._jobs.values():
            own = self._owners.provider(job.record) if job.failures else None
            if own is not None and own.access.account == provider.access.account:
                self._ring(job)

    def _ring(self, job: Job) -> None:
        if (provider := self._owners.provider(job.record)) is not None:
            job.looks.ring(provider.traits.shortest_interval_s)

    def _drive(self, record: Record, resumed: bool = False) -> None:
        before = self._jobs.get(record.id)
        if before is not None:  # it was lost to another process, and came back
            before.scope.cancel()
        age_s = self._age(record) if resumed else 0.0
        job = self._jobs[record.id] = Job(record, resumed=resumed, age_s=age_s)
        with about_row(record):
            self._group.start_soon(self._drive_to_its_end, job)

    def _age(self, record: Record) -> float:
        now = self._journal.ledger.now()
        return max(now - (record.submitted_at or now), 0.0)

    async def _drive_to_its_end(self, job: Job) -> None:
        """The one poller of this generation, however many wait for it."""
        generation_id = job.record.id
        try:
            provider = self._owners.provider(job.record)
            if provider is not None:
                following = self._journal.telemetry.step("follow", job.record)
                with job.scope, self._listener.listening(provider, job), following as step:
                    await self._follow(provider, job, step)
        except RowLost:
            log.warning("%s is driven by another process now", generation_id)
        except Exception:  # one generation's trouble is not the others'; the next start resumes it
            log.exception("%s: driving it broke", generation_id)
            self._broken.add(generation_id)
            self._journal.struggling(job.record, "Darkroom itself failed here; its log says how. A restart goes on.")
        finally:
            job.looks.done(firm=True)
            if self._jobs.get(generation_id) is job:
                del self._jobs[generation_id]
            self._submitter.wake(job.record)

    async def _follow(self, provider: Provider, job: Job, step: Step) -> None:
        wait = await self._timing.pause(provider, job)
        while not job.record.stage.terminal:
            await job.looks.pause(wait)
            if (now := self._owners.provider(job.record)) is None:
                log.info("%s is left alone: its owner is no longer here, or has no key for it", job.record.id)
                return
            provider = now
            if job.failures:
                await self._reader.retry(provider)
            job.heard = False
            job.asked += 1
            try:
                error = await self._looker.look(provider, job)
                job.refusals = 0
            except (Expired, TimedOut) as final:
                await self._ending.give_up(job, final)
                break
            except DarkroomError as failed:
                error = failed
                job.refusals = job.refusals + 1 if isinstance(failed, REFUSED) else 0
                if job.refusals == REFUSALS:
                    await self._ending.give_up(job, refused(provider, failed))
                    break
            self._note(job, step, error)
            job.failures = job.failures + 1 if error else 0
            job.looked, job.looked_at_s = True, job.age()
            wait = await self._timing.pause(provider, job, error)
            trouble = f"{error.message.rstrip('.')}; trying again in {wait:.0f} s." if error else None
            self._journal.struggling(job.record, trouble)
            job.looks.done(firm=named_wait(error) is not None)
        step.note(outcome=job.record.stage, looks=job.asked)
        self._journal.telemetry.followed(job.record, job.asked)

    def _note(self, job: Job, step: Step, error: DarkroomError | None) -> None:
        step.event("look", stage=job.record.stage, **({"error": error.code} if error else {}))
        if error is not None:
            self._journal.telemetry.retried(job.record, "look", error)
