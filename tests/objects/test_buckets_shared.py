"""A bucket behind a server for many: what callers over HTTP are sent, and what other processes are given."""

import base64
import sqlite3
from contextlib import closing
from pathlib import Path

from mcp.types import BlobResourceContents

from tests.hosts import Home, RawServer, call, connected, eventually, links_of, running, text_of
from tests.http.hosting import client_of, hosted
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
        await call(client, "wait", generation_ids=[started["id"]], timeout_s=60)
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
