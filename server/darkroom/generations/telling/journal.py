"""Writes the next row of a generation that this process drives, until the disk takes it, and notifies its watchers."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import anyio

from darkroom.about import about_row
from darkroom.errors import StorageError, Unstorable, Unwritten
from darkroom.generations.telling.changes import Changes
from darkroom.generations.telling.telemetry import Telemetry
from darkroom.models import Charged, Failure, ImageStatus, Receipt, Record, Stage
from darkroom.store.ledger import Ledger

log = logging.getLogger(__name__)

RETRY_S = 1.0


class RowLost(Exception):
    """The row is no longer ours, or no longer where we left it: another process goes on with it, we stop."""


class Journal:
    """The ledger's writing end, for one process: a disk that refuses is asked again until it takes it."""

    def __init__(self, ledger: Ledger, changes: Changes, telemetry: Telemetry | None = None) -> None:
        self.ledger = ledger
        self.telemetry = telemetry or Telemetry()
        self._changes = changes
        self.trouble: dict[str, str] = {}
        """The present troubles of this process's generations, by id."""
        self.steps: dict[str, str] = {}
        """The places in their work that services report of this process's generations, by id."""
        self._shared: dict[str, str] = {}
        self._owed: dict[str, dict[str, Any]] = {}
        self._logged: dict[str, str] = {}

    async def write(
        self,
        record: Record,
        *,
        stages: Collection[Stage] | None = None,
        between: tuple[float, float] | None = None,
        **changes: Any,
    ) -> Record:
        """Writes these fields and publishes the new row, dated now. `between`: see `Ledger.change`.

        A value that the ledger cannot hold ends the generation: asking again would never help.

        Raises:
            RowLost: the row has another holder, is not in one of `stages` (default: the record's own), or has just
                been ended.
        """
        changes, since = self._owed.pop(record.id, {}) | changes, anyio.current_time()
        try:
            written = await self._insist(
                record,
                lambda: self.ledger.change(record, changes, stages=stages, between=between, ago_s=_since(since)),
                lambda row: all(getattr(row, name) == value for name, value in changes.items()),
            )
        except Unstorable as error:
            await self._end(record, error)
            raise RowLost from error
        return self.published(written)

    async def note(self, record: Record, **changes: Any) -> Record:
        """The same for what may wait: a ledger out of reach is given it with the next `write`. Raises RowLost."""
        changes = self._owed.get(record.id, {}) | changes
        try:
            written = await self.ledger.change(record, changes)
        except Unstorable as error:
            log.error("%s: %s It is left out.", record.id, error.message)
            return record
        except StorageError as error:
            log.error("%s: %s It is kept in memory.", record.id, error.message)
            self._owed[record.id] = changes
            written = record.model_copy(update=changes)
        else:
            self._owed.pop(record.id, None)
        return self.published(written)

    async def fail(self, record: Record, failure: Failure) -> Record:
        """Ends the generation as failed. Raises RowLost."""
        return await self.write(record, stage=Stage.FAILED, failure=failure)

    async def unsend(self, record: Record, **back: Any) -> Record:
        """Puts a claimed generation back into its queue; arguments as `Ledger.unsend`. Raises RowLost."""
        return await self._put_back(record, lambda: self.ledger.unsend(record, **back))

    async def unclaim(self, record: Record) -> Record:
        """Puts a claimed generation of which nothing was sent back into its queue. Raises RowLost."""
        return await self._put_back(record, lambda: self.ledger.unclaim(record))

    async def _put_back(self, record: Record, write: Callable[[], Awaitable[Record | None]]) -> Record:
        return self.published(await self._insist(record, write, lambda row: row.submit_token != record.submit_token))

    async def revise(self, record: Record, revise: Callable[[Record], Mapping[str, Any]]) -> Record:
        """Changes a generation that is over, see `Ledger.revise`. Raises RowLost: it is not."""
        revised = await self._insist(record, lambda: self.ledger.revise(record, revise))
        return self.published(revised, again=True)

    async def write_late(self, record: Record, receipt: Receipt) -> Record:
        """Saves the id of a job whose row was lost while it was being submitted, see `Ledger.record_late`.

        Raises:
            RowLost: it has an id already, or this one cannot be kept.
        """
        try:
            return self.published(
                await self._insist(
                    record,
                    lambda: self.ledger.record_late(record, receipt),
                    lambda row: row.job_id == receipt.job_id,
                )
            )
        except Unstorable as error:
            log.error("%s: %s", record.id, error.message)
            raise RowLost from error

    def published(self, changed: Record | None, *, again: bool = False) -> Record:
        """Publishes a row that was just written. `again`: it was over before.

        Raises:
            RowLost: nothing was written.
        """
        if changed is None:
            raise RowLost
        self._log(changed)
        if changed.stage.terminal:
            self.trouble.pop(changed.id, None)
            self.steps.pop(changed.id, None)
            if not again:
                self.telemetry.ended(changed)
        self._changes.publish(changed)
        return changed

    def watched(self, record: Record) -> bool:
        """True where somebody waits for it, or looks on."""
        return self._changes.watched_now(record.id)

    def struggling(self, record: Record, trouble: str | None) -> None:
        """Notes, and reports to its watchers, what is going wrong at the moment; None: nothing any more."""
        if trouble is None:
            self.trouble.pop(record.id, None)
        elif self.trouble.get(record.id) != trouble:
            self.trouble[record.id] = trouble
            self._changes.publish(record)

    def stepping(self, generation_id: str, text: str, *, quietly: bool = False) -> None:
        """Notes where it is in its work; empty: nobody knows any more. `quietly`: watchers see it as they next look."""
        before = self.steps.pop(generation_id, "")
        if text:
            self.steps[generation_id] = text
        if text != before and not quietly:
            self._changes.nudge(generation_id)

    def _log(self, record: Record) -> None:
        saved = sum(image.status is ImageStatus.SUCCEEDED for image in record.images)
        state = f"{record.stage}, {saved} of {max(record.request.count, len(record.images))} pictures saved"
        if self._logged.get(record.id) != state:
            self._logged[record.id] = state
            with about_row(record):
                log.info("%s at %s is %s", record.id, record.request.provider, state)
        if record.stage.terminal:
            del self._logged[record.id]

    async def share_trouble(self, holder: str) -> None:
        """Writes down what the generations of this process struggle with, for other processes. Raises StorageError."""
        now = dict(self.trouble)
        names = {name for name in now.keys() | self._shared.keys() if now.get(name) != self._shared.get(name)}
        if names:
            await self.ledger.note_trouble(holder, {name: now.get(name) for name in names})
            self._shared = now

    async def _insist(
        self,
        record: Record,
        write: Callable[[], Awaitable[Record | None]],
        done: Callable[[Record], bool] | None = None,
    ) -> Record | None:
        """`done` knows the row that an earlier try left, where its commit succeeded and the word of it was lost.

        None: the same can be written twice.
        """
        wordless = False
        while True:
            try:
                written = await write()
                if written is None and wordless and done is not None:
                    rows = await self.ledger.newest([record.id])
                    written = next((row for row in rows if row.holder == record.holder and done(row)), None)
                return written
            except Unstorable:
                raise
            except StorageError as error:
                wordless = wordless or not isinstance(error, Unwritten)
                log.error("%s: %s Trying again.", record.id, error.message)
                self._changes.publish(record)
                await anyio.sleep(RETRY_S)

    async def _end(self, record: Record, error: Unstorable) -> None:
        """Ends a generation of which something cannot be written down, with what surely can be."""
        log.error("%s: %s It ends here.", record.id, error.message)
        if record.stage.terminal:
            return
        saved = any(image.status is ImageStatus.SUCCEEDED for image in record.images)
        failure = Failure(
            code=error.code,
            message=f"{record.request.provider} returned something that Darkroom cannot keep. {error.message}",
            charged=Charged.MAYBE,
            next_step=f"Look in the {record.request.provider} account's own gallery before generating this again.",
        )
        ended = {"stage": Stage.PARTIAL if saved else Stage.FAILED, "failure": failure}
        since = anyio.current_time()
        changed = await self._insist(
            record,
            lambda: self.ledger.change(record, ended, ago_s=_since(since)),
            lambda row: row.stage is ended["stage"],
        )
        if changed is not None:
            self.published(changed)


def _since(moment: float) -> float:
    return anyio.current_time() - moment
