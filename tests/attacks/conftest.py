"""A user whose provider names links that others wrote, the network in which they lie, and a stage to attack."""

from collections.abc import Awaitable, Callable, Generator
from pathlib import Path

import pytest

from darkroom.errors import DarkroomError, ResultUnavailable
from darkroom.models import Charged
from darkroom.redact.secrets import Redactor
from darkroom.transport.egress import Pictures
from darkroom.transport.http import Http
from tests.arriving import fetched
from tests.attacks.certificates import Authority
from tests.attacks.internet import PUBLIC, Internet, Names
from tests.attacks.origins import Origin, reply
from tests.attacks.stage import Stage, set_up
from tests.clients import refusal
from tests.transport.conftest import direct, ears, http

__all__ = ["direct", "ears", "http"]  # fixtures of that room are used in this one too

Refuses = Callable[[str], Awaitable[DarkroomError]]
PICTURE = b"RIFF\x00\xff picture"
OWN = "http://127.0.0.1:9/api/v1"
"""The origin that the user has configured in these tests; nobody listens there."""


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The one whom everybody here trusts."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def internet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: Authority) -> Internet:
    """The network, with a picture's server at `pictures.example` and at `cdn.example`, if there is one."""
    names: Names = {"pictures.example": [[PUBLIC]], "cdn.example": [[PUBLIC]]}
    internet = Internet(tmp_path / "diary.jsonl", names, {})
    internet.install(monkeypatch.setattr)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.roots))
    return internet


@pytest.fixture
def site(internet: Internet, authority: Authority) -> Generator[Origin]:
    """A public server over TLS; unless it is told otherwise, it answers with a picture."""
    certificate = authority.certificate("pictures.example", "cdn.example", "xn--bcher-kva.example", addresses=[PUBLIC])
    with Origin(reply(PICTURE), certificate=certificate) as origin:
        internet.places[f"{PUBLIC}:443"] = internet.places[f"{PUBLIC}:8443"] = origin.port
        yield origin


@pytest.fixture
def pictures(http: Http, internet: Internet) -> Pictures:
    """The way out, on that network."""
    return Pictures(http, OWN, Redactor(()))


@pytest.fixture
def refuses(pictures: Pictures) -> Refuses:
    """Fetches what must not be had, and tells the error."""

    async def fetch(url: str) -> DarkroomError:
        error = await refusal(fetched(pictures, url))
        assert isinstance(error, ResultUnavailable)
        assert error.charged is Charged.YES
        assert ("get_status" in error.next_step) is not error.final
        return error

    return fetch


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    """One server with both providers; after its last attack it has told no secret to anybody."""
    path: Path = tmp_path_factory.mktemp("stage")
    with set_up(path) as made:
        yield made
    made.assert_told_nothing()
