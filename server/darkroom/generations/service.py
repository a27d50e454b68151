"""The parts that every desk of this process works with."""

import time
from collections.abc import Callable, Collection

from anyio.abc import TaskGroup

from darkroom.generations.asking.delivery import Delivery
from darkroom.generations.asking.wishes import Doorkeeper
from darkroom.generations.driving.driver import Driver
from darkroom.generations.telling.changes import Changes
from darkroom.generations.telling.describing import Describer
from darkroom.generations.telling.journal import Journal
from darkroom.guards import Budget
from darkroom.providers.registry import Registry
from darkroom.store.pictures import PictureStore


class Service:
    """The parts that live as long as the process, between callers and generations. See `Desk`."""

    def __init__(
        self,
        journal: Journal,
        changes: Changes,
        registry: Registry,
        driver: Driver,
        holder: str,
        group: TaskGroup,
        pictures: PictureStore,
        *,
        only: Collection[str] | None = None,
        budget: Budget | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.journal = journal
        self.ledger = journal.ledger
        self.changes = changes
        self.registry = registry
        self.driver = driver
        self.holder = holder
        self.group = group
        self.pictures = pictures
        self.budget = budget
        self.delivery = Delivery(journal.ledger, holder, group)
        self.describer = Describer(journal, registry, holder, clock, pictures, only)
        self.doorkeeper = Doorkeeper()
