"""list_models: what can be asked of whom, with and without keys, up and down."""

from typing import Any

import pytest
from mcp import Client

from tests.hosts import Home, call, connected, text_of
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer, CutJson, Fault, Html, UnknownFields


async def providers(client: Client, **arguments: Any) -> tuple[dict[str, dict[str, Any]], str]:
    """The providers by name, and the text."""
    result = await client.call_tool("list_models", arguments)
    assert not result.is_error, text_of(result)
    return {state["name"]: state for state in result.structured_content["providers"]}, text_of(result)


async def test_every_provider_is_told_of_even_without_a_key(home: Home) -> None:
    async with connected(home) as client:
        found, text = await providers(client)
        alone, _ = await providers(client, provider="betterwaifu")
    assert list(found) == ["fatthumb", "betterwaifu", "sketch"]
    assert {name: state["status"] for name, state in found.items()} == {
        "fatthumb": "no key",
        "betterwaifu": "no key",
        "sketch": "ready",
    }
    assert [name for name, state in found.items() if state["default"]] == ["sketch"]
    assert found["fatthumb"]["key_variable"] == "FATTHUMB_API_KEY"
    assert found["betterwaifu"]["key_variable"] == "BETTERWAIFU_API_KEY"
    assert "key_variable" not in found["sketch"]
    assert "set FATTHUMB_API_KEY" in text
    assert "set BETTERWAIFU_API_KEY" in text
    assert "placeholder" in found["sketch"]["note"]
    assert "not a picture by an AI model" in text
    assert alone == {"betterwaifu": found["betterwaifu"]}


async def test_what_a_provider_accepts_is_what_generate_takes(
    home: Home, fatthumb: FatThumb, betterwaifu: BetterWaifu
) -> None:
    async with connected(home.with_(fatthumb, betterwaifu)) as client:
        found, text = await providers(client)
    thumbs, waifus = found["fatthumb"], found["betterwaifu"]
    assert (thumbs["status"], waifus["status"]) == ("set, not tried yet", "ready")
    assert [model["id"] for model in thumbs["models"]] == ["gemini-3-pro", "gpt-image-2"]
    assert thumbs["accepts"] == {
        "max_count": 4,
        "aspect_ratios": ["16:9"],
        "negative_prompt": False,
        "seed": False,
        "options": ["person_ids", "inspiration_ids"],
    }
    assert thumbs["limits"] == ["10 submissions per 60 s", "1000 requests per 3600 s"]
    assert thumbs["default"] is True
    assert [model["id"] for model in waifus["models"]] == [str(model["id"]) for model in betterwaifu.models]
    assert waifus["model_count"] == len(betterwaifu.models)
    assert waifus["accepts"]["max_count"] == 1
    assert waifus["accepts"]["negative_prompt"] is waifus["accepts"]["seed"] is True
    assert waifus["accepts"]["options"] == ["width", "height", "steps", "cfg_scale", "sampler"]
    assert waifus["limits"] == ["1 active at a time", "1 submission per 60 s"]
    assert waifus["account"] == {
        "credits": 1000,
        "plan": "pro",
        "plan_status": "active",
        "plan_ends": "2027-01-31T00:00:00.000Z",
    }
    assert "account" not in thumbs
    assert "credits 1000" in text
    assert 'model 814910: "WAI-ANI v9" ("' in text
    assert fatthumb.log == []
    assert fatthumb.key not in text
    assert betterwaifu.key not in text


async def test_the_limits_are_those_of_the_key_s_own_plan(home: Home, betterwaifu: BetterWaifu) -> None:
    betterwaifu.subscription = None
    betterwaifu.credits = 0
    limits = {"BETTERWAIFU_LIMITS": "active=3, submit=2/10, submit=100/3600", "DARKROOM_PROVIDER": "sketch"}
    async with connected(home.with_(betterwaifu, **limits)) as client:
        found, _ = await providers(client)
    waifus = found["betterwaifu"]
    assert waifus["limits"] == ["3 active at a time", "2 submissions per 10 s", "100 submissions per 3600 s"]
    assert waifus["account"] == {"credits": 0}
    assert (waifus["default"], found["sketch"]["default"]) == (False, True)


TROUBLE: list[tuple[Fault | None, Fault | None, str]] = [
    (Answer(401, json={"error": "Invalid or missing API key"}), None, "unauthorized"),
    (None, Answer(401, json={"error": "Invalid or missing API key"}), "unauthorized"),
    (Answer(429), None, "rate_limited"),
    (Answer(500), None, "provider_error"),
    (Html(200), None, "provider_error"),
    (None, CutJson(), "provider_error"),
    (Answer(200, json={"models": "none"}), None, "provider_error"),
    (Answer(200, json={"models": [{"id": None}]}), None, "provider_error"),
]


async def test_a_provider_in_trouble_is_unavailable_and_the_others_are_not(
    home: Home, fatthumb: FatThumb, betterwaifu: BetterWaifu, subtests: pytest.Subtests
) -> None:
    async with connected(home.with_(fatthumb, betterwaifu)) as client:
        for models, account, code in TROUBLE:
            with subtests.test(models=models, account=account):
                betterwaifu.always("models", models)
                betterwaifu.always("account", account)
                found, text = await providers(client)
                waifus = found["betterwaifu"]
                assert (waifus["status"], waifus["error"]["code"]) == ("unavailable", code)
                assert waifus["error"]["charged"] == "no"
                assert waifus["accepts"]["max_count"] == 1
                assert f"{code}: {waifus['error']['message']}" in text
                assert "<" not in text
                others = (found["fatthumb"]["status"], found["sketch"]["status"])
                assert others == ("set, not tried yet", "ready")
        betterwaifu.always("models", UnknownFields())
        betterwaifu.always("account", UnknownFields())
        found, _ = await providers(client)
        assert found["betterwaifu"]["status"] == "ready"
        betterwaifu.stop()
        found, text = await providers(client)
        assert found["betterwaifu"]["error"]["code"] == "provider_unreachable"
        assert "betterwaifu: unavailable" in text
        assert found["fatthumb"]["status"] == "set, not tried yet"
        betterwaifu.start()
        assert (await call(client, "list_models", provider="betterwaifu"))["providers"][0]["status"] == "ready"


async def test_models_are_told_even_where_the_account_is_not(home: Home, betterwaifu: BetterWaifu) -> None:
    betterwaifu.username = None
    async with connected(home.with_(betterwaifu)) as client:
        found, _ = await providers(client, provider="betterwaifu")
    assert found["betterwaifu"]["model_count"] == len(betterwaifu.models)
    assert "account" not in found["betterwaifu"]
    assert found["betterwaifu"]["error"]["code"] == "not_found"


async def test_a_key_is_as_good_as_the_last_answer_to_it(home: Home, fatthumb: FatThumb) -> None:
    async with connected(home.with_(fatthumb)) as client:
        assert (await providers(client))[0]["fatthumb"]["status"] == "set, not tried yet"
        fatthumb.script("submit", Answer(401, json={"error": "Invalid API key"}))
        await call(client, "generate", prompt="a fox")
        found, text = await providers(client)
        assert found["fatthumb"]["status"] == "key refused"
        assert "fatthumb (default): key refused" in text
        await call(client, "generate", prompt="a fox")
        assert (await providers(client))[0]["fatthumb"]["status"] == "ready"


async def test_looks_at_the_offers_count_like_every_request_and_never_wait_for_the_limit(
    home: Home, betterwaifu: BetterWaifu
) -> None:
    limits = "active=1,submit=1/60,requests=20/3600"
    async with connected(home.with_(betterwaifu, BETTERWAIFU_LIMITS=limits)) as client:
        first, _ = await providers(client, provider="betterwaifu")
        for _ in range(11):
            await providers(client, provider="betterwaifu")
        last, text = await providers(client, provider="betterwaifu")
    assert len(betterwaifu.log) <= 19  # of a window, a part is kept for submissions
    before, after = first["betterwaifu"], last["betterwaifu"]
    assert "note" not in before
    assert "was not asked now" in after["note"]
    assert after["note"] in text
    assert {name: after[name] for name in after.keys() - {"note"}} == before


async def test_offers_that_nobody_may_ask_for_are_said_to_be_unknown(home: Home, betterwaifu: BetterWaifu) -> None:
    betterwaifu.always("models", Answer(429, json={"error": "slow down"}, headers={"Retry-After": "3000"}))
    async with connected(home.with_(betterwaifu)) as client:
        await providers(client, provider="betterwaifu")
        found, _ = await providers(client, provider="betterwaifu")
    assert len(betterwaifu.log) == 1
    assert "nothing is known of it yet" in found["betterwaifu"]["note"]
