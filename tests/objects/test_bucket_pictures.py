"""Pictures in an object store: saved once, read by agents as resources, opened by people through links."""

import base64
import json
import re
import shutil
from typing import Any

from mcp import Client
from mcp.types import BlobResourceContents, CallToolResult

from tests.hosts import Home, call, connected, darkroom, links_of, previews_of, refused, sheet_of, text_of
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer
from tests.services.objects import KEY, SECRET, Kept, ObjectStore, opened
from tests.services.pictures import noise

LINK = re.compile(r"https?://\S+X-Amz-Signature=\S+")


async def waited(client: Client, *ids: str) -> CallToolResult:
    """The result of wait, which must have all of them."""
    result = await client.call_tool("wait", {"generation_ids": list(ids), "timeout_s": 60})
    assert not result.is_error, text_of(result)
    assert not result.structured_content["timed_out"]
    return result


async def read(client: Client, uri: str) -> bytes:
    """The resource's bytes."""
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, BlobResourceContents)
    return base64.b64decode(content.blob)


async def test_pictures_are_saved_in_the_bucket_and_read_as_resources(user: Home, bucket: Kept) -> None:
    async with connected(user) as client:
        started = await call(client, "generate", prompt="Füchse, im Schnee!", provider="sketch", count=2)
        result = await waited(client, started["id"])
        (generation,) = result.structured_content["generations"]
        images = generation["images"]
        resources = [await read(client, image["uri"]) for image in images]
        seen = await client.call_tool("gallery", {"generation_id": started["id"], "index": 1, "action": "view"})
    day, whole_id = generation["created_at"][:10], started["id"].removeprefix("gen_")
    names = [f"team/red/{day}/füchse-im-schnee-{whole_id}-{number}.png" for number in (1, 2)]
    assert bucket.names() == names
    assert resources == [bucket.read(name) for name in names]
    assert [bucket.type_of(name) for name in names] == ["image/png"] * 2
    assert [len(content) for content in resources] == [image["bytes"] for image in images]
    assert not any("path" in image for image in images)
    assert [str(link.uri) for link in links_of(result)] == [image["uri"] for image in images]
    assert sheet_of(result) is not None
    assert not seen.is_error
    assert not [path for path in (user.path / "home" / "drafts").iterdir() if path.suffix == ".part"]
    assert not user.pictures.exists()


async def test_a_person_is_given_a_link_that_opens_for_a_quarter_of_an_hour(user: Home) -> None:
    async with connected(user) as client:
        started = await call(client, "generate", prompt="a fox", provider="sketch")
        result = await waited(client, started["id"])
        asked = await client.call_tool("get_status", {"generation_id": started["id"]})
        listed = await client.call_tool("list_generations", {})
        content = await read(client, result.structured_content["generations"][0]["images"][0]["uri"])
    for each, image in (
        (result, result.structured_content["generations"][0]["images"][0]),
        (asked, asked.structured_content["images"][0]),
    ):
        assert image["url"] in text_of(each)
        assert "X-Amz-Expires=900&" in image["url"]
        assert "15 minutes" in text_of(each)
        assert opened(image["url"]) == content
    assert not LINK.search(listed.model_dump_json())


async def test_no_folder_key_or_signed_link_is_shown_logged_or_written_down(user: Home) -> None:
    said: list[Any] = []
    wordy = user.with_(DARKROOM_LOG="debug")
    async with connected(wordy) as client:
        started = await call(client, "generate", prompt="a fox", provider="sketch", count=2)
        said += [await waited(client, started["id"]), await client.list_resources()]
        said += [await client.call_tool("list_generations", {}), await client.call_tool("list_models", {})]
        said.append(await client.read_resource(f"darkroom://generations/{started['id']}"))
        folder = {"generation_id": started["id"], "index": 1, "action": "open_folder"}
        said.append(await refused(client, "gallery", **folder))
    everything = json.dumps([each if isinstance(each, str) else each.model_dump_json() for each in said])
    shown = darkroom(wordy, "wait", started["id"])
    written = b"".join(path.read_bytes() for path in (user.path / "home").rglob("*") if path.is_file()).decode("latin1")
    assert str(user.path) not in everything + shown.out
    assert KEY in everything  # each link names whose signature it is
    for text in (everything, shown.out, shown.err, written):
        assert SECRET not in text
    for text in (shown.err, written):
        assert KEY not in text
        assert "X-Amz" not in text


def test_a_terminal_prints_links_which_scripts_can_fetch(user: Home, bucket: Kept) -> None:
    made = darkroom(user, "generate", "a fox", "--provider", "sketch")
    assert made.status == 0, made.err
    (name,) = bucket.names()
    assert opened(made.out.strip()) == bucket.read(name)
    (listed,) = darkroom(user, "list", "--json").json["generations"]
    shown = darkroom(user, "status", listed["id"])
    (link,) = LINK.findall(shown.out)
    assert opened(link) == bucket.read(name)
    assert listed["images"][0]["uri"] in shown.out


async def test_small_versions_are_kept_beside_the_ledger_and_made_again_where_there_are_none(
    user: Home, store: ObjectStore
) -> None:
    async with connected(user) as client:
        started = await call(client, "generate", prompt="a fox", provider="sketch")
        assert len(previews_of(await waited(client, started["id"]))) == 1
    assert "GET" not in {asked.method for asked in store.asked}
    shutil.rmtree(user.path / "home" / "previews")  # as on another machine
    async with connected(user) as client:
        assert len(previews_of(await waited(client, started["id"]))) == 1
    assert [asked.method for asked in store.asked].count("GET") == 1


async def test_an_object_that_was_deleted_or_replaced_is_named_as_a_missing_file_is(user: Home, bucket: Kept) -> None:
    async with connected(user) as client:
        started = await call(client, "generate", prompt="a fox", provider="sketch", count=2)
        result = await waited(client, started["id"])
        uris = [image["uri"] for image in result.structured_content["generations"][0]["images"]]
        for name, content in zip(bucket.names(), (None, b"something else"), strict=True):
            if content is None:
                bucket.delete(name)
            else:
                bucket.replace(name, content)
        words = [await words_of(client, uri) for uri in uris]
        seen = await waited(client, started["id"])
    assert "There is no picture to be read at" in words[0]
    assert "is not the picture that was saved there" in words[1]
    assert all("If you moved it" in each and "s3://" not in each for each in words)
    assert (sheet_of(seen), previews_of(seen)) == (None, [])


async def words_of(client: Client, uri: str) -> str:
    """The error for a resource that cannot be read."""
    try:
        await client.read_resource(uri)
    except Exception as error:
        return str(error)
    raise AssertionError(f"{uri} was read")


async def test_pictures_of_before_stay_readable_and_keep_their_names_in_the_folder(
    home: Home, user: Home, bucket: Kept
) -> None:
    folder = Home(home.path)
    async with connected(folder) as client:
        older = await call(client, "generate", prompt="an older fox", provider="sketch")
        await waited(client, older["id"])
    async with connected(user) as client:
        newer = await call(client, "generate", prompt="a newer fox", provider="sketch")
        result = await waited(client, older["id"], newer["id"])
        first, second = (each["images"][0] for each in result.structured_content["generations"])
        assert await read(client, first["uri"]) == folder.saved()[0].read_bytes()
        assert await read(client, second["uri"]) == bucket.read(bucket.names()[0])
    assert "path" not in first
    async with connected(folder) as client:
        result = await waited(client, older["id"], newer["id"])
        first, second = (each["images"][0] for each in result.structured_content["generations"])
    assert first["path"] == str(folder.saved()[0])
    assert "path" not in second


async def test_a_large_picture_goes_in_parts_and_none_is_left_of_one_that_failed(
    user: Home, bucket: Kept, store: ObjectStore, fatthumb: FatThumb
) -> None:
    large = noise("large", 2400, 1600)
    failing = [True]
    fatthumb.always("picture", Answer(200, content=large, headers={"content-type": "image/png"}))
    store.fault = lambda asked: 400 if failing and "partNumber=2" in asked.query else None
    async with connected(user.with_(fatthumb)) as client:
        started = await call(client, "generate", prompt="a fox")
        while "trouble" not in (now := await call(client, "get_status", generation_id=started["id"]))["progress"]:
            assert now["status"] in {"queued", "processing"}
        assert "object store (it responds with status 400)" in now["progress"]["trouble"]
        assert (bucket.names(), store.unfinished(bucket)) == ([], 0)
        failing.clear()
        await waited(client, started["id"])
    (name,) = bucket.names()
    assert bucket.read(name) == large
    assert store.unfinished(bucket) == 0
    assert len(fatthumb.posts) == 1
