"""A limit that counts pictures: a job waits until there is room for its own beside those under way."""

from pathlib import Path
from secrets import token_hex

from darkroom.accounts import Limits
from darkroom.models import GenerationRequest, Record, Stage
from darkroom.store.sql import SqlLedger
from darkroom.store.turns import Later
from tests.ledgers import open_ledger


async def begun(ledger: SqlLedger, **counts: int) -> list[Record]:
    """Rows that wait, each for so many pictures."""
    records = [
        Record(
            id=name,
            owner="local",
            request=GenerationRequest(provider="alpha", prompt="a fox", model="m", count=count),
            account="key",
            stage=Stage.ACCEPTED,
            holder="me",
            request_key=name,
        )
        for name, count in counts.items()
    ]
    return [await ledger.begin(record, adopt_within_s=0.0) for record in records]


async def next_of(ledger: SqlLedger, limits: Limits) -> Record | Later | None:
    """The row that may be submitted now."""
    return await ledger.claim_next("key", limits, holder="me", token=token_hex(4))


async def test_a_job_waits_until_its_pictures_have_room_and_no_later_one_overtakes_it(tmp_path: Path) -> None:
    limits = Limits(pictures=4)
    async with open_ledger(tmp_path) as ledger:
        records = await begun(ledger, a=3, b=2, c=1)
        first = await next_of(ledger, limits)
        assert isinstance(first, Record)
        assert first.id == "a"
        assert (await ledger.limits_left("key", limits)).pictures == 1
        assert isinstance(await next_of(ledger, limits), Later)
        standings = await ledger.standings(records[1:], {"key": limits})
        assert [standings[name].at_the_earliest for name in ("b", "c")] == [True, True]
        await ledger.change(first, {"stage": Stage.FAILED})
        standings = await ledger.standings(records[1:], {"key": limits})
        assert [standings[name].at_the_earliest for name in ("b", "c")] == [False, False]
        for name, left in (("b", 2), ("c", 1)):
            claimed = await next_of(ledger, limits)
            assert isinstance(claimed, Record)
            assert claimed.id == name
            assert (await ledger.limits_left("key", limits)).pictures == left


async def test_a_job_of_more_pictures_than_may_be_at_a_time_goes_alone(tmp_path: Path) -> None:
    limits = Limits(pictures=2)
    async with open_ledger(tmp_path) as ledger:
        await begun(ledger, large=4, small=1)
        claimed = await next_of(ledger, limits)
        assert isinstance(claimed, Record)
        assert claimed.id == "large"
        assert isinstance(await next_of(ledger, limits), Later)
