"""A link is followed only if every program reads it alike: https, a plain host, nothing hidden in it."""

import pytest

from darkroom.transport.egress import Pictures
from tests.arriving import fetched
from tests.attacks.conftest import PICTURE, Refuses
from tests.attacks.internet import PUBLIC, Internet
from tests.attacks.origins import Origin, redirect
from tests.transport.conftest import Ears

# {port} is a port on loopback at which somebody listens. Python's own resolver takes most of these for 127.0.0.1.
LINKS = {
    "plain http to loopback": "http://127.0.0.1:{port}/a.png",
    "plain http to localhost": "http://localhost:{port}/a.png",
    "plain http in capitals": "HTTP://127.0.0.1:{port}/a.png",
    "plain http to a public name": "http://pictures.example/a.png",
    "loopback": "https://127.0.0.1:{port}/a.png",
    "loopback after a dot": "https://127.0.0.1.:{port}/a.png",
    "loopback in short": "https://127.1:{port}/a.png",
    "loopback in three parts": "https://127.0.1:{port}/a.png",
    "loopback as one number": "https://2130706433:{port}/a.png",
    "loopback in hexadecimal": "https://0x7f000001:{port}/a.png",
    "loopback in capital hexadecimal": "https://0X7F000001:{port}/a.png",
    "loopback in hexadecimal parts": "https://0x7f.0x0.0x0.0x1:{port}/a.png",
    "loopback in octal": "https://0177.0.0.1:{port}/a.png",
    "loopback in one octal number": "https://017700000001:{port}/a.png",
    "loopback with zeros in front": "https://127.000.000.001:{port}/a.png",
    "loopback in mixed figures": "https://0x7f.0.01:{port}/a.png",
    "loopback in figures too large": "https://4294967296:{port}/a.png",
    "nothing in figures": "https://0:{port}/a.png",
    "loopback in wide figures": "https://１２７.0.0.1:{port}/a.png",
    "loopback in circled figures": "https://①②⑦.0.0.①:{port}/a.png",
    "loopback with Chinese full stops": "https://127。0。0。1:{port}/a.png",
    "loopback with wide full stops": "https://127．0．0．1:{port}/a.png",
    "loopback with half-width full stops": "https://127｡0｡0｡1:{port}/a.png",
    "loopback in percent signs": "https://%31%32%37.0.0.1:{port}/a.png",
    "localhost": "https://localhost:{port}/a.png",
    "localhost after a dot": "https://LOCALHOST.:{port}/a.png",
    "localhost in circled letters": "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/a.png",
    "localhost in wide letters": "https://ｌｏｃａｌｈｏｓｔ:{port}/a.png",
    "localhost with a soft hyphen": "https://local\u00adhost:{port}/a.png",
    "localhost with a zero-width space": "https://local\u200bhost:{port}/a.png",
    "localhost in punycode": "https://xn--localhost-:{port}/a.png",
    "IPv6 loopback": "https://[::1]:{port}/a.png",
    "IPv6 loopback at full length": "https://[0:0:0:0:0:0:0:1]:{port}/a.png",
    "IPv6 loopback with a zone": "https://[::1%25lo]:{port}/a.png",
    "IPv6 loopback with a bare zone": "https://[::1%lo]:{port}/a.png",
    "IPv6 link-local with a zone": "https://[fe80::1%25eth0]:{port}/a.png",
    "IPv4 in brackets": "https://[127.0.0.1]:{port}/a.png",
    "an IP of the future": "https://[v1.127.0.0.1]:{port}/a.png",
    "IPv6 without an end": "https://[::1:{port}/a.png",
    "a user": "https://user@127.0.0.1:{port}/a.png",
    "a user and a password": "https://user:pass@pictures.example/a.png",
    "only a password": "https://:pass@pictures.example/a.png",
    "a public name as the user": "https://pictures.example@127.0.0.1:{port}/a.png",
    "a public name and a port as the user": "https://pictures.example:443@127.0.0.1:{port}/a.png",
    "two at signs": "https://a@pictures.example@127.0.0.1:{port}/a.png",
    "a backslash before an at sign": "https://pictures.example\\@127.0.0.1:{port}/a.png",
    "a backslash after the host": "https://127.0.0.1:{port}\\.pictures.example/a.png",
    "a backslash within the host": "https://127.0.0.1\\.pictures.example/a.png",
    "backslashes for slashes": "https:\\\\127.0.0.1:{port}\\a.png",
    "one slash": "https:/127.0.0.1:{port}/a.png",
    "three slashes": "https:///127.0.0.1:{port}/a.png",
    "no slashes": "https:127.0.0.1:{port}/a.png",
    "a space before": " https://127.0.0.1:{port}/a.png",
    "a space in the host": "https://127.0.0.1 .pictures.example/a.png",
    "a tab in the scheme": "ht\ttps://127.0.0.1:{port}/a.png",
    "a line break in the host": "https://127.0.0.1\n.pictures.example/a.png",
    "a request within the path": "https://pictures.example/a.png HTTP/1.1\r\nHost: inside\r\n\r\n",
    "a zero byte in the host": "https://127.0.0.1\0.pictures.example/a.png",
    "a zero byte in percent signs": "https://127.0.0.1%00.pictures.example/a.png",
    "a slash in percent signs": "https://127.0.0.1%2f.pictures.example/a.png",
    "half a character": "https://\ud800.pictures.example/a.png",
    "port 0": "https://pictures.example:0/a.png",
    "a port below 0": "https://pictures.example:-1/a.png",
    "a port too high": "https://pictures.example:65536/a.png",
    "a port that wraps around to 443": "https://pictures.example:65979/a.png",
    "an endless port": "https://pictures.example:" + "4" * 5000 + "/a.png",
    "two ports": "https://pictures.example:443:{port}/a.png",
    "a port in letters": "https://pictures.example:https/a.png",
    "only dots": "https://.../a.png",
    "an empty label": "https://pictures..example/a.png",
    "a label that is too long": "https://" + "a" * 64 + ".example/a.png",
    "a name that is too long": "https://" + "a." * 130 + "example/a.png",
    "broken punycode": "https://xn--/a.png",
    "a huge link": "https://pictures.example/" + "a" * 70_000,
    "a file": "file:///etc/passwd",
    "a file on a host": "file://127.0.0.1:{port}/etc/passwd",
    "FTP": "ftp://127.0.0.1:{port}/a.png",
    "Gopher": "gopher://127.0.0.1:{port}/_GET%20/",
    "WebSocket": "wss://127.0.0.1:{port}/a.png",
    "a dictionary": "dict://127.0.0.1:{port}/d:a",
    "a picture within the link": "data:image/png;base64,iVBORw0KGgo=",
    "a program within the link": "javascript:alert(1)",
    "a scheme of another's": "jar:https://pictures.example/a.jar!/a.png",
    "https in wide letters": "ｈｔｔｐｓ://127.0.0.1:{port}/a.png",
}
RELATIVE = {
    "no scheme but loopback": "//127.0.0.1:{port}/a.png",
    "no scheme but localhost": "//localhost:{port}/a.png",
    "backslashes but no scheme": "\\\\127.0.0.1:{port}\\a.png",
    "three slashes but no scheme": "///127.0.0.1:{port}/a.png",
    "a host without slashes": "127.0.0.1:{port}/a.png",
    "a file's name": "a.png",
    "nothing": "",
    "a query": "?a",
}
HEADERS = "\r\n\t\0"


@pytest.mark.parametrize("link", (LINKS | RELATIVE).values(), ids=LINKS | RELATIVE)
async def test_a_link_that_hides_where_it_leads_is_not_followed(
    refuses: Refuses, internet: Internet, ears: Ears, link: str
) -> None:
    await refuses(link.replace("{port}", str(ears.port)))
    assert not ears.heard()
    assert internet.connected == []


@pytest.mark.parametrize(
    "link",
    [
        pytest.param(link, id=name)
        for name, link in (LINKS | RELATIVE).items()
        # What no header can carry, or what says, relative to an https link, something harmless.
        if link.isascii() and not set(link) & set(HEADERS) and name not in {"a file's name", "a query"}
    ],
)
async def test_a_redirect_that_hides_where_it_leads_is_not_followed(
    refuses: Refuses, internet: Internet, site: Origin, ears: Ears, link: str
) -> None:
    site.answers(redirect(link.replace("{port}", str(ears.port))), b"")
    await refuses("https://pictures.example/a.png")
    assert not ears.heard()
    assert {*internet.connected} == {f"{PUBLIC}:443"}
    assert "127.0.0.1" not in "".join(name or "" for name in site.names)


HARMLESS = {
    "a name": ("https://pictures.example/a.png", "pictures.example", "/a.png"),
    "capitals": ("HTTPS://PICTURES.EXAMPLE/A.png", "pictures.example", "/A.png"),
    "the port that it is anyway": ("https://pictures.example:443/a.png", "pictures.example", "/a.png"),
    "another port": ("https://pictures.example:8443/a.png", "pictures.example:8443", "/a.png"),
    "an address": (f"https://{PUBLIC}/a.png", PUBLIC, "/a.png"),
    "a name in other letters": ("https://bücher.example/a.png", "xn--bcher-kva.example", "/a.png"),
    "that name in punycode": ("https://xn--bcher-kva.example/a.png", "xn--bcher-kva.example", "/a.png"),
    "a query": ("https://pictures.example/a.png?sig=1%2F2&x=ü", "pictures.example", "/a.png?sig=1%2F2&x=%C3%BC"),
    "a fragment, which is for nobody else": (
        "https://pictures.example/a.png#me@127.0.0.1",
        "pictures.example",
        "/a.png",
    ),
    "dots in the path": ("https://pictures.example/b/../../a.png", "pictures.example", "/a.png"),
}


@pytest.mark.parametrize(("link", "host", "target"), HARMLESS.values(), ids=HARMLESS)
async def test_a_link_without_tricks_is_followed(
    pictures: Pictures, internet: Internet, site: Origin, link: str, host: str, target: str
) -> None:
    internet.names["xn--bcher-kva.example"] = [[PUBLIC]]
    assert await fetched(pictures, link) == PICTURE
    (request,) = site.requests
    assert request.startswith(f"GET {target} HTTP/1.1\r\n".encode())
    assert f"host: {host}\r\n".encode() in request.replace(b"Host", b"host")
