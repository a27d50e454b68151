"""Everything that lives as long as the process does, built once from the settings."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from darkroom.errors import DarkroomError
from darkroom.generations.collect import Collector
from darkroom.generations.driver import Driver
from darkroom.generations.journal import Journal
from darkroom.generations.limits import RequestAllowance
from darkroom.generations.observer import Observer
from darkroom.generations.peers import Peers
from darkroom.generations.progress import Changes
from darkroom.generations.service import Service
from darkroom.providers import registry
from darkroom.providers.catalogue import Catalogue, Models
from darkroom.redact import Redactor
from darkroom.settings import Settings
from darkroom.store.database import open_database
from darkroom.store.presence import present
from darkroom.store.sqlite import SqliteLedger
from darkroom.store.tasks import TaskRows
from darkroom.transport.client import open_http


@dataclass(frozen=True)
class AppContext:
    """What the front doors need."""

    settings: Settings
    service: Service
    registry: registry.Registry
    tasks: TaskRows
    observer: Observer
    models: Models

    async def catalogue(self, provider: str | None = None) -> Catalogue:
        """What the providers offer. Raises InvalidRequest where there is no provider of that name."""
        told = await self.models.catalogue(provider)
        return told.model_copy(update={"warnings": self.settings.warnings})


@asynccontextmanager
async def open_app(settings: Settings, *, drives: bool = True) -> AsyncGenerator[AppContext]:
    """Everything that lives as long as the process does. `drives` False: it only looks, and moves nothing on.

    Raises:
        StorageError: the ledger cannot be used.
    """
    with unwrapped():
        async with open_http() as http, open_database(settings.home) as database, anyio.create_task_group() as tasks:
            with present(settings.home) as presence:
                ledger = SqliteLedger(database)
                providers = registry.build(
                    settings, http, Redactor(settings.secrets), lambda access: RequestAllowance(access, ledger)
                )
                changes = Changes()
                journal = Journal(ledger, changes)
                collector = Collector(journal, settings.pictures, strip=settings.strip_notes)
                driver = Driver(journal, providers, presence.id, collector, tasks)
                peers = Peers(ledger, presence, providers, changes)
                if drives:
                    await peers.adopt_the_dead(driver)
                    presence.forget_the_dead()
                    driver.start()
                    peers.start(tasks, driver)
                service = Service(journal, changes, providers, driver, presence.id, tasks, budget=settings.budget)
                try:
                    observer = Observer(service, changes, tasks)
                    models = Models(providers, settings.limits)
                    yield AppContext(settings, service, providers, TaskRows(database), observer, models)
                finally:
                    driver.close()
                    tasks.cancel_scope.cancel()


@contextmanager
def unwrapped() -> Generator[None]:
    """A task group wraps even the one error of its body; callers want that error itself."""
    try:
        yield
    except BaseExceptionGroup as group:
        if len(group.exceptions) == 1:
            raise group.exceptions[0] from group.exceptions[0].__cause__
        raise


class Refusing:
    """Stands for what could not be opened: whatever is asked of it is answered with the reason."""

    def __init__(self, error: DarkroomError) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        raise self._error.with_traceback(None)


def unopened(error: DarkroomError) -> AppContext:
    """A context over which every tool and resource answers that error.

    So an agent can tell its user what a server that does not start never could.
    """
    refusing: Any = Refusing(error)
    return AppContext(Settings(Path(), Path()), refusing, refusing, refusing, refusing, refusing)
