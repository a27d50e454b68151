"""Reports that a service sends unasked while it works on a job: they are shown, and decide nothing."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from darkroom.models import Frozen, GenerationRequest, Receipt
from darkroom.providers.base import Provider


class Step(Frozen):
    """A report on a job. `text`: where it is in its work, for people. `over`: it has ended, so it is worth a look."""

    text: str = ""
    over: bool = False


Heard = Callable[[Step], None]


@runtime_checkable
class Reporter(Provider, Protocol):
    """A service that sends such reports."""

    async def listen(self, receipt: Receipt, request: GenerationRequest, heard: Heard) -> None:
        """Gives each report on the job to `heard` as it comes; returns when no more can come over this connection.

        Raises:
            Exception: whatever ended it. It is listened to again after a while, as long as the job lasts.
        """
        ...
