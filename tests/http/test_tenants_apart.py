"""Two tenants of one server: what is one's does not exist for the other, whatever they ask and with whatever ids."""

import json
from collections.abc import Generator
from typing import Any

import anyio
import httpx2
import pytest
from mcp import MCPError
from mcp.types import ResourceTemplateReference

from darkroom.extensions.tasks import IDENTIFIER
from darkroom.models import generation_uri, picture_uri
from darkroom.resources.uris import GENERATION_TEMPLATE
from tests.hosts import ERAS, PATIENCE_S, Era, Home, call, eventually, over, refused
from tests.http.hosting import (
    ANN,
    BOB,
    PREFIX,
    Hosted,
    client_of,
    envelope,
    got,
    headers_of,
    hosted,
    posted,
    tenants_file,
)
from tests.services.fatthumb import FatThumb
from tests.tenancy import keys_for, token_of, write_tenants

KEYS = {"FATTHUMB_API_KEY": "nsk_live_0123456789abcd"}


SHORT_LIVED = """
from darkroom.http import front
front.LONGEST_S = 4.0
import runpy
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Hosted]:
    home = Home(tmp_path_factory.mktemp("apart"))
    with hosted(home, "--tenants", str(tenants_file(home.path)), "--trust-proxy", "127.0.0.1") as server:
        yield server


@pytest.mark.parametrize("era", ERAS)
async def test_what_one_tenant_has_made_does_not_exist_for_another(server: Hosted, era: Era) -> None:
    async with client_of(server.url, era, ANN) as ann, client_of(server.url, era, BOB) as bob:
        hers = (await call(ann, "generate", prompt=f"a fox {era}", provider="sketch"))["id"]
        await over(ann, hers)
        listed = (await call(bob, "list_generations"))["generations"]
        assert hers not in {each["id"] for each in listed}
        for tool, arguments in {
            "get_status": {"generation_id": hers},
            "wait": {"generation_ids": [hers]},
            "cancel": {"generation_id": hers},
            "gallery": {"generation_id": hers, "index": 1, "action": "view"},
        }.items():
            assert "There is no generation" in await refused(bob, tool, **arguments)
        uris = [str(resource.uri) for resource in (await bob.list_resources()).resources]
        assert not [uri for uri in uris if hers in uri]
        for uri in (generation_uri(hers), picture_uri(hers, 1)):
            with pytest.raises(MCPError, match="There is no generation"):
                await bob.read_resource(uri)
        of_ids = ResourceTemplateReference(uri=GENERATION_TEMPLATE)
        assert hers not in (await bob.complete(of_ids, {"name": "id", "value": ""})).completion.values
        mine = await call(bob, "generate", prompt=f"a fox {era}", provider="sketch")
        assert mine["id"] != hers  # an identical call of somebody else
        await call(bob, "cancel", generation_id=mine["id"])
        await call(bob, "get_status", generation_id=mine["id"])
        assert [each["id"] for each in (await call(ann, "list_generations", limit=1))["generations"]] == [hers]
    async with client_of(server.url, era, BOB) as bob:
        for generation in (await call(bob, "list_generations"))["generations"]:
            assert generation["id"] != hers


def asked(server: Hosted, token: str, method: str, **params: Any) -> dict[str, Any]:
    name = next((str(params[key]) for key in ("name", "taskId") if key in params), None)
    body = envelope(method, params, extensions={IDENTIFIER: {}})
    response = httpx2.post(server.url, content=body, headers=headers_of(method, name, token), timeout=PATIENCE_S)
    return response.json()


def test_a_task_is_its_own_tenant_s_alone(server: Hosted) -> None:
    arguments = {"prompt": "a task", "provider": "sketch"}
    handle = asked(server, ANN, "tools/call", name="generate", arguments=arguments)["result"]
    assert handle["resultType"] == "task"
    methods: dict[str, dict[str, Any]] = {"tasks/get": {}, "tasks/cancel": {}, "tasks/update": {"inputResponses": {}}}
    for method, more in methods.items():
        error = asked(server, BOB, method, taskId=handle["taskId"], **more)["error"]
        never = asked(server, BOB, method, taskId="task_" + "a" * 26, **more)["error"]
        assert (error["code"], error["message"]) == (never["code"], never["message"])

    def is_done() -> bool:
        return asked(server, ANN, "tasks/get", taskId=handle["taskId"])["result"]["status"] == "completed"

    eventually(is_done)


async def heard(server: Hosted, token: str, generation_id: str, listening: anyio.Event) -> None:
    """Listens for changes of this generation with `subscriptions/listen`, until there is one."""
    wanted = {"notifications": {"resourceSubscriptions": [generation_uri(generation_id)]}}
    method = "subscriptions/listen"
    stream = httpx2.AsyncClient(timeout=PATIENCE_S)
    async with stream, stream.stream(
        "POST", server.url, content=envelope(method, wanted), headers=headers_of(method, None, token)
    ) as response:  # fmt: skip
        async for line in response.aiter_lines():
            if "acknowledged" in line:
                listening.set()
            if "resources/updated" in line:
                return


async def test_a_listener_hears_of_its_own_tenant_s_generations_alone(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(duration=1000.0)
    file = write_tenants(home.path / "tenants.toml", dict.fromkeys(("ann", "bob"), keys_for(fatthumb)))
    with hosted(home, "--tenants", str(file)) as server:
        await only_its_own_tenant_hears(server, fatthumb, token_of("ann"), token_of("bob"))


async def only_its_own_tenant_hears(server: Hosted, fatthumb: FatThumb, own: str, other: str) -> None:
    async with client_of(server.url, token=own) as ann, anyio.create_task_group() as group:
        made = await call(ann, "generate", prompt="heard of", provider="fatthumb")
        told = {own: False, other: False}
        done = anyio.Event()

        async def listen(token: str, listening: anyio.Event) -> None:
            await heard(server, token, made["id"], listening)
            told[token] = True
            done.set()

        for token in told:
            listening = anyio.Event()
            group.start_soon(listen, token, listening)
            await listening.wait()
        fatthumb.advance(2000)
        await over(ann, made["id"])
        await done.wait()
        assert told == {own: True, other: False}
        group.cancel_scope.cancel()


@pytest.mark.parametrize("era", ERAS)
async def test_equal_ids_of_requests_at_the_same_moment_are_not_mixed_up(server: Hosted, era: Era) -> None:
    tokens = {ANN: "of ann", BOB: "of bob"}
    answers: dict[tuple[str, int], dict[str, Any]] = {}

    async def ask(http: httpx2.AsyncClient, token: str, number: int) -> None:
        params = {"name": "generate", "arguments": {"prompt": f"{tokens[token]} {number}", "provider": "sketch"}}
        body, headers = envelope("tools/call", params, number=7), headers_of("tools/call", "generate", token)
        if era == "legacy":
            body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}).encode()
            headers |= {"mcp-protocol-version": "2025-11-25"}
        text = (await http.post(server.url, content=body, headers=headers)).text
        answers[token, number] = json.loads(text[text.index("{") :])

    async with httpx2.AsyncClient(timeout=PATIENCE_S) as http, anyio.create_task_group() as group:
        for number in range(4):
            for token in tokens:
                group.start_soon(ask, http, token, number)
    for (token, number), answer in answers.items():
        assert answer["id"] == 7
        assert answer["result"]["structuredContent"]["prompt"] == f"{tokens[token]} {number}"


def test_a_question_that_one_tenant_was_asked_is_not_answered_by_another(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = Home(
        tmp_path_factory.mktemp("asked"), {"DARKROOM_CONFIRM": "always", "FATTHUMB_API_KEY": "nsk_live_0123456789abcd"}
    )
    call_of = {"name": "generate", "arguments": {"prompt": "paid for", "provider": "fatthumb"}}
    with hosted(home, "--tenants", str(tenants_file(home.path, keys=KEYS))) as server:

        def put(token: str, params: dict[str, Any]) -> dict[str, Any]:
            body = envelope("tools/call", params, elicitation={"form": {}})
            headers = headers_of("tools/call", "generate", token)
            return httpx2.post(server.url, content=body, headers=headers, timeout=PATIENCE_S).json()

        asked = put(ANN, call_of)
        (key,) = asked["result"]["inputRequests"]
        answer = {"inputResponses": {key: {"action": "accept", "content": {"make_it": True}}}}
        answered = put(BOB, {**call_of, **answer, "requestState": asked["result"]["requestState"]})
        assert answered["error"]["message"] == "Invalid or expired requestState"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_need_no_token_and_any_name(server: Hosted, path: str) -> None:
    assert got(server, path, host="10.2.3.4").status_code == 200


@pytest.mark.parametrize("token", ["", "wrong", "Basic"])
def test_without_a_good_token_nothing_is_told(server: Hosted, token: str) -> None:
    headers = {"authorization": "Basic YTpi"} if token == "Basic" else {}
    address = f"10.1.0.{len(token)}"
    response = posted(server, "tools/list", token="" if headers else token, address=address, **headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert PREFIX not in response.text


def test_after_ten_wrong_tokens_an_address_waits_and_others_do_not(server: Hosted) -> None:
    def tried(token: str, address: str) -> httpx2.Response:
        return posted(server, "tools/list", token=token, address=address)

    assert tried(ANN, "10.9.0.1").status_code == 200
    for number in range(10):
        assert tried(f"wrong {number}", "10.9.0.1").status_code == 401
    refusal = tried("wrong again", "10.9.0.1")
    assert refusal.status_code == 429
    assert 0 < int(refusal.headers["retry-after"]) <= 60
    assert tried("not tried before", "10.9.0.1").status_code == 429
    assert tried(ANN, "10.9.0.1").status_code == 200  # somebody else behind the same address
    assert tried("wrong", "10.9.0.2").status_code == 401


def test_the_word_of_a_proxy_that_nobody_named_is_not_taken(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = Home(tmp_path_factory.mktemp("unnamed"))
    with hosted(home, "--tenants", str(tenants_file(home.path))) as server:
        for number in range(10):
            posted(server, "tools/list", token=f"wrong {number}", address=f"10.9.1.{number}")
        assert posted(server, "tools/list", token="wrong", address="10.9.2.1").status_code == 429


def test_a_token_that_is_taken_out_of_the_file_is_good_no_more(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = Home(tmp_path_factory.mktemp("taken-out"))
    file = tenants_file(home.path)
    with hosted(home, "--tenants", str(file)) as server:
        assert posted(server, "tools/list", token=BOB).status_code == 200
        whole = file.read_text()
        file.write_text(whole[: whole.index("[tenants.bob]")])
        eventually(lambda: posted(server, "tools/list", token=BOB).status_code in {401, 429})
        assert posted(server, "tools/list", token=ANN).status_code == 200
        file.write_text("this is no file of tenants")
        assert posted(server, "tools/list", token=ANN).status_code == 200


def test_no_stream_outlives_its_token_for_long(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = Home(tmp_path_factory.mktemp("long"))
    with hosted(home, "--tenants", str(tenants_file(home.path)), python=("-c", SHORT_LIVED)) as server:
        wanted = {"notifications": {"toolsListChanged": True}}
        response = posted(server, "subscriptions/listen", wanted, token=ANN)  # which returns when the stream ends
        assert response.status_code == 200
        assert "acknowledged" in response.text
        assert server.log.read_text() == ""
