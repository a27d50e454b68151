"""Time that passes at once, and a house in it: a real ledger, driver and service over a provider that is made up."""

import asyncio
import io
import selectors
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from unittest.mock import patch

import anyio
import PIL.Image
from anyio import to_thread

from darkroom.declaration import Traits
from darkroom.errors import DarkroomError
from darkroom.generations.desk import Desk
from darkroom.generations.driving.collect import Collector
from darkroom.generations.driving.driver import Driver
from darkroom.generations.service import Service
from darkroom.generations.telling.changes import Changes
from darkroom.generations.telling.journal import Journal
from darkroom.models import GenerationRequest, ImageStatus, Receipt, Record, Stage
from darkroom.providers.base import Access, AccountState, Model, Reading, RemoteImage, Submission
from darkroom.providers.declared import DECLARED
from darkroom.providers.owners import Means, Owners
from darkroom.providers.registry import Registry
from darkroom.redact.secrets import Redactor
from darkroom.store.sql import SqlLedger
from darkroom.transport.incoming import Incoming
from darkroom.views import Generation
from tests.ledgers import open_ledger, pictures_in

T = TypeVar("T")

NOW = 1_000_000.0
TURN_S = 1e-6
"""How long one turn of the event loop takes: time that stood quite still would let code spin that waits for it."""


class TimeJump(selectors.DefaultSelector):
    """Lets the time pass at once instead of waiting for it, but not while a worker thread is busy."""

    now = 0.0
    busy = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Where no timer runs (`timeout` None) it really waits: a worker thread will bring the answer."""
        jumps = timeout is not None and not self.busy
        ready = super().select(0 if jumps or timeout == 0 else None)
        self.now += max(0.0 if ready or not jumps else timeout or 0.0, TURN_S)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock hardly moves while anything can be done, and then jumps to the next timer."""

    latest: "ClassVar[VirtualLoop | None]" = None

    def __init__(self) -> None:
        self.jump = TimeJump()
        super().__init__(self.jump)
        VirtualLoop.latest = self

    def time(self) -> float:
        return self.jump.now


def in_virtual_time(test: Callable[..., Awaitable[T]], *arguments: Any) -> T:
    run_sync = to_thread.run_sync

    async def counted(*work: Any, **how: Any) -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.jump.busy += 1
        try:
            return await run_sync(*work, **how)
        finally:
            loop.jump.busy -= 1

    with patch.object(to_thread, "run_sync", counted):
        return anyio.run(test, *arguments, backend_options={"loop_factory": VirtualLoop})


def clock() -> float:
    """The wall clock of the virtual time, in its worker threads too."""
    assert VirtualLoop.latest is not None
    return NOW + VirtualLoop.latest.time()


def png(shade: int = 0) -> bytes:
    """A small picture, another one for each shade."""
    into = io.BytesIO()
    PIL.Image.new("L", (8, 8), shade).save(into, "PNG")
    return into.getvalue()


Answer = Reading | DarkroomError
Bytes = bytes | DarkroomError


@dataclass
class MadeUp:
    """A provider that reads as it is told, the last answer again and again, and gives pictures by their links.

    `reads`, `fetches`: when each was asked for. A picture's link that was given several answers gives them in turn,
    the last one again and again; `hanging` links never answer.
    """

    readings: deque[Answer]
    links: dict[str, deque[Bytes]] = field(default_factory=dict[str, deque[Bytes]])
    hanging: set[str] = field(default_factory=set[str])
    reads: list[float] = field(default_factory=list[float])
    fetches: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    overs: list[str] = field(default_factory=list[str])
    read_by_job: Callable[[str], Answer] | None = None

    name: str = "fatthumb"
    traits: Traits = DECLARED["fatthumb"].traits

    def __post_init__(self) -> None:
        self.access = Access(account=f"key of {self.name}")

    def check(self, request: GenerationRequest) -> GenerationRequest:
        return request

    async def submit(self, request: GenerationRequest, reference: str) -> Submission:
        raise NotImplementedError

    async def read(self, receipt: Receipt, request: GenerationRequest) -> Reading:
        self.reads.append(anyio.current_time())
        answer = self.read_by_job(receipt.job_id) if self.read_by_job else _next(self.readings)
        if isinstance(answer, DarkroomError):
            raise answer
        return answer

    async def picture(self, receipt: Receipt, request: GenerationRequest, image: RemoteImage, into: Incoming) -> None:
        link = image.url or ""
        self.fetches.append((link, anyio.current_time()))
        if link in self.hanging:
            await anyio.sleep_forever()
        answer = _next(self.links[link])
        if isinstance(answer, DarkroomError):
            raise answer
        into.write(answer)

    async def over(self, receipt: Receipt) -> None:
        self.overs.append(receipt.job_id)

    async def models(self) -> list[Model]:
        return []

    async def account_state(self) -> AccountState | None:
        return None

    def says(self, answer: Answer) -> None:
        """From now on it reads so."""
        self.readings.clear()
        self.readings.append(answer)

    def fetched(self, link: str) -> list[float]:
        """When this link was asked for."""
        return [at for asked, at in self.fetches if asked == link]


def _next(answers: deque[T]) -> T:
    return answers.popleft() if len(answers) > 1 else answers[0]


@dataclass
class AnotherMadeUp(MadeUp):
    """Another service."""

    name: str = "betterwaifu"


def made_up(*readings: Answer, kind: type[MadeUp] = MadeUp, **links: Bytes | Iterable[Bytes]) -> MadeUp:
    """A provider with these readings, and these answers of its links."""
    answers = {
        link: deque([given] if isinstance(given, bytes | DarkroomError) else given) for link, given in links.items()
    }
    return kind(deque(readings), answers)


def there(*links: str | None, ids: Iterable[str] = ()) -> Reading:
    """The job is finished, its pictures lie there; `ids` are their names at the provider."""
    names = dict(enumerate(ids, start=1))
    images = (
        RemoteImage(index=index, remote_id=names.get(index), status=ImageStatus.SUCCEEDED, url=link)
        for index, link in enumerate(links, start=1)
    )
    return Reading(done=True, images=tuple(images))


def running_job(number: int = 1, *, provider: str = "fatthumb", count: int = 1, holder: str = "me") -> Record:
    return Record(
        id=f"gen_{number}",
        owner="local",
        request=GenerationRequest(provider=provider, prompt="a fox", model="m", count=count),
        account=f"key of {provider}",
        stage=Stage.RUNNING,
        created_at=NOW,
        submitted_at=NOW,
        job_id=f"job {number}",
        holder=holder,
    )


@dataclass(frozen=True)
class House:
    """One process: what its callers ask, what it works with, and how to end it."""

    service: Service
    driver: Driver
    ledger: SqlLedger
    stop: Callable[[], None]

    @property
    def desk(self) -> Desk:
        return Desk(self.service, "local")

    async def begin(self, *records: Record, resumed: bool = False) -> None:
        """These rows exist from now on, and this process drives what is not over."""
        for record in records:
            await self.ledger.begin(record, adopt_within_s=0.0)
            if not record.stage.terminal:
                self.drive(record, resumed=resumed)

    def drive(self, record: Record, *, resumed: bool) -> None:
        # A row that was just accepted by its provider is handed over by the submitter alone.
        self.driver._drive(record, resumed)  # pyright: ignore[reportPrivateUsage]

    async def row(self, number: int = 1) -> Record:
        record = await self.ledger.get(f"gen_{number}", "local")
        assert record is not None
        return record

    async def status(self, number: int = 1) -> Generation:
        return await self.desk.get(f"gen_{number}")

    async def waited(self, *numbers: int, timeout_s: float = 600.0, until: Any = "all") -> list[Generation]:
        ids = [f"gen_{number}" for number in numbers or (1,)]
        told: list[Generation] = []
        async for snapshot in self.desk.watch(ids, timeout_s=timeout_s, until=until):
            told = list(snapshot.generations)
        return told


@asynccontextmanager
async def house(
    home: Path, *providers: MadeUp, holder: str = "me", clock: Callable[[], float] = clock
) -> AsyncGenerator[House]:
    """One process on the ledger of this home; pictures go to its folder `pictures`."""
    async with open_ledger(home, clock=clock) as ledger, anyio.create_task_group() as tasks:
        changes = Changes()
        journal = Journal(ledger, changes)
        registry = Registry(
            {provider.name: provider for provider in providers}, providers[0].name, Redactor([]), declared=DECLARED
        )
        owners = Owners(Means(registry))
        pictures = pictures_in(home / "pictures")
        collector = Collector(journal, pictures)
        driver = Driver(journal, owners, holder, collector, tasks)
        service = Service(journal, changes, owners, driver, holder, tasks, pictures)
        yield House(service, driver, ledger, tasks.cancel_scope.cancel)
        tasks.cancel_scope.cancel()
