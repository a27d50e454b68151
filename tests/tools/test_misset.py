"""Settings that are not meant as they are written: what goes on, what does not, and how the agent learns of it."""

import pytest

from tests.hosts import Home, call, connected, darkroom, refused, text_of
from tests.services.fatthumb import FatThumb


@pytest.mark.parametrize(
    ("variable", "value"),
    [("DARKROOM_BUDGET", "${BUDGET}"), ("DARKROOM_CONFIRM", "undefined"), ("DARKROOM_BUGDET", "5")],
)
async def test_an_unreadable_guard_refuses_what_costs_money_and_nothing_else(
    home: Home, fatthumb: FatThumb, variable: str, value: str
) -> None:
    user = home.with_(fatthumb)
    async with connected(user) as client:
        paid = await call(client, "generate", prompt="a fox")
    async with connected(user.with_(**{variable: value})) as client:
        for words in ({"prompt": "a hare"}, {"prompt": "a hare", "provider": "fatthumb"}):
            text = await refused(client, "generate", **words)
            assert text.startswith(f"not_configured: {variable} ")
            assert "Charged: no." in text
            assert "Nothing was sent." in text
        await call(client, "generate", prompt="a hare", provider="sketch")
        assert (await call(client, "wait", generation_ids=[paid["id"]]))["generations"][0]["status"] == "succeeded"
        models = await client.call_tool("list_models", {})
        assert variable in models.structured_content["warnings"][0]
        assert f"Warning: {variable}" in text_of(models)
    assert len(fatthumb.posts) == 1


async def test_a_misset_provider_is_told_of_and_the_others_go_on(home: Home, fatthumb: FatThumb) -> None:
    user = home.with_(
        fatthumb, FATTHUMB_LIMITS="many", BETTERWAIFU_API_KEY="${BETTERWAIFU_API_KEY}", DARKROOM_LOG="loud"
    )
    async with connected(user) as client:
        assert "FATTHUMB_LIMITS" in await refused(client, "generate", prompt="a fox")
        assert "BETTERWAIFU_API_KEY" in await refused(client, "generate", prompt="a fox", provider="betterwaifu")
        await call(client, "generate", prompt="a fox", provider="sketch")
        states = {state["name"]: state for state in (await call(client, "list_models"))["providers"]}
    assert states["fatthumb"]["status"] == "unavailable"
    assert states["fatthumb"]["error"]["code"] == "not_configured"
    assert states["betterwaifu"]["status"] == "no key"
    assert fatthumb.log == []


def test_a_command_says_on_stderr_which_settings_it_did_not_take(home: Home) -> None:
    done = darkroom(home, "models", DARKROOM_BUGDET="5", BETTERWAIFU_API_KEY="bw_…", DARKROOM_LOG="loud")
    assert done.status == 0
    assert all(name in done.err for name in ("DARKROOM_BUGDET", "BETTERWAIFU_API_KEY", "DARKROOM_LOG"))


async def test_a_relative_folder_for_pictures_stops_no_reading(home: Home) -> None:
    async with connected(home.with_(DARKROOM_PICTURES="pictures")) as client:
        assert "DARKROOM_PICTURES" in await refused(client, "generate", prompt="a fox", provider="sketch")
        assert (await call(client, "list_generations"))["generations"] == []
