"""Two owners share one ledger, one process and one set of tools, and neither has anything of the other's."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import pytest
from mcp import Client, MCPError
from mcp.types import ResourceTemplateReference

from darkroom.app.server import DarkroomServer
from darkroom.models import generation_uri, picture_uri
from darkroom.resources.uris import GENERATION_TEMPLATE
from tests.hosts import ERAS, PATIENCE_S, Era, Home, call, refused
from tests.resources.test_updates import hearing
from tests.services.fatthumb import FatThumb
from tests.tenancy import clients_of, house_of, keys_for, write_tenants

OWNERS = ("ann", "bob")


@asynccontextmanager
async def both(home: Home, era: Era, keys: Mapping[str, str] | None = None) -> AsyncGenerator[list[Client]]:
    """A client of each owner; both have these keys."""
    with anyio.fail_after(PATIENCE_S):
        file = write_tenants(home.path / "tenants.toml", {name: keys or {} for name in OWNERS})
        async with house_of(home, file) as app, clients_of(app, *OWNERS, era=era) as clients:
            yield clients


async def made(client: Client, **arguments: object) -> str:
    started = await call(client, "generate", prompt="a fox", provider="sketch", **arguments)
    await call(client, "wait", generation_ids=[started["id"]], timeout_s=PATIENCE_S)
    return started["id"]


@pytest.mark.parametrize("era", ERAS)
async def test_what_one_owner_has_made_does_not_exist_for_another(home: Home, era: Era) -> None:
    async with both(home, era) as (ann, bob):
        hers = await made(ann)
        assert (await call(bob, "list_generations"))["generations"] == []
        for tool, arguments in {
            "get_status": {"generation_id": hers},
            "wait": {"generation_ids": [hers]},
            "cancel": {"generation_id": hers},
            "gallery": {"generation_id": hers, "index": 1, "action": "favourite"},
            "gallery_delete": {"picture": hers},
        }.items():
            assert "There is no generation" in await refused(bob, tool, **arguments)
        listed = [str(resource.uri) for resource in (await bob.list_resources()).resources]
        assert not [uri for uri in listed if uri.startswith("darkroom:")]
        for uri in (generation_uri(hers), picture_uri(hers, 1)):
            with pytest.raises(MCPError, match="There is no generation"):
                await bob.read_resource(uri)
        of_ids = ResourceTemplateReference(uri=GENERATION_TEMPLATE)
        assert (await bob.complete(of_ids, {"name": "id", "value": ""})).completion.values == []
        assert (await ann.complete(of_ids, {"name": "id", "value": ""})).completion.values == [hers]
        assert [row["id"] for row in (await call(ann, "list_generations"))["generations"]] == [hers]


@pytest.mark.parametrize("era", ERAS)
async def test_the_same_request_key_is_another_name_for_each_owner(home: Home, era: Era) -> None:
    async with both(home, era) as (ann, bob):
        hers = await made(ann, request_key="hero")
        his = await made(bob, request_key="hero")
        assert hers != his
        assert await made(ann, request_key="hero") == hers
        assert [row["id"] for row in (await call(bob, "list_generations"))["generations"]] == [his]


async def test_who_listens_to_what_another_owner_makes_hears_nothing_of_it(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.next_job(duration=1000.0)
    who = "ann"
    file = write_tenants(home.path / "tenants.toml", dict.fromkeys(OWNERS, keys_for(fatthumb)))
    async with house_of(home, file) as app:
        server = DarkroomServer(replace(app, owner=lambda: who))
        async with hearing(server, "2026-07-28") as (ann, hers), hearing(server, "2026-07-28") as (bob, his):
            uri = generation_uri((await call(ann, "generate", prompt="a fox"))["id"])
            who = "bob"
            async with bob.listen(resource_subscriptions=[uri]):
                who = "ann"
                async with ann.listen(resource_subscriptions=[uri]):
                    fatthumb.advance(2000)
                    await hers.until(lambda heard: uri in heard)
                    for _ in range(3):  # whatever was on its way to him has come
                        await call(bob, "list_models")
    assert his.heard == []
