"""The briefs that a person starts from."""

import re

import pytest
from mcp import MCPError
from mcp.types import INVALID_PARAMS, TextContent

from tests.hosts import ERAS, Era, Home, call, connected


@pytest.mark.parametrize("era", ERAS)
async def test_each_prompt_says_what_it_needs(home: Home, era: Era) -> None:
    async with connected(home, era) as client:
        prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
    needed = {
        name: {argument.name: argument.required for argument in prompt.arguments or ()}
        for name, prompt in prompts.items()
    }
    assert needed == {
        "youtube_thumbnail": {"topic": True, "mood": False, "text": False},
        "character_portrait": {"who": True, "style": False},
    }
    for prompt in prompts.values():
        assert prompt.title
        assert prompt.description
        assert all(argument.description for argument in prompt.arguments or ())


@pytest.mark.parametrize(
    ("name", "arguments", "provider"),
    [
        ("youtube_thumbnail", {"topic": "Baking bread at 3,000 m", "mood": "tense", "text": "IT ROSE"}, "fatthumb"),
        ("character_portrait", {"who": "a lighthouse keeper", "style": "ink wash"}, "betterwaifu"),
    ],
)
async def test_a_prompt_briefs_the_agent_with_what_the_person_said_and_with_calls_that_exist(
    home: Home, name: str, arguments: dict[str, str], provider: str
) -> None:
    async with connected(home) as client:
        (message,) = (await client.get_prompt(name, arguments)).messages
        tools = {tool.name for tool in (await client.list_tools()).tools}
    assert isinstance(message.content, TextContent)
    text = message.content.text
    assert all(said in text for said in arguments.values())
    assert f'provider "{provider}"' in text
    assert {"generate", "wait", "list_models"} <= {word.strip(".,:;") for word in text.split()} & tools
    assert "Ask before you generate more" in text


async def test_a_portrait_s_brief_can_be_followed_without_a_key(home: Home) -> None:
    async with connected(home) as client:
        (message,) = (await client.get_prompt("character_portrait", {"who": "a keeper"})).messages
        assert isinstance(message.content, TextContent)
        assert 'use provider "sketch", leave out model and negative_prompt' in message.content.text
        named = {"prompt": "a keeper", "negative_prompt": "blurry", "model": "1", "aspect_ratio": "2:3", "seed": 7}
        kept = {name: value for name, value in named.items() if name not in {"model", "negative_prompt"}}
        assert set(named) <= set(re.findall(r"\w+", message.content.text))
        await call(client, "generate", provider="sketch", **kept)


async def test_a_prompt_without_words_asks_for_none(home: Home) -> None:
    async with connected(home) as client:
        (message,) = (await client.get_prompt("youtube_thumbnail", {"topic": "x"})).messages
    assert isinstance(message.content, TextContent)
    assert "no words" in message.content.text


@pytest.mark.parametrize("era", ERAS)
async def test_a_prompt_that_does_not_exist_is_the_callers_mistake(home: Home, era: Era) -> None:
    async with connected(home, era) as client:
        with pytest.raises(MCPError, match="there are youtube_thumbnail, character_portrait") as refused:
            await client.get_prompt("haiku", {})
    assert refused.value.error.code == INVALID_PARAMS


@pytest.mark.parametrize("era", ERAS)
async def test_a_prompt_says_which_argument_it_lacks(home: Home, era: Era) -> None:
    async with connected(home, era) as client:
        with pytest.raises(MCPError, match="needs topic") as refused:
            await client.get_prompt("youtube_thumbnail", {"mood": "tense"})
    assert refused.value.error.code == INVALID_PARAMS


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"topic": "x" * 501}, "topic must have at most 500"),
        ({"topic": "x", "colour": "red"}, "colour must be left out"),
    ],
)
async def test_a_prompt_says_which_argument_does_not_fit(
    home: Home, era: Era, arguments: dict[str, str], said: str
) -> None:
    async with connected(home, era) as client:
        with pytest.raises(MCPError, match=said) as refused:
            await client.get_prompt("youtube_thumbnail", arguments)
    assert refused.value.error.code == INVALID_PARAMS
