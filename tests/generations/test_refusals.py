"""What a provider that takes nothing costs: no hot loop, no money, and not the patience of one row after the other."""

import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from darkroom.generations.driving.place import Place
from darkroom.generations.driving.submission import Submitter
from darkroom.generations.telling.changes import Changes
from darkroom.generations.telling.journal import Journal
from darkroom.models import Charged, GenerationRequest, Record, Stage
from darkroom.providers.declared import read_settings
from darkroom.providers.owners import Means, Owners
from darkroom.providers.registry import build
from darkroom.redact.secrets import Redactor
from darkroom.store import pictures
from darkroom.store.sql import SqlLedger
from darkroom.transport.http import open_http
from tests.clients import OpenDoor
from tests.hosts import PATIENCE_S
from tests.ledgers import open_ledger, pictures_in
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer, Fault


@dataclass
class Moved:
    """A clock that can be moved on. `stopped`: the time at which it stands still otherwise."""

    shift: float = 0.0
    stopped: float | None = None

    def __call__(self) -> float:
        return (self.stopped or time.time()) + self.shift


@dataclass
class Queue:
    """FatThumb's queue in a real ledger, under a clock that can be moved on."""

    ledger: SqlLedger
    submitter: Submitter
    account: str
    now: Moved

    async def accept(self, number: int) -> list[Record]:
        request = GenerationRequest(provider="fatthumb", prompt="a fox", model="gemini-3-pro")
        records = [
            Record(
                id=f"gen_{index}", owner="local", request=request, account=self.account, stage=Stage.ACCEPTED,
                created_at=self.now(), holder="me",
            )
            for index in range(number)
        ]  # fmt: skip
        return [await self.ledger.begin(record, adopt_within_s=0.0) for record in records]

    async def until(self, record: Record, condition: Callable[[Record], bool]) -> Record:
        """The row as soon as that is true of it."""
        while True:
            found = await self.ledger.get(record.id, record.owner)
            assert found is not None
            if condition(found):
                return found
            await anyio.sleep(0.01)

    async def until_settled(self, record: Record, refusals: int) -> Record:
        """The row after so many refusals, or at its end; then nothing is under way."""
        return await self.until(
            record, lambda row: row.stage.terminal or (row.stage is Stage.ACCEPTED and row.refusals >= refusals)
        )

    async def closed_for(self, since: float | None = None) -> float:
        """Seconds until the account may be submitted to again; from now on, or from then."""
        sql = "SELECT closed_until FROM accounts WHERE account = ?"
        rows = await self.ledger._run(lambda: self.ledger._db.execute(sql, (self.account,)).fetchall())  # pyright: ignore[reportPrivateUsage]
        return rows[0][0] - (since or self.now())

    def wake(self) -> None:
        request = GenerationRequest(provider="fatthumb", prompt="a fox", model="m")
        self.submitter.wake(
            Record(id="gen_any", owner="local", request=request, account=self.account, stage=Stage.ACCEPTED)
        )

    def later(self, seconds: float) -> None:
        self.now.shift += seconds
        self.wake()


@asynccontextmanager
async def queue_at(service: FatThumb, folder: Path) -> AsyncGenerator[Queue]:
    environ = {
        "FATTHUMB_API_KEY": service.key,
        "FATTHUMB_BASE_URL": service.url,
        "FATTHUMB_LIMITS": "active=1,submit=1000/1",
    }
    settings = read_settings({**environ, "DARKROOM_HOME": str(folder), "DARKROOM_PICTURES": str(folder)})
    clock = Moved()
    async with (
        open_http() as http,
        open_ledger(folder, clock=clock) as ledger,
        anyio.create_task_group() as tasks,
    ):
        providers = build(settings, http, Redactor(settings.secrets), lambda _: OpenDoor())
        journal = Journal(ledger, Changes())
        submitter = Submitter(journal, Owners(Means(providers)), "me", lambda _: None, Place(pictures_in(folder)))
        queue = Queue(ledger, submitter, providers.providers["fatthumb"].access.account, clock)
        with anyio.fail_after(PATIENCE_S):
            submitter.start(tasks)
            yield queue
        tasks.cancel_scope.cancel()


def too_many(retry_after: str | None) -> Fault:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Answer(429, json={"error": "Rate limit exceeded"}, headers=headers)


@pytest.mark.parametrize(("retry_after", "least"), [("0", 0.0), (None, 0.0), ("1", 0.0), ("120", 120.0)])
async def test_a_429_is_obeyed_for_five_seconds_doubling_to_five_minutes_whatever_it_names(
    tmp_path: Path, retry_after: str | None, least: float
) -> None:
    with FatThumb() as service:
        service.always("submit", too_many(retry_after))
        async with queue_at(service, tmp_path) as queue:
            queue.now.stopped = time.time()  # how long a slow machine takes for a look does not count
            (record,) = await queue.accept(1)
            waited: list[float] = []
            for refusals in range(1, 9):
                queue.wake()
                await queue.until_settled(record, refusals)
                waited.append(await queue.closed_for())
                queue.later(waited[-1] + 0.001)
    assert len(service.requests("POST")) == 8
    expected = [max(each, least) for each in (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0)]
    assert all(0.6 * each < wait <= each for wait, each in zip(waited, expected, strict=True))


async def test_a_provider_that_says_429_for_a_day_ends_all_that_waits_uncharged(tmp_path: Path) -> None:
    with FatThumb() as service:
        service.always("submit", too_many("0"))
        async with queue_at(service, tmp_path) as queue:
            records = await queue.accept(3)
            queue.wake()
            await queue.until_settled(records[0], 1)
            queue.later(13 * 3600.0)
            await queue.until_settled(records[0], 2)
            queue.later(13 * 3600.0)
            ended = [await queue.until_settled(record, 1000) for record in records]
    for record in ended:
        assert record.failure is not None
        assert (record.failure.code, record.failure.charged) == ("rate_limited", Charged.NO)
        assert "24 hours" in record.failure.message
    assert len(service.requests("POST")) == 5


async def test_an_unreachable_provider_ends_all_that_waits_at_the_same_time(tmp_path: Path) -> None:
    service = FatThumb()
    with service:
        service.stop()
        async with queue_at(service, tmp_path) as queue:
            records = await queue.accept(5)
            queue.wake()
            await queue.until(records[-1], lambda row: row.refused_since is not None)
            queue.later(700.0)
            ended = [await queue.until_settled(record, 1000) for record in records]
    assert {record.failure.code for record in ended if record.failure} == {"provider_unreachable"}


async def test_a_clock_set_back_makes_no_hot_loop_of_an_unreachable_provider(tmp_path: Path) -> None:
    with FatThumb() as service:
        service.stop()
        async with queue_at(service, tmp_path) as queue:
            (record,) = await queue.accept(1)
            queue.wake()
            await queue.until(record, lambda row: row.refused_since is not None)
            queue.later(-7200.0)
            tried = await queue.until(record, lambda row: (row.refused_since or 0.0) <= queue.now())
            assert 0.5 < await queue.closed_for(tried.refused_since) <= 60.0


async def test_a_submission_that_is_taken_forgives_what_kept_the_others_waiting(tmp_path: Path) -> None:
    with FatThumb() as service:
        service.script("submit", too_many("0"), None)
        async with queue_at(service, tmp_path) as queue:
            first, second = await queue.accept(2)
            queue.wake()
            await queue.until_settled(first, 1)
            assert (await queue.until_settled(second, 0)).limited_since is not None
            queue.later(3600.0)
            await queue.until(second, lambda row: row.limited_since is None)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error": {"message": "You exceeded your current quota, please check your billing."}}, "payment_required"),
        ({"error": {"code": "insufficient_quota", "message": "no"}}, "payment_required"),
        ({"error": "Not enough credits"}, "payment_required"),
        ({"detail": [{"msg": "monthly spending limit reached"}]}, "payment_required"),
        ({"error": "You have used all your credits"}, "payment_required"),
        ({"code": "CREDITS_EXHAUSTED"}, "payment_required"),
        ({"error": "0 credits remaining, 12 needed"}, "payment_required"),
        ({"message": "Your free trial has expired"}, "payment_required"),
        ({"error": "Monthly limit reached"}, "payment_required"),
        ({"message": "You have reached the limit of images for this month."}, "payment_required"),
        ({"error": "Daily limit reached"}, None),
        ({"error": "Quota exceeded: 60 requests per minute"}, None),
        ({"error": "Too many concurrent requests: your quota is 2"}, None),
        ({"error": "Too many requests"}, None),
        ({}, None),
    ],
    ids=str,
)  # fmt: skip
async def test_words_of_quota_and_billing_end_it_at_once(tmp_path: Path, body: object, code: str | None) -> None:
    with FatThumb() as service:
        service.always("submit", Answer(429, json=body, headers={"Retry-After": "0"}))
        async with queue_at(service, tmp_path) as queue:
            (record,) = await queue.accept(1)
            queue.wake()
            ended = await queue.until_settled(record, 1)
    assert (ended.failure.code if ended.failure else None) == code
    assert len(service.requests("POST")) == 1


async def test_a_drive_that_hangs_at_the_end_leaves_no_doubt_that_nothing_was_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def hang(root: Path, day: str, room: int) -> None:
        over.wait(PATIENCE_S)

    monkeypatch.setattr(pictures, "try_place", hang)
    with FatThumb() as service:
        async with queue_at(service, tmp_path) as queue:
            (record,) = await queue.accept(1)
            queue.wake()
            await queue.until(record, lambda row: row.stage is Stage.SUBMITTING)
            queue.submitter.close()
            await queue.until(record, lambda row: row.stage is Stage.ACCEPTED)
        over.set()
    assert service.log == []
