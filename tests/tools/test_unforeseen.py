"""Faults of Darkroom's own that nobody foresaw, in the middle of a call: what the agent reads, and what goes on."""

import pytest
from mcp.types import INTERNAL_ERROR

from tests.hosts import Home, darkroom, eventually
from tests.services.fatthumb import FatThumb
from tests.test_shutdown import serving

BROKEN = """
import darkroom
from contextlib import asynccontextmanager
from darkroom.generations.desk import Desk
import sys

submit = Desk.submit

async def page(*_, **__):
    raise RuntimeError("NOBODY FORESAW THIS")

@asynccontextmanager
async def submitted(*words, **named):
    async with submit(*words, **named) as generation:
        raise RuntimeError("NOBODY FORESAW THIS")
        yield generation

Desk.page, Desk.submit, Desk.kept = page, submitted, page
"""


def test_a_call_that_breaks_off_says_whether_it_may_cost_and_what_to_do_and_nothing_is_lost(
    home: Home, fatthumb: FatThumb
) -> None:
    user = home.with_(fatthumb)
    with serving(user, BROKEN) as server:
        listed = server.call("list_generations")
        begun = server.call("generate", prompt="a fox")
        eventually(lambda: user.taken() == 1)
    for result, costs in (listed, "no"), (begun, "maybe"):
        assert result["isError"]
        (text,) = (block["text"] for block in result["content"])
        assert f"Charged: {costs}. " in text
        assert "NOBODY FORESAW THIS" not in text
    (generation,) = darkroom(user, "list", "--json").json["generations"]
    assert darkroom(user, "wait", generation["id"]).status == 0
    assert len(fatthumb.posts) == 1


@pytest.mark.parametrize("method", ["resources/list", "resources/read", "resources/subscribe"])
def test_a_request_that_breaks_off_is_reported_without_the_words_of_what_broke(home: Home, method: str) -> None:
    params = {} if method == "resources/list" else {"uri": f"darkroom://generations/gen_{'a' * 26}"}
    with serving(home, BROKEN) as server:
        error = server.request(method, params)["error"]
        assert not server.call("list_models").get("isError")
    assert error["code"] == INTERNAL_ERROR
    assert error["message"].startswith(f"Darkroom itself failed in {method}, ")
    assert "NOBODY FORESAW THIS" not in str(error)
