"""DARKROOM_CONFIRM: nothing is spent before the user said yes, and nobody is asked for nothing."""

import json
import subprocess
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.types import CallToolResult, ElicitRequestFormParams, ElicitRequestParams, ElicitResult, ErrorData

from tests.held import PATIENT, break_off
from tests.hosts import (
    ERAS,
    PATIENCE_S,
    Era,
    Home,
    RawServer,
    call,
    connected,
    darkroom,
    refused,
    running,
    server_of,
    text_of,
)
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb

ALWAYS = {"DARKROOM_CONFIRM": "always"}
YES = ElicitResult(action="accept", content={"make_it": True})
NO = ElicitResult(action="accept", content={"make_it": False})


@dataclass
class User:
    """Somebody before a host that can ask: what they were asked, and what they answer."""

    answer: ElicitResult | ErrorData = field(default_factory=lambda: YES)
    asked: list[ElicitRequestFormParams] = field(default_factory=list[ElicitRequestFormParams])

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        assert isinstance(params, ElicitRequestFormParams)
        self.asked.append(params)
        return self.answer


@asynccontextmanager
async def asking(
    home: Home, user: User, era: Era = "legacy", *, python: Sequence[str] = ("-m", "darkroom")
) -> AsyncGenerator[Client]:
    """A real client, whose host shows questions to this user."""
    with anyio.fail_after(PATIENCE_S):
        async with Client(server_of(home, python=python), mode=era, cache=None, elicitation_callback=user) as client:
            yield client


@pytest.mark.parametrize("era", ERAS)
async def test_the_user_is_asked_once_and_a_yes_makes_it(home: Home, fatthumb: FatThumb, era: Era) -> None:
    user = User()
    async with asking(home.with_(fatthumb, **ALWAYS), user, era) as client:
        started = await call(client, "generate", prompt="A fox reading a map", count=2)
        answer = await call(client, "wait", generation_ids=[started["id"]])
    assert answer["generations"][0]["status"] == "succeeded"
    assert len(fatthumb.posts) == 1
    (question,) = user.asked
    assert all(word in question.message for word in ("FatThumb", "gemini-3-pro", "2 pictures", "A fox reading a map"))
    assert question.requested_schema["required"] == ["make_it"]
    assert question.requested_schema["properties"]["make_it"]["type"] == "boolean"


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("answer", "words", "known"),
    [
        (NO, "The user was asked and said no.", True),
        (ElicitResult(action="decline"), "your host, and it answered no", False),
        (ElicitResult(action="cancel"), "your host, and it closed it", False),
    ],
)
async def test_anything_but_a_yes_refuses_and_the_user_s_no_is_told_from_the_host_s(
    home: Home, fatthumb: FatThumb, era: Era, answer: ElicitResult, words: str, known: bool
) -> None:
    user = User(answer)
    async with asking(home.with_(fatthumb, **ALWAYS), user, era) as client:
        text = await refused(client, "generate", prompt="a fox")
        assert text.startswith("invalid_request: ")
        assert words in text
        assert ("user was asked" in text) is known
        assert ("is not known" in text) is not known
        assert "Charged: no. Nothing was sent." in text
        assert "Do not ask for it again" in text
        assert (await call(client, "list_generations"))["generations"] == []
    assert len(user.asked) == 1
    assert fatthumb.log == []


@pytest.mark.parametrize("era", ERAS)
async def test_a_host_that_cannot_ask_is_refused_and_told_what_to_do(home: Home, fatthumb: FatThumb, era: Era) -> None:
    async with connected(home.with_(fatthumb, **ALWAYS), era) as client:
        text = await refused(client, "generate", prompt="a fox")
        assert text.startswith("not_configured: DARKROOM_CONFIRM")
        assert "Charged: no. Nothing was sent." in text
        assert "unset DARKROOM_CONFIRM" in text
        assert (await call(client, "list_generations"))["generations"] == []
    assert fatthumb.log == []


@pytest.mark.parametrize(("elicitation", "able"), [({}, True), ({"form": {}}, True), ({"url": {}}, False)])
def test_a_host_can_ask_if_it_shows_forms(
    home: Home, fatthumb: FatThumb, elicitation: dict[str, Any], able: bool
) -> None:
    with running(home.with_(fatthumb, **ALWAYS), "serve") as process:
        server = introduced(process, {"elicitation": elicitation})
        sent = server.send("tools/call", {"name": "generate", "arguments": {"prompt": "a fox"}})
        heard = server.read()
        if not able:
            assert heard["id"] == sent
            assert heard["result"]["content"][0]["text"].startswith("not_configured: ")
        else:
            assert heard["method"] == "elicitation/create"
    assert fatthumb.log == []


@pytest.mark.parametrize("era", ERAS)
async def test_a_host_that_answers_nonsense_counts_as_one_that_cannot_ask(
    home: Home, fatthumb: FatThumb, era: Era
) -> None:
    user = User()
    nonsense: list[ElicitResult | ErrorData] = [
        ElicitResult(action="accept"),
        ElicitResult(action="accept", content={"make_it": "perhaps"}),
        ElicitResult(action="accept", content={"yes": True}),
    ]
    if era == "legacy":  # in the other, a client that fails at a question does not call again
        nonsense.append(ErrorData(code=-32603, message="no window to ask in"))
    async with asking(home.with_(fatthumb, **ALWAYS), user, era) as client:
        for user.answer in nonsense:
            text = await refused(client, "generate", prompt="a fox")
            assert text.startswith("not_configured: The user must be asked")
            assert "Charged: no. Nothing was sent." in text
    assert fatthumb.log == []


@pytest.mark.parametrize("era", ERAS)
async def test_only_calls_for_more_pictures_than_allowed_are_asked_about(
    home: Home, fatthumb: FatThumb, era: Era
) -> None:
    user = User(NO)
    async with asking(home.with_(fatthumb, DARKROOM_CONFIRM="over:2"), user, era) as client:
        await call(client, "generate", prompt="two foxes", count=2)
        assert user.asked == []
        await refused(client, "generate", prompt="three foxes", count=3)
    assert "3 pictures" in user.asked[0].message


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_free_cannot_be_made_or_was_made_before_is_not_asked_about(
    home: Home, fatthumb: FatThumb, betterwaifu: BetterWaifu, era: Era
) -> None:
    user = User()
    environment = home.with_(fatthumb, **ALWAYS)
    async with asking(environment, user, era) as client:
        await call(client, "generate", prompt="a fox", provider="sketch")
        for impossible in ({"prompt": " "}, {"aspect_ratio": "5:7"}, {"seed": 5}, {"provider": "betterwaifu"}):
            await refused(client, "generate", **{"prompt": "a fox", **impossible})
        assert user.asked == []
        first = await call(client, "generate", prompt="a fox", request_key="hero")
        assert len(user.asked) == 1
        again = await call(client, "generate", prompt="a fox", request_key="hero")
        assert again["id"] == first["id"]
        assert "names another request" in await refused(client, "generate", prompt="an owl", request_key="hero")
    async with connected(environment, era) as mute:
        assert (await call(mute, "generate", prompt="a fox", request_key="hero"))["id"] == first["id"]
    assert len(user.asked) == 1
    assert len(fatthumb.posts) == 1


@pytest.mark.parametrize("era", ERAS)
async def test_an_answer_that_was_lost_is_given_without_asking_again(home: Home, fatthumb: FatThumb, era: Era) -> None:
    user = User()
    environment = home.with_(fatthumb, **ALWAYS)
    async with asking(environment, user, era, python=("-c", PATIENT)) as client:
        await break_off(client, environment, fatthumb, "a fox")
        user.answer = NO
        results: list[CallToolResult] = []

        async def again() -> None:
            results.append(await client.call_tool("generate", {"prompt": "a fox"}))

        async with anyio.create_task_group() as tasks:
            for _ in range(4):  # one of them gets it; the others must not take that for a yes to something new
                tasks.start_soon(again)
        (known,) = (await call(client, "list_generations"))["generations"]
    (given,) = [result for result in results if not result.is_error]
    assert given.structured_content["id"] == known["id"]
    assert all(text_of(result).startswith("invalid_request: The ") for result in results if result is not given)
    assert len(fatthumb.posts) == 1


@pytest.mark.parametrize("era", ERAS)
async def test_nobody_is_asked_about_what_the_budget_forbids(home: Home, fatthumb: FatThumb, era: Era) -> None:
    user = User()
    async with asking(home.with_(fatthumb, **ALWAYS, DARKROOM_BUDGET="1"), user, era) as client:
        await call(client, "generate", prompt="a fox")
        assert "DARKROOM_BUDGET" in await refused(client, "generate", prompt="an owl")
    assert len(user.asked) == 1


async def test_a_caller_that_leaves_during_the_question_has_asked_for_nothing(home: Home, fatthumb: FatThumb) -> None:
    asked = anyio.Event()

    async def never(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        asked.set()
        await anyio.sleep_forever()
        raise AssertionError

    environment = home.with_(fatthumb, **ALWAYS)
    with anyio.fail_after(PATIENCE_S):
        async with Client(server_of(environment), mode="legacy", cache=None, elicitation_callback=never) as client:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.call_tool, "generate", {"prompt": "a fox"})
                await asked.wait()
                tasks.cancel_scope.cancel()
            assert (await call(client, "list_generations"))["generations"] == []
    assert darkroom(environment, "list", "--json").json["generations"] == []
    assert fatthumb.log == []


def test_a_client_that_dies_during_the_question_has_asked_for_nothing(home: Home, fatthumb: FatThumb) -> None:
    environment = home.with_(fatthumb, **ALWAYS)
    with running(environment, "serve") as process:
        server = introduced(process, {"elicitation": {}})
        server.send("tools/call", {"name": "generate", "arguments": {"prompt": "a fox"}})
        assert server.read()["method"] == "elicitation/create"
        assert process.stdin is not None
        process.stdin.close()
        process.wait(PATIENCE_S)
    assert darkroom(environment, "list", "--json").json["generations"] == []
    assert fatthumb.log == []


async def test_a_question_is_one_short_line_whatever_the_prompt_holds(home: Home, fatthumb: FatThumb) -> None:
    user = User()
    async with asking(home.with_(fatthumb, **ALWAYS), user) as client:
        await call(client, "generate", prompt="a fox\r\n\x1b[2J\u202e" + "x" * 9_000)
    (question,) = user.asked
    assert question.message.isprintable()
    assert "1 picture with" in question.message
    assert len(question.message) < 450


def test_who_asks_at_a_terminal_is_not_asked_back(home: Home, fatthumb: FatThumb) -> None:
    assert darkroom(home.with_(fatthumb, **ALWAYS), "generate", "a fox").status == 0
    assert len(fatthumb.posts) == 1


def introduced(process: subprocess.Popen[str], capabilities: dict[str, Any]) -> RawServer:
    """The server after the handshake of 2025-11-25 with a host that can do this."""
    assert process.stdin is not None
    server = RawServer(process)
    info = {"name": "raw", "version": "0"}
    server.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": info})
    process.stdin.write(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}) + "\n")
    process.stdin.flush()
    return server
