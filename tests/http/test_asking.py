"""Over HTTP: users are asked before paying, the older era says why nobody can be, and no secret comes back."""

from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest
from mcp import MCPError
from mcp.client import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult

from tests.hosts import ERAS, Era, Home, call, over, refused
from tests.http.hosting import Hosted, client_of, hosted
from tests.services.fatthumb import FatThumb
from tests.services.postgres import Cluster


@pytest.fixture(scope="module")
def service() -> Generator[FatThumb]:
    with FatThumb() as service:
        yield service


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, service: FatThumb) -> Generator[Hosted]:
    home = Home(tmp_path_factory.mktemp("asking"), {"DARKROOM_CONFIRM": "always"}).with_(service)
    with hosted(home) as server:
        yield server


async def yes(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    return ElicitResult(action="accept", content={"make_it": True})


async def test_a_user_of_the_newer_era_is_asked_before_anything_is_paid_for(server: Hosted, service: FatThumb) -> None:
    asked: list[str] = []

    async def answer(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        asked.append(params.message)
        assert len(service.posts) == before
        return await yes(context, params)

    before = len(service.posts)
    async with client_of(server.url, "2026-07-28", elicitation_callback=answer) as client:
        made = await call(client, "generate", prompt="paid for", provider="fatthumb")
        await over(client, made["id"])
    assert len(asked) == 1
    assert len(service.posts) == before + 1


async def test_nobody_can_be_asked_in_the_older_era_and_the_refusal_says_so(server: Hosted, service: FatThumb) -> None:
    before = len(service.posts)
    async with client_of(server.url, "legacy", elicitation_callback=yes) as client:
        text = await refused(client, "generate", prompt="paid for?", provider="fatthumb")
        free = await call(client, "generate", prompt="free", provider="sketch")
        await over(client, free["id"])
    assert "2026-07-28" in text
    assert "Nothing was sent" in text
    assert len(service.posts) == before


async def test_the_answer_to_a_question_may_come_to_another_replica(
    tmp_path: Path, postgres: Cluster, service: FatThumb
) -> None:
    before = len(service.posts)
    extra = {"DARKROOM_CONFIRM": "always", "DARKROOM_DATABASE_URL": postgres.fresh()}
    homes = [Home(tmp_path / name, extra).with_(service) for name in ("one", "other")]
    with ExitStack() as stack:
        for home in homes:
            home.path.mkdir()
        urls = [stack.enter_context(hosted(home)).url for home in homes]
        async with client_of(urls[0], replicas=urls, elicitation_callback=yes) as client:
            made = await call(client, "generate", prompt="paid for once", provider="fatthumb")
            await over(client, made["id"])
    assert len(service.posts) == before + 1


@pytest.mark.parametrize("era", ERAS)
async def test_a_key_that_a_caller_names_is_not_said_again(server: Hosted, service: FatThumb, era: Era) -> None:
    async with client_of(server.url, era) as client:
        text = await refused(client, "get_status", generation_id=service.key)
        assert "There is no generation" in text
        with pytest.raises(MCPError) as caught:
            await client.get_prompt(service.key)
        assert "There is no such prompt" in str(caught.value)
        with pytest.raises(MCPError) as missing:
            await client.read_resource(f"darkroom://generations/{service.key}")
    for said in (text, str(caught.value), str(missing.value)):
        assert service.key not in said


@pytest.mark.parametrize("era", ERAS)
async def test_an_error_of_the_disk_does_not_name_its_folders(home: Home, era: Era) -> None:
    home.pictures.write_text("a file where the folder should be")
    with hosted(home) as server:
        async with client_of(server.url, era) as client:
            made = await call(client, "generate", prompt="nowhere to save it", provider="sketch")
            (generation,) = await over(client, made["id"])
            said = [await client.call_tool("get_status", {"generation_id": made["id"]}), generation]
    assert generation["error"]["code"] == "storage_error"
    assert "(the server's disk)" in generation["error"]["message"]
    assert str(home.path) not in str(said)
