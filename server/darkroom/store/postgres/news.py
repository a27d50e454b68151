"""News of what is committed: hints, which may be lost, and so now and then news without one."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import anyio

WITHOUT_A_HINT_S = 1.0
"""Seconds after which something may have been committed though no hint came."""
AT_MOST_EVERY_S = 0.02
"""Seconds between two looks at news: what comes in between is seen together."""


class News:
    """The news that one process has, and its own for the others."""

    def __init__(self) -> None:
        self.spread: Callable[[], None] = lambda: None
        """Carries this process's own to the others."""
        self._heard = 0
        self._told = 0
        self._returned_at = float("-inf")
        self._event = anyio.Event()
        self._fallen = anyio.Event()
        self._loop = asyncio.get_running_loop()

    def version(self) -> int:
        """A number that changes with each hint of another process, and without one in time."""
        return self._heard * 1_000_000 + int(time.monotonic() / WITHOUT_A_HINT_S) % 1_000_000

    def stamp(self) -> object:
        """The same, of this process as well."""
        return self.version(), self._told

    def tell(self) -> None:
        """This process has committed something; may be called on any thread."""
        self._told += 1
        self.spread()

    def ring(self) -> None:
        """Another process has committed something; may be called on any thread."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._hear)

    async def wait(self, within_s: float) -> None:
        """Returns soon after the next ring, and after so many seconds at the latest."""
        event = self._event
        with anyio.move_on_after(within_s):
            await event.wait()
            await anyio.sleep_until(self._returned_at + AT_MOST_EVERY_S)
        self._returned_at = anyio.current_time()

    def fall(self) -> None:
        """Another process runs no more; may be called on any thread."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._fall)

    async def wait_for_process_end(self, within_s: float) -> None:
        """Returns when another process runs no more, and after so many seconds at the latest."""
        event = self._fallen
        with anyio.move_on_after(within_s):
            await event.wait()

    def _fall(self) -> None:
        self._fallen.set()
        self._fallen = anyio.Event()

    def _hear(self) -> None:
        self._heard += 1
        self._event.set()
        self._event = anyio.Event()
