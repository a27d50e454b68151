"""Facts of a generation that its driving process keeps beyond its row. Times are the event loop's."""

import anyio

from darkroom.generations.driving.polling import Looks
from darkroom.models import Record
from darkroom.providers.base import Reading

COVERED_S = 60.0
"""The most that one look says of the time before it, beyond the pause: a machine that slept meanwhile saw nothing."""
KEPT_EVERY_S = 60.0
"""Seconds of looking that a restart may forget."""


class Job:
    """One generation that is driven. `resumed`: another process began it."""

    def __init__(self, record: Record, *, resumed: bool, age_s: float = 0.0) -> None:
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
        self.reading: Reading | None = None
        """The provider's last word that it is not, once its row has what that says of pictures."""
        self.pause_s = 0.0
        """The pause before the next look, as it was meant to be."""
        self.asked = 0
        """Looks at it by this process."""
        self.looked = False
        """True where it was looked at."""
        self.looked_at_s = 0.0
        """Its age at the end of the last look, in seconds since its submission."""
        self.heard = False
        """True where its service has reported something, unasked, that no look has seen yet."""
        self.heard_of: frozenset[str] = frozenset()
        """The reports that looks came sooner for."""
        self.shown_at = float("-inf")
        """The time at which watchers were last notified of such a report."""
        self.awaited_elsewhere = False
        """True where somebody waits for it in another process."""
        self.between: tuple[float, float] | None = None
        """Its ages at the last look that said "not done yet", and at the first that said "done"."""
        self.seen_s = 0.0
        """Seconds for which it was seen at work; to be added to the row's `looked_s`."""
        self._seen_at = None if resumed else self.began_at
        self._lacking_since: float | None = None
        self._submitted_at = self.began_at - age_s
        self._not_yet_s = None if resumed else 0.0

    def age(self) -> float:
        """Seconds since its submission."""
        return anyio.current_time() - self._submitted_at

    def look_by(self, pause_s: float) -> None:
        """Asks for the next look so long after the last, or after the submission."""
        self.looks.by(self._submitted_at + self.looked_at_s + pause_s)

    def seen_at_work(self) -> None:
        """A look succeeded, and the provider still works on it: it did since the look before."""
        now = anyio.current_time()
        self._not_yet_s = self.age()
        if self._seen_at is not None:
            self.seen_s += min(now - self._seen_at, self.pause_s + COVERED_S)
        self._seen_at = now

    def looks_kept(self, seconds: float) -> None:
        """So much of the time that it was seen at work is in its row by now."""
        self.record = self.record.model_copy(update={"looked_s": self.record.looked_s + seconds})
        self.seen_s -= seconds

    def is_done(self, reading: Reading) -> None:
        """A look succeeded, and the provider has finished."""
        if self.done is None and self._not_yet_s is not None:
            self.between = self._not_yet_s, self.age()
        self.done = reading

    def lacking_for_s(self) -> float:
        """Seconds since this was first asked: since something was missing of what is finished."""
        now = anyio.current_time()
        self._lacking_since = now if self._lacking_since is None else self._lacking_since
        return now - self._lacking_since
