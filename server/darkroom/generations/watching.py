"""A wait for generations of one owner, whichever process drives them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Literal

import anyio

from darkroom.errors import StorageError
from darkroom.generations.owned import Rows
from darkroom.generations.service import Service
from darkroom.generations.telling.changes import Subscription
from darkroom.generations.telling.describing import Snapshot
from darkroom.models import Record, Stage

REREAD_S = 1.0
HEARTBEAT_S = 4.0
"""Seconds between two reports that a wait goes on: hosts extend their patience on progress, given every 5 s."""


class Watching:
    """Shows how those of `rows` change."""

    def __init__(self, house: Service, rows: Rows) -> None:
        self._house = house
        self._rows = rows

    async def watch(
        self,
        ids: list[str],
        *,
        timeout_s: float,
        until: Literal["all", "any"] = "all",
        send: bool = True,
        beats: bool = True,
    ) -> AsyncGenerator[Snapshot]:
        """The state at once, at each change, and every few seconds (`beats`), until it is over or the time is.

        `send`: what waits to be named before it is sent is named by this.

        Raises:
            NotFound: the owner has none of one of the ids.
        """
        ids = list(dict.fromkeys(ids))
        deadline = anyio.current_time() + timeout_s
        with self._house.changes.subscribe(ids) as subscription:
            records = {record.id: record for record in await self._at_last(ids, deadline)}
            if send:
                await self._named(list(records.values()))
            self._house.driver.awaited(ids)
            if any(not each.stage.terminal and self._may_be_driven_elsewhere(each) for each in records.values()):
                self._house.group.start_soon(self._note_wait, ids, timeout_s)
            missing: set[str] = set()
            for record in records.values():
                if (over := self._house.driver.fetch_again(record)) is not None:
                    missing.add(record.id)
                    self._house.group.start_soon(self._tell_when, over, record, missing, subscription)
            while True:
                left = deadline - anyio.current_time()
                snapshot = await self._house.describer.snapshot(records, until)
                stopped = self._house.changes.closed
                left = 0 if stopped else left
                yield replace(snapshot, timed_out=left <= 0 and not snapshot.over, stopped=stopped)
                if left <= 0 or (snapshot.over and (until == "any" or not missing)):
                    return
                records |= await subscription.take(min(HEARTBEAT_S, left) if beats else left)

    async def _at_last(self, ids: Sequence[str], deadline: float) -> list[Record]:
        """The rows, asked for until then: a ledger that is busy must not end a wait, and with it the whole command."""
        while True:
            try:
                return await self._rows.named(ids)
            except StorageError:
                if anyio.current_time() >= deadline:
                    raise
                await anyio.sleep(REREAD_S)

    async def _named(self, records: list[Record]) -> None:
        """Lets those that wait be sent, and this process go on with all of them."""
        if waiting := [record.id for record in records if record.stage is Stage.ACCEPTED]:
            with suppress(StorageError):
                await self._house.ledger.send_named(self._rows.owner, waiting)
        for record in records:
            self._house.driver.named(record)

    def _may_be_driven_elsewhere(self, record: Record) -> bool:
        return record.stage is Stage.ACCEPTED or record.holder != self._house.holder

    async def _note_wait(self, ids: list[str], timeout_s: float) -> None:
        with suppress(StorageError):  # the process that drives it looks at it anyway, but less often
            await self._house.ledger.note_wait(self._rows.owner, ids, timeout_s)

    async def _tell_when(
        self, over: anyio.Event, record: Record, missing: set[str], subscription: Subscription
    ) -> None:
        """Tells a waiter when the missing pictures of a finished generation are here, or will not come now."""
        await over.wait()
        missing.discard(record.id)
        with suppress(Exception):  # the waiter is shown what it knows already
            subscription.put(await self._house.ledger.get(record.id, record.owner) or record)
        subscription.nudge()
