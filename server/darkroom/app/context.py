"""Everything that lives as long as the process does, built once from the settings."""

import logging
import os
import time
from collections.abc import AsyncGenerator, Callable, Collection, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto

import anyio
from anyio import to_thread

from darkroom.app.building import built
from darkroom.app.telemetry import telemetry_of
from darkroom.errors import DarkroomError
from darkroom.generations.desk import Desk
from darkroom.generations.driving.driver import Driver
from darkroom.generations.driving.keeping import remove_until_cancelled
from darkroom.generations.driving.peers import Peers
from darkroom.generations.observer import Observer
from darkroom.generations.service import Service
from darkroom.providers.catalogue import Catalogue, Models
from darkroom.providers.declared import every_name, read_settings
from darkroom.settings import Settings
from darkroom.store.cures import UPDATE_HERE
from darkroom.store.opening import open_store
from darkroom.store.tasks import TaskRows
from darkroom.tenants import LOCAL, Tenants
from darkroom.transport.http import open_http

log = logging.getLogger(__name__)

TENANTS_EVERY_S = 1.0


class Part(Enum):
    """The work that a process does on the ledger's rows."""

    ALL = auto()
    """It sends whatever waits, and goes on with whatever others left."""
    OWN = auto()
    """The same, with what it made, was given or names, and with nothing else."""
    LOOK = auto()
    """It goes on with what it names, and sends nothing."""
    NONE = auto()
    """It moves nothing on."""


_SENDING = {Part.ALL, Part.OWN}


@dataclass(frozen=True)
class Opened:
    """The parts that the front doors need."""

    settings: Settings
    service: Service
    tasks: TaskRows
    observer: Observer
    driver: Driver
    owner: Callable[[], str] = lambda: LOCAL
    """The one who asks: known anew for each request."""
    remote: bool = False
    """Callers are elsewhere, each request on its own: see `open_app`."""
    secret: str | None = None
    """See `Database.secret`."""

    def opened(self) -> "Opened":
        """This; see `Unopened`."""
        return self

    def desk(self) -> Desk:
        """The service, for the owner who asks now."""
        return self.desk_of(self.owner())

    def desk_of(self, owner: str) -> Desk:
        """The service, for this owner."""
        return Desk(self.service, owner)

    @property
    def models(self) -> Models:
        """The catalogue of the owner who asks now. Raises NotConfigured: it is no owner here any more."""
        return self.service.owners.of(self.owner()).models

    @property
    def providers(self) -> Collection[str]:
        """The names of those that callers may name: the local user's, or all where tenants have their own."""
        if self.service.owners.tenants is None:
            return self.settings.accounts.keys()
        return every_name(self.settings.home)

    async def catalogue(self, provider: str | None = None) -> Catalogue:
        """The offers of the providers. Raises InvalidRequest where there is no provider of that name."""
        found = await self.models.catalogue(provider)
        return found.model_copy(update={"warnings": self.service.owners.of(self.owner()).warnings})


@asynccontextmanager
async def open_app(
    settings: Settings,
    part: Part = Part.ALL,
    *,
    named: Collection[str] = (),
    tenants: Tenants | None = None,
    clock: Callable[[], float] = time.time,
    remote: bool = False,
) -> AsyncGenerator[Opened]:
    """Everything that lives as long as the process does. `clock`: seconds since 1970.

    `remote`: callers open no file of this machine, and what was written to them may be lost on the way.
    `tenants`: those who may ask besides the local user; None: nobody.

    What it is sending when the block ends is seen to its end first; a server (ALL) gives it a last moment only.

    Raises:
        StorageError: the ledger cannot be used.
    """
    only = None if part is Part.ALL else set(named)
    with unwrapped(), telemetry_of(settings) as telemetry:
        async with (
            open_http() as http,
            open_store(settings.home, settings.database, clock) as store,
            anyio.create_task_group() as group,
        ):
            where = settings.home if settings.database is None else "the database"
            log.info("The ledger is in %s, pictures are saved under %s", where, settings.pictures)
            ledger, presence = store.ledger, store.presence
            if ledger.outdated:
                log.warning("A newer Darkroom uses this ledger as well. %s", UPDATE_HERE)
            service, driver = built(
                settings, tenants, http, ledger, presence.id, group, only, telemetry,
                sends=part in _SENDING, remote=remote,
            )  # fmt: skip
            if part is not Part.NONE:
                peers = Peers(ledger, presence, service.owners, service.changes, only)
                await peers.adopt(driver)
                named = await ledger.others(presence.id)
                await store.database.transaction(lambda: presence.remove_dead(named))
                peers.start(group, driver)
                group.start_soon(store.check)
            if tenants is not None:
                group.start_soon(_follow, tenants)
            if part in _SENDING:
                driver.start()
            if part is Part.ALL:
                group.start_soon(service.inputs.sweep)
                if settings.keep_days is not None:
                    group.start_soon(remove_until_cancelled, ledger, settings.keep_days)
            try:
                observer, secret = Observer(service.changes, group), store.database.secret
                yield Opened(settings, service, store.tasks, observer, driver, remote=remote, secret=secret)
            finally:
                await _seen_to_its_end(driver, part)
                group.cancel_scope.cancel()


async def _follow(tenants: Tenants) -> None:
    """Looks at their file every second, on a thread: it may lie on a disk that takes its time."""
    while True:
        await anyio.sleep(TENANTS_EVERY_S)
        try:
            await to_thread.run_sync(tenants.refresh, abandon_on_cancel=True)
        except Exception:  # the file's trouble must not end the process
            log.exception("The tenants file cannot be looked at")


async def _seen_to_its_end(driver: Driver, part: Part) -> None:
    if part is Part.ALL:
        driver.close()
        return
    with anyio.CancelScope(shield=True):
        await driver.finish()


@contextmanager
def unwrapped() -> Generator[None]:
    """A task group wraps even the one error of its body; callers want that error itself."""
    try:
        yield
    except BaseExceptionGroup as group:
        if len(group.exceptions) == 1:
            raise group.exceptions[0] from group.exceptions[0].__cause__
        raise


@dataclass(frozen=True)
class Unopened:
    """A part that could not be opened: every request to it is refused with the reason.

    So an agent can tell its user what a server that does not start never could.
    """

    error: DarkroomError
    settings: Settings = field(default_factory=lambda: read_settings({"DARKROOM_HOME": os.devnull}))
    """Those of the tools that it lists. No ledger is looked for: there may be no folder for one."""
    owner: Callable[[], str] = lambda: LOCAL
    remote: bool = False
    secret: str | None = None

    @property
    def providers(self) -> Collection[str]:
        """See `Opened.providers`."""
        return self.settings.accounts.keys()

    def opened(self) -> Opened:
        """Raises the error."""
        raise self.error.with_traceback(None)
