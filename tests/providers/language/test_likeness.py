"""A generation whose outcome is unknown, at a service that lists jobs with their prompts: a person is shown them."""

import re
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mcp import Client

from darkroom.providers.language.checks import faults
from darkroom.providers.language.offers import traits_of
from darkroom.testing import Answer
from tests.declarations import service_with
from tests.hosts import Home, call, connected, text_of
from tests.services.declared import DeclaredService

LOST = Answer(reset=True)


@pytest.fixture
def service() -> Generator[DeclaredService]:
    with DeclaredService.shipped("replicate").like(read="succeeded, a single link") as service:
        yield service


def job(name: str, *, prompt: str = "a cat", ago_s: float = 0.0, made: str | None = None) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(seconds=ago_s)
    return {"id": name, "created_at": made or at.isoformat().replace("+00:00", "Z"), "input": {"prompt": prompt}}


async def unknown(client: Client, service: DeclaredService) -> str:
    """The id of a generation whose submission had no answer."""
    service.says["submit"] = [LOST]
    made = (await call(client, "generate", prompt="a cat", provider=service.name))["id"]
    (lost,) = (await call(client, "wait", generation_ids=[made]))["generations"]
    assert lost["error"]["code"] == "outcome_unknown"
    return made


async def test_get_status_names_the_jobs_with_its_prompt_that_were_made_since_and_settles_nothing(
    home: Home, service: DeclaredService
) -> None:
    async with connected(service.home(home)) as client:
        made = await unknown(client, service)
        assert service.of("lookup") == []
        theirs = [job("other", prompt="a dog"), job("old", ago_s=3600.0), job("odd", made="yesterday"), {"id": "bare"}]
        service.says["lookup"] = [(200, {"results": [job("p7"), *theirs]})]
        seen = await client.call_tool("get_status", {"generation_id": made})
        generation = seen.structured_content
        assert (generation["status"], generation["error"]["charged"]) == ("failed", "maybe")
        said = generation["error"]["next_step"]
        assert "The Replicate account has a job with this prompt" in said
        assert re.search(r'"p7", made at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', said)
        assert "Only the user can tell" in said
        assert said in text_of(seen)
        assert not any(name in said for name in ("other", "old", "odd", "bare"))
        listed = (await call(client, "list_generations"))["generations"]
        assert not any('"p7"' in str(one.get("error")) for one in listed)
    assert (len(service.posts), len(service.of("lookup"))) == (1, 1)


async def test_a_job_that_another_generation_has_is_not_named(home: Home, service: DeclaredService) -> None:
    async with connected(service.home(home)) as client:
        service.says["submit"] = [(201, {"id": "p1", "status": "starting"})]
        known = (await call(client, "generate", prompt="a cat", provider=service.name))["id"]
        await call(client, "wait", generation_ids=[known])
        made = await unknown(client, service)
        service.says["lookup"] = [(200, {"results": [job("p1")]})]
        alone = (await call(client, "get_status", generation_id=made))["error"]["next_step"]
        assert ("p1" in alone, len(service.of("lookup"))) == (False, 1)
        service.says["lookup"] = [(200, {"results": [job("p1"), job("p8"), job("p9")]})]
        said = (await call(client, "get_status", generation_id=made))["error"]["next_step"]
    assert "2 jobs with this prompt" in said
    assert ("p1" in said, "p8" in said, "p9" in said) == (False, True, True)


@pytest.mark.parametrize("says", [(500, {"detail": "broken"}), (200, {"results": []}), (200, None), (404, {})], ids=str)
async def test_a_list_that_shows_nothing_changes_nothing(home: Home, service: DeclaredService, says: Any) -> None:
    async with connected(service.home(home)) as client:
        made = await unknown(client, service)
        before = (await call(client, "list_generations"))["generations"]
        service.says["lookup"] = [says]
        assert [await call(client, "get_status", generation_id=made)] == before


LOOKUP = '\n[lookup]\npath = "/jobs"\neach = "/jobs/*"\njob = "/id"\nproof = "likeness"\n'


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ('where = { "/prompt" = "$prompt" }\nmade = "/made"', ""),
        ('where = { "/model" = "$model" }\nmade = "/made"', "a likeness is one of the prompt"),
        ('where = { "/prompt" = "$prompt" }', "write where a job says when it was made"),
    ],
)
def test_a_likeness_needs_the_prompt_and_the_time_and_finds_no_lost_job_by_itself(keys: str, says: str) -> None:
    if says:
        with pytest.raises(Exception, match=says):
            service_with(f"{LOOKUP}{keys}\n")
        return
    service = service_with(f"{LOOKUP}{keys}\n")
    assert (faults(service), traits_of(service).finds) == ([], False)
