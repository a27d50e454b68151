"""Facts of a generation that its driving process keeps beyond its row. Times are the event loop's."""

import anyio

from darkroom.generations.driving.polling import Looks
from darkroom.models import Record
from darkroom.providers.base import Reading

COVERED_S = 60.0
"""The most that one look says of the time before it: a machine that slept meanwhile saw nothing."""
KEPT_EVERY_S = 60.0
"""How much of what was looked a restart may forget."""


class Job:
    """One generation that is driven. `resumed`: another process began it."""

    def __init__(self, record: Record, *, resumed: bool) -> None:
        self.record = record
        self.resumed = resumed
        self.began_at = anyio.current_time()
        self.scope = anyio.CancelScope()
        self.looks = Looks()
        self.failures = 0
        """Looks in a row that brought nothing."""
        self.refusals = 0
        """Looks in a row that the provider refused for good."""
        self.done: Reading | None = None
        """The provider's last word that it is finished."""
        self.seen_s = 0.0
        """How long it was seen at work; to be added to the row's `looked_s`."""
        self._seen_at = None if resumed else self.began_at
        self._lacking_since: float | None = None

    def seen_at_work(self) -> None:
        """A look succeeded, and the provider still works on it: it did since the look before."""
        now = anyio.current_time()
        if self._seen_at is not None:
            self.seen_s += min(now - self._seen_at, COVERED_S)
        self._seen_at = now

    def lacking_for_s(self) -> float:
        """Seconds since this was first asked: since something was missing of what is finished."""
        now = anyio.current_time()
        self._lacking_since = now if self._lacking_since is None else self._lacking_since
        return now - self._lacking_since
