"""Each hop of a redirect is judged as the link itself was, and there are three of them at most."""

import pytest

from darkroom.redact.secrets import Redactor
from darkroom.transport.egress import Pictures
from darkroom.transport.http import Http
from tests.arriving import fetched
from tests.attacks.conftest import PICTURE, Refuses
from tests.attacks.internet import PUBLIC, Internet
from tests.attacks.origins import Origin, for_ever, redirect, reply
from tests.transport.conftest import Ears

LINK = "https://pictures.example/a.png"
PLAIN = "not a plain https link"
PRIVATE = "private address"
MAX_HOPS = 3


async def test_three_hops_between_public_servers_are_followed_each_resolved_anew(
    pictures: Pictures, internet: Internet, site: Origin
) -> None:
    hops = ("//cdn.example/b.png", "https://pictures.example:8443/c.png", "/d.png")
    site.answers(*map(redirect, hops), reply(PICTURE))
    assert await fetched(pictures, LINK) == PICTURE
    assert internet.asked == ["pictures.example", "cdn.example", "pictures.example", "pictures.example"]
    assert internet.connected == [f"{PUBLIC}:{port}" for port in (443, 443, 8443, 8443)]
    assert site.names == internet.asked


AROUND = {
    "to itself": [LINK],
    "to itself, without a place": ["#again"],
    "between two paths": ["/a.png", "/b.png"],
    "between two hosts": ["https://cdn.example/a.png", LINK],
    "to ever new places": [f"/{number}.png" for number in range(20)],
}


@pytest.mark.parametrize("hops", AROUND.values(), ids=AROUND)
async def test_a_fourth_hop_is_not_followed(refuses: Refuses, site: Origin, hops: list[str]) -> None:
    site.answers(*map(redirect, hops * 10))
    assert f"more than {MAX_HOPS} times" in str(await refuses(LINK))
    assert site.connections == MAX_HOPS + 1


async def test_a_picture_at_the_fourth_hop_is_not_had(refuses: Refuses, site: Origin) -> None:
    site.answers(*[redirect("/next.png")] * (MAX_HOPS + 1), reply(PICTURE))
    await refuses(LINK)
    assert len(site.requests) == MAX_HOPS + 1


@pytest.mark.parametrize("hops", range(MAX_HOPS))
@pytest.mark.parametrize("status", ["301 M", "302 F", "303 S", "307 T", "308 P"])
async def test_a_redirect_to_a_private_address_is_refused_at_every_hop(
    refuses: Refuses, internet: Internet, site: Origin, ears: Ears, hops: int, status: str
) -> None:
    internet.names["inside.example"] = [["127.0.0.1"]]
    further = [redirect(f"/{number}.png", status=status) for number in range(hops)]
    site.answers(*further, redirect(f"https://inside.example:{ears.port}/a.png", status=status))
    assert PRIVATE in str(await refuses(LINK))
    assert (site.connections, ears.heard()) == (hops + 1, False)


async def test_a_redirect_to_the_same_name_which_is_private_by_now_is_refused(
    refuses: Refuses, internet: Internet, site: Origin
) -> None:
    internet.names["pictures.example"] = [[PUBLIC], ["169.254.169.254"]]
    site.answers(redirect("/latest/meta-data/"))
    assert PRIVATE in str(await refuses(LINK))
    assert internet.connected == [f"{PUBLIC}:443"]


DOWNWARDS = {
    "to plain http": "http://pictures.example/a.png",
    "to plain http at an address": f"http://{PUBLIC}/a.png",
    "to FTP": "ftp://pictures.example/a.png",
    "to a file": "file:///etc/passwd",
    "with a user": "https://user@pictures.example/a.png",
    "with a user and a password": "https://user:pass@cdn.example/a.png",
    "to another port of the configured host": "http://127.0.0.1:10/a.png",
    "to the configured host, but over TLS": "https://127.0.0.1:9/a.png",
    "to the configured host by another name": "http://localhost:9/a.png",
}


@pytest.mark.parametrize("to", DOWNWARDS.values(), ids=DOWNWARDS)
async def test_a_redirect_to_what_no_link_may_be_is_refused(refuses: Refuses, site: Origin, to: str) -> None:
    site.answers(redirect(to), reply(PICTURE))
    text = str(await refuses(LINK))
    assert PLAIN in text or PRIVATE in text
    assert site.connections == 1


GARBAGE = {
    "nothing": redirect(""),
    "no place at all": reply(b"", status="302 Found"),
    "a broken address": redirect("https://[::1"),
    "a control character": redirect("https://pictures.example/\x01"),
    "bytes of no encoding": reply(b"", "Location: https://\xff\xfe\xfd/", status="302 Found"),
    "another host in bytes of UTF-8": reply(b"", "Location: https://b\xc3\xbccher.example/", status="302 Found"),
    "two places": redirect("https://127.0.0.1/", "Location: https://127.0.0.2/"),
    "a huge place": redirect("https://pictures.example/" + "a" * 70_000),
    "a folded line": redirect("\r\n https://127.0.0.1/"),
    "a place in quotation marks": redirect('"https://127.0.0.1/"'),
    "a place in a refresh": reply(b"", "Refresh: 0; url=https://127.0.0.1/", status="300 Choices"),
    "a place in a Content-Location": reply(b"", "Content-Location: https://127.0.0.1/", status="302 Found"),
    "only in a page": reply(b"<meta http-equiv=refresh content='0;url=https://127.0.0.1/'>", status="302 Found"),
    "use a proxy": redirect("https://127.0.0.1:3128/", status="305 Use Proxy"),
    "switch to another protocol": reply(b"", "Upgrade: h2c", status="101 Switching Protocols"),
}


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
async def test_a_redirect_that_makes_no_sense_is_an_error_like_any_other(
    refuses: Refuses, internet: Internet, site: Origin, answer: bytes
) -> None:
    site.answers(answer, b"")
    await refuses(LINK)
    assert {*internet.connected} == {f"{PUBLIC}:443"}


async def test_what_comes_with_a_redirect_is_not_read(pictures: Pictures, site: Origin) -> None:
    endless = redirect("/b.png").replace(b"Content-Length: 0", b"Content-Length: 99999999999")
    site.answers(for_ever(endless, b"x" * 65536), reply(PICTURE))
    assert await fetched(pictures, LINK) == PICTURE


async def test_only_the_configured_origin_itself_may_be_plain_http(
    http: Http, internet: Internet, site: Origin
) -> None:
    with Origin(reply(PICTURE)) as gateway:
        pictures = Pictures(http, f"http://127.0.0.1:{gateway.port}/api/v1", Redactor(()))
        site.answers(redirect(f"http://127.0.0.1:{gateway.port}/files/a.png"))
        assert await fetched(pictures, LINK) == PICTURE
        assert len(gateway.requests) == 1


SECRETS = ("authorization", "x-api-key", "cookie", "referer", "origin", "from", "forwarded", "x-forwarded-for", "via")


async def test_nobody_on_the_way_learns_who_asks_nor_whence(http: Http, internet: Internet, site: Origin) -> None:
    own = "http://me:hunter22@127.0.0.1:{port}/api/v1"
    cookie = "Set-Cookie: a=b\r\nSet-Cookie: c=d; Path=/; Secure\r\nSet-Cookie: e=f; Path=/; Domain=.example"
    with Origin(redirect(LINK + "?token=t0ken", cookie)) as gateway:
        pictures = Pictures(http, own.format(port=gateway.port), Redactor(()))
        site.answers(redirect("https://cdn.example/b.png", cookie), redirect("/c.png", cookie), reply(PICTURE, cookie))
        for _ in range(2):
            assert await fetched(pictures, f"http://127.0.0.1:{gateway.port}/files/a.png") == PICTURE
        heads = [*gateway.requests, *site.requests]
    assert len(heads) == 6
    for head in heads:
        names = [line.partition(b":")[0].decode().lower() for line in head.split(b"\r\n")[1:-2]]
        assert {*names} <= {"host", "accept", "accept-encoding", "connection", "user-agent"}
        assert not {*names} & {*SECRETS}
        assert b"hunter22" not in head
        assert b"accept-encoding: identity" in head.lower()
