"""Nothing old is sent by surprise: only from the file it was written to, and within a day of somebody driving it."""

import shutil
from pathlib import Path
from secrets import token_hex

import pytest

from darkroom.accounts import Limits
from darkroom.models import GenerationRequest, Record, Stage
from darkroom.store.database import FILE_NAME
from darkroom.store.signs import Life
from darkroom.store.sql import SqlLedger
from darkroom.store.turns import Later, Obstacle
from tests.ledgers import Clock, Seen, open_ledger, standing_of

NOW = 1_000_000.0
DAY = 24 * 3600.0
LIMITS = Limits()


def row(name: str = "old", holder: str = "p1") -> Record:
    request = GenerationRequest(provider="alpha", prompt="a fox", model="m")
    return Record(
        id=name, owner="local", request=request, account="key", stage=Stage.ACCEPTED, created_at=NOW, holder=holder,
        request_key=name,
    )  # fmt: skip


async def claim(ledger: SqlLedger, only: set[str] | None = None) -> str | None:
    claimed = await ledger.claim_next("key", LIMITS, holder="p2", token=token_hex(8), only=only)
    return "later" if isinstance(claimed, Later) else claimed and claimed.id


async def obstacle(ledger: SqlLedger, only: set[str] | None = None) -> Obstacle | None:
    standing = await standing_of(ledger, row(), LIMITS, only=only)
    return standing and standing.obstacle


def copied(home: Path, how: str) -> Path:
    """The home folder as a backup brings it back."""
    match how:
        case "copied":
            return Path(shutil.copytree(home, home.with_name("copy")))
        case "restored":
            backup = shutil.copytree(home, home.with_name("backup"))
            shutil.rmtree(home)
            return Path(shutil.copytree(backup, home))
        case _:
            backup = shutil.copy2(home / FILE_NAME, home / "backup")
            (home / FILE_NAME).unlink()
            Path(backup).replace(home / FILE_NAME)
            return home


@pytest.mark.parametrize("how", ["copied", "restored", "restored alone"])
async def test_a_copied_ledger_sends_nothing_that_waits_in_it_until_it_is_named(tmp_path: Path, how: str) -> None:
    home = tmp_path / "home"
    async with open_ledger(home, clock=lambda: NOW) as ledger:
        await ledger.begin(row(), adopt_within_s=0.0)
    async with open_ledger(copied(home, how), clock=lambda: NOW) as ledger:
        await ledger.begin(row("new"), adopt_within_s=0.0)
        assert await obstacle(ledger) is Obstacle.COPIED
        assert await claim(ledger) == "new", "what is new is not held up"
        assert await claim(ledger) is None
        await ledger.send_named("somebody else", ["old"])
        assert await claim(ledger) is None
        await ledger.send_named("local", ["old"])
        assert await obstacle(ledger) is None
        assert await claim(ledger) == "old"


async def test_a_folder_that_was_moved_goes_on(tmp_path: Path) -> None:
    async with open_ledger(tmp_path / "home", clock=lambda: NOW) as ledger:
        await ledger.begin(row(), adopt_within_s=0.0)
    async with open_ledger((tmp_path / "home").rename(tmp_path / "moved"), clock=lambda: NOW) as ledger:
        assert await claim(ledger) == "old"


@pytest.mark.parametrize(("asleep", "sent"), [(DAY - 60.0, "old"), (DAY + 60.0, None)])
async def test_what_nobody_drove_for_a_day_waits_until_it_is_named(
    tmp_path: Path, asleep: float, sent: str | None
) -> None:
    clock = Clock(NOW)
    async with open_ledger(tmp_path, clock=clock) as ledger:
        await ledger.begin(row(), adopt_within_s=0.0)
        clock.now += asleep
        assert await obstacle(ledger) is (None if sent else Obstacle.FORGOTTEN)
        assert await claim(ledger) == sent
        if sent is None:
            await ledger.send_named("local", ["old"])
            assert await claim(ledger) == "old"


async def test_what_waits_for_days_behind_a_limit_is_sent_as_long_as_somebody_drives_it(tmp_path: Path) -> None:
    clock = Clock(NOW)
    async with open_ledger(tmp_path, clock=clock) as ledger:
        await ledger.begin(row("busy"), adopt_within_s=0.0)
        await ledger.begin(row(), adopt_within_s=0.0)
        limits = Limits(active=1)
        first = await ledger.claim_next("key", limits, holder="p2", token="t")
        for hour in range(1, 73):
            clock.now += 3600.0
            claimed = await ledger.claim_next("key", limits, holder="p2", token=f"{hour}")
            assert isinstance(claimed, Later)
        assert isinstance(first, Record)
        clock.now += 3600.0
        await ledger.change(first, {"stage": Stage.FAILED})
        assert await claim(ledger) == "old"


@pytest.mark.parametrize(("life", "sent"), [(Life.RUNNING, "later"), (Life.SILENT, "mine"), (Life.DEAD, "mine")])
async def test_a_command_waits_behind_who_runs_and_passes_over_what_nobody_may_send(
    tmp_path: Path, life: Life, sent: str
) -> None:
    async with open_ledger(tmp_path, Seen({"p1": life}), clock=lambda: NOW) as ledger:
        await ledger.begin(row(), adopt_within_s=0.0)
        assert await obstacle(ledger, only=set()) is (None if life is Life.RUNNING else Obstacle.NOBODY)
        assert await claim(ledger, only=set()) == ("later" if life is Life.RUNNING else None)
        await ledger.begin(row("mine", "p2"), adopt_within_s=0.0)
        assert await claim(ledger, only={"mine"}) == sent


async def test_who_has_the_account_sends_the_oldest_whoever_holds_it_and_becomes_its_holder(tmp_path: Path) -> None:
    async with open_ledger(tmp_path, Seen({"p1": Life.SILENT}), clock=lambda: NOW) as ledger:
        await ledger.begin(row(), adopt_within_s=0.0)
        assert await claim(ledger) == "old"
        (sent,) = await ledger.newest(["old"])
        assert (sent.stage, sent.holder) == (Stage.SUBMITTING, "p2")


async def test_who_waits_behind_a_submission_of_a_stopped_process_is_told_for_whom(tmp_path: Path) -> None:
    seen = Seen()
    async with open_ledger(tmp_path, seen, clock=lambda: NOW) as ledger:
        limits = Limits(active=1)
        for name in ("sent", "old"):
            await ledger.begin(row(name), adopt_within_s=0.0)
        await ledger.claim_next("key", limits, holder="p1", token="t")
        waiting = await standing_of(ledger, row(), limits)
        assert waiting is not None
        assert waiting.obstacle is None
        seen.lives["p1"] = Life.SILENT
        standing = await standing_of(ledger, row(), limits)
        assert standing is not None
        assert (standing.obstacle, standing.sender) == (Obstacle.STOPPED, ("sent", "p1"))
        free = await standing_of(ledger, row(), Limits())
        assert free is not None
        assert free.obstacle is None, "nothing is in its way"


async def test_a_row_read_just_before_it_was_claimed_stands_nowhere_any_more(tmp_path: Path) -> None:
    async with open_ledger(tmp_path, Seen(), clock=lambda: NOW) as ledger:
        await ledger.begin(row(), adopt_within_s=0.0)
        read = row()
        assert await claim(ledger) == "old"
        assert await standing_of(ledger, read, LIMITS) is None
