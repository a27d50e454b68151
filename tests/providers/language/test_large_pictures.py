"""Large pictures: they go through the server on the disk, and its memory does not grow with them."""

import base64
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.crafted import chunk
from tests.generations.pictures_made import in_png
from tests.hosts import Home, RawServer, running
from tests.memory import grows_by_at_most
from tests.services.declared import DeclaredService

MEGABYTES = 40


class Large(DeclaredService):
    """A service whose second picture is large, though it has few pixels."""

    def picture(self, number: int = 1) -> bytes:
        """See `Service.picture`."""
        plain = super().picture(1)
        return in_png(plain, chunk(b"prVt", bytes(MEGABYTES * 2**20))) if number == 2 else plain


@pytest.fixture
def service() -> Generator[Large]:
    """A server that speaks OpenAI's image API."""
    with Large.shipped("openai") as service:
        yield service


def link(service: Large, number: int) -> dict[str, Any]:
    return {"url": f"{service.origin}/files/{number}.png"}


def in_base64(service: Large, number: int) -> dict[str, Any]:
    return {"b64_json": base64.b64encode(service.picture(number)).decode()}


@pytest.mark.parametrize(("given", "notes"), [(link, "keep"), (link, "strip"), (in_base64, "keep")])
def test_the_server_does_not_grow_with_a_picture(home: Home, service: Large, given: Any, notes: str) -> None:
    service.says["submit"] = [(200, {"data": [given(service, number)]}) for number in (1, 2)]

    def made(server: RawServer) -> str:
        generation = server.call("generate", prompt="a cat", provider=service.name)["structuredContent"]
        waited = server.over(generation["id"])
        assert waited["status"] == "succeeded", waited
        return generation["id"]

    def shown(server: RawServer, generation_id: str) -> bytes:
        """The bytes of its picture, which is shown as well."""
        result = server.call("wait", generation_ids=[generation_id])
        assert [part["mimeType"] for part in result["content"] if part["type"] == "image"] == ["image/jpeg"]
        return Path(result["structuredContent"]["generations"][0]["images"][0]["path"]).read_bytes()

    user = service.home(home, DARKROOM_NOTES=notes)
    with running(user, "serve") as process:
        server = RawServer(process)
        server.initialize()
        assert shown(server, made(server)) == service.picture(1)  # what is imported for the first one is no growth
        with grows_by_at_most(MEGABYTES / 2, process.pid):
            generation_id = made(server)
            shutil.rmtree(user.path / "home" / "previews")  # so that they are made again, of what was saved
            large = shown(server, generation_id)
    assert large == service.picture(2 if notes == "keep" else 1)
