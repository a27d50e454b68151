"""When the answer of a call counts as delivered: written to its caller, who was still there a moment later."""

from pathlib import Path

import anyio
import pytest

from darkroom.generations.asking.delivery import READ_WITHIN_S
from darkroom.models import Answered
from tests.generations.virtual import house, in_virtual_time, made_up, running_job, there


class Letter:
    """An answer that stays on its way until somebody says what became of it."""

    def __init__(self) -> None:
        self._arrived = anyio.Event()
        self._written = False

    async def written(self) -> bool:
        await self._arrived.wait()
        return self._written

    def end(self, *, written: bool) -> None:
        self._written = written
        self._arrived.set()


@pytest.mark.parametrize("written", [True, False])
def test_an_answer_is_delivered_a_moment_after_it_was_written_and_not_before(tmp_path: Path, written: bool) -> None:
    async def run() -> None:
        letter = Letter()
        async with house(tmp_path, made_up(there())) as one:
            async with one.service.delivery.answering(running_job(), None, letter):
                pass
            await anyio.sleep(3600.0)  # a client that is slow to read
            assert (await one.row()).answered is Answered.PENDING
            letter.end(written=written)
            await anyio.sleep(READ_WITHIN_S / 2)
            assert (await one.row()).answered is (Answered.PENDING if written else Answered.LOST)
            await anyio.sleep(READ_WITHIN_S)
            assert (await one.row()).answered is (Answered.DELIVERED if written else Answered.LOST)

    in_virtual_time(run)


@pytest.mark.parametrize("written", [True, False])
def test_an_answer_is_lost_where_its_process_ends_before_that_moment(tmp_path: Path, written: bool) -> None:
    async def run() -> None:
        letter = Letter()
        async with house(tmp_path, made_up(there())) as one:
            async with one.service.delivery.answering(running_job(), None, letter):
                pass
            if written:
                letter.end(written=True)
            await anyio.sleep(READ_WITHIN_S / 2)
            one.stop()
        async with house(tmp_path, made_up(there())) as another:
            assert (await another.row()).answered is Answered.LOST

    in_virtual_time(run)
