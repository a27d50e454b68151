"""Jobs in a service's own list that look like one whose response was lost: shown to a person, who alone can tell."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from darkroom.models import GenerationRequest
from darkroom.providers.base import Provider


@dataclass(frozen=True)
class Alike:
    """One such job. `made_at`: when the service says that it was made, in seconds since 1970."""

    job: str
    made_at: float


@runtime_checkable
class Lister(Provider, Protocol):
    """A service that lists the account's jobs with their prompts."""

    async def alike(self, request: GenerationRequest, since: float) -> list[Alike]:
        """Those of the newest jobs that have this prompt and were made since then. Safe to repeat.

        Raises:
            DarkroomError: it could not be asked.
        """
        ...
