"""Pictures that a generation is made from: which may leave, what of them leaves, and what is remembered."""

import base64
import io
import os
import shutil
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from darkroom.declaration import own_prefix
from tests.attacks.crafted import archive, encoded
from tests.hosts import PATIENCE_S, Home, RawServer, call, connected, darkroom, eventually, refused, running
from tests.services import multipart
from tests.services.declared import Asked, DeclaredService
from tests.tools.test_owners import both

PLACE = "the place where it was taken"


@pytest.fixture
def service() -> Generator[DeclaredService]:
    """A server that speaks OpenAI's image API."""
    with DeclaredService.shipped("openai") as service:
        data = [{"b64_json": base64.b64encode(service.picture(1)).decode()}]
        service.says["submit"] = [(200, {"created": 1, "data": data})]
        yield service


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that the user named, with a photo in it, beside one that they did not."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "photo.jpg").write_bytes(photo())
    (tmp_path / "private.png").write_bytes(encoded("PNG"))
    return folder


def photo(orientation: int = 6) -> bytes:
    """A JPEG as a phone makes one: on its side, with the place and a note, and an archive behind it."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = orientation, PLACE
    exif.get_ifd(0x8825)[29] = PLACE
    file = io.BytesIO()
    Image.open(io.BytesIO(encoded("JPEG", 64, 32))).save(file, "JPEG", exif=exif, comment=PLACE.encode())
    return file.getvalue() + archive()


def data_url(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def kept(user: Home) -> list[Path]:
    """The copies of pictures that wait to be sent."""
    return [path for path in (user.path / "home" / "providers").rglob("inputs/*") if path.is_file()]


def parts(asked: Asked) -> list[tuple[str, str | None, bytes]]:
    """The parts of a body of several: the field, the file's name where it is one, and the content."""
    return multipart.parts(asked.headers["content-type"], asked.body)


def sent(service: DeclaredService, number: int = -1) -> dict[str, bytes]:
    """The files of a POST by their field and name."""
    return {f"{field} {name}": content for field, name, content in parts(service.posts[number]) if name}


async def test_an_earlier_result_is_edited_with_a_mask_by_a_server_that_speaks_openais_api(
    home: Home, service: DeclaredService
) -> None:
    user = service.home(home)
    mask = encoded("PNG", mode="L")
    async with connected(user) as client:
        first = await call(client, "generate", prompt="a cat", provider=service.name)
        await call(client, "wait", generation_ids=[first["id"]])
        uri = f"darkroom://generations/{first['id']}/images/1"
        images = [f"{first['id']}/1", uri, f"mask={data_url(mask)}"]
        asked = await call(client, "generate", prompt="in a hat", provider=service.name, images=images)
        (done,) = (await call(client, "wait", generation_ids=[asked["id"]]))["generations"]
        told = await call(client, "list_models", provider=service.name)
    assert (done["status"], done["made_from"]) == ("succeeded", [f"{first['id']}/1", uri, "a data: URL"])
    assert (service.posts[-1].table, service.posts[-1].path) == ("edit", "/v1/images/edits")
    assert sent(service) == {
        "image[] image-1.png": service.picture(1),
        "image[] image-2.png": service.picture(1),
        "mask mask.png": mask,
    }
    fields = {field: content for field, name, content in parts(service.posts[-1]) if not name}
    assert fields == {"model": b"gpt-image-2", "prompt": b"in a hat", "n": b"1"}
    accepts = told["providers"][0]["accepts"]
    assert (accepts["images"], accepts["mask"]) == (8, True)
    assert not kept(user)


async def test_a_photo_leaves_without_the_place_where_it_was_taken_and_the_right_way_up(
    home: Home, service: DeclaredService, folder: Path
) -> None:
    user = service.home(home, DARKROOM_INPUTS=f"{folder.parent / 'nowhere'}{os.pathsep}{folder}")
    before = (folder / "photo.jpg").read_bytes()
    (folder / "link.jpg").symlink_to(folder / "photo.jpg")
    async with connected(user) as client:
        for name in ("photo.jpg", "link.jpg"):
            asked = await call(client, "generate", prompt=name, provider=service.name, images=str(folder / name))
            (done,) = (await call(client, "wait", generation_ids=[asked["id"]]))["generations"]
            assert (done["status"], done["made_from"]) == ("succeeded", [str(folder / name)])
    for number in (0, 1):
        (left,) = sent(service, number).values()
        picture = Image.open(io.BytesIO(left))
        assert (picture.size, dict(picture.getexif())) == ((64, 32), {0x0112: 6})
        for note in (PLACE.encode(), b"PK\x03\x04", b"GPS"):
            assert note not in left
    assert (folder / "photo.jpg").read_bytes() == before, "the user's own file is left alone"


def _pipe(place: Path) -> None:
    os.mkfifo(place)


def _huge(place: Path) -> None:
    with place.open("wb") as file:
        file.write(encoded("PNG"))
        file.truncate(21 * 2**20)


def _linked(place: Path) -> None:
    place.symlink_to(place.parent.parent / "private.png")


def _folder_link(place: Path) -> None:
    place.symlink_to(place.parent.parent)


def _text(place: Path) -> None:
    place.write_text("PRIVATE KEY")


def _cut(place: Path) -> None:
    place.write_bytes(photo()[:300])


FILES: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "pipe": (_pipe, "", "can be read"),
    "folder": (Path.mkdir, "", "can be read"),
    "huge": (_huge, "", "larger than 20 MiB"),
    "a link out": (_linked, "", "can be read"),
    "a folder's link out": (_folder_link, "/private.png", "can be read"),
    "no picture": (_text, "", "neither PNG, JPEG nor WebP, but text"),
    "cut off": (_cut, "", "cut off"),
    "nothing": (lambda _: None, "", "can be read"),
    "dots": (Path.mkdir, "/../../private.png", "can be read"),
    "a NUL": (lambda _: None, "\0", "NUL"),
    "a long name": (lambda _: None, "a" * 5000, "characters"),
    "longer than a file's name": (lambda _: None, "a" * 1000, "can be read"),
}
TEXTS = {
    "private.png": "no whole path",
    "https://example.com/a.png": "none is followed",
    "file:///etc/passwd": "none is followed",
    "data:image/png,abc": "not in base64",
    "data:image/png;base64,====": "no base64",
    data_url(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "svg+xml"): "an SVG drawing",
    "gen_aaaaaaaaaaaaaaaaaaaaaaaaaa/1": "There is no generation",
    "gen_aaaaaaaaaaaaaaaaaaaaaaaaaa": "names no picture",
    "darkroom://generations/../1": "names no picture",
    f"mask={data_url(encoded('PNG'))}": "a mask belongs to a picture",
    "~nobody-at-all/a.png": "can be read",
    "/etc/passwd": "can be read",
}


async def test_nothing_leaves_that_is_no_sound_picture_in_a_folder_that_the_user_named(
    home: Home, service: DeclaredService, folder: Path, subtests: pytest.Subtests
) -> None:
    user = service.home(home, DARKROOM_INPUTS=str(folder))
    async with connected(user) as client:
        for number, (name, (make, behind, why)) in enumerate(FILES.items()):
            make(folder / str(number))
            with subtests.test(file=name):
                images = [f"{folder / str(number)}{behind}"]
                refusal = await refused(client, "generate", prompt="a cat", provider=service.name, images=images)
                assert why in refusal
                assert "Charged: no." in refusal
        for text, why in TEXTS.items():
            with subtests.test(text=text[:40]):
                assert why in await refused(client, "generate", prompt="a cat", provider=service.name, images=[text])
        many = [data_url(encoded("PNG"))] * 9
        assert "8" in await refused(client, "generate", prompt="a cat", provider=service.name, images=many)
        refusal = await refused(client, "generate", prompt="a cat", provider="sketch", images=many[:1])
        assert "takes no pictures" in refusal
        assert service.name in refusal, "it names those that do"
        assert (await call(client, "list_generations"))["generations"] == []
    assert not service.posts
    assert not kept(user)


async def test_without_a_folder_no_file_leaves_and_the_refusal_says_what_the_user_can_do(
    home: Home, service: DeclaredService, folder: Path
) -> None:
    for misread in ("", "relative/folder"):
        async with connected(service.home(home, DARKROOM_INPUTS=misread)) as client:
            images = [str(folder / "photo.jpg")]
            refusal = await refused(client, "generate", prompt="a cat", provider=service.name, images=images)
        assert "set DARKROOM_INPUTS to a folder" in refusal
    assert not service.posts


async def test_another_owners_picture_does_not_exist(home: Home, service: DeclaredService) -> None:
    async with both(service.home(home), "legacy", service.environ) as (ann, bob):
        hers = await call(ann, "generate", prompt="a cat", provider=service.name)
        await call(ann, "wait", generation_ids=[hers["id"]])
        arguments = {"prompt": "a cat", "provider": service.name, "images": [f"{hers['id']}/1"]}
        assert "There is no generation" in await refused(bob, "generate", **arguments)
        await call(ann, "generate", **arguments)
        eventually(lambda: len(service.posts) == 2)


async def test_a_name_is_for_pictures_of_the_same_content_however_they_are_given(
    home: Home, service: DeclaredService, folder: Path
) -> None:
    (folder / "a.png").write_bytes(encoded("PNG"))
    asked = {"prompt": "a cat", "provider": service.name, "request_key": "hat"}
    async with connected(service.home(home, DARKROOM_INPUTS=str(folder))) as client:
        first = await call(client, "generate", **asked, images=[str(folder / "a.png")])
        again = await call(client, "generate", **asked, images=[data_url(encoded("PNG"))])
        other = await refused(client, "generate", **asked, images=[data_url(encoded("PNG", 32, 32))])
        await call(client, "wait", generation_ids=[first["id"]])
    assert first["id"] == again["id"]
    assert "names another request" in other
    assert len(service.posts) == 1


def waiting(service: DeclaredService, user: Home, *images: str) -> str:
    """A generation that waits for its turn in a server that was killed."""
    one_at_a_time = user.with_(**{f"{own_prefix(service.name)}LIMITS": "submit=1/1000"})
    with running(one_at_a_time, "serve") as process:
        server = RawServer(process)
        server.initialize()
        server.call("generate", prompt="before it", provider=service.name)
        asked = server.call("generate", prompt="a cat", provider=service.name, images=list(images))
        eventually(lambda: len(service.posts) == 1)
        process.kill()
    return asked["structuredContent"]["id"]


def test_after_a_restart_the_same_bytes_are_sent_whatever_became_of_the_file(
    home: Home, service: DeclaredService, folder: Path
) -> None:
    user = service.home(home, DARKROOM_INPUTS=str(folder))
    (folder / "a.png").write_bytes(encoded("PNG"))
    generation_id = waiting(service, user, str(folder / "a.png"))
    assert [path.stat().st_mode & 0o777 for path in kept(user)] == [0o600]
    shutil.rmtree(folder)
    done = darkroom(user, "wait", generation_id, "--json").json["generations"][0]
    assert done["status"] == "succeeded"
    assert list(sent(service).values()) == [encoded("PNG")]
    assert not kept(user)
    with closing(sqlite3.connect(home.ledger, timeout=PATIENCE_S)) as db:
        needed = dict(db.execute("SELECT name, needed FROM migrations").fetchall())
    assert needed["0013_made_from"], "a version that knows no pictures would send it without"


def test_a_picture_that_is_gone_before_it_was_sent_costs_nothing(
    home: Home, service: DeclaredService, folder: Path
) -> None:
    user = service.home(home, DARKROOM_INPUTS=str(folder))
    generation_id = waiting(service, user, str(folder / "photo.jpg"))
    (copy,) = kept(user)
    copy.write_bytes(encoded("PNG"))
    done = darkroom(user, "wait", generation_id, "--json").json["generations"][0]
    assert (done["status"], done["error"]["charged"]) == ("failed", "no")
    assert "is not kept" in done["error"]["message"]
    assert len(service.posts) == 1


def test_a_person_at_the_terminal_sends_any_file_that_they_name(
    home: Home, service: DeclaredService, folder: Path
) -> None:
    words = ("generate", "a cat", "--provider", service.name, "--image", str(folder / "photo.jpg"), "--json")
    made = darkroom(service.home(home), *words).json
    assert made["status"] == "succeeded"
    assert [name.split()[1] for name in sent(service)] == ["image-1.jpg"]
