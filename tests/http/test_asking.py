"""DARKROOM_CONFIRM over HTTP: who can be asked is asked, and the older era says why nobody can be."""

from collections.abc import Generator

import pytest
from mcp.client import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult

from tests.hosts import Home, call, over, refused
from tests.http.hosting import Hosted, client_of, hosted
from tests.services.fatthumb import FatThumb


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
