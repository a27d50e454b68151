"""The log of a hosted Darkroom: who asked and what came of it, as text or as JSON, and nothing of what was said."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.hosts import Home, call, darkroom, over
from tests.http.hosting import ANN, BOB, Hosted, client_of, got, hosted, posted, tenants_file
from tests.services.fatthumb import FatThumb

PROMPT = "a canary that sings"
QUOTING = f"""
from darkroom.providers.fatthumb import FatThumb
read, looks = FatThumb.read, []
async def quoting(self, *given):
    looks.append(given)
    if len(looks) == 1:
        raise ValueError({PROMPT!r}) from KeyError({PROMPT!r})
    return await read(self, *given)
FatThumb.read = quoting
import runpy
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""


def logged(server: Hosted, **names: Any) -> list[Mapping[str, Any]]:
    """The lines of its log, each of which is a JSON object, that have these names."""
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    return [line for line in lines if names.items() <= line.items()]


def tenants_of(home: Home, fatthumb: FatThumb) -> tuple[str, str]:
    """The words that name a file of tenants with a key of this service."""
    keys = {"FATTHUMB_API_KEY": fatthumb.key, "FATTHUMB_BASE_URL": fatthumb.url}
    return ("--tenants", str(tenants_file(home.path, keys)))


async def test_json_lines_name_tenant_request_and_generation_and_quote_nothing(home: Home, fatthumb: FatThumb) -> None:
    home = home.with_(fatthumb, DARKROOM_LOG="debug", DARKROOM_LOG_FORMAT="json")
    with hosted(home, *tenants_of(home, fatthumb), python=("-c", QUOTING)) as server:
        async with client_of(server.url, token=ANN) as client:
            generation = (await call(client, "generate", prompt=PROMPT, provider="fatthumb"))["id"]
            await over(client, generation)
        driven = logged(server, tenant="ann", generation=generation, provider="fatthumb")
        for step in ("is being sent", "is running", "is succeeded"):
            assert any(step in line["message"] for line in driven)
        assert all(line["model"] for line in driven)
        (broken,) = logged(server, level="error")
        assert broken["generation"] == generation
        assert broken["exception"].rstrip().endswith("ValueError")
        assert "KeyError" in broken["exception"], "and the exception that it came from"
        served = logged(server, logger="darkroom.http.access", tenant="ann", status=200, level="info")
        assert len({line["request"] for line in served}) == len(served) > 1
        assert all(line["duration_ms"] >= 0 for line in served)
        age = datetime.now(UTC) - datetime.fromisoformat(served[0]["time"])
        assert timedelta(0) <= age < timedelta(minutes=5)
        text = server.log.read_text()
        assert [word for word in (PROMPT, PROMPT.replace(" ", "-"), fatthumb.key, ANN, "/files/") if word in text] == []


def test_a_line_for_each_request_says_who_asked_and_how_it_went_but_not_what_for(home: Home) -> None:
    home = home.with_(DARKROOM_LOG="info")
    with hosted(home, "--tenants", str(tenants_file(home.path))) as server:
        assert posted(server, "tools/list", {"cursor": PROMPT}, token=ANN).status_code in {200, 400}
        assert posted(server, "tools/list", token="wrong").status_code == 401
        assert got(server, f"/{PROMPT.replace(' ', '-')}?key={BOB}").status_code == 404
        assert got(server, "/healthz").status_code == 200
        text = server.log.read_text()
        lines = [line for line in text.splitlines() if " INFO darkroom.http.access: " in line]
        said = [line.partition("access: ")[2] for line in lines]
        shapes = [
            r"POST /mcp by ann: \d{3} in \d+ ms",
            r"POST /mcp: 401 in \d+ ms",
            r"GET \(elsewhere\): 404 in \d+ ms",
        ]
        assert len(said) == len(shapes), text
        assert all(re.fullmatch(shape, line) for shape, line in zip(shapes, said, strict=True)), said
        assert [word for word in (PROMPT, PROMPT.replace(" ", "-"), ANN, BOB) if word in text] == []


def test_a_format_that_is_not_known_is_named_and_the_log_stays_text(home: Home) -> None:
    told = darkroom(home, "list", DARKROOM_LOG_FORMAT="xml").err
    assert "DARKROOM_LOG_FORMAT cannot be read: it is text or json." in told
    assert not told.startswith("{")
