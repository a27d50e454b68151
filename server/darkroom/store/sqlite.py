"""The ledger on SQLite: rows of generations."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from darkroom.models import Answered, Failure, Record, Stage, Status
from darkroom.settings import Limits, Window
from darkroom.store import answers, gate, inheritance, lists, queue, rows, tasks, withdrawal
from darkroom.store.answers import OWES, UNANSWERED
from darkroom.store.database import Database
from darkroom.store.ledger import Grant, Later, Page, Room, Standing
from darkroom.store.lists import UNFINISHED
from darkroom.store.presence import Signs


class SqliteLedger:
    """See `Ledger`. `signs` tells which of the processes that rows name live and run; `clock`: seconds since 1970."""

    def __init__(self, database: Database, signs: Signs, clock: Callable[[], float] = time.time) -> None:
        self._db = database.db
        self._database = database
        self._file = database.file
        self._signs = signs
        self._clock = clock
        self._run = database.run
        self._transaction = database.transaction

    async def begin(
        self, record: Record, *, adopt_since: float, room: Room | None = None, again: bool = False
    ) -> Record:
        """See `Ledger.begin`."""

        def find_or_insert() -> Record:
            if (committed := answers.committed(self._db, record)) is not None:
                return committed
            known = answers.named(self._db, record)
            if known is not None and (known.request != record.request or not answers.is_lost(self._signs, known)):
                return known.model_copy(update={"turn": 0})
            if again and (taken := answers.taken(self._db, record, adopt_since)) is not None:
                return taken
            if lost := known or answers.lost(self._db, self._signs, record, adopt_since):
                key, turn = record.request_key or lost.request_key, lost.turn + 1
                sets = "answered = 'pending', answering = ?, turn = ?, request_key = ?"
                self._db.execute(f"UPDATE generations SET {sets} WHERE id = ?", (record.answering, turn, key, lost.id))
                return lost.model_copy(update={"turn": turn})
            answers.check_room(self._db, record.owner, room)
            rows.insert(self._db, record, self._file)
            return record

        return await self._transaction(find_or_insert)

    async def foresee(self, record: Record, *, adopt_since: float, room: Room | None = None) -> Record:
        """See `Ledger.foresee`."""

        def find() -> Record:
            if known := answers.named(self._db, record) or answers.lost(self._db, self._signs, record, adopt_since):
                return known
            answers.check_room(self._db, record.owner, room)
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
            begun = known or record
            if not tasks.agree(self._db, task_id, begun.id, record.created_at):
                return None
            if known is None:
                answers.check_room(self._db, record.owner, room)
                rows.insert(self._db, record, self._file)
            return begun

        return await self._transaction(agree)

    async def answer(self, record: Record, answered: Answered) -> None:
        """See `Ledger.answer`."""
        sql = f"UPDATE generations SET answered = ? WHERE id = ? AND {UNANSWERED} AND turn = ?"
        await self._transaction(lambda: self._db.execute(sql, (answered, record.id, record.turn)))

    async def named(self, record: Record, *, by: str) -> None:
        """See `Ledger.named`."""
        mine = f"{UNANSWERED} AND ({OWES} = ? OR answered = 'lost')"
        sql = f"UPDATE generations SET answered = 'delivered' WHERE id = ? AND {mine}"
        await self._transaction(lambda: self._db.execute(sql, (record.id, by)))

    async def get(self, generation_id: str, owner: str) -> Record | None:
        """See `Ledger.get`."""
        return await self._run(lambda: rows.select_one(self._db, "id = ? AND owner = ?", (generation_id, owner)))

    async def cancel(self, generation_id: str, owner: str) -> Record | None:
        """See `Ledger.cancel`."""
        return await self._transaction(lambda: withdrawal.cancel(self._db, generation_id, owner, self._clock()))

    async def held(self, holder: str) -> list[Record]:
        """See `Ledger.held`."""
        return await self._run(lambda: rows.select_all(self._db, f"holder = ? AND {UNFINISHED}", (holder,)))

    async def newest(self, ids: Sequence[str]) -> list[Record]:
        """See `Ledger.newest`."""
        marks = ", ".join("?" * len(ids))
        return await self._run(lambda: rows.select_all(self._db, f"id IN ({marks})", tuple(ids)))

    async def version(self) -> int:
        """See `Ledger.version`."""
        return await self._run(lambda: int(self._db.execute("PRAGMA data_version").fetchone()[0]))

    async def page(
        self, owner: str, *, status: Status | None, provider: str | None, limit: int, before: int | None
    ) -> Page:
        """See `Ledger.page`."""
        return await self._run(
            lambda: lists.page(self._db, owner, status=status, provider=provider, limit=limit, before=before)
        )

    async def ids(self, owner: str, prefix: str, limit: int) -> list[str]:
        """See `Ledger.ids`."""
        return await self._run(lambda: lists.ids(self._db, owner, prefix, limit))

    async def claim_next(
        self,
        account: str,
        limits: Limits,
        *,
        holder: str,
        token: str,
        only: Collection[str] | None = None,
        ended: Callable[[], bool] = lambda: False,
    ) -> Record | Later | None:
        """See `Ledger.claim_next`."""
        waiting = "SELECT 1 FROM generations WHERE account = ? AND stage = 'accepted' LIMIT 1"

        def claim() -> Record | Later | None:
            now = self._clock()
            answer = None if ended() else self._queue(account, now, only).turn()
            if isinstance(answer, str):
                answer = gate.pass_gate(self._db, answer, account, limits, holder=holder, token=token, now=now)
            return rows.select_one(self._db, "id = ?", (answer,)) if isinstance(answer, str) else answer

        if await self._run(lambda: self._db.execute(waiting, (account,)).fetchone()) is None:
            return None  # what is asked every second must not keep others from writing
        return await self._transaction(claim)

    async def send_all_the_same(self, owner: str, ids: Collection[str]) -> None:
        """See `Ledger.send_all_the_same`."""
        await self._transaction(lambda: queue.name(self._db, self._file, owner, ids, self._clock()))

    async def standing(self, record: Record, limits: Limits, *, only: Collection[str] | None = None) -> Standing:
        """See `Ledger.standing`."""
        run = self._run if only is None else self._transaction  # it has to look who lives
        return await run(lambda: self._queue(record.account, self._clock(), only).standing(record.id, limits))

    async def durations(self, account: str, model: str, count: int) -> list[float]:
        """See `Ledger.durations`."""
        sql = (
            "SELECT max(finished_at - submitted_at, 0.0) FROM (SELECT * FROM generations"
            " WHERE account = ? AND stage = 'succeeded' ORDER BY seq DESC LIMIT 100)"
            " WHERE request ->> 'model' = ? AND request ->> 'count' = ? ORDER BY seq DESC LIMIT 20"
        )
        return [took for (took,) in await self._run(lambda: self._db.execute(sql, (account, model, count)).fetchall())]

    async def reserve_requests(self, account: str, windows: Sequence[Window], wanted: int) -> Grant:
        """See `Ledger.reserve_requests`."""
        return await self._transaction(lambda: gate.reserve_requests(self._db, account, windows, wanted, self._clock()))

    async def unsend(
        self,
        record: Record,
        *,
        closed_s: float,
        narrowed_s: float | None,
    ) -> Record | None:
        """See `Ledger.unsend`."""

        def take_back() -> Record | None:
            now = self._clock()
            gate.close(self._db, record.account, closed_s, narrowed_s, now)
            if narrowed_s is None:  # nothing reached the provider, so nothing counts there
                self._db.execute("DELETE FROM submissions WHERE submit_token = ?", (record.submit_token,))
                since = min(record.refused_since or now, now)  # a clock set back leaves times in the future
                withdrawal.share(self._db, record.account, "refused_since", since)
                return withdrawal.put_back(self._db, record, now, refused_since=since)
            gate.arrived(self._db, record.submit_token, now)
            since = min(record.limited_since or now, now)
            withdrawal.share(self._db, record.account, "limited_since", since)
            return withdrawal.put_back(
                self._db, record, now, refused_since=None, limited_since=since, refusals=record.refusals + 1
            )

        return await self._transaction(take_back)

    async def unclaim(self, record: Record) -> Record | None:
        """See `Ledger.unclaim`."""
        return await self._transaction(lambda: withdrawal.unclaim(self._db, record, self._clock()))

    async def change(
        self, record: Record, changes: Mapping[str, Any], *, stages: Collection[Stage] | None = None
    ) -> Record | None:
        """See `Ledger.change`."""
        allowed = (record.stage,) if stages is None else tuple(stages)

        def write() -> Record | None:
            changed = rows.update(self._db, record, changes, allowed)
            if changed is not None and record.stage is Stage.SUBMITTING:
                gate.arrived(self._db, record.submit_token, changed.finished_at or changed.submitted_at)
                if changed.stage is Stage.RUNNING:
                    withdrawal.forgive(self._db, record.account)
            return changed

        return await self._transaction(write)

    async def revise(self, record: Record, revise: Callable[[Record], Mapping[str, Any]]) -> Record | None:
        """See `Ledger.revise`."""

        def write() -> Record | None:
            known = rows.select_one(self._db, "id = ?", (record.id,))
            if known is None or not known.stage.terminal:
                return None
            return rows.update(self._db, known, revise(known), (known.stage,))

        return await self._transaction(write)

    async def record_late(self, record: Record, job_id: str) -> Record | None:
        """See `Ledger.record_late`."""

        def write() -> Record | None:
            changed = self._db.execute(
                "UPDATE generations SET stage = 'running', job_id = ?, failure = NULL, finished_at = NULL"
                " WHERE submit_token = ? AND job_id IS NULL AND stage IN ('submitting', 'failed')",
                (job_id, record.submit_token),
            )
            return rows.select_one(self._db, "id = ?", (record.id,)) if changed.rowcount else None

        return await self._transaction(write)

    @property
    def trouble(self) -> str | None:
        """See `Ledger.trouble`."""
        return self._database.trouble

    async def note_trouble(self, holder: str, troubles: Mapping[str, str | None]) -> None:
        """See `Ledger.note_trouble`."""
        sql = "UPDATE generations SET trouble = ? WHERE id = ? AND holder = ?"
        values = [(trouble, name, holder) for name, trouble in troubles.items()]
        await self._transaction(lambda: self._db.executemany(sql, values))

    async def others(self, holder: str, providers: Collection[str] | None = None) -> list[str]:
        """See `Ledger.others`."""
        return await self._run(lambda: inheritance.others(self._db, holder, providers))

    async def adopt(
        self,
        others: Collection[str],
        holder: str,
        accounts: Mapping[str, str],
        *,
        lost: Failure,
        only: Collection[str] | None = None,
    ) -> list[Record]:
        """See `Ledger.adopt`."""
        return await self._transaction(
            lambda: inheritance.take(self._db, self._signs, others, holder, accounts, only, lost, self._clock())
        )

    def _queue(self, account: str, now: float, only: Collection[str] | None) -> queue.Queue:
        return queue.Queue(self._db, self._signs, account, self._file, now, only)
