"""What can go wrong while a finished picture is fetched."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.runs import fetching, generation_of, interrupted, looked_at, nothing, status_of
from tests.faults.scene import Outcome, Scene
from tests.faults.table import Fault, failed, name_of, partial, prove, succeeds
from tests.services import faults
from tests.services.faults import Answer, CutBody, CutJson, Delay, Drip, Flood, Hang, Html, Raw, Redirect, Reset

TRIES = 3
"""How often a picture that did not come is fetched at once, before it counts as failed."""
AGAIN = "get_status later"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bomb(width: int, height: int) -> bytes:
    """A small PNG that claims to be huge."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def unavailable(name: str, fault: faults.Fault, says: str) -> Fault:
    """One of two pictures cannot be had, until it is asked for again."""
    return Fault(
        name,
        lambda scene: scene.service.script("picture", None, *[fault] * TRIES),
        partial("result_unavailable", "yes", says, AGAIN),
        count=2,
        at_last=succeeds(),
    )


def unfit(name: str, fault: faults.Fault, says: str, advice: str = AGAIN) -> Fault:
    """One of two pictures is none, until it is asked for again."""
    return Fault(
        name,
        lambda scene: scene.service.script("picture", None, fault),
        partial("not_an_image", "yes", says, advice),
        count=2,
        at_last=succeeds(),
    )


def elsewhere(origin: str) -> Callable[[Scene], None]:
    """The provider names a place of its choice for the pictures."""
    return lambda scene: setattr(scene.service, "files_origin", origin)


def astray(place: str, origin: str, says: str) -> Fault:
    """A picture's own link leads where we do not go; the provider then thinks better of it."""
    return Fault(
        f"a picture that lies at {place}",
        elsewhere(origin),
        failed("result_unavailable", "yes", says, AGAIN),
        mended=lambda scene: setattr(scene.service, "files_origin", None),
        at_last=succeeds(),
    )


def gone_then_back(scene: Scene) -> Outcome:
    """One server sees the picture missing, and fetches it when it is asked for it again."""
    scene.service.script("picture", None, *[Answer(404)] * TRIES)
    with scene.server() as server:
        generation_id = generation_of(scene, server)
        looked_at(scene, server, generation_id, lambda outcome: status_of(outcome) == "partial")
        return looked_at(scene, server, generation_id, lambda outcome: status_of(outcome) == "succeeded")


def comes_back(scene: Scene) -> None:
    scene.service.always("picture", None)


def saved(count: int) -> Callable[[Scene], None]:
    """So many files, and no more."""

    def also(scene: Scene) -> None:
        assert len(scene.home.saved()) == count

    return also


def meets(*met: faults.Fault) -> Callable[[Scene], None]:
    """The next fetches meet these."""
    return lambda scene: scene.service.script("picture", *met)


PRIVATE = "leads to a private address"
PLAIN = "not a plain https link"

MISSING = (
    unavailable("a picture refused with 403", Answer(403, text="Forbidden"), "answered 403"),
    unavailable("a picture that is not found", Answer(404), "answered 404"),
    unavailable("a picture's server that fails", Html(500), "answered 500"),
    unavailable("a picture answered without a body", Answer(204), "answered 204"),
    unavailable("a picture cut short", CutBody(keep=1000), "did not arrive whole"),
    unavailable("a picture whose connection is reset", Reset(), "did not arrive whole"),
    unavailable("a picture whose connection ends", Reset(rst=False), "did not arrive whole"),
    unavailable("a picture that is not sent in HTTP", Raw(), "did not arrive whole"),
    unavailable("a picture redirected to another port", Redirect("http://127.0.0.1:1/x.png", 302), PLAIN),
    unavailable("a picture redirected to loopback", Redirect("https://127.0.0.1:1/x.png", 302), PRIVATE),
    unavailable("a picture redirected to a private network", Redirect("https://10.0.0.1/x.png", 302), PRIVATE),
    unavailable("a picture redirected to a cloud's secrets", Redirect("https://169.254.169.254/latest", 301), PRIVATE),
    unavailable("a picture redirected to IPv6 loopback", Redirect("https://[::1]/x.png", 308), PRIVATE),
    unavailable("a picture redirected to a file", Redirect("file:///etc/passwd", 302), PLAIN),
    astray("a private address", "https://192.168.0.1", PRIVATE),
    astray("plain http", "http://127.0.0.1:1", PLAIN),
    astray("a file", "file:///etc", PLAIN),
    Fault(
        "a picture whose link redirects for ever",
        meets(*[Redirect("/files/again.png")] * 4 * TRIES),
        failed("result_unavailable", "yes", "more than 3 times", AGAIN),
        at_last=succeeds(),
    ),
    Fault("a picture that is gone and comes back", nothing, succeeds(), run=gone_then_back, count=2, also=saved(2)),
)

UNFIT = (
    unfit("a picture that is text", Answer(200, text="no picture here"), "neither PNG, JPEG nor WebP"),
    unfit("a picture that is a web page", Html(200), "neither PNG, JPEG nor WebP"),
    unfit("a picture that is an SVG", Answer(200, content=SVG), "neither PNG, JPEG nor WebP"),
    unfit("a picture that is empty", Answer(200, content=b""), "neither PNG, JPEG nor WebP"),
    unfit("a picture that is a GIF", Answer(200, content=b"GIF89a" + b"\0" * 100), "neither PNG, JPEG nor WebP"),
    unfit("half of a PNG as if it were all", CutJson(), "cut off"),
    unfit("a PNG's first bytes and nothing else", Answer(200, content=b"\x89PNG\r\n\x1a\n"), "cut off"),
    unfit("a picture of 60 megapixels", Answer(200, content=bomb(10_000, 6_000)), "megapixels"),
    unfit("a picture of 3,600 megapixels", Answer(200, content=bomb(60_000, 60_000)), "megapixels"),
    unfit(
        "a picture of more than 64 MiB, as it says",
        Flood(65 * 2**20, b"\x89PNG\r\n\x1a\n", declared=True),
        "larger than 64 MiB",
        "gallery",
    ),
    unfit(
        "a picture of more than 64 MiB, without saying so",
        Flood(65 * 2**20, b"\x89PNG\r\n\x1a\n"),
        "larger than 64 MiB",
        "gallery",
    ),
)

WELL = (
    Fault("a picture that comes at the second try", meets(Reset()), succeeds(), also=saved(1)),
    Fault("a picture that comes at the third try", meets(Answer(500), CutBody()), succeeds(), also=saved(1)),
    Fault("a picture that comes slowly", meets(Drip(20_000)), succeeds(), also=saved(1)),
    Fault("a picture that comes late", meets(Delay(2)), succeeds(), also=saved(1)),
    Fault(
        "a process killed in the middle of a picture",
        lambda scene: scene.service.always("picture", Hang(keep=1000)),
        succeeds(),
        run=interrupted(fetching, then=comes_back),
        also=saved(1),
    ),
)

FAULTS = (*MISSING, *UNFIT, *WELL)


@pytest.mark.parametrize("fault", FAULTS, ids=name_of)
def test_a_picture_is_saved_whole_or_says_why_not(fault: Fault, tmp_path: Path) -> None:
    prove(fault, tmp_path)
