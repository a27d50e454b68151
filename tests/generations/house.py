"""The rooms behind the tools as one process has them, over a real ledger and a provider that tests speak for."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

import anyio

from darkroom.declaration import Traits
from darkroom.generations.asking.wishes import Wish
from darkroom.generations.desk import Desk
from darkroom.generations.driving.collect import Collector
from darkroom.generations.driving.driver import Driver
from darkroom.generations.service import Service
from darkroom.generations.telling.changes import Changes
from darkroom.generations.telling.journal import Journal
from darkroom.models import GenerationRequest, Receipt
from darkroom.providers.base import Access, AccountState, Model, Provider, Reading, RemoteImage, Submission
from darkroom.providers.declared import DECLARED
from darkroom.providers.owners import Means, Owners
from darkroom.providers.registry import Registry
from darkroom.redact.secrets import Redactor
from darkroom.store.database import SqliteDatabase, open_database
from darkroom.store.ledger import Ledger
from darkroom.store.sql import SqlLedger
from darkroom.transport.incoming import Incoming
from darkroom.views import Generation
from tests.hosts import PATIENCE_S
from tests.ledgers import Seen, pictures_in

T = TypeVar("T")

SENT = Submission(receipt=Receipt(job_id="job"))
WORKING = Reading(done=False)


@dataclass
class Spoken:
    """A provider that says what its test wants it to say, when it wants."""

    said: Submission | Exception = SENT
    reading: Reading | Exception = WORKING
    may_answer: anyio.Event = field(default_factory=anyio.Event)
    posts: list[GenerationRequest] = field(default_factory=list[GenerationRequest])
    looks: int = 0
    name: str = "fatthumb"
    traits: Traits = DECLARED["fatthumb"].traits
    access: Access = field(default_factory=lambda: Access(account="key"))

    def check(self, request: GenerationRequest) -> GenerationRequest:
        return request

    async def submit(self, request: GenerationRequest, reference: str) -> Submission:
        self.posts.append(request)
        await self.may_answer.wait()
        return _given(self.said)

    async def read(self, receipt: Receipt, request: GenerationRequest) -> Reading:
        self.looks += 1
        return _given(self.reading)

    async def picture(self, receipt: Receipt, request: GenerationRequest, image: RemoteImage, into: Incoming) -> None:
        raise NotImplementedError

    async def over(self, receipt: Receipt) -> None:
        return

    async def models(self) -> list[Model]:
        return []

    async def account_state(self) -> AccountState | None:
        return None


def _given(what: T | Exception) -> T:
    if isinstance(what, Exception):
        raise what
    return what


@dataclass
class House:
    """One process."""

    database: SqliteDatabase
    seen: Seen
    ledger: SqlLedger
    journal: Journal
    changes: Changes
    driver: Driver
    service: Service
    name: str

    @property
    def desk(self) -> Desk:
        return Desk(self.service, "local")

    async def generate(self, prompt: str = "a fox") -> Generation:
        async with self.desk.submit(Wish(prompt=prompt)) as begun:
            return begun

    async def until(self, generation_id: str, true: Callable[[Generation], bool]) -> Generation:
        """The generation, as soon as that is true of it."""
        with anyio.fail_after(PATIENCE_S), self.changes.subscribe([generation_id]) as subscription:
            while not true(seen := await self.desk.kept(generation_id)):
                with anyio.move_on_after(0.1):
                    await subscription.take()
            return seen


@asynccontextmanager
async def house(home: Path, provider: Spoken, *, name: str = "me", starts: bool = True) -> AsyncGenerator[House]:
    """A process on the ledger in this folder; `starts` False: it sends nothing."""
    async with open_database(home) as database, anyio.create_task_group() as tasks:
        seen = Seen()
        rows, changes = SqlLedger(database, seen), Changes()
        journal = Journal(cast("Ledger", rows), changes)
        registry = Registry({provider.name: cast("Provider", provider)}, provider.name, Redactor([]), declared=DECLARED)
        owners = Owners(Means(registry))
        driver = Driver(journal, owners, name, Collector(journal, pictures_in(home)), tasks)
        service = Service(journal, changes, owners, driver, name, tasks, pictures_in(home))
        if starts:
            driver.start()
        try:
            yield House(database, seen, rows, journal, changes, driver, service, name)
        finally:
            driver.close()
            tasks.cancel_scope.cancel()
