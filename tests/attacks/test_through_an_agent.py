"""The same attacks from end to end: a provider names the links, and a real server tells an agent what came of them."""

import gzip
import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.certificates import Authority
from tests.attacks.crafted import PHP, archive, bomb, encoded
from tests.attacks.internet import PUBLIC, Internet, Names
from tests.attacks.origins import Origin, redirect, reply
from tests.hosts import Home, call, connected, text_of
from tests.services.fatthumb import FatThumb
from tests.services.faults import Alter

PLAIN, PRIVATE, WHOLE = "not a plain https link", "leads to a private address", "did not arrive whole"
AWAY, NONE = "result_unavailable", "not_an_image"
SITE = "https://pictures.example"
PNG = encoded("PNG")


@dataclass(frozen=True)
class World:
    """What an attacker has: a public server, one that should not have been reached, and one with another's name."""

    internet: Internet
    site: Origin
    inside: Origin
    impostor: Origin


@pytest.fixture
def world(tmp_path: Path, authority: Authority) -> Generator[World]:
    certificate = authority.certificate("pictures.example")
    with (
        Origin(reply(status="404 Not Found"), certificate=certificate) as site,
        Origin(reply(PNG, "X-Secret: of the inner network")) as inside,
        Origin(reply(PNG), certificate=certificate) as impostor,
    ):
        places = {f"{PUBLIC}:443": site.port, "8.8.8.8:443": impostor.port}
        names: Names = {
            "pictures.example": [[PUBLIC]],
            "inside.example": [["127.0.0.1"]],
            "both.example": [[PUBLIC, "127.0.0.1"]],
            "turning.example": [[PUBLIC], ["127.0.0.1"]],
            "impostor.example": [["8.8.8.8"]],
            "old.example": [["fec0::1"]],
        }
        yield World(Internet(tmp_path / "diary.jsonl", names, places), site, inside, impostor)


# {inside} is the port of a server on this machine; what begins with a slash lies at the public server.
ATTACKS: Mapping[str, tuple[str, str, str]] = {
    "plain http to this machine": ("http://127.0.0.1:{inside}/a.png", AWAY, PLAIN),
    "this machine": ("https://127.0.0.1:{inside}/a.png", AWAY, PRIVATE),
    "this machine in short": ("https://127.1:{inside}/a.png", AWAY, PLAIN),
    "this machine as a number": ("https://2130706433:{inside}/a.png", AWAY, PLAIN),
    "this machine by name": ("https://localhost:{inside}/a.png", AWAY, PRIVATE),
    "this machine in IPv6 of IPv4": ("https://[::ffff:127.0.0.1]:{inside}/a.png", AWAY, PRIVATE),
    "a cloud's secrets": ("https://169.254.169.254/latest/meta-data/", AWAY, PRIVATE),
    "a name of this machine": ("https://inside.example:{inside}/a.png", AWAY, PRIVATE),
    "a name of a public and a private address": ("https://both.example:{inside}/a.png", AWAY, PRIVATE),
    "a name that turns private": ("https://turning.example:{inside}/a.png", AWAY, PRIVATE),
    "a site-local name": ("https://old.example/a.png", AWAY, PRIVATE),
    "a server without the name": ("https://impostor.example/a.png", AWAY, WHOLE),
    "a user in the link": ("https://pictures.example@127.0.0.1:{inside}/a.png", AWAY, PLAIN),
    "a file": ("file:///etc/passwd", AWAY, PLAIN),
    "a picture in the link": ("data:image/png;base64,iVBORw0KGgo=", AWAY, "a data: URL"),
    "a line break in the link": ("https://pictures.example/a.png\r\nX-Evil: 1", AWAY, WHOLE),
    "a port that there is not": ("https://pictures.example:-1/a.png", AWAY, PLAIN),
    "a huge link": (SITE + "/" + "a" * 70_000, AWAY, WHOLE),
    "a redirect to this machine": ("/to-inside", AWAY, PLAIN),
    "a redirect to a name of this machine": ("/to-name", AWAY, PRIVATE),
    "a redirect for ever": ("/for-ever", AWAY, "more than 3 times"),
    "a bomb": ("/bomb", NONE, "megapixels"),
    "a picture packed unasked": ("/packed", NONE, "neither PNG, JPEG nor WebP"),
    "an SVG": ("/svg", NONE, "neither PNG, JPEG nor WebP"),
    "half a picture": ("/half", NONE, "cut off"),
}


PASSING = {"a server without the name", "a redirect for ever", "half a picture"}
"""What may be otherwise in a moment: it is tried again for a while."""
FOR_GOOD = {"a picture in the link", "a bomb", "a picture packed unasked", "an SVG"}
"""What will not change: it is not asked for again."""
POLYGLOT = PNG + archive() + PHP
SAVED: Mapping[str, tuple[str, bytes]] = {
    # Where it lies, and what is saved: the bytes as they came.
    "a picture with an archive and a program behind it": ("/polyglot.php", POLYGLOT),
    "a picture whose link climbs": ("/a/../../../../.bashrc", PNG),
    "../../climbing prompt\\..\\CON": ("/polyglot.php", POLYGLOT),
}


def at_the_site(inside: int) -> dict[str, bytes]:
    return {
        "/to-inside": redirect(f"http://127.0.0.1:{inside}/a.png", "Set-Cookie: a=b"),
        "/to-name": redirect(f"https://inside.example:{inside}/a.png"),
        "/for-ever": redirect("/for-ever", "Set-Cookie: session=abc"),
        "/bomb": reply(bomb(30_000)),
        "/packed": reply(gzip.compress(PNG), "Content-Encoding: gzip"),
        "/svg": reply(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Content-Type: image/png"),
        "/half": reply(PNG[: len(PNG) // 2]),
        "/polyglot.php": reply(POLYGLOT, 'Content-Disposition: attachment; filename="../x.php"'),
        "/.bashrc": reply(PNG),
    }


def all_links(world: World) -> dict[str, str]:
    links = {name: link for name, (link, *_) in (*ATTACKS.items(), *SAVED.items())}
    return {
        name: (SITE + link if link.startswith("/") else link).replace("{inside}", str(world.inside.port))
        for name, link in links.items()
    }


def leading_to(links: Mapping[str, str], fatthumb: FatThumb) -> Alter:
    """Every picture lies where the table says, by its prompt."""

    def change(job: Any) -> object:
        (prompt,) = (post.body["prompt"] for post in fatthumb.posts if post.id == job["id"])
        for thumbnail in job["thumbnails"]:
            thumbnail["url"] = thumbnail["url"] and links[prompt]
        return job

    return Alter(change)


async def test_an_agent_is_told_of_every_attack_and_nothing_is_reached_or_written(
    world: World, home: Home, fatthumb: FatThumb, authority: Authority, subtests: pytest.Subtests
) -> None:
    world.site.at |= at_the_site(world.inside.port)
    fatthumb.always("read", leading_to(all_links(world), fatthumb))
    user = home.with_(
        fatthumb, FATTHUMB_LIMITS="submit=1000/1", SSL_CERT_FILE=str(authority.roots), **world.internet.environ()
    )
    async with connected(user, python=("-m", "tests.attacks.internet")) as client:
        prompts = (*ATTACKS, *SAVED)
        ids = {prompt: (await call(client, "generate", prompt=prompt))["id"] for prompt in prompts}
        ends = [ids[prompt] for prompt in prompts if prompt not in PASSING]
        result = await client.call_tool("wait", {"generation_ids": ends, "timeout_s": 50})
        going = [await call(client, "get_status", generation_id=ids[prompt]) for prompt in PASSING]
    told = {generation["prompt"]: generation for generation in (*result.structured_content["generations"], *going)}
    for name, (_, code, words) in ATTACKS.items():
        with subtests.test(attack=name):
            if name in PASSING:
                assert told[name]["status"] == "processing"
                assert words in told[name]["progress"]["message"]
                continue
            error = told[name]["error"]
            assert (told[name]["status"], error["code"], error["charged"]) == ("failed", code, "yes")
            assert words in error["message"]
            assert ("get_status" in error["next_step"]) is (name not in FOR_GOOD)
            assert error["message"] in text_of(result)
            assert not any("path" in image for image in told[name]["images"])
    assert (world.inside.connections, world.impostor.requests) == (0, [])
    for name, (_, content) in SAVED.items():
        with subtests.test(saved=name):
            assert_saved(user, told[name], content)
    assert len(user.saved()) == len(SAVED)
    assert {path.name for path in user.path.iterdir()} <= {"home", "pictures", world.internet.diary.name}
    assert_nobody_learned_anything(world, fatthumb)


def assert_saved(user: Home, generation: dict[str, Any], content: bytes) -> None:
    """As a picture and nothing else, where pictures are."""
    (image,) = generation["images"]
    path = Path(image["path"])
    assert path.read_bytes() == content
    assert path.parent.parent == user.pictures
    assert (image["bytes"], path.suffix) == (len(content), ".png")


def assert_nobody_learned_anything(world: World, fatthumb: FatThumb) -> None:
    assert world.site.requests
    for head in world.site.requests:
        names = {line.partition(b":")[0].decode().lower() for line in head.split(b"\r\n")[1:-2]}
        assert names <= {"host", "accept", "accept-encoding", "connection", "user-agent"}
        assert fatthumb.key not in json.dumps(head.decode("latin-1"))
    assert {*world.internet.connected} <= {f"{PUBLIC}:443", f"{PUBLIC}:{world.inside.port}", "8.8.8.8:443"}
