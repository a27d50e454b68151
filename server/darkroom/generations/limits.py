"""Who may submit when: one queue per account, through the ledger's gate, in the order of acceptance."""

import logging
import secrets
import time
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
from anyio.abc import TaskGroup

from darkroom.errors import StorageError
from darkroom.models import Record
from darkroom.providers.base import Provider
from darkroom.store.ledger import Later, Ledger

log = logging.getLogger(__name__)

RETRY_S = 1.0


class SubmitQueue:
    """Lets one account's waiting generations through the gate, and hands each to `submit`, exactly once."""

    def __init__(
        self,
        provider: Provider,
        ledger: Ledger,
        holder: str,
        submit: Callable[[Provider, Record], Coroutine[Any, Any, None]],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._provider = provider
        self._ledger = ledger
        self._holder = holder
        self._submit = submit
        self._clock = clock
        self._wake = anyio.Event()

    def wake(self) -> None:
        """Something may have become possible: a new row, a freed slot."""
        self._wake.set()

    async def run(self, tasks: TaskGroup) -> None:
        """Runs for ever; each submission becomes a task of `tasks`."""
        while True:
            self._wake = anyio.Event()
            claimed = await self._claim()
            if isinstance(claimed, Record):
                tasks.start_soon(self._submit, self._provider, claimed)
                continue
            with anyio.move_on_after(max(claimed.at - self._clock(), 0.01) if claimed else None):
                await self._wake.wait()

    async def _claim(self) -> Record | Later | None:
        access = self._provider.access
        token = secrets.token_hex(16)
        try:
            return await self._ledger.claim_next(
                access.account, access.limits, holder=self._holder, token=token, now=self._clock()
            )
        except StorageError as error:
            log.error("%s Nothing was sent; trying again.", error.message)
            return Later(self._clock() + RETRY_S)
