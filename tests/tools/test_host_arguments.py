"""Arguments as hosts and agent frameworks send them: taken as they are meant."""

import json
from typing import Any

import pytest

from darkroom.generations.asking.wishes import options_of
from tests.hosts import PATIENCE_S, Home, call, connected, darkroom
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb

N8N = {"toolCallId": "call_1", "sessionId": "s", "action": "sendMessage", "chatInput": "draw", "tool": "generate"}
BLANK: tuple[Any, ...] = (None, "", " ")
OPTIONAL = {
    "generate": ("provider", "model", "count", "aspect_ratio", "negative_prompt", "seed", "options", "request_key"),
    "wait": ("timeout_s", "until"),
    "list_generations": ("status", "provider", "limit", "cursor"),
    "list_models": ("provider",),
}


async def test_blanks_extras_and_other_spellings_are_taken_as_they_are_meant(home: Home) -> None:
    async with connected(home) as client:
        made: dict[str, Any] = {}
        for blank in BLANK:
            left_out = {tool: dict.fromkeys(names, blank) for tool, names in OPTIONAL.items()}
            made = await call(client, "generate", prompt=" a fox", **left_out["generate"], **N8N)
            assert (made["prompt"], made["count"], made["provider"]) == (" a fox", 1, "sketch")
            for ids in (
                made["id"],
                f" {made['id']}\n",
                [f"{made['id']} ", None, ""],
                *map(json.dumps, ([made["id"]], made["id"])),
                str([made["id"]]),
                f"`{made['id']}`",
            ):
                waited = await call(client, "wait", generation_ids=ids, **left_out["wait"], **N8N)
                assert [each["id"] for each in waited["generations"]] == [made["id"]]
            for ident in (
                f" {made['id']} ",
                [made["id"]],
                *map(json.dumps, ([made["id"]], made["id"])),
                str([made["id"]]),
                f"`{made['id']}`",
            ):
                assert (await call(client, "get_status", generation_id=ident, **N8N))["status"] == "succeeded"
            listed = await call(client, "list_generations", **left_out["list_generations"])
            assert listed["generations"][0]["id"] == made["id"]
            assert len((await call(client, "list_models", **left_out["list_models"]))["providers"]) == 3
        first = made["id"]
        spelled: dict[str, Any] = {
            "provider": " Sketch",
            "count": "2",
            "aspect_ratio": " 1:1 ",
            "seed": "7",
            "options": [],
        }
        made = await call(client, "generate", prompt="[1, 2]", **spelled)
        assert (made["prompt"], made["provider"], made["count"], made["seed"]) == ("[1, 2]", "sketch", 2, 7)
        both = await call(client, "wait", generation_ids=f"{made['id']}, {first}", until="ANY")
        assert len(both["generations"]) == 2
        found = await call(client, "list_generations", status="Succeeded", provider="SKETCH", limit="1")
        assert len(found["generations"]) == 1


OPTIONS: list[Any] = [
    ["steps=30", "sampler = euler a", "cfg_scale=7.5", "width=832"],
    {"steps": 30, "sampler": "euler a", "cfg_scale": 7.5, "width": 832, "height": None},
    {"steps": "30", "sampler": "euler a", "cfg_scale": "7.5", "width": "832", "height": ""},
    '{"steps": 30, "sampler": "euler a", "cfg_scale": 7.5, "width": 832}',
    '["steps=30", "sampler=euler a", "cfg_scale=7.5", "width=832"]',
]
IDS: list[Any] = [
    ["person_ids=p1", "person_ids=7", "inspiration_ids=i=1"],
    {"person_ids": ["p1", "7"], "inspiration_ids": "i=1"},
    ['person_ids=["p1", "7"]', "inspiration_ids=i=1", None, ""],
]


async def test_options_are_texts_or_an_object(home: Home, fatthumb: FatThumb, betterwaifu: BetterWaifu) -> None:
    user = home.with_(fatthumb, betterwaifu, BETTERWAIFU_LIMITS="active=9,submit=1000/1")
    async with connected(user) as client:
        empties: list[Any] = [[], {}, "[]", "{}", [""]]
        for empty in empties:
            await call(client, "generate", prompt="nothing wished", provider="fatthumb", options=empty)
        for number, options in enumerate(OPTIONS):
            await call(client, "generate", prompt=f"an owl {number}", provider="BetterWaifu", options=options)
        for number, options in enumerate(IDS):
            await call(client, "generate", prompt=f"a fox {number}", provider="FATTHUMB", options=options)
        await call(client, "generate", prompt="one", provider="fatthumb", options="person_ids=p1")
        fatthumb.until(lambda: len(fatthumb.posts) == len(empties) + len(IDS) + 1, PATIENCE_S)
        betterwaifu.until(lambda: len(betterwaifu.posts) == len(OPTIONS), PATIENCE_S)
    for post in betterwaifu.posts:
        sent = {name: post.body.get(name) for name in ("steps", "sampler", "cfg_scale", "width", "height")}
        assert sent == {"steps": 30, "sampler": "euler a", "cfg_scale": 7.5, "width": 832, "height": None}
    ids: list[Any] = [(post.body["personIds"], post.body["inspirationIds"]) for post in fatthumb.posts]
    none: list[str] = []
    wished = [(none, none)] * len(empties) + [(["p1", "7"], ["i=1"])] * len(IDS) + [(["p1"], none)]
    assert sorted(ids) == sorted(wished)  # POSTs may overtake each other


def test_a_command_takes_the_same_option_twice_as_a_list(home: Home, fatthumb: FatThumb) -> None:
    words = ("--option", "person_ids=p1", "--option", "person_ids=p2")
    darkroom(home.with_(fatthumb), "generate", "a fox", "--provider", "fatthumb", *words)
    assert fatthumb.posts[0].body["personIds"] == ["p1", "p2"]


@pytest.mark.parametrize("texts", [["steps"], ["=1"], [" = 1"], [7], [{"steps": 30}], [["steps=30"]]])
def test_what_is_no_option_is_none(texts: list[Any]) -> None:
    with pytest.raises(ValueError, match="NAME=VALUE"):
        options_of(texts)
