"""Faults of Darkroom's own on the way of a response: its client is told so, without their words, which the log has."""

from collections.abc import Generator
from typing import Any

import httpx2
import pytest
from mcp.types import INTERNAL_ERROR

from darkroom.http.refusals import UNFORESEEN
from tests.hosts import PATIENCE_S, Home
from tests.http.hosting import NEWEST, VERSIONS, Hosted, answer_in, got, headers_of, hosted, message_of, posted
from tests.http.operating import ADMIN, OPERATOR, Visitor

FAULT = "NOBODY FORESAW THIS"
BROKEN = f"""
from darkroom.http import front, served
from darkroom.redact.secrets import Redactor

unechoed, check_head = Redactor.unechoed, front.check_head

def cleaned(redactor, text):
    if "spoil" in text:
        raise RuntimeError("{FAULT}")
    return unechoed(redactor, text)

def checked(headers):
    if "x-spoil" in headers:
        raise RuntimeError("{FAULT}")
    check_head(headers)

async def overview(*_):
    raise RuntimeError("{FAULT}")

Redactor.unechoed, front.check_head, served.overview = cleaned, checked, overview
import runpy
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Hosted]:
    home = Home(tmp_path_factory.mktemp("unforeseen"), {"DARKROOM_ADMIN_TOKEN": ADMIN})
    with hosted(home, python=("-c", BROKEN)) as server:
        yield server


@pytest.fixture(autouse=True)
def logged(server: Hosted) -> Generator[None]:
    """The log has a traceback of each fault."""
    before = server.log.read_text().count(f"RuntimeError: {FAULT}")
    yield
    assert server.log.read_text().count(f"RuntimeError: {FAULT}") > before


def told(message: dict[str, Any]) -> None:
    """This is an error in the place of the response to the request with the id 1."""
    assert message == {"jsonrpc": "2.0", "id": 1, "error": {"code": INTERNAL_ERROR, "message": UNFORESEEN}}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_response_that_cannot_be_cleaned_is_an_error_under_its_id(server: Hosted, version: str) -> None:
    wish = {"name": "generate", "arguments": {"prompt": f"spoil {version}", "provider": "sketch"}}
    response = posted(server, "tools/call", wish, version=version)
    told(answer_in(response))
    assert response.status_code == (500 if version == NEWEST else 200)  # a stream begins before there is a response
    assert "result" in answer_in(posted(server, "tools/list", version=version))


def waited(server: Hosted, version: str, prompt: str, token: str) -> str:
    """The stream of a wait, with this progress token, for a generation that is made for it."""
    wish = {"name": "generate", "arguments": {"prompt": prompt, "provider": "sketch"}}
    posted(server, "tools/call", wish, version=version)
    ((generation_id,),) = server.home.select(f"SELECT id FROM generations WHERE request LIKE '%{prompt}%'")
    params = {"name": "wait", "arguments": {"generation_ids": [generation_id]}}
    body = message_of("tools/call", {**params, "_meta": {"progressToken": token}}, version)
    headers = headers_of("tools/call", "wait", **{"mcp-protocol-version": version})
    response = httpx2.post(server.url, content=body, headers=headers, timeout=PATIENCE_S)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert FAULT not in response.text
    return response.text


@pytest.mark.parametrize("version", VERSIONS)
def test_a_stream_that_has_begun_ends_with_an_error_where_its_result_cannot_be_cleaned(
    server: Hosted, version: str
) -> None:
    stream = waited(server, version, f"spoil the end {version}", "a token")
    assert "notifications/progress" in stream
    told(answer_in(httpx2.Response(200, text=stream)))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_notification_that_cannot_be_cleaned_is_left_out(server: Hosted, version: str) -> None:
    stream = waited(server, version, f"on the way {version}", "spoil")
    assert "notifications/progress" not in stream
    result = answer_in(httpx2.Response(200, text=stream))["result"]
    assert result["structuredContent"]["generations"][0]["status"] == "succeeded"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/admin", "/mcp"])
def test_a_fault_before_there_is_a_response_is_told_on_every_path(server: Hosted, path: str) -> None:
    response = got(server, path, **{"x-spoil": "yes"})
    assert response.status_code == 500
    assert response.json()["error"] == {"code": INTERNAL_ERROR, "message": UNFORESEEN}


def test_a_page_for_operators_that_cannot_be_made_says_so_as_a_page_and_as_json(server: Hosted) -> None:
    with Visitor(server) as visitor:
        page = visitor.ask(authorization=OPERATOR)
        data = visitor.ask(authorization=OPERATOR, accept="application/json")
    assert (page.status_code, data.status_code) == (500, 500)
    assert page.headers["content-type"].startswith("text/html")
    assert "in a way that was not foreseen" in page.text
    assert data.json()["error"]["message"] == UNFORESEEN
    assert FAULT not in page.text + data.text
