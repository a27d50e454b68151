"""DARKROOM_BUDGET in money: estimates are reserved, figures replace them, and what has no price is refused."""

from contextlib import ExitStack
from typing import Any

import pytest

from tests.hosts import ERAS, PATIENCE_S, Era, Home, RawServer, call, connected, darkroom, over, refused, running
from tests.services.fatthumb import FatThumb
from tests.services.priced import PricedService
from tests.tools.test_budget import assert_resets, assert_used_up

PRICED = {"provider": "priced"}


def assert_spent(text: str, costs: str, spent: str, budget: str) -> None:
    """It says what it costs, what is left of what, until when, and that nothing was paid."""
    assert text.startswith(
        f"rate_limited: This costs about {costs}, and of the budget of {budget} a day (DARKROOM_BUDGET) {spent} is "
        "spent or reserved; it resets at "
    )
    assert_resets(text)


@pytest.mark.parametrize("era", ERAS)
async def test_an_estimate_is_reserved_and_the_services_figure_takes_its_place_in_every_process(
    home: Home, era: Era
) -> None:
    with PricedService(cents=12.5) as service:
        user = service.home(home).with_(DARKROOM_BUDGET="0.50 USD")
        service.may_answer.clear()
        async with connected(user, era) as client:
            first = await call(client, "generate", prompt="first", count=4, request_key="hero", **PRICED)
            assert_spent(
                await refused(client, "generate", prompt="b", count=2, **PRICED), "0.20 USD", "0.40 USD", "0.50 USD"
            )
            again = await call(client, "generate", prompt="first", count=4, request_key="hero", **PRICED)
            assert again["id"] == first["id"], "what is reserved already is not refused"
            service.may_answer.set()
            await call(client, "wait", generation_ids=[first["id"]])
            second = await call(client, "generate", prompt="second", count=3, **PRICED)
            await call(client, "wait", generation_ids=[second["id"]])
        async with connected(user, era) as client:
            assert_spent(
                await refused(client, "generate", prompt="b", count=3, **PRICED), "0.30 USD", "0.25 USD", "0.50 USD"
            )
            await call(client, "generate", prompt="b", provider="sketch")
        done = darkroom(user, "generate", "b", "--provider", "priced", "--count", "3")
        assert done.status == 1
        assert_spent(done.err, "0.30 USD", "0.25 USD", "0.50 USD")
        assert len(service.posts) == 2


async def test_what_has_no_price_in_the_currency_is_refused_with_that_reason(home: Home, fatthumb: FatThumb) -> None:
    with PricedService() as service:
        user = service.home(home.with_(fatthumb))
        async with connected(user.with_(DARKROOM_BUDGET="5 USD")) as client:
            text = await refused(client, "generate", prompt="a cat", provider="fatthumb")
            assert text.startswith("invalid_request: fatthumb (model gemini-3-pro) has no price in USD for this, ")
            assert "against the budget of 5 USD a day (DARKROOM_BUDGET). Charged: no. Nothing was sent." in text
            assert "has no price in USD" in await refused(client, "generate", prompt="a cat", model="odd", **PRICED)
            max_quality: dict[str, Any] = {"model": "large", "options": {"quality": "max"}}
            assert "has no price in USD" in await refused(client, "generate", prompt="a cat", **max_quality, **PRICED)
            await call(client, "generate", prompt="a cat", **PRICED)
        async with connected(user.with_(DARKROOM_BUDGET="5 EUR")) as client:
            assert "has no price in EUR" in await refused(client, "generate", prompt="an owl", **PRICED)
            await call(client, "generate", prompt="an owl", provider="sketch")
        assert fatthumb.log == []


async def test_what_costs_more_than_the_whole_budget_is_not_put_off_to_another_day(home: Home) -> None:
    with PricedService() as service:
        async with connected(service.home(home).with_(DARKROOM_BUDGET="0.35 USD")) as client:
            text = await refused(client, "generate", prompt="a cat", count=4, **PRICED)
            await call(client, "generate", prompt="a cat", count=3, **PRICED)
    assert text.startswith("invalid_request: This costs about 0.40 USD, more than the whole budget of 0.35 USD a day ")
    assert "fewer pictures or a cheaper model" in text


async def test_what_was_certainly_not_charged_is_not_counted_and_both_budgets_hold(home: Home) -> None:
    with PricedService(refuses=True) as service:
        async with connected(service.home(home).with_(DARKROOM_BUDGET="0.40 USD, 2")) as client:
            for prompt in ("a", "b", "c"):
                begun = await call(client, "generate", prompt=prompt, count=4, **PRICED)
                assert [each["error"]["charged"] for each in await over(client, begun["id"])] == ["no"]
            service.says["submit"] = [(200, {"id": "j"})]
            await call(client, "generate", prompt="d", **PRICED)
            assert_spent(
                await refused(client, "generate", prompt="e", count=4, **PRICED), "0.40 USD", "0.10 USD", "0.40 USD"
            )
            await call(client, "generate", prompt="e", **PRICED)
            assert_used_up(await refused(client, "generate", prompt="f", **PRICED), "2 generations")


def test_processes_that_race_for_the_last_cent_spend_no_more_than_it(home: Home) -> None:
    with PricedService() as service, ExitStack() as stack:
        user = service.home(home).with_(DARKROOM_BUDGET="0.50 USD")
        servers = [RawServer(stack.enter_context(running(user, "serve"))) for _ in range(2)]
        for server in servers:
            server.initialize()
        for number in range(12):
            arguments = {"prompt": f"picture {number}", **PRICED}
            servers[number % 2].send("tools/call", {"name": "generate", "arguments": arguments})
        answers = [servers[number % 2].read()["result"] for number in range(12)]
        refusals = [answer["content"][0]["text"] for answer in answers if answer.get("isError")]
        assert len(refusals) == 7
        for text in refusals:
            assert_spent(text, "0.10 USD", "0.50 USD", "0.50 USD")
        with service.changed:
            assert service.changed.wait_for(
                lambda: sum(each.table == "submit" for each in service.asked) == 5, PATIENCE_S
            )
    assert len(service.posts) == 5
