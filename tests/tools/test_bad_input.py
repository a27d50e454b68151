"""What cannot be meant is refused in a sentence to correct the call by, and nothing is sent."""

import re
from typing import Any

import pytest

from tests.hosts import Home, call, connected, refused
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb

UNKNOWN_ID = "gen_aaaaaaaaaaaaaaaaaaaaaaaaaa"

Case = tuple[dict[str, Any], tuple[str, ...]]
"""Arguments, and the words that the refusal must hold."""

GENERATE: list[Case] = [
    ({"prompt": ""}, ("prompt", "empty")),
    ({"prompt": " \n\t "}, ("prompt", "empty")),
    ({"prompt": "x" * 40_000}, ("prompt", "10000")),
    ({"prompt": "a\0b"}, ("prompt", "NUL")),
    ({"prompt": 5}, ("prompt", "text")),
    ({"prompt": None}, ("prompt", "text")),
    ({"prompt": ["a fox"]}, ("prompt", "text")),
    ({}, ("prompt", "needed")),
    ({"prompt": "a fox", "count": 0}, ("count", "1")),
    ({"prompt": "a fox", "count": 9}, ("count", "4")),
    ({"prompt": "a fox", "count": -1}, ("count", "1")),
    ({"prompt": "a fox", "count": 1.5}, ("count", "whole number")),
    ({"prompt": "a fox", "count": "two"}, ("count", "whole number")),
    ({"prompt": "a fox", "count": [2]}, ("count", "whole number")),
    ({"prompt": "a fox", "provider": "midjourney"}, ("midjourney", "fatthumb", "betterwaifu", "sketch")),
    ({"prompt": "a fox", "provider": 7}, ("provider", "text")),
    ({"prompt": "a fox", "model": 814910}, ("model", "text")),
    ({"prompt": "a fox", "seed": "lucky"}, ("seed", "whole number")),
    ({"prompt": "a fox", "seed": -2}, ("seed", "-1")),
    ({"prompt": "a fox", "seed": 2**60}, ("seed", str(2**53 - 1))),
    ({"prompt": "a fox", "options": "steps"}, ("options", "name=value")),
    ({"prompt": "a fox", "options": [1]}, ("options", "name=value")),
    ({"prompt": "a fox", "request_key": "k" * 101}, ("request_key", "100")),
    ({"prompt": "a fox", "request_key": 7}, ("request_key", "text")),
    ({"prompt": "a fox", "colour": "red"}, ("colour", "aspect_ratio", "options")),
    ({"prompt": "a fox", "colour\n\x1b[2J": "red"}, ("colour", "aspect_ratio", "options")),
]
FATTHUMB: list[Case] = [
    ({"model": "dall-e"}, ("model", "gemini-3-pro", "gpt-image-2")),
    ({"aspect_ratio": "4:3"}, ("aspect ratio", "16:9")),
    ({"aspect_ratio": "x" * 21}, ("aspect_ratio", "20")),
    ({"negative_prompt": "text"}, ("negative_prompt", "FatThumb")),
    ({"seed": 5}, ("seed", "FatThumb")),
    ({"options": {"colour": "red"}}, ("colour", "person_ids", "inspiration_ids")),
    ({"options": {"steps": 30}}, ("steps", "person_ids", "inspiration_ids")),
    ({"options": {"person_ids": {"p": 1}}}, ("options.person_ids", "list")),
    ({"options": {"person_ids": [1]}}, ("options.person_ids", "text")),
    ({"options": {"inspiration_ids": [""]}}, ("options.inspiration_ids", "1")),
    ({"options": {"inspiration_ids": ["i"] * 21}}, ("options.inspiration_ids", "20")),
]
BETTERWAIFU: list[Case] = [
    ({"count": 2}, ("count", "1 picture")),
    ({"model": "AnimagineXL"}, ("number", "list_models")),
    ({"model": "٣"}, ("number", "list_models")),
    ({"aspect_ratio": "5:7"}, ("aspect ratio", "2:3", "16:9")),
    ({"negative_prompt": "a\0b"}, ("negative_prompt", "NUL")),
    ({"negative_prompt": "x" * 40_000}, ("negative_prompt", "10000")),
    ({"options": {"person_ids": ["p"]}}, ("person_ids", "sampler")),
    ({"options": {"steps": 19}}, ("options.steps", "20")),
    ({"options": {"steps": 51}}, ("options.steps", "50")),
    ({"options": {"steps": "many"}}, ("options.steps", "number")),
    ({"options": {"steps": True}}, ("options.steps", "number")),
    ({"options": {"cfg_scale": 21}}, ("options.cfg_scale", "20")),
    ({"options": {"width": 833}}, ("options.width", "8")),
    ({"options": {"height": 100_000}}, ("options.height", "2048")),
    ({"options": {"sampler": "a\0b"}}, ("options.sampler",)),
    ({"aspect_ratio": "1:1", "options": {"width": 832}}, ("aspect_ratio", "options.width")),
]
WAIT: list[Case] = [
    ({}, ("generation_ids", "needed")),
    ({"generation_ids": []}, ("generation_ids", "1")),
    ({"generation_ids": [UNKNOWN_ID] * 51}, ("generation_ids", "50")),
    ({"generation_ids": {"id": UNKNOWN_ID}}, ("generation_ids", "list")),
    ({"generation_ids": [None, " "]}, ("generation_ids", "1")),
    ({"generation_ids": [7]}, ("generation_ids", "text")),
    ({"generation_ids": [UNKNOWN_ID], "timeout_s": -1}, ("timeout_s", "0")),
    ({"generation_ids": [UNKNOWN_ID], "timeout_s": 601}, ("timeout_s", "600")),
    ({"generation_ids": [UNKNOWN_ID], "timeout_s": "soon"}, ("timeout_s", "number")),
    ({"generation_ids": [UNKNOWN_ID], "until": "some"}, ("until", "all", "any")),
    ({"generation_id": UNKNOWN_ID}, ("generation_id", "generation_ids", "timeout_s", "until")),
]
ONE_ID: list[Case] = [
    ({}, ("generation_id", "needed")),
    ({"generation_id": ""}, ("generation_id",)),
    ({"generation_id": 7}, ("generation_id", "text")),
    ({"generation_id": "g" * 101}, ("generation_id", "100")),
    ({"id": UNKNOWN_ID}, ("id", "generation_id")),
]
LIST: list[Case] = [
    ({"limit": 0}, ("limit", "1")),
    ({"limit": 101}, ("limit", "100")),
    ({"limit": "all"}, ("limit", "whole number")),
    ({"status": "done"}, ("status", "queued", "cancelled")),
    ({"provider": "midjourney"}, ("midjourney", "fatthumb", "betterwaifu", "sketch")),
    ({"cursor": "newest"}, ("cursor", "next_cursor")),
    ({"cursor": "-1"}, ("cursor", "next_cursor")),
    ({"cursor": "9" * 30}, ("cursor", "next_cursor")),
    ({"cursor": "x" * 101}, ("cursor", "100")),
    ({"page": 2}, ("page", "cursor", "limit")),
]
MODELS: list[Case] = [
    ({"provider": "midjourney"}, ("midjourney", "fatthumb", "betterwaifu", "sketch")),
    ({"provider": ["fatthumb"]}, ("provider", "text")),
    ({"name": "fatthumb"}, ("name", "provider")),
]

ALL_AT_ONCE: list[Case] = [
    (
        {"count": 9, "seed": "lucky", "provider": "midjourney", "colour": "red", "size": 1, "toolCallId": "x"},
        ("prompt is needed", "count must be 4", "seed must be a whole", "'midjourney'", "'colour', 'size'"),
    ),
    (
        {"prompt": "a fox", "provider": "fatthumb", "model": "x", "aspect_ratio": "4:3", "seed": 5, "options": ["a=1"]},
        ("model", "16:9", "seed", "'a'", "model and aspect_ratio and seed and options"),
    ),
    (
        {"prompt": "a fox", "provider": "betterwaifu", "options": ["steps=9", "cfg_scale=99", "width=x"]},
        ("options.steps must be 20", "options.cfg_scale must be 20", "options.width must be a whole"),
    ),
    ({"prompt": "a\0b", "negative_prompt": "c\0d"}, ("prompt holds a NUL", "negative_prompt holds a NUL")),
    ({"prompt": "a fox", "options": {f"o{n}": n for n in range(10_000)}}, ("options must hold at most 10",)),
    ({"prompt": "a fox", **{f"o{n}": n for n in range(10_000)}}, ("no argument 'o0'",)),
]

TABLE: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    *(("generate", arguments, words) for arguments, words in [*GENERATE, *ALL_AT_ONCE]),
    *(("generate", {"prompt": "a fox", "provider": "fatthumb", **extra}, words) for extra, words in FATTHUMB),
    *(("generate", {"prompt": "a fox", "provider": "betterwaifu", **extra}, words) for extra, words in BETTERWAIFU),
    *(("wait", arguments, words) for arguments, words in WAIT),
    *(("get_status", arguments, words) for arguments, words in ONE_ID),
    *(("cancel", arguments, words) for arguments, words in ONE_ID),
    *(("list_generations", arguments, words) for arguments, words in LIST),
    *(("list_models", arguments, words) for arguments, words in MODELS),
]
UNKNOWN: list[tuple[str, dict[str, Any]]] = [
    ("get_status", {"generation_id": UNKNOWN_ID}),
    ("get_status", {"generation_id": "../../etc/passwd"}),
    ("cancel", {"generation_id": UNKNOWN_ID}),
    ("cancel", {"generation_id": "a\0b\x1b[31m"}),
    ("wait", {"generation_ids": [UNKNOWN_ID]}),
]


def assert_corrects(text: str, code: str, *words: str) -> None:
    """It is one line that an agent can act on: the code, what is wrong and what would be right, nothing else."""
    assert text.startswith(f"{code}: "), text
    assert "Charged: no." in text
    missing = [word for word in words if word not in text]
    assert not missing, text
    assert len(text) < 600, "an error is a sentence or two"
    assert not re.search(r"Input should|\bvalid|dictionary|string|integer", text), "these are its library's words"
    assert text.isprintable(), "no line breaks, no control characters"


async def test_arguments_that_cannot_be_meant_are_refused_and_nothing_is_sent(
    home: Home, fatthumb: FatThumb, betterwaifu: BetterWaifu, subtests: pytest.Subtests
) -> None:
    async with connected(home.with_(fatthumb, betterwaifu)) as client:
        for tool, arguments, words in TABLE:
            with subtests.test(tool=tool, arguments=repr(arguments)[:120]):
                assert_corrects(await refused(client, tool, **arguments), "invalid_request", *words)
        for tool, arguments in UNKNOWN:
            with subtests.test(tool=tool, arguments=repr(arguments)):
                assert_corrects(await refused(client, tool, **arguments), "not_found", "list_generations")
        assert (await call(client, "list_generations"))["generations"] == []
    assert (fatthumb.log, betterwaifu.log) == ([], [])


async def test_a_truth_value_is_taken_neither_for_a_count_nor_for_a_prompt(home: Home, fatthumb: FatThumb) -> None:
    async with connected(home.with_(fatthumb)) as client:
        assert_corrects(await refused(client, "generate", prompt="a fox", count=True), "invalid_request", "count")
        assert_corrects(await refused(client, "generate", prompt=True), "invalid_request", "prompt")
    assert fatthumb.log == []


@pytest.mark.parametrize(
    ("chosen", "extra", "variable"),
    [
        ({"provider": "fatthumb"}, {}, "FATTHUMB_API_KEY"),
        ({"provider": "betterwaifu"}, {}, "BETTERWAIFU_API_KEY"),
        ({}, {"DARKROOM_PROVIDER": "betterwaifu"}, "BETTERWAIFU_API_KEY"),
        ({"provider": "fatthumb"}, {"FATTHUMB_API_KEY": "  "}, "FATTHUMB_API_KEY"),
    ],
)
async def test_a_provider_without_a_key_is_refused_by_the_name_of_its_variable(
    home: Home,
    fatthumb: FatThumb,
    betterwaifu: BetterWaifu,
    chosen: dict[str, str],
    extra: dict[str, str],
    variable: str,
) -> None:
    origins = {"FATTHUMB_BASE_URL": fatthumb.url, "BETTERWAIFU_BASE_URL": betterwaifu.url}
    async with connected(home.with_(**origins, **extra)) as client:
        text = await refused(client, "generate", prompt="a fox", **chosen)
        assert_corrects(text, "not_configured", variable, "sketch")
        assert (await call(client, "list_generations"))["generations"] == []
    assert (fatthumb.log, betterwaifu.log) == ([], [])
