"""The door: other hosts and origins, other methods, large and slow requests, and too many of them."""

import json
import socket
import time
from collections.abc import Generator
from typing import Any

import httpx2
import pytest
from mcp.types import METHOD_NOT_FOUND

from darkroom.http.bounds import MAX_BODY
from tests.hosts import PATIENCE_S, Home
from tests.http.hosting import (
    ANN,
    BOB,
    VERSIONS,
    Hosted,
    answer_in,
    got,
    headers_of,
    hosted,
    posted,
    tenants_file,
    written,
)
from tests.services.fatthumb import FatThumb

NARROW = """
from darkroom.http import bounds, web
bounds.MAX_OF_ONE = 3
import runpy
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""
IMPATIENT = NARROW.replace("bounds.MAX_OF_ONE = 3", "bounds.BODY_WITHIN_S = web.HEADERS_WITHIN_S = 2.0")
"""Takes what a slow machine sends for what does not come at all: for what does not come."""


each_version = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Hosted]:
    home = Home(tmp_path_factory.mktemp("door"))
    with FatThumb(duration=1_000_000.0) as slow:
        keys = {"FATTHUMB_API_KEY": slow.key, "FATTHUMB_BASE_URL": slow.url}
        words = ("--tenants", str(tenants_file(home.path, keys)), "--allow-host", "Pictures.Example.com")
        with hosted(home, *words, python=("-c", NARROW)) as server:
            yield server


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Generator[Hosted]:
    home = Home(tmp_path_factory.mktemp("impatient"))
    with hosted(home, "--tenants", str(tenants_file(home.path)), python=("-c", IMPATIENT)) as server:
        yield server


@each_version
@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:1", "[::1]:8765", "pictures.example.com", "PICTURES.example.com:443"]
)
def test_requests_for_this_server_s_own_names_are_served(server: Hosted, host: str, version: str) -> None:
    assert posted(server, "tools/list", token=ANN, host=host, version=version).status_code == 200


@each_version
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "pictures.example.com.evil.example",
        "localhost@evil.example",
        "",
        "127.0.0.1.evil.example",
        "[::1",
    ],
)
def test_requests_for_another_host_are_refused_before_anything_is_read(server: Hosted, host: str, version: str) -> None:
    assert posted(server, "tools/list", token=ANN, host=host, version=version).status_code == 421


@each_version
@pytest.mark.parametrize("origin", ["http://localhost:6274", "https://pictures.example.com"])
def test_pages_of_this_server_s_own_names_may_ask(server: Hosted, origin: str, version: str) -> None:
    assert posted(server, "tools/list", token=ANN, origin=origin, version=version).status_code == 200


@each_version
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost.evil.example", "https://pictures.example.com@evil.example"],
)
def test_pages_of_other_origins_may_not(server: Hosted, origin: str, version: str) -> None:
    assert posted(server, "tools/list", token=ANN, origin=origin, version=version).status_code == 403


@each_version
@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "OPTIONS", "TRACE", "PROPFIND"])
def test_there_are_no_sessions_to_get_or_to_delete(server: Hosted, method: str, version: str) -> None:
    headers = {"authorization": f"Bearer {ANN}", "mcp-protocol-version": version, "mcp-session-id": "a" * 32}
    response = httpx2.request(method, server.url, headers=headers, timeout=PATIENCE_S)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


def test_nothing_else_is_there(server: Hosted) -> None:
    assert got(server, "/").status_code == 404
    assert got(server, "/.well-known/oauth-protected-resource").status_code == 404


@each_version
def test_a_large_picture_in_a_request_is_taken_and_a_larger_request_is_not(server: Hosted, version: str) -> None:
    picture = "data:image/png;base64," + "A" * (MAX_BODY - 2_000)
    wish = {"name": "generate", "arguments": {"prompt": "x", "provider": "sketch", "images": [picture]}}
    taken = posted(server, "tools/call", wish, token=ANN, version=version)
    assert taken.status_code == 200
    assert "takes no pictures" in taken.text
    refused = posted(server, "tools/call", {**wish, "more": "A" * 3_000}, token=ANN, version=version)
    assert refused.status_code == 413


def test_a_request_of_unknown_length_is_cut_off_where_it_is_too_large(server: Hosted) -> None:
    def endless() -> Generator[bytes]:
        yield b'{"jsonrpc": "2.0", "x": "'
        while True:
            yield b"A" * 100_000

    headers = headers_of("tools/list", None, ANN)
    try:
        with httpx2.Client(timeout=PATIENCE_S) as http:
            assert http.post(server.url, content=endless(), headers=headers).status_code == 413
    except (httpx2.WriteError, httpx2.ReadError):
        pass  # it went on writing until it was cut off
    assert got(server, "/healthz").status_code == 200


LISTING = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}'
NO_MESSAGES = {
    "nothing": b"",
    "an empty batch": b"[]",
    "a batch": b"[" + LISTING + b", " + LISTING + b"]",
    "half an object": b"{",
    "an abyss": b"[" * 100_000,
    "an abyss in a request": LISTING.replace(b"{}", b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
    "no method": b'{"jsonrpc": "2.0"}',
    "another protocol": LISTING.replace(b"2.0", b"1.0"),
    "no text": b"\xff\xfe",
    "a long number": b"1" * 10_000,
    "two messages": LISTING + LISTING,
}


@pytest.mark.parametrize("body", NO_MESSAGES.values(), ids=NO_MESSAGES)
@pytest.mark.parametrize("version", [*VERSIONS, "2024-11-05", "1999-01-01", ""])
def test_what_is_no_message_is_refused_in_words(server: Hosted, body: bytes, version: str) -> None:
    headers = headers_of("tools/list", None, ANN, **{"mcp-protocol-version": version})
    response = httpx2.post(server.url, content=body, headers=headers, timeout=PATIENCE_S)
    assert 400 <= response.status_code < 500
    assert response.json()["error"]["message"]
    assert len(response.content) < 2_000


@each_version
@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("content-type", "text/plain", 400),
        ("content-type", "application/x-www-form-urlencoded", 400),
        ("accept", "text/html", 406),
        ("accept", "application/json", 406),
    ],
)
def test_other_kinds_of_content_are_refused(server: Hosted, header: str, value: str, status: int, version: str) -> None:
    response = posted(server, "tools/list", token=ANN, version=version, **{header: value})
    assert response.status_code in {status, 415 if header == "content-type" else status}


@each_version
def test_a_method_that_there_is_not_is_named_by_its_code(server: Hosted, version: str) -> None:
    response = posted(server, "no/such/method", token=ANN, version=version)
    assert answer_in(response)["error"]["code"] == METHOD_NOT_FOUND


@each_version
def test_the_id_of_a_session_is_nobody_s(server: Hosted, version: str) -> None:
    wish = {"name": "generate", "arguments": {"prompt": f"of ann {version}", "provider": "sketch"}}
    first = posted(server, "tools/call", wish, token=ANN, version=version, **{"mcp-session-id": "one"})
    assert "mcp-session-id" not in first.headers
    hers = answer_in(first)["result"]["structuredContent"]["id"]
    asks: dict[str, Any] = {"name": "list_generations", "arguments": {}}
    listed = posted(server, "tools/call", asks, token=BOB, version=version, **{"mcp-session-id": "one"})
    assert hers not in listed.text
    assert answer_in(listed)["result"]["structuredContent"]["generations"] == []


def spoken(server: Hosted, *parts: bytes) -> bytes:
    """What comes back on a connection on which this is sent and then nothing, until it is closed."""
    with server.connection() as connection:
        for part in parts:
            connection.sendall(part)
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
        return received


@pytest.mark.parametrize(
    "sent", [b"", b"POST /mcp HTTP/1.1\r\nHost: local", b"G", b"GET /healthz HTTP/1.1\r\nhost: a\r\n"]
)
def test_a_connection_whose_headers_do_not_come_is_closed(impatient: Hosted, sent: bytes) -> None:
    assert spoken(impatient, sent) == b""


def test_a_second_request_on_a_connection_has_to_come_in_time_too(impatient: Hosted) -> None:
    request = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"
    assert spoken(impatient, request, b"GET /hea").startswith(b"HTTP/1.1 200 OK")


@each_version
def test_a_body_that_does_not_come_is_given_up(impatient: Hosted, version: str) -> None:
    whole = written("tools/list", {}, token=ANN, version=version)
    assert spoken(impatient, whole[:-1]).startswith(b"HTTP/1.1 408 ")


def test_a_body_of_a_request_that_is_refused_is_not_read_without_end(server: Hosted) -> None:
    head = b"POST /mcp HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
    answer = spoken(server, head + b"5\r\nhello\r\n")
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" in answer.lower()


HEADS = {
    # What is written into the head of a request, and the status that it brings.
    "two callers": ([f"authorization: Bearer {BOB}"], 400),
    "two lengths": (["transfer-encoding: chunked"], 400),
    "hundreds of headers": ([f"x-{number}: y" for number in range(500)], 431),
    "two numbers of bytes": (["content-length: 7"], 400),
    "a number with a sign": (["content-length: +7"], 400),
    "a blank in a name": (["transfer-encoding : chunked"], 400),
    "an encoding that is nearly one": (["transfer-encoding: xchunked"], 400),
    "two hosts": (["host: evil.example"], 400),
    "a byte that is nothing": (["x-one: a\0b"], 400),
    "a name in two lines": (["x-one", "x-two: b"], 400),
    "a return alone": (["x-one: a\rtransfer-encoding: chunked"], 400),
}


@each_version
@pytest.mark.parametrize(("more", "status"), HEADS.values(), ids=HEADS)
def test_a_head_that_can_be_read_in_two_ways_or_hardly_at_all_is_refused(
    server: Hosted, more: list[str], status: int, version: str
) -> None:
    request = written("tools/list", {}, token=ANN, version=version)
    request = request.replace(b"\r\n", "\r\n".join(["", *more, ""]).encode(), 1)
    answer = spoken(server, request + written("tools/list", {}, token=BOB, version=version))
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"connection: close" in answer.lower()
    assert answer.count(b"HTTP/1.1 ") == 1


@each_version
def test_one_tenant_s_flood_is_refused_and_does_not_keep_others_out(server: Hosted, version: str) -> None:
    listens: list[socket.socket] = []
    wish = {"name": "generate", "arguments": {"prompt": f"a slow fox {version}", "provider": "fatthumb"}}
    made = answer_in(posted(server, "tools/call", wish, token=ANN, version=version))["result"]["structuredContent"]
    wait = {"generation_ids": [made["id"]], "timeout_s": 600}
    params = {"name": "wait", "arguments": wait, "_meta": {"progressToken": 1}}
    listening = written("tools/call", params, token=ANN, version=version)
    try:
        for _ in range(3):
            listens.append(server.connection())
            listens[-1].sendall(listening)
            assert listens[-1].recv(65_536).startswith(b"HTTP/1.1 200 OK")
        refused = posted(server, "tools/list", token=ANN, version=version)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert json.loads(refused.text)["error"]["message"]
        assert posted(server, "tools/list", token=BOB, version=version).status_code == 200
    finally:
        for each in listens:
            each.close()
    deadline = time.monotonic() + PATIENCE_S
    while posted(server, "tools/list", token=ANN).status_code != 200:
        assert time.monotonic() < deadline, "who has gone still counts"
