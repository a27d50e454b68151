"""Starts that must not succeed, each in one clear line, and what a start over stdio has nothing of."""

import socket
from pathlib import Path

import pytest

from tests.hosts import PATIENCE_S, Finished, Home, darkroom, running
from tests.http.hosting import got, hosted, tenants_file


def started(home: Home, *words: str) -> Finished:
    return darkroom(home, "serve", "--http", "--port", "0", *words)


def one_line(done: Finished, status: int, *parts: str) -> None:
    assert (done.status, done.out) == (status, "")
    assert len(done.err.strip().splitlines()) == 1
    for part in parts:
        assert part in done.err


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_a_server_that_others_can_reach_needs_tenants_and_names(home: Home, host: str) -> None:
    tenants = str(tenants_file(home.path))
    for words in (
        [],
        ["--tenants", tenants],
        ["--allow-host", "pictures.example.com"],
        ["--tenants", tenants, "--allow-host", ""],
    ):
        one_line(started(home, "--host", host, *words), 2, "--tenants", "--allow-host")


@pytest.mark.parametrize("name", ["a.example", "localhost"])
def test_with_both_it_serves_on_every_address(home: Home, name: str) -> None:
    with hosted(home, "--host", "0.0.0.0", "--tenants", str(tenants_file(home.path)), "--allow-host", name) as server:
        assert got(server, "/readyz").status_code == 200
        assert server.log.read_text() == ""


def test_without_tenants_it_says_who_can_ask(home: Home) -> None:
    with hosted(home) as server:
        got(server, "/readyz")
        assert "without a token" in server.log.read_text()


def test_a_port_that_is_taken_is_said(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        one_line(darkroom(home, "serve", "--http", "--port", port), 2, port, "--port")


@pytest.mark.parametrize("text", [None, "tenants = 3", "[tenants.ann", '[tenants.ann]\ntokens = ["plain"]'])
def test_a_file_of_tenants_that_cannot_be_used_is_said(home: Home, text: str | None) -> None:
    file = home.path / "tenants.toml"
    if text is not None:
        file.write_text(text)
        file.chmod(0o600)
    one_line(started(home, "--tenants", str(file)), 2, str(file))


def test_a_ledger_that_cannot_be_used_is_said(home: Home) -> None:
    (home.path / "home").write_text("a file where the folder should be")
    one_line(started(home), 1, "storage_error")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--host", "example.com"], "no address"),
        (["--trust-proxy", "proxy"], "no address"),
        (["--oauth-issuer", "https://issuer.example"], "--oauth-audience"),
        (["--oauth-issuer", "https://issuer.example", "--oauth-audience", "https://a.example/mcp"], "--tenants"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(home: Home, words: list[str], part: str) -> None:
    one_line(started(home, *words), 2, part)


def test_options_of_http_are_refused_without_it(home: Home) -> None:
    one_line(darkroom(home, "serve", "--port", "1"), 2, "--http")


def test_a_start_over_stdio_imports_nothing_of_the_web_server(home: Home, tmp_path: Path) -> None:
    code = (
        "import sys, atexit, pathlib\n"
        f"atexit.register(lambda: pathlib.Path({str(tmp_path / 'seen')!r}).write_text(' '.join(sys.modules)))\n"
        "import os\nos._exit = sys.exit\n"
        "import runpy\nrunpy.run_module('darkroom', run_name='__main__', alter_sys=True)\n"
    )
    with running(home, "serve", python=("-c", code)) as process:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(PATIENCE_S)
    seen = set((tmp_path / "seen").read_text().split())
    assert "darkroom.app.server" in seen
    # The SDK itself imports uvicorn and Starlette.
    assert not {name for name in seen if name.startswith(("darkroom.http", "darkroom.cli.serve_http", "jwt"))}
