"""What hosts refuse as too large: no result is, as it goes over the wire."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.extensions.task_client import TaskClient, meta
from tests.hosts import ERAS, PATIENCE_S, Era, Home, RawServer, running
from tests.resources.rows import copies
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer
from tests.services.pictures import noise

MOST = 600_000
TROUBLE = 'ä\N{FOX FACE}\n\x01"' * 2_000
Ask = Callable[..., dict[str, Any]]


def asked(server: RawServer, era: Era) -> Ask:
    """How this server is called in that era."""
    if era == "legacy":
        server.initialize()
        return server.call
    return TaskClient(server, {}).call


@pytest.mark.parametrize("era", ERAS)
def test_every_result_is_under_600_kb_with_four_pictures_of_2_mb(
    home: Home, fatthumb: FatThumb, era: Era, subtests: pytest.Subtests
) -> None:
    large = noise("large", 1024, 704)
    assert 2_000_000 < len(large) < 2_300_000
    fatthumb.always("picture", Answer(200, content=large))
    with running(home.with_(fatthumb, DARKROOM_PREVIEWS="all"), "serve") as process:
        server = RawServer(process)
        call = asked(server, era)
        wanted = {"prompt": TROUBLE, "count": 4, "request_key": "large"}
        one = {"generation_id": call("generate", **wanted)["structuredContent"]["id"]}
        calls: list[tuple[str, dict[str, Any], int]] = [
            ("wait", {"generation_ids": [one["generation_id"]], "timeout_s": 600}, 5),
            ("generate", wanted, 5),
            ("get_status", one, 0),
            ("cancel", one, 0),
            ("list_generations", {}, 0),
            ("list_models", {}, 0),
            ("gallery", {**one, "index": 1, "action": "view"}, 1),
        ]
        for tool, arguments, images in calls:
            with subtests.test(tool=tool):
                result = call(tool, **arguments)
                assert not result.get("isError")
                assert server.last_bytes < MOST
                assert [block["type"] for block in result["content"]].count("image") == images
        listed = server.request("tools/list", {} if era == "legacy" else {"_meta": meta({})})
    assert {tool["name"] for tool in listed["result"]["tools"]} == {tool for tool, _, _ in calls} - {"gallery"}


@pytest.mark.parametrize("era", ERAS)
def test_the_longest_lists_are_under_600_kb(home: Home, fatthumb: FatThumb, era: Era) -> None:
    with running(home.with_(fatthumb), "serve") as process:
        server = RawServer(process)
        call = asked(server, era)
        done = call("generate", prompt=TROUBLE, count=4)["structuredContent"]["id"]
        call("wait", generation_ids=[done], timeout_s=600)
        with closing(sqlite3.connect(home.ledger, timeout=PATIENCE_S)) as db, db:
            end, longer = '.png","mime_type"', f'.png?{"x" * 1_900}","mime_type"'
            db.execute("UPDATE generations SET images = replace(images, ?, ?)", (end, longer))
        ids = copies(home, done, 100)
        assert "xxx" in call("get_status", generation_id=done)["structuredContent"]["images"][0]["url"]
        call("list_generations", limit=100)
        assert 100_000 < server.last_bytes < MOST
        result = call("wait", generation_ids=ids[:50])
        assert 100_000 < server.last_bytes < MOST
    assert len(result["structuredContent"]["generations"]) == 50
    assert result["content"][1]["type"] == "image"
