"""The SDK's bus of events, on which an owner hears of nobody else's resources, whatever they listen to."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated, ServerEvent

from darkroom.errors import DarkroomError
from darkroom.generations.desk import Whose


@dataclass(frozen=True)
class OwnedUpdate(ResourceUpdated):
    """A resource of this owner changed."""

    owner: str


class OwnersBus(InMemorySubscriptionBus):
    """The bus of one server. `whose`: who listens, asked when they begin to."""

    def __init__(self, whose: Whose) -> None:
        super().__init__()
        self._whose = whose

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """See `SubscriptionBus.subscribe`."""
        owner: str | None = None
        with suppress(DarkroomError):  # without a ledger nobody owns anything
            owner = self._whose().owner

        def hear(event: ServerEvent) -> None:
            if not isinstance(event, OwnedUpdate) or event.owner == owner:
                listener(event)

        return super().subscribe(hear)
