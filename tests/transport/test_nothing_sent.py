"""What goes wrong before a request leaves charges nothing, and names the setting that is to be corrected."""

import gc
from collections.abc import Generator
from typing import Any

import pytest

from darkroom.errors import DarkroomError, OutcomeUnknown, ProviderUnreachable
from darkroom.models import Charged
from darkroom.redact.secrets import Redactor
from darkroom.transport.client import Api
from darkroom.transport.egress import Pictures
from darkroom.transport.http import Http
from tests.arriving import fetched
from tests.attacks.origins import Origin, Play, reply, then_reset
from tests.attacks.socks import socks5
from tests.clients import OpenDoor, refusal

SECRET = "hunter22"
BODY = {"prompt": "A fox"}


def api_at(http: Http, url: str) -> Api:
    return Api("FatThumb", "FATTHUMB_API_KEY", url, http, {}, Redactor([]), OpenDoor())


def assert_nothing_was_sent(error: DarkroomError) -> None:
    assert (type(error), error.charged) == (ProviderUnreachable, Charged.NO)
    assert "nothing was charged" in error.next_step
    assert SECRET not in error.message + error.next_step


@pytest.fixture
def provider() -> Generator[Origin]:
    """A provider that accepts every POST."""
    with Origin(reply(b'{"id": "job_1"}')) as origin:
        yield origin


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", f"foo://me:{SECRET}@127.0.0.1:1"),
        ("all_proxy", f"socks4://me:{SECRET}@127.0.0.1:1"),
        ("HTTPS_PROXY", f"http://me:{SECRET}@[::1"),
        ("http_proxy", f"me:{SECRET}@127.0.0.1:port"),
        ("SSL_CERT_FILE", f"/{SECRET}/authorities.pem"),
        ("SSL_CERT_FILE", __file__),
    ],
)
async def test_a_setting_of_which_no_client_can_be_made_is_named_and_nothing_is_sent(
    http: Http, provider: Origin, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    api = api_at(http, f"http://127.0.0.1:{provider.port}")
    for call in (api.submit("/generate", BODY), api.read("/generations/1")):
        error = await refusal(call)
        assert_nothing_was_sent(error)
        assert f"({variable} is " in error.message
        assert "Correct it" in error.next_step
    if variable != "http_proxy":  # links to pictures are https
        lost = await refusal(fetched(Pictures(http, None, Redactor(())), "https://8.8.8.8/a.png"))
        assert f"({variable} is " in lost.message
        assert SECRET not in lost.message
    assert provider.connections == 0


@pytest.mark.parametrize("body", [{"prompt": "\ud800"}, {"prompt": {1, 2}}, {"prompt": b"x"}], ids=repr)
async def test_a_body_that_cannot_be_written_is_not_sent(http: Http, provider: Origin, body: dict[str, Any]) -> None:
    assert_nothing_was_sent(await refusal(api_at(http, f"http://127.0.0.1:{provider.port}").submit("/generate", body)))
    assert provider.connections == 0


DEAF: dict[str, bytes | Play] = {
    "refuses": reply(status="403 Forbidden"),
    "wants a password": reply(status="407 Proxy Authentication Required"),
    "breaks off": then_reset(b""),
    "does not speak HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "says nothing": b"",
    "leads to a place that does not speak TLS": b"HTTP/1.1 200 Connected\r\n\r\nhello\r\n",
    "leads to a place that breaks off": then_reset(b"HTTP/1.1 200 Connected\r\n\r\n"),
}


@pytest.mark.parametrize("answer", DEAF.values(), ids=DEAF)
async def test_what_a_proxy_does_before_it_leads_anywhere_charges_nothing(
    http: Http, monkeypatch: pytest.MonkeyPatch, answer: bytes | Play
) -> None:
    with Origin(answer) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:{SECRET}@127.0.0.1:{proxy.port}")
        error = await refusal(api_at(http, "https://provider.example/v1").submit("/generate", BODY))
        assert_nothing_was_sent(error)
        assert "HTTPS_PROXY" in error.next_step
        assert [head.split()[:2] for head in proxy.requests] == [[b"CONNECT", b"provider.example:443"]]


async def test_what_a_proxy_was_given_may_have_been_charged(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    with Origin(then_reset(b"")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"127.0.0.1:{proxy.port}")
        error = await refusal(api_at(http, "http://provider.example/v1").submit("/generate", BODY))
        assert (type(error), error.charged) == (OutcomeUnknown, Charged.MAYBE)
        assert [head.split()[0] for head in proxy.requests] == [b"POST"]


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
@pytest.mark.parametrize("credentials", [(), (b"me", SECRET.encode())], ids=["open", "password"])
async def test_calls_go_through_a_socks_proxy_which_resolves_the_name(
    http: Http, provider: Origin, monkeypatch: pytest.MonkeyPatch, scheme: str, credentials: tuple[bytes, ...]
) -> None:
    asked: list[str] = []
    places = {"provider.example:80": provider.port}
    with Origin(socks5(asked, places, credentials=credentials), hears=False) as proxy:
        user = f"me:{SECRET}@" if credentials else ""
        monkeypatch.setenv("ALL_PROXY", f"{scheme}://{user}127.0.0.1:{proxy.port}")
        api = api_at(http, "http://provider.example/v1")
        assert await api.submit("/generate", BODY) == await api.read("/generations/1") == {"id": "job_1"}
    assert asked == ["provider.example:80"] * 2
    assert [head.split()[0] for head in provider.requests] == [b"POST", b"GET"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "play",
    [socks5([], {}), socks5([], {}, credentials=(b"you", b"secret")), then_reset(b""), b"", b"\x04\x00", b"\x05\xff"],
    ids=["refused", "wants a password", "reset", "closed", "SOCKS4", "no method"],
)
async def test_a_socks_proxy_that_leads_nowhere_charges_nothing(
    http: Http, monkeypatch: pytest.MonkeyPatch, play: bytes | Play
) -> None:
    with Origin(play, hears=False) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"socks5://127.0.0.1:{proxy.port}")
        error = await refusal(api_at(http, "http://provider.example/v1").submit("/generate", BODY))
        assert_nothing_was_sent(error)
        assert "ALL_PROXY" in error.next_step
        del error
        gc.collect()  # the HTTP library leaves it to the collector to close this connection


async def test_a_proxy_that_is_not_there_is_named(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", f"socks5://me:{SECRET}@127.0.0.1:1")
    error = await refusal(api_at(http, "http://provider.example/v1").submit("/generate", BODY))
    assert_nothing_was_sent(error)
    assert "all_proxy" in error.next_step
