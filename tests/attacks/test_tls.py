"""The server at a checked address must prove that it is the one the link names, before it is asked anything."""

import socket
import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread

from darkroom.redact.secrets import Redactor
from darkroom.transport.egress import Pictures
from darkroom.transport.http import Http
from tests.arriving import fetched
from tests.attacks.certificates import Authority
from tests.attacks.conftest import OWN, PICTURE, Refuses
from tests.attacks.internet import PUBLIC, Internet
from tests.attacks.origins import Origin, for_ever, reply, then_reset, then_silence
from tests.clients import refusal
from tests.hosts import PATIENCE_S

LINK = "https://pictures.example/a.png"
NAME = "pictures.example"


def named(*names: str, **how: Any) -> Mapping[str, Any]:
    return {"names": names, **how}


UNTRUSTED = {
    "another name": named("elsewhere.example"),
    "a name below": named("www.pictures.example"),
    "a name that ends alike": named("mypictures.example"),
    "names below, but not the name": named("*.pictures.example"),
    "every name there is": named("*"),
    "the address instead of the name": named(addresses=[PUBLIC]),
    "the name as a common name only": named("elsewhere.example", common_name=NAME),
    "no name at all": named(),
    "the user's own machine": named("localhost", addresses=["127.0.0.1"]),
    "its own signature": named(NAME, self_signed=True),
    "a past life": named(NAME, since=timedelta(days=-2), until=timedelta(days=-1)),
    "a life to come": named(NAME, since=timedelta(days=1), until=timedelta(days=2)),
    "a client's purpose": named(NAME, for_clients=True),
}


def issued(authority: Authority, how: Mapping[str, Any]) -> Path:
    return authority.certificate(*how["names"], **{key: value for key, value in how.items() if key != "names"})


@pytest.mark.parametrize("how", UNTRUSTED.values(), ids=UNTRUSTED)
async def test_a_server_is_asked_nothing_when_its_certificate_has(
    refuses: Refuses, internet: Internet, authority: Authority, how: Mapping[str, Any]
) -> None:
    with Origin(reply(PICTURE), certificate=issued(authority, how)) as origin:
        internet.places[f"{PUBLIC}:443"] = origin.port
        assert "ConnectError" in str(await refuses(LINK))
        assert origin.connections == 1
        assert origin.requests == []


async def test_a_server_that_an_unknown_authority_vouches_for_is_asked_nothing(
    refuses: Refuses, internet: Internet, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = Authority(tmp_path_factory.mktemp("stranger"))
    with Origin(reply(PICTURE), certificate=stranger.certificate(NAME)) as origin:
        internet.places[f"{PUBLIC}:443"] = origin.port
        assert "ConnectError" in str(await refuses(LINK))
        assert origin.requests == []


NO_TLS = {
    "plain http": reply(PICTURE),
    "half a handshake": b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76",
    "a fatal alert": b"\x15\x03\x03\x00\x02\x02\x28",
    "nothing": b"",
    "a reset": then_reset(b""),
    "an endless record": for_ever(b"\x16\x03\x03\xff\xff", b"\0" * 65536),
}


@pytest.mark.parametrize("answer", NO_TLS.values(), ids=NO_TLS)
async def test_a_server_that_speaks_no_tls_has_no_picture(refuses: Refuses, internet: Internet, answer: Any) -> None:
    # A handshake has no empty line, so the answer comes at once.
    with Origin(answer, hears=False) as origin:
        internet.places[f"{PUBLIC}:443"] = origin.port
        await refuses(LINK)
        assert origin.connections == 1


async def test_a_server_that_never_shakes_hands_is_left_in_time_and_for_good(http: Http, internet: Internet) -> None:
    left = threading.Event()

    def listen(connection: socket.socket) -> None:
        then_silence()(connection)
        left.set()

    with Origin(listen, hears=False) as origin:
        internet.places[f"{PUBLIC}:443"] = origin.port
        error = await refusal(fetched(Pictures(http, OWN, Redactor(()), deadline_s=0.2), LINK))
        assert "Timeout" in str(error)
        assert await to_thread.run_sync(left.wait, PATIENCE_S), "its socket is still open here"


TRUSTED = {
    "the name": named(NAME),
    "the name among others": named("elsewhere.example", NAME, "cdn.example"),
    "all names beside it": named("*.example.net"),
}


@pytest.mark.parametrize("how", TRUSTED.values(), ids=TRUSTED)
async def test_a_server_that_proves_its_name_is_asked_by_that_name(
    pictures: Pictures, internet: Internet, authority: Authority, how: Mapping[str, Any]
) -> None:
    host = "pictures.example.net" if "*.example.net" in how["names"] else NAME
    internet.names["pictures.example.net"] = [[PUBLIC]]
    with Origin(reply(PICTURE), certificate=issued(authority, how)) as origin:
        internet.places[f"{PUBLIC}:443"] = origin.port
        assert await fetched(pictures, f"https://{host}/a.png") == PICTURE
        assert origin.names == [host]
        assert f"Host: {host}\r\n".encode().lower() in origin.requests[0].lower()
