"""The ledger in SQL: rows of generations."""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from darkroom.models import Answered, Receipt, Record, Stage, Status
from darkroom.store import answers, durations, gate, lists, rows, tasks, withdrawal
from darkroom.store.answers import OWES, UNANSWERED
from darkroom.store.ledger import Page, Room, Stretch, Unfinished
from darkroom.store.sql_gate import SqlGate
from darkroom.store.sql_processes import SqlProcesses
from darkroom.store.sql_removals import SqlRemovals
from darkroom.store.sql_rows import of_account, of_owner
from darkroom.store.sql_survey import SqlSurvey


class SqlLedger(SqlRemovals, SqlGate, SqlProcesses, SqlSurvey):
    """See `Ledger`."""

    async def begin(
        self, record: Record, *, adopt_within_s: float, room: Room | None = None, again: bool = False
    ) -> Record:
        """See `Ledger.begin`."""

        def find_or_insert() -> Record:
            now = self._clock()
            if again and (committed := answers.committed(self._db, record)) is not None:
                return committed
            known = answers.named(self._db, record)
            if known is not None and (known.request != record.request or not answers.is_lost(self._signs, known)):
                return known.model_copy(update={"turn": 0})
            if again and (taken := answers.taken(self._db, record, now - adopt_within_s)) is not None:
                return taken
            if lost := known or answers.lost(self._db, self._signs, record, now - adopt_within_s):
                key, turn = record.request_key or lost.request_key, lost.turn + 1
                sets = "answered = ?, answering = ?, turn = ?, request_key = ?"
                given = (record.answered, record.answering, turn, key, lost.id)
                self._db.execute(f"UPDATE generations SET {sets} WHERE id = ?", given)
                return lost.model_copy(update={"turn": turn})
            answers.check_room(self._db, record, room, now)
            return self._add(record, now)

        return await self._transaction(find_or_insert, of_owner(record.owner))

    async def foresee(self, record: Record, *, adopt_within_s: float, room: Room | None = None) -> Record:
        """See `Ledger.foresee`."""

        def find() -> Record:
            now = self._clock()
            since = now - adopt_within_s
            if known := answers.named(self._db, record) or answers.lost(self._db, self._signs, record, since):
                return known
            answers.check_room(self._db, record, room, now)
            return record

        return await self._transaction(find)  # it may have to look who lives

    async def begin_agreed(self, record: Record, task_id: str, *, room: Room | None = None) -> Record | None:
        """See `Ledger.begin_agreed`."""

        def agree() -> Record | None:
            if (again := answers.committed(self._db, record)) is not None:
                return again
            known = answers.named(self._db, record)
            if known is not None and known.request != record.request:
                return known
            now = self._clock()
            if not tasks.agree(self._db, task_id, (known or record).id, now):
                return None
            if known is None:
                answers.check_room(self._db, record, room, now)
            return known or self._add(record, now)

        return await self._transaction(agree, of_owner(record.owner))

    async def answer(self, record: Record, answered: Answered) -> None:
        """See `Ledger.answer`."""
        sql = f"UPDATE generations SET answered = ? WHERE id = ? AND {UNANSWERED} AND turn = ?"
        await self._transaction(lambda: self._db.execute(sql, (answered, record.id, record.turn)))

    async def named(self, ids: Collection[str], *, by: str) -> None:
        """See `Ledger.named`."""
        mine = f"{UNANSWERED} AND ({OWES} = ? OR answered = 'lost')"
        sql = f"UPDATE generations SET answered = 'delivered' WHERE {rows.among(ids)} AND {mine}"
        await self._transaction(lambda: self._db.execute(sql, (*ids, by)))

    async def get(self, generation_id: str, owner: str) -> Record | None:
        """See `Ledger.get`."""
        return (await self.several([generation_id], owner)).get(generation_id)

    async def several(self, ids: Collection[str], owner: str) -> Mapping[str, Record]:
        """See `Ledger.several`."""

        def read() -> Mapping[str, Record]:
            # The owner is no part of the condition: with one, SQLite would look through all that they have.
            found = rows.select_all(self._db, rows.among(ids), tuple(ids))
            return {record.id: record for record in found if record.owner == owner}

        return await self._recall(("rows", owner, *ids), read)

    async def cancel(self, generation_id: str, owner: str) -> Record | None:
        """See `Ledger.cancel`."""
        return await self._transaction(lambda: withdrawal.cancel(self._db, generation_id, owner, self._clock()))

    async def note_wish(self, record: Record, *, wished: bool) -> Record | None:
        """See `Ledger.note_wish`."""
        return await self._transaction(lambda: withdrawal.note_wish(self._db, record, wished=wished))

    async def mark(self, generation_id: str, owner: str, index: int, *, favourite: bool) -> Record | None:
        """See `Ledger.mark`."""
        bit = 1 << (index - 1)

        def write() -> Record | None:
            changed, value = ("favourites | ?", bit) if favourite else ("favourites & ?", ~bit)
            sql = f"UPDATE generations SET favourites = {changed} WHERE id = ? AND owner = ?"
            self._db.execute(sql, (value, generation_id, owner))
            return rows.select_one(self._db, "id = ? AND owner = ?", (generation_id, owner))

        return await self._transaction(write)

    async def page(
        self,
        owner: str,
        *,
        status: Status | None,
        provider: str | None,
        limit: int,
        before: str | None,
        words: tuple[str, ...] = (),
        favourites: bool = False,
    ) -> Page:
        """See `Ledger.page`."""

        def read() -> Page:
            return lists.page(
                self._db, owner, status=status, provider=provider, limit=limit, before=before, words=words,
                favourites=favourites,
            )  # fmt: skip

        return await self._recall(("page", owner, status, provider, limit, before, words, favourites), read)

    async def providers(self, owner: str) -> list[str]:
        """See `Ledger.providers`."""
        return await self._recall(("providers", owner), lambda: lists.providers(self._db, owner))

    async def ids(self, owner: str, prefix: str, limit: int) -> list[str]:
        """See `Ledger.ids`."""
        return await self._run(lambda: lists.ids(self._db, owner, prefix, limit))

    async def oldest(self, owner: str | None, *, after: int, limit: int) -> Stretch:
        """See `Ledger.oldest`."""
        return await self._run(lambda: lists.oldest(self._db, owner, after, limit))

    def now(self) -> float:
        """See `Ledger.now`."""
        return self._clock()

    async def unfinished(self) -> Unfinished:
        """See `Ledger.unfinished`."""
        return await self._run(lambda: lists.unfinished(self._db))

    async def unsent(self, ids: Collection[str]) -> frozenset[str]:
        """See `Ledger.unsent`."""
        return await self._run(lambda: lists.unsent(self._db, ids))

    async def change(
        self,
        record: Record,
        changes: Mapping[str, Any],
        *,
        stages: Collection[Stage] | None = None,
        between: tuple[float, float] | None = None,
        ago_s: float = 0.0,
    ) -> Record | None:
        """See `Ledger.change`."""
        allowed = (record.stage,) if stages is None else tuple(stages)

        def write() -> Record | None:
            dated = {**changes, **rows.dates(record, changes, self._clock() - ago_s)}
            changed = rows.update(self._db, record, dated, allowed)
            if changed is not None and record.stage is Stage.SUBMITTING:
                gate.arrived(self._db, record.submit_token, changed.finished_at or changed.submitted_at)
                if changed.stage is Stage.RUNNING:
                    withdrawal.clear_refusals(self._db, record.account)
            if changed is not None and changed.stage is Stage.SUCCEEDED:
                durations.add(self._db, changed, between)
            return changed

        alone = (of_account(record.account),) if record.stage is Stage.SUBMITTING else ()
        return await self._transaction(write, *alone)

    async def revise(self, record: Record, revise: Callable[[Record], Mapping[str, Any]]) -> Record | None:
        """See `Ledger.revise`."""

        def write() -> Record | None:
            rows.hold(self._db, record.id)
            known = rows.select_one(self._db, "id = ?", (record.id,))
            if known is None or not known.stage.terminal:
                return None
            return rows.update(self._db, known, revise(known), (known.stage,))

        return await self._transaction(write)

    async def record_late(self, record: Record, receipt: Receipt) -> Record | None:
        """See `Ledger.record_late`."""

        def write() -> Record | None:
            changed = self._db.execute(
                "UPDATE generations SET stage = 'running', job_id = ?, kept = ?, failure = NULL, finished_at = NULL"
                " WHERE submit_token = ? AND job_id IS NULL AND stage IN ('submitting', 'failed')",
                (receipt.job_id, json.dumps(receipt.kept), record.submit_token),
            )
            gate.arrived(self._db, record.submit_token, self._clock())  # its response came now, not earlier
            return rows.select_one(self._db, "id = ?", (record.id,)) if changed.rowcount else None

        return await self._transaction(write, of_account(record.account))

    def _add(self, record: Record, now: float) -> Record:
        self._check_version()
        dated = record.model_copy(update={"created_at": now})
        rows.insert(self._db, dated, self._file)
        return dated
