"""Requests to a service to stop a job that it has: what it may reply, and what came of asking."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

from darkroom.models import GenerationRequest, Receipt
from darkroom.providers.base import Provider


class Reply(StrEnum):
    """The meaning of a service's reply to such a request."""

    ASKED = "asked"
    """It has taken the request, which may still come too late."""
    LATE = "late"
    """It stops the job no more."""
    GONE = "gone"
    """It does not know the job."""


@runtime_checkable
class Stopper(Provider, Protocol):
    """A service that can be asked to stop a job."""

    async def cancel(self, receipt: Receipt, request: GenerationRequest) -> Reply | None:
        """Asks once for this very job to be stopped, and for no other; None: there is no way to ask for this one.

        Raises:
            ProviderUnreachable: nothing was sent.
            OutcomeUnknown: no whole reply came.
            DarkroomError: the service refused it, or failed.
        """
        ...


@dataclass(frozen=True)
class Stop:
    """The outcome of asking. `why`: the reason, in words, where it failed.

    `no way`: the provider cannot be asked. `not asked`: this time it was not. `refused`: it was, and refuses.
    `unknown`: it was, and nobody knows whether it took that.
    """

    came: Literal["no way", "not asked", "refused", "unknown", "asked", "late", "gone"]
    why: str = ""


NO_WAY = Stop("no way")
