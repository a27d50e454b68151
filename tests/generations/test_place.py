"""The place for pictures is tried before a submission, not by each, and never waited for without end."""

import threading
from collections.abc import Generator
from datetime import datetime
from pathlib import Path

import pytest

from darkroom.errors import StorageError
from darkroom.generations.driving.place import GOOD_FOR_S, Place
from darkroom.models import GenerationRequest, Record, Stage
from darkroom.store import pictures
from tests.ledgers import pictures_in

NOON = datetime(2026, 11, 20, 12).timestamp()
DAY_S = 86_400.0


def row(count: int = 1, created_at: float = NOON) -> Record:
    request = GenerationRequest(provider="fatthumb", prompt="a fox", model="m", count=count)
    return Record(
        id="gen_1", owner="local", request=request, account="key", stage=Stage.SUBMITTING, created_at=created_at
    )


class Trials:
    """Counts how often a place is tried, at a time of the test's own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.rooms: list[int] = []
        self.error: StorageError | None = None

    def __call__(self, root: Path, day: str, room: int) -> None:
        self.rooms.append(room)
        if self.error is not None:
            raise self.error


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> Trials:
    trials = Trials()
    monkeypatch.setattr(pictures, "try_place", trials)
    return trials


async def test_a_place_that_was_good_is_believed_in_for_a_while(tmp_path: Path, trials: Trials) -> None:
    tried = Place(pictures_in(tmp_path), clock=lambda: trials.now)
    for _ in range(3):
        await tried.ready(row())
    assert len(trials.rooms) == 1
    trials.now += GOOD_FOR_S + 1
    await tried.ready(row())
    assert len(trials.rooms) == 2


async def test_more_pictures_and_another_day_are_tried_anew(tmp_path: Path, trials: Trials) -> None:
    tried = Place(pictures_in(tmp_path), clock=lambda: trials.now)
    for record in (row(), row(count=4), row(count=2), row(count=4, created_at=NOON + DAY_S)):
        await tried.ready(record)
    assert trials.rooms == [4 * 2**20, 16 * 2**20, 16 * 2**20]


async def test_a_place_that_was_bad_is_tried_each_time(tmp_path: Path, trials: Trials) -> None:
    tried = Place(pictures_in(tmp_path), clock=lambda: trials.now)
    trials.error = StorageError("full", next_step="Make room.")
    for _ in range(2):
        with pytest.raises(StorageError):
            await tried.ready(row())
    trials.error = None
    await tried.ready(row())
    assert len(trials.rooms) == 3


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Generator[list[threading.Thread]]:
    """A drive that answers nothing before the test is over; the threads that wait for it."""
    over, threads = threading.Event(), list[threading.Thread]()

    def hang(root: Path, day: str, room: int) -> None:
        threads.append(threading.current_thread())
        over.wait(60)

    monkeypatch.setattr(pictures, "try_place", hang)
    yield threads
    over.set()


async def test_a_drive_that_hangs_is_given_up_and_holds_one_thread_at_most(
    tmp_path: Path, hanging: list[threading.Thread]
) -> None:
    tried = Place(pictures_in(tmp_path), patience_s=0.05)
    for _ in range(3):
        with pytest.raises(StorageError, match="does not respond"):
            await tried.ready(row())
    assert len(hanging) == 1
