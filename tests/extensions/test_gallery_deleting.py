"""Favourites, and deletion: the page's calls as a host passes them on, and a model's, which delete nothing."""

from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError

from darkroom.extensions.gallery_deleting import ASKED_BY_PAGE
from darkroom.models import generation_uri, picture_uri
from tests.extensions.test_gallery_tool import UNKNOWN_ID, drawn
from tests.hosts import ERAS, Era, Home, call, connected, darkroom, refused
from tests.services.fatthumb import FatThumb


async def asked(client: Client, picture: str) -> str:
    """The token that the page is given."""
    result = await client.call_tool("gallery_delete", {"picture": picture})
    assert not result.is_error, result.content
    assert result.structured_content["done"].startswith("Nothing is deleted")
    return (result.meta or {})[ASKED_BY_PAGE]


async def deleted(client: Client, picture: str) -> dict[str, Any]:
    """The answer to the page's two calls."""
    return await call(client, "gallery_delete", picture=picture, token=await asked(client, picture))


@pytest.mark.parametrize("era", ERAS)
async def test_only_the_page_deletes_and_each_token_is_good_once_and_for_one_thing(
    home: Home, fatthumb: FatThumb, era: Era
) -> None:
    user = home.with_(fatthumb)
    async with connected(user, era, apps=True) as client, connected(user, era) as other:
        made = (await drawn(client, count=2))["id"]
        for model in (other, client):
            text = await refused(model, "gallery_delete", picture=made, token="guessed")
            assert "Only the user deletes pictures, so nothing was deleted" in text
            assert f"darkroom-mcp delete {made}" in text
        assert "Only the user" in await refused(other, "gallery_delete", picture=made)
        token = await asked(client, f"{made}/1")
        for thing in (f"{made}/2", f"{made}/1"):
            assert "Only the user" in await refused(client, "gallery_delete", picture=thing, token=token)
        for odd in ("x", ""):
            assert "nothing was deleted" in await refused(client, "gallery_delete", picture=f"{made}/{odd}")
        assert (await refused(client, "gallery_delete", picture=UNKNOWN_ID)).startswith("not_found")
        assert "has no picture 3" in await refused(client, "gallery_delete", picture=f"{made}/3")
    assert len(home.saved()) == 2
    assert home.trashed() == []


async def test_a_deleted_picture_lies_in_the_trash_reads_as_deleted_and_is_not_fetched_again(
    home: Home, fatthumb: FatThumb
) -> None:
    async with connected(home.with_(fatthumb), apps=True) as client:
        made = await drawn(client, count=2)
        await call(client, "gallery", generation_id=made["id"], index=2, action="favourite")
        first, second = (Path(image["path"]) for image in made["images"])
        content = second.read_bytes()
        left = (await deleted(client, f"{made['id']}/2"))["generation"]
        assert home.saved() == [first]
        assert [(file.name, file.read_bytes()) for file in home.trashed()] == [(second.name, content)]
        fetched = len(fatthumb.picture_requests)
        seen = await call(client, "get_status", generation_id=made["id"])
        assert (seen["status"], seen["images"]) == ("succeeded", left["images"])
        assert seen["progress"]["message"].startswith("1 picture saved, 1 deleted since.")
        error = {
            "code": "deleted", "message": "Its user deleted this picture.", "charged": "yes",
            "next_step": "It is in the system's trash, unless that has been emptied since.",
        }  # fmt: skip
        gone = {"index": 2, "status": "failed", "watermarked": False, "hidden": False, "error": error}
        assert seen["images"][1] == gone
        assert "next_step" not in seen
        for action in ("view", "favourite"):
            text = await refused(client, "gallery", generation_id=made["id"], index=2, action=action)
            assert text.startswith("deleted: Its user deleted this picture.")
        with pytest.raises(MCPError, match="user deleted this picture"):
            await client.read_resource(picture_uri(made["id"], 2))
        assert "user deleted" in await refused(client, "gallery_delete", picture=f"{made['id']}/2")
        assert (await call(client, "gallery", favourites=True))["generations"] == []
        assert len(fatthumb.picture_requests) == fetched


async def test_a_deleted_generation_reads_as_deleted_everywhere_and_is_neither_made_again_nor_off_the_budget(
    home: Home, fatthumb: FatThumb
) -> None:
    async with connected(home.with_(fatthumb, DARKROOM_BUDGET="2"), apps=True) as client:
        made = await drawn(client, count=2, request_key="hero")
        home.saved()[0].write_bytes(b"mine")
        said = (await deleted(client, made["id"]))["done"]
        assert said == "Moved to the trash. 1 changed since it was saved, and stays."
        assert [file.read_bytes() for file in home.saved()] == [b"mine"]
        assert len(home.trashed()) == 1
        calls: dict[str, dict[str, Any]] = {
            "get_status": {"generation_id": made["id"]},
            "wait": {"generation_ids": [made["id"]]},
            "gallery": {"generation_id": made["id"], "action": "view"},
            "gallery_delete": {"picture": made["id"]},
        }
        for tool, arguments in calls.items():
            text = await refused(client, tool, **arguments)
            assert "it was deleted since" in text
            assert "moved to the system's trash" in text
        with pytest.raises(MCPError, match="it was deleted since"):
            await client.read_resource(generation_uri(made["id"]))
        assert (await call(client, "list_generations"))["generations"] == []
        again = await refused(client, "generate", prompt="A fox", count=2, request_key="hero")
        assert "was made before" in again
        assert "system's trash" in again
        await drawn(client, prompt="A hen")
        assert "DARKROOM_BUDGET" in await refused(client, "generate", prompt="A badger"), "both are of today"
    assert len(fatthumb.posts) == 2


async def test_what_runs_is_not_deleted_and_where_there_is_no_trash_the_person_is_told_how(
    home: Home, fatthumb: FatThumb
) -> None:
    user = home.with_(fatthumb, XDG_DATA_HOME=str(home.path / "data"), FATTHUMB_LIMITS="submit=100/1")
    (home.path / "data").write_bytes(b"no folder, so there can be no trash in it")
    async with connected(user, apps=True) as client:
        made = (await drawn(client))["id"]
        fatthumb.later_jobs(duration=1000.0)
        runs = (await call(client, "generate", prompt="A hen"))["id"]
        assert "is not over yet" in await refused(client, "gallery_delete", picture=runs)
        text = await refused(client, "gallery_delete", picture=made, token=await asked(client, made))
        assert text.startswith(f"storage_error: The pictures of {made} cannot be moved to the trash")
        assert f"darkroom-mcp delete {made} --for-good" in text
        assert (await call(client, "get_status", generation_id=made))["images"][0]["status"] == "succeeded"
    assert len(home.saved()) == 1
    kept = darkroom(user, "delete", made, "--yes")
    assert kept.status == 1
    assert "--for-good" in kept.err
    assert darkroom(user, "delete", made, "--yes", "--for-good").status == 0
    assert home.saved() == []
    assert "removed for good" in darkroom(user, "status", made).err


async def test_favourites_are_marked_found_and_unmarked(home: Home, fatthumb: FatThumb) -> None:
    async with connected(home.with_(fatthumb), apps=True) as client:
        made = (await drawn(client, count=2))["id"]
        await drawn(client, prompt="A hen", provider="sketch")
        for _ in range(2):
            await call(client, "gallery", generation_id=made, index=2, action="favourite")
        seen = await call(client, "get_status", generation_id=made)
        assert [image.get("favourite") for image in seen["images"]] == [None, True]
        for wish, found in ({}, [made]), ({"search": "fox"}, [made]), ({"search": "hen"}, []):
            shown = await call(client, "gallery", favourites=True, **wish)
            assert [each["id"] for each in shown["generations"]] == found
        listed = darkroom(home, "list", "--favourites", "--json").json
        assert [each["id"] for each in listed["generations"]] == [made]
        await call(client, "gallery", generation_id=made, index=2, action="no_favourite")
        assert (await call(client, "gallery", favourites=True))["generations"] == []
        text = await refused(client, "gallery", generation_id=made, index=3, action="favourite")
        assert "no saved picture 3" in text
    assert "No generation is like that" in darkroom(home, "list", "--favourites").out
