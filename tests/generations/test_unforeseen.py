"""An error that nobody foresaw, wherever a generation is served: it is logged, and the process goes on."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar, cast

import anyio
import pytest

from darkroom.errors import StorageError
from darkroom.generations.asking import delivery
from darkroom.generations.driving import keeping, peers, sweep
from darkroom.generations.driving import queue as limits
from darkroom.generations.driving.driver import Driver
from darkroom.generations.driving.peers import Peers
from darkroom.generations.telling.changes import Changes
from darkroom.models import GenerationRequest, Image, ImageStatus, Record, Stage
from darkroom.providers.owners import Means, Owners
from darkroom.providers.registry import Registry
from darkroom.store.ledger import Ledger
from darkroom.store.signs import Presence
from tests.generations.house import Spoken, house
from tests.hosts import PATIENCE_S
from tests.ledgers import ANY_AGE_S


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (delivery, "DISOWNED_AFTER_S"),
        (delivery, "READ_WITHIN_S"),
        (limits, "RECHECK_S"),
        (peers, "FOLLOW_INTERVAL_S"),
        (peers, "RESTORED_EVERY_S"),
        (sweep, "SWEEP_S"),
        (keeping, "INTERVAL_S"),
    ):
        monkeypatch.setattr(module, name, 0.01)


def breaking(real: Callable[..., Awaitable[Any]], *errors: Exception) -> Callable[..., Awaitable[Any]]:
    """Raises these, one a call, and then does what it does."""
    left = list(errors)

    async def broken(*arguments: Any, **named: Any) -> Any:
        if left:
            raise left.pop(0)
        return await real(*arguments, **named)

    return broken


@pytest.mark.parametrize("method", ["claim_next", "answer", "held"])
async def test_an_unforeseen_error_of_the_ledger_ends_no_process_and_nothing_is_sent_twice(
    tmp_path: Path, method: str
) -> None:
    provider = Spoken()
    provider.may_answer.set()
    async with house(tmp_path, provider) as process:
        setattr(process.ledger, method, breaking(getattr(process.ledger, method), *[KeyError("x")] * 2))
        started = await process.generate()
        await process.until(started.id, lambda seen: seen.status == "processing" and provider.looks > 0)
        await anyio.sleep(0.05)  # longer than whatever waits here
    assert len(provider.posts) == 1


async def test_what_cannot_be_taken_back_ends_no_process(tmp_path: Path) -> None:
    async with house(tmp_path, Spoken(), starts=False) as process:
        gone = StorageError("It is gone.", next_step="Wait.")
        process.ledger.begin = breaking(process.ledger.begin, gone, gone)  # pyright: ignore[reportAttributeAccessIssue]
        process.ledger.cancel = breaking(process.ledger.cancel, KeyError("x"))  # pyright: ignore[reportAttributeAccessIssue]
        with pytest.raises(StorageError):
            await process.generate()
        await anyio.sleep(0.05)


async def test_a_wait_for_missing_pictures_whose_row_cannot_be_read_ends_no_process(tmp_path: Path) -> None:
    missing = Image(index=1, status=ImageStatus.FAILED)
    request = GenerationRequest(provider="fatthumb", prompt="a fox", model="m")
    over = Record(
        id="gen_1", owner="local", request=request, account="key", stage=Stage.FAILED, created_at=1.0, holder="me",
        job_id="job", images=(missing,),
    )  # fmt: skip
    async with house(tmp_path, Spoken(), starts=False) as process:
        await process.ledger.begin(over, adopt_within_s=ANY_AGE_S)
        async for _ in process.desk.watch([over.id], timeout_s=0.1):
            process.ledger.get = breaking(process.ledger.get, *[KeyError("x")] * 9)  # pyright: ignore[reportAttributeAccessIssue]


class Broken:
    """Signs of life that cannot be given, and a ledger that cannot be read."""

    id = "me"

    def __init__(self, error: Exception) -> None:
        self.calls = 0
        self._error = error

    def stay(self) -> None:
        self.calls += 1
        raise self._error

    async def version(self) -> int:
        self.calls += 1
        raise self._error

    async def stamp(self) -> object:
        return None

    async def news(self, _: float) -> None:
        """It has none."""
        await anyio.sleep(0.01)

    async def others(self, *_: Any) -> list[str]:
        return []

    def look(self, _: Any) -> None: ...

    async def wait(self, within_s: float) -> None:
        """It hears of nobody's end."""
        await anyio.sleep(within_s)


@pytest.mark.parametrize("error", [KeyError("x"), StorageError("It is gone.", next_step="Wait.")], ids=repr)
async def test_an_outage_of_the_ledger_is_logged_once_and_ends_no_process(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    changes, ledger, presence = Changes(), Broken(error), Broken(error)
    every = Peers(
        cast("Ledger", ledger), cast("Presence", presence), Owners(Means(cast("Registry", _NoProviders))), changes
    )
    with caplog.at_level(logging.ERROR), changes.subscribe(["gen_1"]):
        async with anyio.create_task_group() as tasks:
            every.start(tasks, cast("Driver", None))
            with anyio.fail_after(PATIENCE_S):
                while min(ledger.calls, presence.calls) < 3:  # noqa: ASYNC110 - they have no event
                    await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()
    assert sum("other processes change" in record.message for record in caplog.records) == 1


class _Unremovable:
    """A ledger of which nothing can be removed."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.asked = 0
        self.often = anyio.Event()

    async def remove(self, *, older_s: float, most: int) -> int:
        self.asked += 1
        if self.asked == 3:
            self.often.set()
        raise self._error


@pytest.mark.parametrize("error", [KeyError("x"), StorageError("It is gone.", next_step="Wait.")], ids=repr)
async def test_a_removal_that_fails_is_logged_and_tried_again(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = _Unremovable(error)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keeping.remove_until_cancelled, cast("Ledger", ledger), 1)
        with anyio.fail_after(PATIENCE_S):
            await ledger.often.wait()
        tasks.cancel_scope.cancel()
    assert all("DARKROOM_KEEP_DAYS cannot be removed" in record.message for record in caplog.records)
    assert len(caplog.records) >= 2


class _NoProviders:
    providers: ClassVar[dict[str, Any]] = {}
