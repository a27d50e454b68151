"""Publish and subscribe: each new state of a generation, for all who watch it."""

import math
from collections.abc import Generator
from contextlib import contextmanager

import anyio

from darkroom.models import Record


class Subscription:
    """The newest state of each watched generation that changed since the last `take`.

    `brief`: it ends in a moment, so nothing is looked at sooner because of it.
    """

    def __init__(self, *, brief: bool = False) -> None:
        self.brief = brief
        self._fresh: dict[str, Record] = {}
        self._rung = False
        self._asleep: anyio.CancelScope | None = None

    def put(self, record: Record) -> None:
        """Leaves a new state here; an older one of the same generation is superseded."""
        self._fresh[record.id] = record
        self.nudge()

    def nudge(self) -> None:
        """Something of what is watched is worth another look, though no row has changed."""
        self._rung = True
        if self._asleep is not None:
            self._asleep.cancel()

    async def take(self, within_s: float = math.inf) -> dict[str, Record]:
        """Waits until there is something new, or so long, and empties the box; nothing in it: it was only nudged."""
        if not self._rung:
            with anyio.CancelScope() as self._asleep:  # a timeout of its own would cost several times as much
                await anyio.sleep(within_s)
            self._asleep = None
        fresh, self._fresh, self._rung = self._fresh, {}, False
        return fresh


class Changes:
    """The board on which the floor below publishes each new state of a generation, and those above subscribe."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, set[Subscription]] = {}
        self._somebody = anyio.Event()
        self.closed = False
        """True where nobody is to wait for anything any more."""

    def publish(self, record: Record) -> None:
        """Tells every subscriber of this generation."""
        for subscription in self._subscriptions.get(record.id, ()):
            subscription.put(record)

    def nudge(self, generation_id: str) -> None:
        """Asks every subscriber of this generation to look at it again."""
        for subscription in self._subscriptions.get(generation_id, ()):
            subscription.nudge()

    def close(self) -> None:
        """Ends every wait: this process is to end."""
        self.closed = True
        for generation_id in self._subscriptions:
            self.nudge(generation_id)

    def watched_now(self, generation_id: str) -> bool:
        """True where somebody watches this one, and not for a moment only."""
        return any(not each.brief for each in self._subscriptions.get(generation_id, ()))

    async def watched(self) -> list[str]:
        """The generations that somebody watches, once there are any."""
        while not self._subscriptions:
            self._somebody = anyio.Event()
            await self._somebody.wait()
        return list(self._subscriptions)

    @contextmanager
    def subscribe(self, ids: list[str], *, brief: bool = False) -> Generator[Subscription]:
        """A subscription to these generations, for as long as the block lasts; `brief`: see `Subscription`."""
        subscription = Subscription(brief=brief)
        for generation_id in ids:
            self._subscriptions.setdefault(generation_id, set()).add(subscription)
        self._somebody.set()
        try:
            yield subscription
        finally:
            for generation_id in ids:
                watching = self._subscriptions[generation_id]
                watching.discard(subscription)
                if not watching:
                    del self._subscriptions[generation_id]
