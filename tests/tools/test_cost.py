"""The cost of a generation: estimated by the service's price list, then the service's own figure."""

import json
from typing import Any

import pytest
from mcp.types import ElicitResult

from tests.hosts import ERAS, Era, Home, call, connected, darkroom, text_of
from tests.services.fatthumb import FatThumb
from tests.services.priced import PRICED, PricedService
from tests.tools.test_confirm import ALWAYS, User, asking

NAN = float("nan")


async def made(home: Home, service: PricedService, **wishes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A generation as it is begun, and as it is done."""
    async with connected(service.home(home)) as client:
        begun = await call(client, "generate", prompt="a cat", provider=service.name, **wishes)
        waited = await call(client, "wait", generation_ids=[begun["id"]])
    return begun, waited["generations"][0]


def dollars(amount: float, *, estimated: bool) -> dict[str, Any]:
    return {"amount": amount, "unit": "USD", "estimated": estimated}


@pytest.mark.parametrize("era", ERAS)
async def test_an_estimate_is_shown_at_once_and_the_services_own_figure_takes_its_place_for_good(
    home: Home, era: Era
) -> None:
    with PricedService(cents=17.5) as service:
        service.may_answer.clear()
        user = service.home(home)
        async with connected(user, era) as client:
            begun = await client.call_tool("generate", {"prompt": "a cat", "provider": "priced", "count": 3})
            assert begun.structured_content["cost"] == dollars(0.3, estimated=True)
            assert "Cost: about 0.30 USD." in text_of(begun)
            service.may_answer.set()
            waited = await client.call_tool("wait", {"generation_ids": [begun.structured_content["id"]]})
        assert waited.structured_content["generations"][0]["cost"] == dollars(0.175, estimated=False)
        assert "Cost: 0.175 USD." in text_of(waited)
        async with connected(user, era) as client:
            (again,) = (await call(client, "list_generations"))["generations"]
        assert again["cost"] == dollars(0.175, estimated=False)
    assert "0.175 USD" in darkroom(user, "status", again["id"]).out
    assert "0.175 USD" in darkroom(user, "list").out


async def test_the_price_list_is_read_by_model_count_and_options_and_an_unlisted_value_has_no_price(home: Home) -> None:
    with PricedService() as service:
        async with connected(service.home(home)) as client:

            async def cost(**wishes: Any) -> dict[str, Any] | None:
                return (await call(client, "generate", prompt="a cat", provider="priced", **wishes)).get("cost")

            assert await cost() == dollars(0.1, estimated=True)
            assert await cost(model="small", count=4, options={"quality": "max"}) == dollars(0.4, estimated=True)
            assert await cost(model="large", options={"quality": "high"}) == dollars(0.25, estimated=True)
            assert await cost(model="large", aspect_ratio="16:9") == dollars(1.5, estimated=True)
            assert await cost(model="large", options={"quality": "max"}) is None
            assert await cost(model="odd") is None


async def test_a_price_may_be_that_of_a_whole_call(home: Home) -> None:
    with PricedService(PRICED.replace('unit = "USD"\nsource', 'unit = "USD"\nper = "call"\nsource')) as service:
        _, done = await made(home, service, count=4)
    assert done["cost"] == dollars(0.1, estimated=True)


async def test_the_answer_to_the_submission_may_name_the_cost_and_a_later_look_corrects_it(home: Home) -> None:
    with PricedService(price="0.0333", cents=3) as service:
        begun, done = await made(home, service, model="odd")
    assert begun["cost"] == dollars(0.0333, estimated=True)
    assert done["cost"] == dollars(0.03, estimated=False)


async def test_a_figure_that_nobody_would_charge_is_passed_over(home: Home) -> None:
    with PricedService() as service:
        async with connected(service.home(home)) as client:
            for cents in (-1, 1e30, 10**400, "1e3", "NaN", True, [5], {"amount": 5}, NAN):
                submitted: Any = {"id": "j", "price": cents}
                service.says["submit"] = [(200, json.dumps(submitted).encode())]
                service.costs = {} if cents is NAN else {"cents": cents}
                begun = await call(client, "generate", prompt=f"a cat at {str(cents)[:20]}", provider="priced")
                done = (await call(client, "wait", generation_ids=[begun["id"]]))["generations"][0]
                assert (done["status"], done["cost"]) == ("succeeded", dollars(0.1, estimated=True)), cents


async def test_what_was_certainly_not_charged_cost_nothing(home: Home) -> None:
    with PricedService(refuses=True) as service:
        begun, _ = await made(home, service)
    assert begun["error"]["charged"] == "no"
    assert begun["cost"] == dollars(0, estimated=False)


async def test_a_failed_job_costs_what_its_service_says(home: Home) -> None:
    with PricedService() as service:
        service.says["read"] = [(200, {"status": "failed", "error": "it broke", "cents": 4})]
        _, done = await made(home, service)
        assert (done["error"]["charged"], done["cost"]) == ("yes", dollars(0.04, estimated=False))
        service.says["read"] = [(200, {"status": "failed", "error": "it broke", "cents": 0})]
        _, done = await made(home, service, count=2)
        assert (done["error"]["charged"], done["cost"]) == ("no", dollars(0, estimated=False))


async def test_list_models_shows_each_price_and_where_it_is_from(home: Home, fatthumb: FatThumb) -> None:
    with PricedService() as service:
        user = service.home(home.with_(fatthumb))
        async with connected(user) as client:
            result = await client.call_tool("list_models", {})
        (state,) = [each for each in result.structured_content["providers"] if each["name"] == "priced"]
        assert {each["id"]: each.get("price") for each in state["models"]} == {
            "small": "0.10 USD a picture",
            "large": "0.25 USD a picture with quality low or high, 1.50 USD a picture",
            "odd": None,
        }
        assert "Prices as of 2026-11-28: https://priced.example.com/pricing" in state["note"]
        assert "model small: 'small', 0.10 USD a picture" in text_of(result).replace('"', "'")
        assert "0.25 USD a picture with quality low or high" in darkroom(user, "models").out
        without = user.with_(DARKROOM_PRICED_KEY="")
        assert "0.10 USD a picture" in darkroom(without, "models", "--provider", "priced").out


async def test_the_user_is_asked_with_the_price(home: Home) -> None:
    user = User(ElicitResult(action="decline"))
    with PricedService() as service:
        async with asking(service.home(home, **ALWAYS), user) as client:
            await client.call_tool("generate", {"prompt": "a cat", "provider": "priced", "count": 2})
            await client.call_tool("generate", {"prompt": "a cat", "provider": "priced", "model": "odd"})
        assert not service.posts
    assert "It costs about 0.20 USD there." in user.asked[0].message
    assert "It costs credits there." in user.asked[1].message


async def test_an_answer_that_is_the_result_may_name_its_cost(home: Home) -> None:
    result = PRICED.replace('job = "/id"', 'answers = "result"').replace(", estimate = true", "")
    result = result[: result.index("[read]")] + result[result.index("[pictures]") :]
    with PricedService(result) as service:
        links = [f"{service.origin}/files/1.png"]
        service.says["submit"] = [(200, {"pictures": links, "price": 0.07})]
        _, done = await made(home, service)
    assert done["status"] == "succeeded"
    assert done["cost"] == dollars(0.07, estimated=False)
