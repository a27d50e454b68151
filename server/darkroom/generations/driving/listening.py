"""Listens to what a service reports of a job unasked, while that is driven. It is shown, and decides nothing."""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial

import anyio
from anyio.abc import TaskGroup

from darkroom.generations.driving.job import Job
from darkroom.generations.telling.journal import Journal
from darkroom.providers.base import Provider
from darkroom.providers.reporting import Reporter, Step
from darkroom.redact.text import clean

log = logging.getLogger(__name__)

PAUSES_S = (2.0, 10.0, 30.0)
"""Seconds before it is listened to again, after the first time, the second, and each one from then on."""
SHOWN_EVERY_S = 1.0
"""Seconds between two reports that watchers are notified of, at least."""
MAX_TEXT = 120


class Listener:
    """One per process. `hurry`: makes the next look at a job come sooner, where its pace allows that."""

    def __init__(self, journal: Journal, hurry: Callable[[Job], object], group: TaskGroup) -> None:
        self._journal = journal
        self._hurry = hurry
        self._group = group

    @contextmanager
    def listening(self, provider: Provider, job: Job) -> Generator[None]:
        """Listens until the block ends, where the provider reports anything."""
        if not isinstance(provider, Reporter):
            yield
            return
        scope = anyio.CancelScope()
        self._group.start_soon(self._listen, provider, job, scope)
        try:
            yield
        finally:
            scope.cancel()
            self._journal.stepping(job.record.id, "")

    async def _listen(self, provider: Reporter, job: Job, scope: anyio.CancelScope) -> None:
        tries = 0
        with scope:
            while True:
                try:
                    await provider.listen(job.record.receipt, job.record.request, partial(self._heard, job))
                except Exception as error:  # looks go on as if it had never been listened to
                    log.info("%s: nothing more is heard of it: %s", job.record.id, clean(repr(error), 200))
                self._journal.stepping(job.record.id, "")  # what was heard last may be long ago
                await anyio.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])
                tries += 1

    def _heard(self, job: Job, step: Step) -> None:
        if step.over or job.record.provider_queued:
            self._look_sooner(job, "its end" if step.over else "its beginning")
        if step.over:
            return
        now = anyio.current_time()
        quietly = now - job.shown_at < SHOWN_EVERY_S
        self._journal.stepping(job.record.id, clean(step.text, MAX_TEXT), quietly=quietly)
        job.shown_at = job.shown_at if quietly else now

    def _look_sooner(self, job: Job, why: str) -> None:
        """Once for each reason: what is heard may be wrong, and must not set the pace of looks."""
        if why not in job.heard_of:
            job.heard_of |= {why}
            job.heard = True
            self._hurry(job)
