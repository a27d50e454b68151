"""Shipped services through a real server: each is served on loopback by the examples of its own file."""

import base64
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from darkroom.providers.language.schema import Example
from tests.hosts import Home, call, connected
from tests.services.declared import KEY, DeclaredService

READS: dict[str, list[str]] = {
    "automatic1111": [],
    "gemini": [],
    "ideogram": ["pending", "completed"],
    "recraft": [],
    "seedream": [],
    "together": [],
}
SIGNED = {
    "automatic1111": ("authorization", f"Basic {base64.b64encode(b'me:secret_0123456789').decode()}"),
    "gemini": ("x-goog-api-key", KEY),
    "ideogram": ("api-key", KEY),
}


@pytest.fixture
def services() -> Generator[dict[str, DeclaredService]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(_serving(name, reads)) for name, reads in READS.items()}


def _serving(name: str, reads: list[str]) -> DeclaredService:
    service = DeclaredService.shipped(name).like(submit="submit", read=reads)
    service.key = "me:secret_0123456789" if name == "automatic1111" else KEY
    return service


def _submitted(service: DeclaredService) -> Example:
    """The example of a submission."""
    return next(each for each in service.declared.example if each.name == "submit")


async def test_every_service_whose_answer_is_documented_makes_pictures_by_one_post(
    home: Home, services: dict[str, DeclaredService]
) -> None:
    for service in services.values():
        home = service.home(home)
    async with connected(home) as client:
        ids: list[str] = []
        for service in services.values():
            wish = _submitted(service).request
            made = await call(client, "generate", prompt="a cat", provider=service.name, **wish)
            ids.append(made["id"])
        ended = await call(client, "wait", generation_ids=ids)
    for (name, service), generation in zip(services.items(), ended["generations"], strict=True):
        _made_as_documented(name, service, generation)


def _made_as_documented(name: str, service: DeclaredService, generation: dict[str, Any]) -> None:
    assert generation["status"] == "succeeded", (name, generation)
    assert _first_of(generation) == service.picture(), name
    (post,) = service.posts
    assert post.json == _submitted(service).body, name
    header, value = SIGNED.get(name, ("authorization", f"Bearer {KEY}"))
    assert post.headers[header] == value
    assert not any(fetch.shows(service.key) for fetch in service.of("file"))


async def test_a_server_that_a_base_url_names_makes_a_picture_and_edits_it_as_openai_would(home: Home) -> None:
    with DeclaredService.shipped("openai") as service:
        encoded = base64.b64encode(service.picture()).decode()
        service.says["submit"] = [(200, {"created": 1, "data": [{"b64_json": encoded}]})]
        user = home.with_(DARKROOM_OPENAI_BASE_URL=service.base_url, DARKROOM_OPENAI_KEY=KEY)
        async with connected(user) as client:
            first = await _ended(client, prompt="a cat")
            edited = await _ended(client, prompt="in a hat", images=[f"{first['id']}/1"])
    for generation in (first, edited):
        assert (generation["status"], _first_of(generation)) == ("succeeded", service.picture()), generation
    assert [post.path for post in service.posts] == ["/v1/images/generations", "/v1/images/edits"]
    assert {post.headers["authorization"] for post in service.posts} == {f"Bearer {KEY}"}


async def _ended(client: Client, **arguments: object) -> dict[str, Any]:
    """A generation of the service that comes with Darkroom, at its end."""
    made = await call(client, "generate", provider="openai", **arguments)
    return (await call(client, "wait", generation_ids=[made["id"]]))["generations"][0]


def _first_of(generation: dict[str, Any]) -> bytes:
    """Its first picture, as it was saved."""
    return Path(generation["images"][0]["path"]).read_bytes()
