"""Owners take turns in an account's queue, and have no more under way, or stored, than they may."""

from pathlib import Path

import pytest

from darkroom.accounts import Limits, Window
from darkroom.models import GenerationRequest, Image, ImageStatus, Record, Stage
from darkroom.store.ledger import Room, StorageFull
from darkroom.store.sql import SqlLedger
from darkroom.store.turns import Later
from tests.ledgers import open_ledger

LIMITS = Limits(submit=(Window(100, 60.0),))


async def begun(ledger: SqlLedger, owner: str, *names: str) -> list[Record]:
    request = GenerationRequest(provider="alpha", prompt="a fox", model="m")
    records = [
        Record(
            id=name, owner=owner, request=request, account="key", stage=Stage.ACCEPTED, holder="me", request_key=name
        )
        for name in names
    ]
    return [await ledger.begin(record, adopt_within_s=0.0) for record in records]


async def next_of(ledger: SqlLedger, token: str, owners: dict[str, int | None]) -> str | None:
    claimed = await ledger.claim_next("key", LIMITS, holder="me", token=token, owners=owners)
    return claimed.id if isinstance(claimed, Record) else None


async def test_who_was_served_least_recently_is_next_with_its_oldest(tmp_path: Path) -> None:
    owners: dict[str, int | None] = {"ann": None, "bob": None, "cat": None}
    async with open_ledger(tmp_path) as ledger:
        await begun(ledger, "ann", "a1", "a2", "a3")
        await begun(ledger, "bob", "b1", "b2")
        first = [await next_of(ledger, f"t{n}", owners) for n in range(3)]
        await begun(ledger, "cat", "c1")
        then = [await next_of(ledger, f"u{n}", owners) for n in range(4)]
    assert first == ["a1", "b1", "a2"]
    assert then == ["c1", "b2", "a3", None]


async def test_a_place_does_not_tell_how_much_others_have(tmp_path: Path) -> None:
    async with open_ledger(tmp_path) as ledger:
        mine = await begun(ledger, "bob", "b1", "b2")
        alone = await ledger.standings(mine, {"key": LIMITS})
        await begun(ledger, "ann", *(f"a{n}" for n in range(50)))
        beside = await ledger.standings(mine, {"key": LIMITS})
    assert [each.ahead for each in alone.values()] == [each.ahead for each in beside.values()] == [0, 1]


async def test_the_time_of_a_turn_is_that_of_the_order_in_which_rows_are_sent(tmp_path: Path) -> None:
    narrow = Limits(submit=(Window(1, 60.0),))
    async with open_ledger(tmp_path) as ledger:
        await begun(ledger, "ann", "a1", "a2", "a3")
        (hers,) = await begun(ledger, "bob", "b1")
        claimed = await ledger.claim_next("key", narrow, holder="me", token="t")
        assert isinstance(claimed, Record)
        assert claimed.id == "a1"
        standing = (await ledger.standings([hers], {"key": narrow}))["b1"]
    assert standing.ahead == 0
    assert 50 < standing.starts_in_s < 70  # the very next, though two of Ann's were asked for before


async def test_an_owner_at_its_limit_is_passed_over_and_its_rows_wait(tmp_path: Path) -> None:
    owners: dict[str, int | None] = {"ann": 1, "bob": None}
    async with open_ledger(tmp_path) as ledger:
        await begun(ledger, "ann", "a1", "a2")
        await begun(ledger, "bob", "b1")
        assert [await next_of(ledger, f"t{n}", owners) for n in range(2)] == ["a1", "b1"]
        later = await ledger.claim_next("key", LIMITS, holder="me", token="t3", owners=owners)
        assert isinstance(later, Later)
        sent = (await ledger.several(["a1"], "ann"))["a1"]
        await ledger.change(sent, {"stage": Stage.FAILED})
        assert await next_of(ledger, "t4", owners) == "a2"


async def test_rows_of_an_owner_who_is_not_served_here_are_left_alone(tmp_path: Path) -> None:
    async with open_ledger(tmp_path) as ledger:
        await begun(ledger, "gone", "g1")
        assert await next_of(ledger, "t1", {"local": None}) is None
        await begun(ledger, "local", "l1")
        assert await next_of(ledger, "t2", {"local": None}) == "l1"


async def test_nothing_new_is_begun_once_the_saved_pictures_have_all_their_bytes(tmp_path: Path) -> None:
    async with open_ledger(tmp_path) as ledger:
        (first,) = await begun(ledger, "ann", "a1")
        image = Image(index=1, status=ImageStatus.SUCCEEDED, key="k", bytes=100)
        await ledger.change(first, {"images": (image,)})
        more = first.model_copy(update={"id": "a2", "request_key": "a2"})
        with pytest.raises(StorageFull):
            await ledger.begin(more, adopt_within_s=0.0, room=Room(stored=100))
        other = more.model_copy(update={"owner": "bob"})
        assert (await ledger.begin(other, adopt_within_s=0.0, room=Room(stored=100))).id == "a2"
