"""Turns to submit, and polls that are left: one queue and one budget per account, kept in the ledger."""

import logging
import secrets
from collections import deque
from collections.abc import Callable, Collection, Coroutine
from dataclasses import replace
from typing import Any

import anyio
from anyio.abc import TaskGroup

from darkroom.about import about_row
from darkroom.errors import Outdated, StorageError
from darkroom.models import Record
from darkroom.providers.base import Access, Provider
from darkroom.store.gate import HELD_S
from darkroom.store.ledger import Ledger
from darkroom.store.turns import Grant, Later, Owners

log = logging.getLogger(__name__)

RETRY_S = 1.0
BLOCK = 10
"""The number of requests that a process reserves at a time, at the most: one transaction for as many polls."""
BLOCK_OF = 100
"""A large window may be reserved in larger blocks: up to one part in so many of it."""
QUICK_S = 5.0
"""A block that is used up sooner is followed by a larger one, any other by a smaller one: what is held is lost."""
RECHECK_S = 30.0
APART_S = 0.05
"""Seconds between two claims where the first one had to wait; not longer than that wait."""
WORDLESS_KEPT = 1000
BLIND_S = 30.0
"""Seconds between looks at a key's jobs while the ledger cannot say how many requests are left."""
AT_ONCE_S = 0.5
"""Seconds that a request that nobody needs may take to find out whether there is room for it."""


class SubmitQueue:
    """Lets one account's waiting generations through the gate, and hands each to `submit`, exactly once.

    `only`: no others than these, which grow. `owners`: those whose rows they may be. `provider`: one with its key.
    """

    def __init__(
        self,
        provider: Provider,
        ledger: Ledger,
        holder: str,
        submit: Callable[[Record], Coroutine[Any, Any, None]],
        *,
        only: Collection[str] | None = None,
        owners: Callable[[], Owners],
    ) -> None:
        self._provider = provider
        self._ledger = ledger
        self._holder = holder
        self._submit = submit
        self._only = only
        self._owners = owners
        self._wake = anyio.Event()
        self.wordless: deque[str | None] = deque(maxlen=WORDLESS_KEPT)
        """Claims that raised, by token: whether they were committed or not, none of them is ever sent."""
        self.ended = False
        self._empty = False
        self._under_way = 0
        self._idle = anyio.Event()

    def wake(self) -> None:
        """Something may have become possible: a new row, a freed slot."""
        self._wake.set()

    def waits(self) -> None:
        """Something waits of this account: news for a queue that found nothing."""
        if self._empty:
            self.wake()

    def end(self) -> None:
        """Nothing is claimed from now on."""
        self.ended = True
        self.wake()

    async def idle(self) -> None:
        """Waits until no claim and no submission is under way."""
        if self._under_way:
            await self._idle.wait()

    async def run(self, group: TaskGroup) -> None:
        """Runs until its end; each submission becomes a task of `group`."""
        while not self.ended:
            self._wake = anyio.Event()
            claimed = await self._claim()
            if isinstance(claimed, Record):
                with about_row(claimed):
                    group.start_soon(self._send, claimed)
                continue
            self._empty, asked_at = claimed is None, anyio.current_time()
            with anyio.move_on_after(min(max(claimed.in_s, 0.01), RECHECK_S) if claimed else RECHECK_S):
                await self._wake.wait()
                if claimed:  # of what nobody may send yet more may come, and each row wakes this
                    await anyio.sleep_until(asked_at + APART_S)

    async def _send(self, record: Record) -> None:
        try:
            await self._submit(record)
        finally:
            self._over()

    async def _claim(self) -> Record | Later | None:
        access = self._provider.access
        token = secrets.token_hex(16)
        claimed = None
        self._under_way += 1
        self._idle = anyio.Event() if self._idle.is_set() else self._idle
        try:
            with anyio.CancelScope(shield=True):  # a row that is claimed must not be forgotten
                claimed = await self._ledger.claim_next(
                    access.account, access.limits, holder=self._holder, token=token,
                    only=self._only, owners=self._owners(), ended=lambda: self.ended,
                )  # fmt: skip
            return claimed
        except Outdated as error:
            log.error("%s %s", error.message, error.next_step)
            return Later(RECHECK_S)
        except StorageError as error:
            self.wordless.append(token)
            log.error("%s Nothing was sent; trying again.", error.message)
            return Later(RETRY_S)
        except Exception:  # one row's trouble must not end the process
            self.wordless.append(token)
            log.exception("Nothing can be claimed for %s; trying again", self._provider.name)
            return Later(RECHECK_S)
        finally:
            if not isinstance(claimed, Record):
                self._over()

    def _over(self) -> None:
        self._under_way -= 1
        if not self._under_way:
            self._idle.set()


class RequestAllowance:
    """The door of one account, for one process: polls and looks at what a provider offers. See `Door`.

    When the window runs short polls slow down, not fail.
    """

    def __init__(self, access: Access, ledger: Ledger) -> None:
        self._access = access
        self._ledger = ledger
        self._turn = anyio.Lock(fast_acquire=True)
        self._most = max(BLOCK, min((each.limit // BLOCK_OF for each in access.limits.requests), default=0))
        self._left = 0
        self._block = 1
        self._held: Grant | None = None
        self._held_until = 0.0
        self._spacing = 0.0
        self._next = 0.0
        self._last = float("-inf")
        self._closed_until = 0.0

    async def draw(self) -> None:
        """Waits for its turn, out the spacing to the one before, and for one request to be left."""
        async with self._turn:
            if (opens_at := max(self._next, self._closed_until)) > anyio.current_time():
                await anyio.sleep_until(opens_at)
            while (pause := await self._take()) > 0.0:  # noqa: ASYNC110 - the pause is what the ledger said
                await anyio.sleep(pause)

    async def draw_now(self) -> bool:
        """Takes a request, unless others wait for one or none is left."""
        with anyio.move_on_after(AT_ONCE_S):
            async with self._turn:
                now = anyio.current_time()
                return now >= max(self._next, self._closed_until) and await self._take() == 0.0
        return False

    def close(self, seconds: float) -> None:
        """The provider asked all requests of this key to pause."""
        self._closed_until = max(self._closed_until, anyio.current_time() + seconds)

    async def _take(self) -> float:
        """Takes a request; or returns the seconds after which another try is worth it."""
        if self._access.limits.requests:
            if (self._left == 0 or anyio.current_time() > self._held_until) and (pause := await self._reserve()) > 0.0:
                return pause
            self._left -= 1
        self._last = anyio.current_time()
        self._next = self._last + self._spacing
        return 0.0

    async def _reserve(self) -> float:
        began = anyio.current_time()
        quick = self._left == 0 and began - (self._held_until - HELD_S) < QUICK_S
        self._block = min(2 * self._block, self._most) if quick else max(self._block // 2, 1)
        unused = replace(self._held, count=self._left) if self._held is not None and self._left else None
        self._left, self._held = 0, None
        windows = self._access.limits.requests
        try:
            grant = await self._ledger.reserve_requests(self._access.account, windows, self._block, unused=unused)
        except StorageError as error:
            log.error("%s Jobs are looked at every %.0f s only.", error.message, BLIND_S)
            if began - self._last < BLIND_S:
                return RETRY_S
            self._left, self._spacing, self._held_until = 1, 0.0, anyio.current_time() + HELD_S
            return 0.0
        self._held = grant
        self._left, self._spacing, self._held_until = grant.count, grant.spacing_s, began + HELD_S
        return 0.0 if grant.count else min(max(grant.opens_in_s, 0.05), RECHECK_S)
