"""Deleting over HTTP: no trash is there, so nothing goes, and whoever asked is told who can do it, and how."""

import pytest

from tests.hosts import ERAS, Era, Home, call, darkroom, identity, over, refused
from tests.http.hosting import ANN, BOB, client_of, hosted, tenants_file


@pytest.mark.parametrize("era", ERAS)
async def test_a_tenant_is_sent_to_whoever_runs_the_server_and_everything_stays(home: Home, era: Era) -> None:
    with hosted(home, "--tenants", str(tenants_file(home.path))) as server:
        page = identity("a host with pages", apps=True)
        async with client_of(server.url, era, ANN, **page) as ann, client_of(server.url, era, BOB, **page) as bob:
            made = (await call(ann, "generate", prompt="a fox", provider="sketch"))["id"]
            await over(ann, made)
            for picture in (made, f"{made}/1"):
                text = await refused(ann, "gallery_delete", picture=picture)
                assert "they stay" in text
                assert "Ask whoever runs this server to remove them." in text
                assert str(home.path) not in text
                assert "There is no generation" in await refused(bob, "gallery_delete", picture=picture)
            assert [each["id"] for each in (await call(ann, "list_generations"))["generations"]] == [made]
    assert len(home.saved()) == 1
    assert home.trashed() == []


async def test_the_one_user_of_a_server_is_told_the_command_and_it_works(home: Home) -> None:
    with hosted(home) as server:
        async with client_of(server.url, **identity("a host with pages", apps=True)) as client:
            made = (await call(client, "generate", prompt="a fox", provider="sketch"))["id"]
            await over(client, made)
            text = await refused(client, "gallery_delete", picture=made)
    command = f"darkroom-mcp delete {made} --for-good"
    assert command in text
    assert len(home.saved()) == 1
    done = darkroom(home, *command.split()[1:], "--yes")
    assert (done.status, home.saved()) == (0, [])
