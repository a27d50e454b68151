"""The events of generations that an operator measures; nobody measures them unless the process was told to."""

from collections.abc import Generator
from contextlib import contextmanager

from darkroom.errors import DarkroomError
from darkroom.models import Record


class Step:
    """A step of a generation's way that takes time."""

    def event(self, name: str, **attributes: str | int) -> None:
        """Something happened meanwhile."""

    def note(self, **attributes: str | int) -> None:
        """Something is known of it by now."""


class Telemetry:
    """Takes every event, and keeps none of them."""

    def traceparent(self) -> str | None:
        """The call that is served now, as the W3C Trace Context names it; None: nobody traces it."""
        return None

    @contextmanager
    def step(self, name: str, record: Record) -> Generator[Step]:
        """A step, which lasts as long as the block."""
        yield Step()

    def submitted(self, record: Record) -> None:
        """The provider has taken it."""

    def retried(self, record: Record, during: str, error: DarkroomError) -> None:
        """Its submission, or a look at it, brought this error and is tried again."""

    def followed(self, record: Record, looks: int) -> None:
        """It is over, after so many looks of this process."""

    def ended(self, record: Record) -> None:
        """It is over."""
