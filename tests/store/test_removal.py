"""DARKROOM_KEEP_DAYS: what was over long ago goes from the ledger, and nothing is made twice because of it."""

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from darkroom.errors import InvalidRequest
from darkroom.models import GenerationRequest, Image, ImageStatus, Record, Stage
from darkroom.money import Money
from darkroom.store.ledger import Full, Room
from darkroom.store.removals import Pictures, Removed
from darkroom.store.sql import SqlLedger
from tests.hosts import ON_POSTGRESQL, PATIENCE_S, Home, RawServer, darkroom, eventually, running
from tests.ledgers import ANY_AGE_S, Clock, open_ledger, open_postgres_ledger
from tests.services.postgres import Cluster

DAY_S = 86_400.0


@pytest.fixture
def clock() -> Clock:
    return Clock(1_000_000_000.0)


@pytest.fixture(params=["sqlite", ON_POSTGRESQL])
async def ledger(tmp_path: Path, clock: Clock, request: pytest.FixtureRequest) -> AsyncGenerator[SqlLedger]:
    if request.param == "sqlite":
        opened = open_ledger(tmp_path, clock=clock)
    else:
        server: Cluster = request.getfixturevalue("postgres")
        opened = open_postgres_ledger(server.fresh(), clock=clock)
    async with opened as found:
        yield found


def row(name: str, stage: Stage = Stage.RUNNING, prompt: str = "a fox") -> Record:
    request = GenerationRequest(provider="alpha", prompt=prompt, model="m")
    return Record(
        id=name, owner="local", request=request, account="key", stage=stage, created_at=1.0, holder="me",
        submit_token=name, request_key=f"key of {name}",
    )  # fmt: skip


async def over(ledger: SqlLedger, *names: str) -> None:
    for name in names:
        begun = await ledger.begin(row(name), adopt_within_s=ANY_AGE_S)
        assert await ledger.change(begun, {"stage": Stage.FAILED})


async def test_what_was_over_long_ago_goes_in_batches_and_the_rest_stays(ledger: SqlLedger, clock: Clock) -> None:
    await over(ledger, "old 1", "old 2", "old 3")
    await ledger.begin(row("runs"), adopt_within_s=ANY_AGE_S)
    clock.now += 2 * DAY_S
    await over(ledger, "new")
    assert [await ledger.remove(older_s=DAY_S, most=2) for _ in range(3)] == [2, 1, 0]
    names = ["old 1", "old 2", "old 3", "runs", "new"]
    assert sorted(await ledger.several(names, "local")) == ["new", "runs"]
    kept = Removed(1_000_000_000.0, Pictures.KEPT)
    assert dict(await ledger.removed(names, "local")) == dict.fromkeys(names[:3], kept)
    assert not await ledger.removed(names, "somebody else")


async def test_a_request_key_of_what_went_begins_nothing(ledger: SqlLedger, clock: Clock) -> None:
    await over(ledger, "old")
    clock.now += 2 * DAY_S
    assert await ledger.remove(older_s=DAY_S, most=10) == 1
    again = row("new").model_copy(update={"request_key": "key of old"})
    for ask in (ledger.begin, ledger.foresee):
        with pytest.raises(InvalidRequest, match="names old, which was made before; its details were removed"):
            await ask(again, adopt_within_s=ANY_AGE_S)
    other = row("other", prompt="a hen").model_copy(update={"request_key": "key of old"})
    with pytest.raises(InvalidRequest, match="names another request, old"):
        await ledger.begin(other, adopt_within_s=ANY_AGE_S)
    with pytest.raises(InvalidRequest, match="made before"):
        await ledger.begin_agreed(again, "task")
    somebody = again.model_copy(update={"owner": "somebody else"})
    assert (await ledger.begin(somebody, adopt_within_s=ANY_AGE_S)).id == "new"


async def test_what_a_person_discards_goes_and_a_budget_counts_it_until_its_day_is_over(
    ledger: SqlLedger, clock: Clock
) -> None:
    cost = {"cost_micros": 300_000, "cost_unit": "USD"}
    clock.now = datetime.fromtimestamp(clock.now).replace(hour=1).timestamp()
    for name in ("done", "another's", "runs"):
        owner = "acme" if name == "another's" else "local"
        begun = await ledger.begin(row(name).model_copy(update={"owner": owner, **cost}), adopt_within_s=ANY_AGE_S)
        if name != "runs":
            assert await ledger.change(begun, {"stage": Stage.SUCCEEDED})
    names = ["done", "another's", "runs"]
    assert await ledger.discard(names, "local", Pictures.TRASH) == 1
    assert await ledger.discard(names, "local", Pictures.TRASH) == 0
    assert dict(await ledger.removed(names, "local")) == {"done": Removed(clock.now, Pictures.TRASH)}
    again = row("new").model_copy(update={"request_key": "key of done"})
    with pytest.raises(InvalidRequest, match="names done, which was made before; its details were removed"):
        await ledger.begin(again, adopt_within_s=ANY_AGE_S)
    more = row("more").model_copy(update=cost)
    dollar = Money(800_000, "USD")
    for room in (Room(limit=2), Room(money=dollar)):
        with pytest.raises(Full):
            await ledger.foresee(more, adopt_within_s=ANY_AGE_S, room=room)
    for room in (Room(limit=3), Room(limit=1, free=("alpha",)), Room(money=Money(900_000, "USD"))):
        assert (await ledger.foresee(more, adopt_within_s=ANY_AGE_S, room=room)).id == "more"
    clock.now += DAY_S
    assert (await ledger.foresee(more, adopt_within_s=ANY_AGE_S, room=Room(limit=1))).id == "more"


async def test_each_picture_is_marked_and_unmarked_by_itself_also_of_a_row_that_another_process_holds(
    ledger: SqlLedger,
) -> None:
    for name in ("one", "two"):
        await ledger.begin(row(name).model_copy(update={"holder": "another"}), adopt_within_s=ANY_AGE_S)
    for index, favourite in ((1, True), (4, True), (4, True), (1, False), (2, False)):
        marked = await ledger.mark("one", "local", index, favourite=favourite)
    assert marked is not None
    assert marked.favourites == 0b1000
    assert await ledger.mark("one", "somebody else", 1, favourite=True) is None
    page = await ledger.page("local", status=None, provider=None, limit=9, before=None, favourites=True)
    assert [record.id for record in page.records] == ["one"]


async def test_all_of_an_owner_goes_and_what_another_has_or_what_changed_meanwhile_stays(
    ledger: SqlLedger, clock: Clock
) -> None:
    path = "/pictures/a-fox-abcdefgh-1.png"
    saved = {"images": (Image(index=1, status=ImageStatus.SUCCEEDED, key=path, bytes=1),), "stage": Stage.SUCCEEDED}
    for name, owner in (("gen_abcdefgh1", "acme"), ("gen_abcdefgh2", "beta"), ("gen_other", "acme")):
        begun = await ledger.begin(row(name).model_copy(update={"owner": owner}), adopt_within_s=ANY_AGE_S)
        assert await ledger.change(begun, saved)
    waits = row("waits", Stage.ACCEPTED).model_copy(update={"owner": "acme", "submit_token": None})
    await ledger.begin(waits, adopt_within_s=ANY_AGE_S)
    assert dict(await ledger.stages("acme")) == {Stage.SUCCEEDED: 2, Stage.ACCEPTED: 1}
    assert [await ledger.withdraw("acme", 10), await ledger.withdraw("acme", 10)] == [1, 0]
    removable = await ledger.removable("acme", 10)
    assert [each.record.id for each in removable] == ["gen_abcdefgh1", "gen_other", "waits"]
    assert await ledger.shared(["gen_abcdefgh1"], "acme") == {path}
    assert await ledger.shared(["gen_other"], "acme") == frozenset()
    changed = {"images": (*saved["images"], Image(index=2, status=ImageStatus.SUCCEEDED, key="/new.png", bytes=1))}
    assert await ledger.revise(removable[1].record, lambda _: changed)
    assert await ledger.erase(removable) == 2
    assert [each.record.id for each in await ledger.removable("acme", 10)] == ["gen_other"]
    clock.now += 2 * DAY_S
    await ledger.remove(older_s=DAY_S, most=10)
    assert list(await ledger.names("acme", 10)) == ["gen_other"]
    await ledger.forget("acme", ["gen_other", "gen_abcdefgh2"])
    assert [dict(await ledger.names(owner, 10)) for owner in ("acme", "beta")] == [
        {},
        {"gen_abcdefgh2": clock.now - 2 * DAY_S},
    ]


def test_a_server_removes_what_is_older_and_says_so_of_its_id(home: Home) -> None:
    words = ("generate", "a fox", "--provider", "sketch", "--request-key", "fox", "--json")
    made = darkroom(home, *words).json["id"]
    with closing(sqlite3.connect(home.ledger, isolation_level=None, timeout=PATIENCE_S)) as ledger:
        ledger.execute("UPDATE generations SET finished_at = finished_at - ?", (2 * DAY_S,))
    kept = darkroom(home.with_(DARKROOM_KEEP_DAYS="3"), "status", made)
    assert kept.status == 0
    saved = home.saved()
    with running(home.with_(DARKROOM_KEEP_DAYS="1"), "serve") as process:
        server = RawServer(process)
        server.initialize()
        eventually(lambda: server.call("list_generations")["structuredContent"]["generations"] == [])
        status = server.call("get_status", generation_id=made)
        assert status["isError"]
        assert "its details were removed" in status["content"][0]["text"]
        again = server.call("generate", prompt="a fox", provider="sketch", request_key="fox")
        assert again["isError"]
        assert "made before" in again["content"][0]["text"]
    assert home.saved() == saved != []


@pytest.mark.parametrize("wrong", ["0", "-1", "a month", "1.5"])
def test_a_value_that_cannot_be_meant_removes_nothing_and_is_said(home: Home, wrong: str) -> None:
    assert (
        "DARKROOM_KEEP_DAYS is ignored, so nothing is removed" in darkroom(home, "list", DARKROOM_KEEP_DAYS=wrong).err
    )
