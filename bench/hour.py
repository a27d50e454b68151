"""An hour of FatThumb in virtual time: its documented limits, the real ledger, gate, driver and Pace.

    python3 dev.py bench hour

First the documented loop, a look every 3 s, as long as requests are left. Then Darkroom with more waiting in the queue
than can be made and nobody there; then 200 generations, one every 18 s, each of them waited for. The service counts
every request by its own clock, and refuses what its limits do not allow. Writes .artifacts/hour.json.
"""

import random
import sys
import tempfile
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import anyio

from bench.common import write_json
from bench.polling import Case
from darkroom.accounts import Limits, Window
from darkroom.errors import RateLimited
from darkroom.generations.driving.queue import RequestAllowance
from darkroom.models import GenerationRequest, Receipt, Record, Stage
from darkroom.providers.base import Access, Reading, Submission
from tests.generations.virtual import NOW, House, MadeUp, house, in_virtual_time, png, running_job, there
from tests.store.ledger_model import MEMORY

HOUR_S = 3600.0
SUBMIT, REQUESTS = Window(10, 60.0), Window(1000, HOUR_S)
QUEUED = 700
AWAITED, EVERY_S = 200, 18.0
GOAL, GOAL_DELAY_S = 400, 3.0
CASE = Case("20 to 60 s", 20.0, 60.0)


@dataclass(frozen=True)
class Figures:
    """The figures of an hour. `delay_s`: from the provider's completion to the row that says so, in the mean."""

    done: int
    requests: int
    delay_s: float
    refused_429: int


@dataclass
class Service(MadeUp):
    """FatThumb with its limits, each enforced over any window of its length."""

    readings: deque[Reading] = field(default_factory=deque[Reading])  # pyright: ignore[reportIncompatibleVariableOverride]
    done_at: dict[str, float] = field(default_factory=dict[str, float])
    refused: int = 0
    jobs: int = QUEUED

    def __post_init__(self) -> None:
        self.access = Access(account="key of fatthumb", limits=Limits(submit=(SUBMIT,), requests=(REQUESTS,)))
        self.links = {"a": deque([png()])}
        self._submissions: deque[float] = deque()
        self._requests: deque[float] = deque()
        self._durations = CASE.durations(self.jobs, random.Random(3))
        self.door: RequestAllowance | None = None

    @property
    def requests(self) -> int:
        """Those that it accepted."""
        return len(self._requests)

    async def submit(self, request: GenerationRequest, reference: str) -> Submission:
        """A job that takes as long as the next of the durations."""
        self._count(self._submissions, SUBMIT)
        self._count(self._requests, REQUESTS)
        self.done_at[reference] = anyio.current_time() + self._durations.pop()
        return Submission(receipt=Receipt(job_id=reference))

    async def read(self, receipt: Receipt, request: GenerationRequest) -> Reading:
        """Done or not, once a request is left."""
        assert self.door is not None
        await self.door.draw()
        self._count(self._requests, REQUESTS)
        return there("a") if anyio.current_time() >= self.done_at[receipt.job_id] else Reading(done=False)

    def _count(self, made: deque[float], window: Window) -> None:
        now = anyio.current_time()
        if sum(at > now - window.seconds for at in made) >= window.limit:
            self.refused += 1
            raise RateLimited("Too many requests", next_step="Wait.")
        made.append(now)


def main() -> int:
    """Prints a table; fails where a goal is missed."""
    loop = documented_loop()
    hours = {"queue, nobody there": in_virtual_time(queued), "200, each waited for": in_virtual_time(awaited)}
    print(f"{'':24}{'done':>6}{'requests':>10}{'mean delay':>12}{'429':>5}")
    for name, hour in {"documented loop": loop, **hours}.items():
        print(f"{name:24}{hour.done:6}{hour.requests:10}{hour.delay_s:10.2f} s{hour.refused_429:5}")
    write_json("hour", {name: asdict(hour) for name, hour in {"documented loop": loop, **hours}.items()})
    unattended, attended = hours.values()
    met = unattended.done >= GOAL and attended.done >= AWAITED - 3 and attended.delay_s <= GOAL_DELAY_S
    return 0 if met and not unattended.refused_429 + attended.refused_429 else 1


def documented_loop() -> Figures:
    """One look after another, 3 s apart, at jobs submitted as fast as is allowed, until the requests are used up."""
    durations = CASE.durations(QUEUED, random.Random(3))
    looks = [int(each // MadeUp.traits.poll_interval_s) + 1 for each in durations]
    done = spent = 0
    delay_s = 0.0
    for duration, taken in zip(durations, looks, strict=True):
        if spent + 1 + taken > REQUESTS.limit:
            break
        done, spent = done + 1, spent + 1 + taken
        delay_s += taken * MadeUp.traits.poll_interval_s - duration
    return Figures(done, spent, delay_s / done, 0)


async def queued() -> Figures:
    """As much waits as nobody could send in an hour."""
    return await _hour(unattended=QUEUED)


async def awaited() -> Figures:
    """One is asked for every so often, and waited for to its end."""
    return await _hour(unattended=0)


async def _hour(unattended: int) -> Figures:
    service = Service(jobs=unattended or AWAITED)
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        async with house(Path(folder), service) as one:
            service.door = RequestAllowance(service.access, one.ledger)
            for number in range(unattended):
                await one.ledger.begin(_asked(number), adopt_within_s=0.0)
            one.driver.start()
            async with anyio.create_task_group() as callers:
                if not unattended:
                    callers.start_soon(_ask_and_wait, one)
                await anyio.sleep_until(HOUR_S)
                callers.cancel_scope.cancel()
            rows = await one.ledger.newest(list(service.done_at))
            requests = service.requests
    ended = {row.id: (row.finished_at or 0.0) - NOW for row in rows if row.stage is Stage.SUCCEEDED}
    late = _late(ended, service.done_at)
    return Figures(len(ended), requests, late, service.refused)


def _late(ended: Mapping[str, float], done_at: Mapping[str, float]) -> float:
    return sum(at - done_at[name] for name, at in ended.items()) / max(len(ended), 1)


def _asked(number: int) -> Record:
    new = {"stage": Stage.ACCEPTED, "submitted_at": None, "job_id": None}
    return running_job(number).model_copy(update=new)


async def _ask_and_wait(one: House) -> None:
    async def wait(number: int) -> None:
        await one.ledger.begin(_asked(number), adopt_within_s=0.0)
        one.driver.named(_asked(number))
        await one.waited(number, timeout_s=HOUR_S)

    async with anyio.create_task_group() as waiting:
        for number in range(AWAITED):
            waiting.start_soon(wait, number)
            await anyio.sleep(EVERY_S)


if __name__ == "__main__":
    sys.exit(main())
