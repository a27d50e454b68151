"""DARKROOM_BUDGET: no process starts more generations a day than the user wants to pay for."""

import re
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.held import PATIENT, break_off
from tests.hosts import ERAS, PATIENCE_S, Era, Home, RawServer, call, connected, darkroom, over, refused, running
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb

UNHURRIED = {"FATTHUMB_LIMITS": "submit=1000/1"}


def assert_used_up(text: str, budget: str) -> None:
    """It says what is used up, until when, and that nothing was paid."""
    assert text.startswith(f"rate_limited: The budget of {budget} a day (DARKROOM_BUDGET) is used up; ")
    assert_resets(text)


def assert_resets(text: str) -> None:
    """It says when the day ends, and that nothing was paid."""
    resets = re.search(r"resets at (\S+)\. ", text)
    assert resets
    moment = datetime.fromisoformat(resets[1])
    assert (moment.hour, moment.minute, moment.second) == (0, 0, 0)
    assert timedelta(hours=10) < moment - datetime.now(UTC) <= timedelta(hours=12)
    assert "Charged: no. Nothing was sent." in text


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_over_the_budget_is_refused_everywhere_until_the_day_ends(
    home: Home, fatthumb: FatThumb, era: Era
) -> None:
    user = home.with_(fatthumb, DARKROOM_BUDGET="2")
    async with connected(user, era) as client:
        first = await call(client, "generate", prompt="first", count=4, request_key="hero")
        await call(client, "generate", prompt="second")
        assert_used_up(await refused(client, "generate", prompt="third"), "2 generations")
        again = await call(client, "generate", prompt="first", count=4, request_key="hero")
        assert again["id"] == first["id"], "what is paid for already is not refused"
        await call(client, "generate", prompt="third", provider="sketch")
    async with connected(user, era) as client:
        assert_used_up(await refused(client, "generate", prompt="third"), "2 generations")
    done = darkroom(user, "generate", "third")
    assert done.status == 1
    assert_used_up(done.err, "2 generations")
    assert len(fatthumb.requests(route="submit")) == 2
    assert len(darkroom(user, "list", "--json").json["generations"]) == 3


async def test_an_answer_that_was_lost_is_given_when_the_budget_is_used_up(home: Home, fatthumb: FatThumb) -> None:
    user = home.with_(fatthumb, DARKROOM_BUDGET="1")
    async with connected(user, python=("-c", PATIENT)) as client:
        await break_off(client, user, fatthumb, "a fox")
        again = await call(client, "generate", prompt="a fox")
        assert_used_up(await refused(client, "generate", prompt="an owl"), "1 generation")
        (known,) = (await call(client, "list_generations"))["generations"]
    assert again["id"] == known["id"]


async def test_what_certainly_cost_nothing_is_not_counted(
    home: Home, fatthumb: FatThumb, betterwaifu: BetterWaifu
) -> None:
    fatthumb.credits = 0
    betterwaifu.next_job(duration=1000.0)
    async with connected(home.with_(fatthumb, betterwaifu, DARKROOM_BUDGET="2")) as client:
        poor = await over(client, (await call(client, "generate", prompt="a fox"))["id"])
        assert [each["error"]["charged"] for each in poor] == ["no"]
        await call(client, "generate", prompt="a fox", provider="betterwaifu")
        waiting = await call(client, "generate", prompt="an owl", provider="betterwaifu")
        assert_used_up(await refused(client, "generate", prompt="an elk", provider="betterwaifu"), "2 generations")
        await call(client, "cancel", generation_id=waiting["id"])
        await call(client, "generate", prompt="an elk", provider="betterwaifu")
        assert_used_up(await refused(client, "generate", prompt="an ibis"), "2 generations")


def test_processes_that_race_for_the_last_of_a_budget_start_no_more_than_it(home: Home, fatthumb: FatThumb) -> None:
    user = home.with_(fatthumb, **UNHURRIED, DARKROOM_BUDGET="5")
    answers: list[dict[str, Any]] = []
    with ExitStack() as stack:
        servers = [RawServer(stack.enter_context(running(user, "serve"))) for _ in range(3)]
        for server in servers:
            server.initialize()
        for number in range(12):
            arguments = {"prompt": f"picture {number}"}
            servers[number % 3].send("tools/call", {"name": "generate", "arguments": arguments})
        for number in range(12):
            answers.append(servers[number % 3].read()["result"])
        fatthumb.until(lambda: len(fatthumb.posts) == 5, PATIENCE_S)
    refusals = [answer["content"][0]["text"] for answer in answers if answer.get("isError")]
    assert len(refusals) == 7
    for text in refusals:
        assert_used_up(text, "5 generations")
    assert len(fatthumb.requests(route="submit")) == 5
