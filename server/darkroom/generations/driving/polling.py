"""Intervals between looks at a job: the provider's documented one, and longer ones while looks fail."""

import random
from collections.abc import Iterable

import anyio

from darkroom.declaration import Traits
from darkroom.errors import DarkroomError, RateLimited, ResultUnavailable

SLOWEST_S = 30.0
SLOWEST_WATCHED_S = 10.0
"""The longest pause of our own making while somebody waits."""
QUICK_FAILURES = 3
"""So many failures in a row cost no more than an ordinary pause each: most troubles are short."""
UNNAMED_WAIT_S = 10.0
RESUMED_PACE = 2 / 3
PATIENCE_S = 5.0


def first_look(traits: Traits, *, resumed: bool) -> float:
    """Seconds to wait before the first look; a job from before a restart may long be done."""
    return 0.0 if resumed else min(traits.poll_interval_s, 1.0)


def next_look(
    traits: Traits, failures: int, error: DarkroomError | None, *, resumed: bool = False, watched: bool = False
) -> float:
    """Seconds until the next look, after `failures` failed ones in a row, the last of them with `error`.

    `resumed`: its callers have been kept waiting by a process that died, so it is looked at somewhat more
    often, never faster than the provider allows. `watched`: somebody waits for it now.
    """
    named = named_wait(error)
    if named is not None:
        return max(named, traits.poll_interval_s)
    if error is None:
        return (
            max(traits.poll_interval_s * RESUMED_PACE, traits.shortest_interval_s)
            if resumed
            else traits.poll_interval_s
        )
    if failures <= QUICK_FAILURES:
        return random.uniform(traits.shortest_interval_s, traits.poll_interval_s)  # noqa: S311 - spreads load
    pause = max(backoff(failures - QUICK_FAILURES, base_s=traits.poll_interval_s), traits.shortest_interval_s)
    return min(pause, max(SLOWEST_WATCHED_S, traits.shortest_interval_s)) if watched else pause


def named_wait(error: DarkroomError | None) -> float | None:
    """Seconds that the other side asked us to wait, which nobody may cut short; None: it asked for nothing."""
    if isinstance(error, RateLimited):
        return UNNAMED_WAIT_S if error.retry_after is None else error.retry_after
    return error.retry_after if isinstance(error, ResultUnavailable) else None


def longest_wait(lacking: Iterable[DarkroomError]) -> float | None:
    """Seconds that a host asked us to wait, the longest of them; None: none did."""
    return max((wait for wait in map(named_wait, lacking) if wait is not None), default=None)


def backoff(failures: int, *, base_s: float) -> float:
    """Seconds to wait after that many failures in a row: anything up to a doubling limit, so that no two retries of
    a crowd fall together ("full jitter").
    """
    return random.uniform(0.0, min(base_s * 2.0 ** min(failures, 10), SLOWEST_S))  # noqa: S311 - spreads load


class RetryAllowance:
    """Looks after a failed one, shared by all generations of a provider.

    A failing provider is asked by a few, not by all at once; the first success lets everybody go on.
    """

    CAPACITY = 30
    PER_S = 0.8

    def __init__(self) -> None:
        self._tokens = float(self.CAPACITY)
        self._at = anyio.current_time()
        self._turn = anyio.Lock()
        self._recovered = anyio.Event()

    async def draw(self) -> None:
        """Waits for its turn, and for a retry to be left."""
        async with self._turn:
            while not self._take():
                self._recovered = anyio.Event()
                with anyio.move_on_after((1.0 - self._tokens) / self.PER_S):
                    await self._recovered.wait()

    def succeeded(self) -> None:
        """The provider responds again."""
        self._tokens = float(self.CAPACITY)
        self._recovered.set()

    def _take(self) -> bool:
        now = anyio.current_time()
        self._tokens = min(self._tokens + (now - self._at) * self.PER_S, float(self.CAPACITY))
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class Looks:
    """The looks at one job: the pause between them, and a bell that asks for one now. Times are the event loop's."""

    def __init__(self) -> None:
        self._last = float("-inf")
        self._firm = False
        self._not_before = float("-inf")
        self._bell = anyio.Event()
        self._looked = anyio.Event()

    async def pause(self, seconds: float) -> None:
        """Waits that long, or until somebody asks for a look; a firm pause is kept whole."""
        # A bell that rang during the look before this pause has been served by that look.
        self._bell = anyio.Event()
        with anyio.move_on_after(seconds):
            if self._firm:
                await anyio.sleep_forever()
            await self._bell.wait()
            await anyio.sleep_until(self._not_before)

    def done(self, now: float, *, firm: bool) -> None:
        """A look has ended; `firm`: the pause after it must not be cut short."""
        self._last, self._firm = now, firm
        self._looked.set()
        self._looked = anyio.Event()

    def ring(self, shortest_s: float) -> None:
        """Asks for a look as soon as the last is `shortest_s` old, unless the pause is firm."""
        self._not_before = self._last + shortest_s
        self._bell.set()

    async def once_more(self, now: float, shortest_s: float) -> None:
        """Asks for a look and waits a little for it; the last one does where it is younger than `shortest_s`."""
        if self._firm or now - self._last < shortest_s:
            return
        self.ring(shortest_s)
        with anyio.move_on_after(PATIENCE_S):
            await self._looked.wait()
