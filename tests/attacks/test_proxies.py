"""With a proxy in the user's environment, names are the proxy's to resolve; everything else is judged all the same."""

import socket
import ssl
from collections.abc import Generator
from pathlib import Path

import pytest

from darkroom.transport.egress import Pictures
from tests.arriving import fetched
from tests.attacks.certificates import Authority
from tests.attacks.conftest import PICTURE, Refuses
from tests.attacks.internet import PUBLIC, Internet
from tests.attacks.origins import Origin, Play, head_of, redirect, reply
from tests.attacks.socks import socks5
from tests.clients import refusal

LINK = "https://pictures.example/a.png"


def tunnel(certificate: Path, *answers: bytes, heads: list[bytes]) -> list[Play]:
    """A proxy's answers: each leads to a server over TLS, which answers with the next of these."""

    def led(answer: bytes) -> Play:
        def play(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            with context.wrap_socket(connection, server_side=True) as inner:
                heads.append(head_of(inner))
                inner.sendall(answer)

        return play

    return [led(answer) for answer in answers]


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch, internet: Internet) -> Generator[Origin]:
    """The user's proxy; it refuses to lead anywhere unless it is told to."""
    with Origin(reply(status="403 Forbidden")) as origin:
        monkeypatch.setenv("https_proxy", f"http://user:pr0xy@127.0.0.1:{origin.port}")
        yield origin


def asked_for(proxy: Origin) -> list[str]:
    """The places that the proxy was asked to lead to."""
    return [head.split()[1].decode() for head in proxy.requests]


async def test_a_proxy_is_asked_by_name_and_nothing_is_resolved_here(
    pictures: Pictures, internet: Internet, authority: Authority, proxy: Origin
) -> None:
    heads: list[bytes] = []
    certificate = authority.certificate("pictures.example", "cdn.example")
    hop = redirect("https://cdn.example/b.png", "Set-Cookie: session=abc")
    proxy.answers(*tunnel(certificate, hop, reply(PICTURE), heads=heads))
    assert await fetched(pictures, LINK) == PICTURE
    assert asked_for(proxy) == ["pictures.example:443", "cdn.example:443"]
    assert (internet.asked, internet.connected) == ([], [])
    assert all(b"Proxy-Authorization: Basic " in head for head in proxy.requests)
    assert not any(word in head.lower() for head in heads for word in (b"proxy", b"authorization", b"cookie"))


async def test_a_server_behind_a_proxy_must_prove_its_name_too(
    refuses: Refuses, internet: Internet, authority: Authority, proxy: Origin
) -> None:
    heads: list[bytes] = []
    proxy.answers(*tunnel(authority.certificate("elsewhere.example"), reply(PICTURE), heads=heads))
    await refuses(LINK)
    assert heads == []


OURS_TO_JUDGE = [
    "https://127.0.0.1/a.png",
    "https://127.1/a.png",
    "https://2130706433/a.png",
    "https://0x7f.1/a.png",
    "https://0177.0.0.1/a.png",
    "https://127.0.0.1./a.png",
    "https://127。0。0。1/a.png",
    "https://%31%32%37.0.0.1/a.png",
    "https://localhost/a.png",
    "https://LOCALHOST/a.png",
    "https://localhost./a.png",
    "https://files.localhost/a.png",
    "https://169.254.169.254/latest/",
    "https://10.0.0.1/a.png",
    "https://[::1]/a.png",
    "https://[::ffff:127.0.0.1]/a.png",
    "https://[::127.0.0.1]/a.png",
    "https://[fec0::1]/a.png",
    "https://[64:ff9b:1::10.0.0.1]/a.png",
    "https://[fe80::1%25eth0]/a.png",
    "http://pictures.example/a.png",
    "https://user:pass@pictures.example/a.png",
    "https://pictures.example:0/a.png",
]


@pytest.mark.parametrize("link", OURS_TO_JUDGE)
async def test_a_proxy_is_not_asked_for_what_can_be_judged_here(
    refuses: Refuses, internet: Internet, proxy: Origin, link: str
) -> None:
    await refuses(link)
    assert (proxy.connections, internet.connected) == (0, [])


@pytest.mark.parametrize("link", OURS_TO_JUDGE)
async def test_a_redirect_behind_a_proxy_is_judged_as_well(
    refuses: Refuses, internet: Internet, authority: Authority, proxy: Origin, link: str
) -> None:
    certificate = authority.certificate("pictures.example")
    proxy.answers(*tunnel(certificate, redirect(link.replace("。", ".")), heads=[]), reply(status="403 Forbidden"))
    await refuses(LINK)
    assert (proxy.connections, internet.connected) == (1, [])


async def test_an_address_in_a_link_goes_through_the_proxy_if_it_is_public(
    refuses: Refuses, internet: Internet, proxy: Origin
) -> None:
    await refuses(f"https://{PUBLIC}/a.png")
    assert (asked_for(proxy), internet.connected) == ([f"{PUBLIC}:443"], [])


async def test_a_name_that_needs_no_proxy_is_resolved_checked_and_pinned(
    pictures: Pictures, internet: Internet, site: Origin, proxy: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "pictures.example,127.0.0.1")
    internet.names["pictures.example"] = [[PUBLIC], ["127.0.0.1"]]
    assert await fetched(pictures, LINK) == PICTURE
    assert (proxy.connections, internet.connected) == (0, [f"{PUBLIC}:443"])
    assert "private address" in str(await refusal(fetched(pictures, LINK)))


# Two readers of NO_PROXY may come to different ends. If one of them checks and the other one connects, nobody does.
@pytest.mark.parametrize("no_proxy", ["elsewhere.example,*", "https://inside.example", "all://inside.example", " * "])
async def test_however_no_proxy_is_read_a_name_without_a_proxy_is_checked(
    refuses: Refuses, internet: Internet, proxy: Origin, monkeypatch: pytest.MonkeyPatch, no_proxy: str
) -> None:
    monkeypatch.setenv("no_proxy", no_proxy)
    internet.names["inside.example"] = [["10.0.0.1"]]
    await refuses("https://inside.example/a.png")
    assert internet.connected == []


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["", "http://"])
async def test_a_proxy_is_found_under_every_name_that_it_may_have(
    refuses: Refuses, internet: Internet, monkeypatch: pytest.MonkeyPatch, variable: str, scheme: str
) -> None:
    with Origin(reply(status="403 Forbidden")) as origin:
        monkeypatch.setenv(variable, f"{scheme}127.0.0.1:{origin.port}")
        await refuses(LINK)
        assert (asked_for(origin), internet.asked) == (["pictures.example:443"], [])


async def test_a_proxy_for_plain_http_is_none_for_pictures(
    pictures: Pictures, internet: Internet, site: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert await fetched(pictures, LINK) == PICTURE
    assert internet.connected == [f"{PUBLIC}:443"]


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
async def test_a_socks_proxy_is_asked_by_name_for_a_picture(
    pictures: Pictures, internet: Internet, site: Origin, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    asked: list[str] = []
    with Origin(socks5(asked, {"pictures.example:443": site.port}), hears=False) as proxy:
        monkeypatch.setenv("all_proxy", f"{scheme}://127.0.0.1:{proxy.port}")
        assert await fetched(pictures, LINK) == PICTURE
    assert (asked, site.names) == (["pictures.example:443"], ["pictures.example"])
    assert (internet.asked, internet.connected) == ([], [])


async def test_a_socks_proxy_is_not_asked_for_an_address_that_is_not_public(
    refuses: Refuses, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Origin(socks5([], {}), hears=False) as proxy:
        monkeypatch.setenv("all_proxy", f"socks5://127.0.0.1:{proxy.port}")
        await refuses("https://10.0.0.1/a.png")
        assert (proxy.connections, internet.connected) == (0, [])
