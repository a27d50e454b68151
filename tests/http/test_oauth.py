"""Access tokens of an OAuth issuer: only those that it signed, for this server, for somebody known, and in time."""

import base64
import json
import time
from collections.abc import Callable, Generator
from itertools import count
from typing import Any

import jwt
import pytest

from tests.hosts import PATIENCE_S, Home, call, eventually
from tests.http.hosting import ANN, Hosted, client_of, got, hosted, posted, tenants_file
from tests.http.issuer import AUDIENCE, Issuer, new_key

IMPATIENT = """
from darkroom.http import keys
keys.AGAIN_AFTER_S = 2.0
import runpy
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def issuer() -> Generator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, issuer: Issuer) -> Generator[Hosted]:
    home = Home(tmp_path_factory.mktemp("oauth"))
    with hosted(home, *words_for(home, issuer)) as server:
        yield server


def words_for(home: Home, issuer: Issuer) -> list[str]:
    return [
        "--tenants", str(tenants_file(home.path)), "--trust-proxy", "127.0.0.1",
        "--oauth-issuer", issuer.url, "--oauth-audience", AUDIENCE,
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["one", "two"])
async def test_a_token_of_the_issuer_is_its_subject_s_tenant(server: Hosted, issuer: Issuer, key: str) -> None:
    async with client_of(server.url, token=issuer.token(key=key)) as client:
        made = await call(client, "generate", prompt=f"a fox {key}", provider="sketch")
    async with client_of(server.url, token=ANN) as same:
        await call(same, "get_status", generation_id=made["id"])
    several = issuer.token(key=key, aud=["https://elsewhere.example", AUDIENCE])
    assert posted(server, "tools/list", token=several).status_code == 200


def unsigned(issuer: Issuer) -> str:
    nothing: Any = None
    return jwt.encode(claims(issuer), nothing, algorithm="none", headers={"kid": "one"})


def signed_with_the_public_key(issuer: Issuer) -> str:
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=").decode()
    payload = base64.urlsafe_b64encode(json.dumps(claims(issuer)).encode()).rstrip(b"=").decode()
    return f"{header}.{payload}.{base64.urlsafe_b64encode(b'x' * 32).rstrip(b'=').decode()}"


def claims(issuer: Issuer) -> dict[str, object]:
    return {"iss": issuer.url, "aud": AUDIENCE, "sub": "subject|ann", "exp": int(time.time()) + 300}


def altered(issuer: Issuer) -> str:
    header, _, signature = issuer.token(sub="subject|bob").split(".")
    payload = base64.urlsafe_b64encode(json.dumps(claims(issuer)).encode()).rstrip(b"=").decode()
    return f"{header}.{payload}.{signature}"


BAD: dict[str, Callable[[Issuer], str]] = {
    "expired": lambda issuer: issuer.token(exp=time.time() - 120),
    "not yet": lambda issuer: issuer.token(nbf=time.time() + 600),
    "without an end": lambda issuer: issuer.token(exp=None),
    "for another server": lambda issuer: issuer.token(aud="https://elsewhere.example/mcp"),
    "for this server's neighbour": lambda issuer: issuer.token(aud=AUDIENCE + "2"),
    "for nobody": lambda issuer: issuer.token(aud=None),
    "of another issuer": lambda issuer: issuer.token(iss="https://elsewhere.example"),
    "of nobody": lambda issuer: issuer.token(iss=None),
    "signed by another key": lambda issuer: issuer.token(signed_with=new_key("RS256")),
    "signed by an unknown key": lambda issuer: issuer.token(key="three", signed_with=new_key("RS256")),
    "in another way": lambda issuer: issuer.token(algorithm="RS512"),
    "not signed": unsigned,
    "signed with what is public": signed_with_the_public_key,
    "altered": altered,
    "without a subject": lambda issuer: issuer.token(sub=None),
    "no token": lambda _: "a.b.c",
    "endless": lambda _: "x" * 20_000,
}


@pytest.mark.parametrize("how", BAD)
def test_any_other_token_is_refused_and_its_holder_is_sent_to_the_issuer(
    server: Hosted, issuer: Issuer, how: str
) -> None:
    # From an address of its own: after some wrong tokens, one has to wait.
    address = f"10.0.0.{[*BAD].index(how)}"
    response = posted(server, "tools/list", token=BAD[how](issuer), address=address)
    assert response.status_code == 401
    assert response.json()["error"] == "invalid_token"
    assert f'resource_metadata="{metadata_url()}"' in response.headers["www-authenticate"]


def metadata_url() -> str:
    return "https://darkroom.example.com/.well-known/oauth-protected-resource/mcp"


def test_a_good_token_of_an_unknown_subject_is_forbidden(server: Hosted, issuer: Issuer) -> None:
    response = posted(server, "tools/list", token=issuer.token(sub="subject|nobody"))
    assert response.status_code == 403


def test_the_server_says_whose_tokens_it_takes(server: Hosted, issuer: Issuer) -> None:
    described = got(server, "/.well-known/oauth-protected-resource/mcp").json()
    assert described["resource"] == AUDIENCE
    assert described["authorization_servers"] == [issuer.url]
    unasked = posted(server, "tools/list")
    assert unasked.status_code == 401
    assert unasked.headers["www-authenticate"] == f'Bearer resource_metadata="{metadata_url()}"'


def test_a_new_key_of_the_issuer_is_found_and_unknown_ones_are_not_asked_for_again_and_again(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = Home(tmp_path_factory.mktemp("rotation"))
    with Issuer() as issuer, hosted(home, *words_for(home, issuer), python=("-c", IMPATIENT)) as server:
        addresses = (f"10.2.{number // 256}.{number % 256}" for number in count())

        def status(token: str) -> int:
            return posted(server, "tools/list", token=token, address=next(addresses)).status_code

        assert status(issuer.token()) == 200
        issuer.keys["new"] = ("RS256", new_key("RS256"))
        eventually(lambda: status(issuer.token(key="new")) == 200)
        read, stranger = issuer.asked.count("/jwks"), new_key("ES256")
        began = time.monotonic()
        for number in range(20):
            assert status(issuer.token(key=f"no {number}", signed_with=stranger, algorithm="ES256")) == 401
        assert issuer.asked.count("/jwks") - read <= (time.monotonic() - began) / 2.0 + 1
        issuer.lost = True
        assert status(issuer.token(key="two")) == 200


def test_while_the_issuer_cannot_be_read_its_tokens_have_to_wait_and_others_do_not(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = Home(tmp_path_factory.mktemp("lost"))
    with Issuer() as issuer, hosted(home, *words_for(home, issuer)) as server:
        issuer.lost = True
        response = posted(server, "tools/list", token=issuer.token())
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) <= PATIENCE_S
        assert posted(server, "tools/list", token=ANN).status_code == 200
