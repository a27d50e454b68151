"""Servers that lie about their answers, never end them, or pack them: nothing is had, or nothing but what was sent."""

import gzip
import json
import socket
import time
import zlib
from collections.abc import Callable, Generator

import pytest

from darkroom.errors import NotAnImage, OutcomeUnknown, ProviderError, Unauthorized
from darkroom.models import Charged
from darkroom.redact.secrets import Redactor
from darkroom.transport.client import Api
from darkroom.transport.egress import MAX_PICTURE, Pictures
from darkroom.transport.http import Http
from tests.arriving import fetched, looked_at
from tests.attacks.conftest import OWN, PICTURE, Refuses
from tests.attacks.internet import Internet
from tests.attacks.origins import Origin, Play, for_ever, redirect, reply, then_reset, then_silence
from tests.clients import OpenDoor, refusal
from tests.services.pictures import picture

LINK = "https://pictures.example/a.png"
PNG = picture("a lie", 64, 36, "PNG")
CHUNKED = "Transfer-Encoding: chunked"
HEAD = b"HTTP/1.1 200 OK\r\n"
DEADLINE_S = 2.0
"""Far longer than a TLS handshake: one that is cut off leaves its socket to the garbage collector, which warns."""


def chunked(*lines: bytes) -> bytes:
    return reply(b"", CHUNKED, length="") + b"".join(lines)


BROKEN: dict[str, bytes | Play] = {
    "a length that is too long": reply(PICTURE, length="999"),
    "a length of 64 MiB and a little body": reply(PICTURE, length=str(MAX_PICTURE)),
    "a length below nothing": reply(PICTURE, length="-1"),
    "a length in letters": reply(PICTURE, length="many"),
    "a length in hexadecimal": reply(PICTURE, length="0x10"),
    "a length with a sign": reply(PICTURE, length=f"+{len(PICTURE)}"),
    "an endless length": reply(PICTURE, length="9" * 5000),
    "two lengths": reply(PICTURE, f"Content-Length: {len(PICTURE) + 1}"),
    "two lengths in one": reply(PICTURE, length=f"{len(PICTURE)}, {len(PICTURE) + 1}"),
    "chunks without an end": chunked(b"5\r\nabcde\r\n"),
    "a chunk that is cut": chunked(b"ff\r\nabcde"),
    "a chunk of a negative size": chunked(b"-5\r\nabcde\r\n0\r\n\r\n"),
    "a chunk of a size in letters": chunked(b"size\r\nabcde\r\n0\r\n\r\n"),
    "a chunk of an endless size": chunked(b"f" * 5000 + b"\r\nabcde\r\n0\r\n\r\n"),
    "a chunk without its line break": chunked(b"5\r\nabcdeXX0\r\n\r\n"),
    "a chunk with an endless extension": for_ever(chunked(b"5;"), b"x" * 65536),
    "endless trailers": for_ever(chunked(b"5\r\nabcde\r\n0\r\n"), b"X-More: x\r\n" * 1000),
    "another transfer coding": reply(PICTURE, "Transfer-Encoding: gzip, chunked", length=""),
    "an endless line": for_ever(HEAD, b"x" * 65536),
    "endless headers": for_ever(HEAD, b"X-More: x\r\n" * 1000),
    "an endless status line": for_ever(b"HTTP/1.1 200 ", b"O" * 65536),
    "a zero byte in a header": HEAD + b"X-Zero: a\0b\r\n\r\n" + PICTURE,
    "a header without a name": HEAD + b": nothing\r\n\r\n" + PICTURE,
    "a space before the colon": HEAD + b"Content-Length : 5\r\n\r\nabcde",
    "a status of letters": b"HTTP/1.1 OK\r\n\r\n" + PICTURE,
    "a status that there is not": b"HTTP/1.1 999 ?\r\nContent-Length: 0\r\n\r\n",
    "HTTP of 1991": PICTURE,
    "HTTP/2 unasked": b"\0\0\x12\x04\0\0\0\0\0" + b"\0" * 18,
    "no byte": b"",
    "a reset in the head": then_reset(HEAD),
    "a reset in the body": then_reset(reply(PICTURE, length="999")),
    "a part when all was asked for": reply(PICTURE, "Content-Range: bytes 0-9/99", status="206 Partial Content"),
    "an empty success": reply(b"", status="204 No Content"),
    "a sign-in": reply(PICTURE, "WWW-Authenticate: Basic realm=x", status="401 Unauthorized"),
    "a proxy's sign-in": reply(PICTURE, "Proxy-Authenticate: Basic realm=x", status="407 Proxy"),
    "a failure with a picture": reply(PNG, status="500 Sorry"),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
async def test_an_answer_that_is_not_sound_http_is_no_picture(
    refuses: Refuses, site: Origin, answer: bytes | Play
) -> None:
    site.answers(answer)
    await refuses(LINK)
    assert len(site.requests) == 1


SLOW: dict[str, Play] = {
    "no answer": then_silence(),
    "half of a head": then_silence(HEAD),
    "a head and no body": then_silence(reply(b"", length="9")),
    "half of a body": then_silence(reply(PICTURE, length="999")),
    "a head that drips": lambda connection: drip(connection.sendall, HEAD + b"X-Drip: ", b"x"),
    "a body that drips": lambda connection: drip(connection.sendall, reply(b"", length="999999"), b"x"),
    "chunks that drip": lambda connection: drip(connection.sendall, chunked(), b"1\r\nx\r\n"),
    "endless early hints": lambda connection: drip(connection.sendall, b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "endless continuation": for_ever(b"HTTP/1.1 100 Continue\r\n\r\n"),
}


def drip(send: Callable[[bytes], None], first: bytes, drop: bytes) -> None:
    """A little again and again, so that no single read ever takes long."""
    send(first)
    while True:
        send(drop)
        time.sleep(0.01)


@pytest.mark.parametrize("play", SLOW.values(), ids=SLOW)
async def test_an_answer_that_never_ends_is_left_at_the_deadline(
    http: Http, internet: Internet, site: Origin, play: Play
) -> None:
    site.answers(play)
    error = await refusal(fetched(Pictures(http, OWN, Redactor(()), deadline_s=DEADLINE_S), LINK))
    assert "Timeout" in str(error)


async def test_all_hops_have_one_deadline_together(http: Http, internet: Internet, site: Origin) -> None:
    def late(connection: socket.socket) -> None:
        time.sleep(DEADLINE_S * 0.6)
        connection.sendall(redirect("/again.png"))

    site.answers(late)
    error = await refusal(fetched(Pictures(http, OWN, Redactor(()), deadline_s=DEADLINE_S), LINK))
    assert "Timeout" in str(error), "three hops take longer than the deadline, but each of them does not"


TOO_MUCH: dict[str, Play] = {
    "as it says": for_ever(reply(b"", length=str(MAX_PICTURE + 1)), b" " * 65536),
    "without saying so": for_ever(reply(b"", length=""), b" " * 65536),
    "in chunks": for_ever(chunked(), b"10000\r\n" + b" " * 65536 + b"\r\n"),
    "in chunks, whatever length it says": for_ever(
        reply(b"", CHUNKED, length="5"), b"10000\r\n" + b" " * 65536 + b"\r\n"
    ),
}


@pytest.mark.parametrize("play", TOO_MUCH.values(), ids=TOO_MUCH)
async def test_more_than_any_picture_is_broken_off(pictures: Pictures, site: Origin, play: Play) -> None:
    site.answers(play)
    error = await refusal(fetched(pictures, LINK))
    assert (type(error), error.charged) == (NotAnImage, Charged.YES)
    assert "64 MiB" in error.message


PACKED = {
    "gzip": ("gzip", gzip.compress(PNG)),
    "gzip by its old name": ("x-gzip", gzip.compress(PNG)),
    "deflate": ("deflate", zlib.compress(PNG)),
    "Brotli": ("br", b"\x0b\x02\x80" + PNG),
    "Zstandard": ("zstd", b"\x28\xb5\x2f\xfd" + PNG),
    "several packings": ("gzip, gzip", gzip.compress(gzip.compress(PNG))),
    "a gigabyte in gzip": ("gzip", gzip.compress(b"\0" * 2**24) * 64),
}


@pytest.mark.parametrize(("coding", "body"), PACKED.values(), ids=PACKED)
async def test_what_is_packed_unasked_stays_packed_and_is_no_picture(
    pictures: Pictures, site: Origin, coding: str, body: bytes
) -> None:
    site.answers(reply(body, f"Content-Encoding: {coding}"))
    data = await fetched(pictures, LINK)
    assert data == body
    with pytest.raises(NotAnImage, match="neither PNG, JPEG nor WebP"):
        looked_at(data)


JOB = json.dumps({"id": "x"}).encode()
# What follows the end of a stream comes out of no decoder, so that only what arrives can be counted. zlib keeps it
# all, and copies it each time: with zeros for 192 MB these few bytes take ten seconds and 400 MB.
BEHIND_THE_END = gzip.compress(gzip.compress(gzip.compress(JOB) + b"\0" * 2**20))
PACKED_JOBS = {
    "gzip": ("gzip", gzip.compress(JOB)),
    "GZIP": ("GZIP", gzip.compress(JOB)),
    "deflate": ("deflate", zlib.compress(JOB)),
    "several packings": ("gzip, gzip", gzip.compress(gzip.compress(JOB))),
    "one that nobody knows": ("x-unheard-of", JOB),
    "a second one behind none": ("identity, gzip", gzip.compress(JOB)),
    "much behind its end": ("gzip, gzip, gzip", BEHIND_THE_END),
}


@pytest.fixture
def api(http: Http) -> Generator[tuple[Api, Origin]]:
    """A provider, and the server that it is."""
    with Origin(b"") as origin:
        yield (
            Api("FatThumb", "FATTHUMB_API_KEY", f"http://127.0.0.1:{origin.port}", http, {}, Redactor([]), OpenDoor()),
            origin,
        )


@pytest.mark.parametrize(("coding", "body"), PACKED_JOBS.values(), ids=PACKED_JOBS)
async def test_an_api_s_answer_that_is_packed_unasked_is_not_unpacked(
    api: tuple[Api, Origin], coding: str, body: bytes
) -> None:
    provider, origin = api
    origin.answers(reply(body, f"Content-Encoding: {coding}"))
    error = await refusal(provider.submit("/generate", {}))
    assert (type(error), error.charged) == (OutcomeUnknown, Charged.MAYBE)
    assert type(await refusal(provider.read("/jobs/x"))) is ProviderError
    assert len(origin.requests) == 2


async def test_what_a_status_says_is_known_however_the_words_are_packed(api: tuple[Api, Origin]) -> None:
    provider, origin = api
    words = gzip.compress(b'{"error": "no such key"}')
    origin.answers(reply(words, "Content-Encoding: gzip", status="401 Unauthorized"))
    for call in (provider.submit("/generate", {}), provider.read("/jobs/x")):
        error = await refusal(call)
        assert (type(error), error.charged) == (Unauthorized, Charged.NO)
        assert "no such key" not in error.message


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
async def test_an_api_s_answer_that_says_it_is_not_packed_is_read(api: tuple[Api, Origin], coding: str) -> None:
    provider, origin = api
    origin.answers(reply(JOB, f"Content-Encoding: {coding}"))
    assert await provider.submit("/generate", {}) == await provider.read("/jobs/x") == {"id": "x"}


async def test_a_length_that_is_too_short_cuts_the_picture_off(pictures: Pictures, site: Origin) -> None:
    site.answers(reply(PNG, length=str(len(PNG) // 2)))
    data = await fetched(pictures, LINK)
    assert data == PNG[: len(PNG) // 2]
    with pytest.raises(NotAnImage, match="cut off"):
        looked_at(data)


WHOLE = {
    "no length": reply(PICTURE, length=""),
    "chunks": chunked(
        b"5\r\n" + PICTURE[:5] + b"\r\n", b"%x\r\n" % (len(PICTURE) - 5) + PICTURE[5:] + b"\r\n0\r\n\r\n"
    ),
    "another version": reply(PICTURE).replace(b"HTTP/1.1", b"HTTP/9.9"),
    "a wrong type": reply(PICTURE, "Content-Type: text/html"),
    "a name for the file": reply(PICTURE, 'Content-Disposition: attachment; filename="../../.bashrc"'),
    "early hints first": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + reply(PICTURE),
    "an identical packing": reply(PICTURE, "Content-Encoding: identity"),
    "more after its length": reply(PICTURE) + b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n",
}


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE)
async def test_an_answer_that_is_only_odd_is_read(pictures: Pictures, site: Origin, answer: bytes) -> None:
    site.answers(answer)
    assert await fetched(pictures, LINK) == PICTURE
