"""A bucket behind a server for many: what callers over HTTP are sent, and what other processes are given."""

import base64
import sqlite3
from contextlib import closing
from pathlib import Path

from mcp.types import BlobResourceContents

from darkroom.generations.service import new_id
from tests.hosts import (
    Home,
    RawServer,
    call,
    connected,
    darkroom,
    eventually,
    links_of,
    over,
    refused,
    running,
    text_of,
)
from tests.http.hosting import ANN, BOB, client_of, hosted, tenants_file
from tests.services.declared import DeclaredService
from tests.services.objects import KEY, SECRET, Kept, opened


async def test_a_caller_over_http_has_resources_and_links_and_no_folder(user: Home, bucket: Kept) -> None:
    with hosted(user) as server:
        async with client_of(server.url) as client:
            started = await call(client, "generate", prompt="a fox", provider="sketch")
            result = await client.call_tool("wait", {"generation_ids": [started["id"]], "timeout_s": 60})
            (link,) = links_of(result)
            (content,) = (await client.read_resource(str(link.uri))).contents
    assert isinstance(content, BlobResourceContents)
    (name,) = bucket.names()
    image = result.structured_content["generations"][0]["images"][0]
    assert opened(image["url"]) == base64.b64decode(content.blob) == bucket.read(name)
    assert image["url"] in text_of(result)
    assert str(user.path) not in result.model_dump_json()
    assert "X-Amz" not in server.log.read_text()


async def test_another_machine_shows_what_one_has_saved(user: Home, bucket: Kept, tmp_path: Path) -> None:
    """Its disk has the ledger alone, as replicas on one database do."""
    async with connected(user) as client:
        started = await call(client, "generate", prompt="a fox", provider="sketch", count=2)
        await call(client, "wait", generation_ids=[started["id"]])
    other = tmp_path / "other"
    (other / "home").mkdir(parents=True)
    with (
        closing(sqlite3.connect(user.ledger)) as ledger,
        closing(sqlite3.connect(other / "home" / user.ledger.name)) as copy,
    ):
        ledger.backup(copy)
    async with connected(Home(other, user.extra)) as client:
        result = await client.call_tool("wait", {"generation_ids": [started["id"]], "timeout_s": 60})
    assert result.structured_content["contact_sheet"]
    assert len(links_of(result)) == len(bucket.names()) == 2


def test_the_process_that_posts_is_given_no_key_of_the_store(user: Home) -> None:
    with DeclaredService.shipped("openai") as service:
        encoded = [{"b64_json": base64.b64encode(service.picture(1)).decode()}]
        service.says["submit"] = [(200, {"created": 1, "data": encoded})]
        service.may_answer.clear()
        paying = user.with_(**service.home(user).extra)
        with running(paying, "serve") as process:
            server = RawServer(process)
            server.initialize()
            made = server.call("generate", prompt="a cat", provider=service.name)
            eventually(lambda: len(service.posts) == 1)
            with closing(sqlite3.connect(paying.ledger)) as ledger:
                ((holder,),) = ledger.execute("SELECT holder FROM generations").fetchall()
            environ = Path(f"/proc/{holder.partition('-')[0]}/environ").read_text()
            service.may_answer.set()
            assert server.over(made["structuredContent"]["id"])["status"] == "succeeded"
    assert "AWS_REGION" in environ
    assert KEY not in environ
    assert SECRET not in environ


async def test_a_tenant_is_exported_and_deleted_out_of_a_bucket_and_another_is_not(
    user: Home, bucket: Kept, tmp_path: Path
) -> None:
    file = tenants_file(tmp_path)
    with hosted(user, "--tenants", str(file)) as server:
        for token in (ANN, BOB, ANN):
            async with client_of(server.url, token=token) as client:
                made = (await call(client, "generate", prompt="a fox", provider="sketch", request_key=new_id()))["id"]
                await over(client, made)
    file.write_text("[tenants]\n")
    with closing(sqlite3.connect(user.ledger)) as ledger:
        (other,) = ledger.execute("SELECT id FROM generations WHERE owner = 'bob'").fetchone()
        # The last one's row has gone already, as DARKROOM_KEEP_DAYS lets it go.
        names = "id, owner, request_key, request_hash, finished_at"
        ledger.execute(f"INSERT INTO removed ({names}) SELECT {names} FROM generations WHERE id = ?", (made,))
        ledger.execute("DELETE FROM generations WHERE id = ?", (made,))
        ledger.commit()
    exported = darkroom(user, "tenant", "export", "ann", "--to", str(tmp_path / "export"), "--json").json
    assert (exported["pictures"], exported["missing_pictures"]) == (1, 0)
    words = ("tenant", "delete", "ann", "--file", str(file), "--yes", "--json")
    elsewhere = darkroom(user, *words, DARKROOM_PICTURES=str(tmp_path / "pictures"))
    assert (elsewhere.status, "which DARKROOM_PICTURES does not name" in elsewhere.err) == (1, True)
    assert darkroom(user, *words).json["pictures"] == 2
    assert [other.removeprefix("gen_") in name for name in bucket.names()] == [True]
    assert user.select("SELECT owner FROM generations UNION ALL SELECT owner FROM removed") == [("bob",)]


async def test_pictures_in_a_bucket_have_no_trash_and_the_refusal_names_the_way_that_works(
    user: Home, bucket: Kept
) -> None:
    async with connected(user, name="a host with pages", apps=True) as client:
        made = (await call(client, "generate", prompt="a fox", provider="sketch"))["id"]
        await over(client, made)
        told = await refused(client, "gallery_delete", picture=made)
    ended = darkroom(user, "delete", made, "--yes")
    assert ended.status == 1
    for text in (told, ended.err):
        assert "they stay" in text
        assert f"darkroom-mcp delete {made} --for-good" in text
    assert len(bucket.names()) == 1
    assert darkroom(user, "delete", made, "--for-good", "--yes").status == 0
    assert bucket.names() == []
    assert darkroom(user, "list", "--json").json["generations"] == []
