"""A preview is made of what lies on the disk now, whatever that has become, and nobody else waits for it."""

import os
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree

import pytest

from tests.attacks.crafted import HTML, SIGNATURE, bomb, encoded, png, zeros
from tests.hosts import Home, RawServer, call, connected, previews_of, running, text_of
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer


def bytes_of(data: bytes) -> Callable[[Path], object]:
    return lambda place: place.write_bytes(data)


def huge(place: Path) -> None:
    """65 MiB and a picture's start; a file with a hole takes no room."""
    place.write_bytes(encoded("PNG"))
    os.truncate(place, 65 * 2**20)


def another_picture(place: Path) -> None:
    """A picture of somebody else's, which is none of this generation's."""
    other = place.parents[2] / "other.png"
    other.write_bytes(encoded("PNG"))
    place.symlink_to(other)


REPLACED: dict[str, Callable[[Path], object]] = {
    "nothing": lambda place: None,
    "an empty file": bytes_of(b""),
    "a web page": bytes_of(HTML),
    "half a picture": bytes_of(SIGNATURE + b"\0" * 50),
    "a bomb": bytes_of(bomb(30_000)),
    "a bomb within what a decoder warns of": bytes_of(png(8_000, 8_000, pixels=zeros(8_000 * 24_001))),
    "a file larger than any picture": huge,
    "a pipe that nobody writes to": os.mkfifo,
    "a folder": lambda place: place.mkdir(),
    "a link to an endless device": lambda place: place.symlink_to("/dev/zero"),
    "a link to another picture": another_picture,
    "a link to a secret": lambda place: place.symlink_to("/etc/passwd"),
}


async def test_a_picture_that_was_replaced_on_the_disk_has_no_preview_and_does_no_harm(
    home: Home, subtests: pytest.Subtests
) -> None:
    async with connected(home) as client:
        started = await call(client, "generate", prompt="A fox")
        result = await client.call_tool("wait", {"generation_ids": [started["id"]], "timeout_s": 50})
        assert len(previews_of(result)) == 1
        (place,) = home.saved()
        for name, replace in REPLACED.items():
            with subtests.test(replaced_by=name):
                if place.is_dir():
                    place.rmdir()
                else:
                    place.unlink(missing_ok=True)
                replace(place)
                result = await client.call_tool("wait", {"generation_ids": [started["id"]]})
                assert (previews_of(result), result.is_error) == ([], False)
                assert str(place) in text_of(result)


def test_others_are_answered_while_large_pictures_are_decoded(home: Home) -> None:
    """Two pictures of 49 megapixels take a second or more to show; a list takes none."""
    large = encoded("PNG", 7_000, 7_000, compress_level=1)
    with FatThumb() as fatthumb, running(home.with_(fatthumb), "serve") as process:
        fatthumb.always("picture", Answer(200, content=large))
        server = RawServer(process)
        server.initialize()
        started = server.call("generate", prompt="A fox", count=2)["structuredContent"]["id"]
        server.call("wait", generation_ids=[started])
        rmtree(home.ledger.parent / "previews")  # else nothing would be decoded to show them
        shows = server.send("tools/call", {"name": "wait", "arguments": {"generation_ids": [started]}})
        lists = server.send("tools/call", {"name": "list_generations", "arguments": {}})
        answered: list[int] = []
        while len(answered) < 2:
            answered += [message["id"]] if (message := server.read()).get("id") in {shows, lists} else []
        assert answered == [lists, shows]
