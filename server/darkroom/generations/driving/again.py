"""Fetches what finished generations lack: at most once at a time for each of them, however many ask for it."""

import logging

import anyio
from anyio.abc import TaskGroup

from darkroom.errors import DarkroomError
from darkroom.generations.driving.collect import Collector
from darkroom.generations.driving.pace import longest_wait
from darkroom.generations.driving.reading import Reader
from darkroom.generations.outcome import costing, improved, settle, wanted_again, worth_another_try
from darkroom.generations.telling.journal import Journal, RowLost
from darkroom.models import Image, Record, Stage
from darkroom.money import Cost
from darkroom.providers.base import Provider

log = logging.getLogger(__name__)


class Again:
    """One per process. What it finds is merged into the row, so that other processes may do the same meanwhile."""

    def __init__(
        self,
        journal: Journal,
        collector: Collector,
        reader: Reader,
        group: TaskGroup,
    ) -> None:
        self._journal = journal
        self._collector = collector
        self._reader = reader
        self._group = group
        self._under_way: dict[str, anyio.Event] = {}
        self._not_before: dict[str, float] = {}

    def fetch(self, provider: Provider, record: Record) -> anyio.Event:
        """Fetches its missing pictures, or joins those who do; the event says when that is over."""
        over = self._under_way.get(record.id)
        if over is None:
            over = self._under_way[record.id] = anyio.Event()
            self._group.start_soon(self._run, provider, record, over)
        return over

    def hold(self, record: Record, seconds: float) -> None:
        """Asks for nothing of this generation before then: the host of its pictures said so."""
        self._not_before[record.id] = anyio.current_time() + seconds

    async def _run(self, provider: Provider, record: Record, over: anyio.Event) -> None:
        try:
            if anyio.current_time() >= self._not_before.get(record.id, 0.0):
                self._not_before.pop(record.id, None)
                await self._fetch(provider, record)
        except DarkroomError as error:
            log.info("%s: its missing pictures cannot be fetched now: %s", record.id, error.message)
        except RowLost:
            log.info("%s is being worked on", record.id)
        except Exception:  # one generation's trouble is not the others'
            log.exception("%s: fetching its missing pictures broke", record.id)
        finally:
            del self._under_way[record.id]
            over.set()

    async def _fetch(self, provider: Provider, record: Record) -> None:
        now = await self._journal.ledger.get(record.id, record.owner)
        if now is None or not worth_another_try(now):  # another process was quicker
            return
        reading = await self._reader.read(provider, now)
        if not reading.done:
            return
        collected = await self._collector.collect(provider, wanted_again(now), reading, self._write)
        if wait := longest_wait(collected.lacking.values()):
            self.hold(record, wait)
        images = settle(now.model_copy(update={"images": collected.images}), reading, collected.lacking)
        written = await self._write(now, images, reading.seed, reading.cost)
        if written.stage is Stage.SUCCEEDED:
            await provider.over(written.receipt)

    async def _write(
        self, record: Record, images: tuple[Image, ...], seed: int | None, cost: Cost | None = None
    ) -> Record:
        return await self._journal.revise(record, lambda row: {**improved(row, images, seed), **costing(row, cost)})
