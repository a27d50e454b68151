"""Darkroom as a team hosts it: a process on a port of loopback, clients with tokens, and bare requests."""

import hashlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.hosts import PATIENCE_S, Era, Home

ANN, BOB = "the-token-of-ann", "the-token-of-bob"
NEWEST = "2026-07-28"
VERSIONS = (NEWEST, "2025-11-25", "2025-03-26")
PREFIX = "io.modelcontextprotocol/"


@dataclass(frozen=True)
class Hosted:
    """A server that serves. `log`: what it says on stderr."""

    url: str
    process: subprocess.Popen[str]
    home: Home
    log: Path

    @property
    def base(self) -> str:
        """The URL without `/mcp`."""
        return self.url.removesuffix("/mcp")

    @property
    def address(self) -> tuple[str, int]:
        """Its host and port."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    def connection(self) -> socket.socket:
        """A bare connection to it."""
        return socket.create_connection(self.address, timeout=PATIENCE_S)


ENDS_WITHIN_S = 10.0


@contextmanager
def hosted(home: Home, *words: str, python: Sequence[str] = ("-m", "darkroom")) -> Generator[Hosted]:
    """A server on a free port, which is asked to end at the end, and killed where it does not."""
    log = home.path / "server.log"
    command = [sys.executable, *python, "serve", "--http", "--port", "0", *words]
    with log.open("a") as errors, subprocess.Popen(
        command, env=home.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True
    ) as process:  # fmt: skip
        assert process.stdout is not None
        impatience = threading.Timer(PATIENCE_S, process.kill)
        impatience.start()
        try:
            url = process.stdout.readline().strip()
            impatience.cancel()
            assert url, log.read_text()
            yield Hosted(url, process, home, log)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(ENDS_WITHIN_S)
            process.kill()


def tenants_file(folder: Path, keys: Mapping[str, str] | None = None) -> Path:
    """A file with two tenants, Ann and Bob, whose OAuth subjects are `subject|ann` and `subject|bob`."""
    file = folder / "tenants.toml"
    lines = [f"{name} = {json.dumps(key)}" for name, key in (keys or {}).items()]
    tables = (
        f'[tenants.{name}]\ntokens = ["sha256:{hashlib.sha256(token.encode()).hexdigest()}"]\n'
        f'subjects = ["subject|{name}"]\nkeys = {{ {", ".join(lines)} }}\n'
        for name, token in {"ann": ANN, "bob": BOB}.items()
    )
    file.write_text("\n".join(tables))
    file.chmod(0o600)
    return file


@asynccontextmanager
async def client_of(
    url: str, era: Era = "2026-07-28", token: str = "", *, replicas: Sequence[str] = (), **how: Any
) -> AsyncGenerator[Client]:
    """The real client, with this bearer token. `replicas`: the URLs that take turns behind this one."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    turns = cycle(replicas)

    async def balance(request: httpx2.Request) -> None:
        if replicas:
            request.url = httpx2.URL(next(turns))

    with anyio.fail_after(PATIENCE_S):
        async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE_S, event_hooks={"request": [balance]}) as http:
            transport = streamable_http_client(url, http_client=http)
            async with Client(transport, mode=era, cache=None, **how) as client:
                yield client


def envelope(method: str, params: dict[str, Any] | None = None, *, number: int = 1, **capabilities: Any) -> bytes:
    """A request of 2026-07-28."""
    meta = {
        f"{PREFIX}protocolVersion": "2026-07-28",
        f"{PREFIX}clientInfo": {"name": "bare", "version": "0"},
        f"{PREFIX}clientCapabilities": capabilities,
    }
    meta |= (params or {}).get("_meta", {})
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": {**(params or {}), "_meta": meta}}
    return json.dumps(message).encode()


def headers_of(method: str, name: str | None = None, token: str = "", **more: str) -> dict[str, str]:
    """The headers of such a request."""
    named = {} if name is None else {"mcp-name": name}
    allowed = {"authorization": f"Bearer {token}"} if token else {}
    return {
        "content-type": "application/json", "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28", "mcp-method": method, **named, **allowed, **more,
    }  # fmt: skip


def message_of(method: str, params: dict[str, Any] | None = None, version: str = NEWEST) -> bytes:
    """A request of that version."""
    older = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
    return envelope(method, params) if version == NEWEST else json.dumps(older).encode()


def answer_in(response: httpx2.Response) -> dict[str, Any]:
    """The last message of a response, which may be a stream."""
    lines = [line.removeprefix("data:") for line in response.text.splitlines() if line.startswith(("data:", "{"))]
    return json.loads(lines[-1])


def written(method: str, params: dict[str, Any], *, token: str = "", version: str = NEWEST) -> bytes:
    """Such a request, byte for byte."""
    body = message_of(method, params, version)
    headers = headers_of(method, params.get("name"), token, **{"mcp-protocol-version": version})
    lines = {**headers, "host": "localhost", "content-length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST /mcp HTTP/1.1\r\n{head}\r\n".encode() + body


def posted(
    server: Hosted,
    method: str,
    params: dict[str, Any] | None = None,
    /,
    *,
    token: str = "",
    address: str = "",
    version: str = NEWEST,
    **more: str,
) -> httpx2.Response:
    """The response to a bare request; `address`: where a proxy says that it comes from."""
    name = next((str(params[key]) for key in ("name", "uri", "taskId") if params and key in params), None)
    forwarded = {"x-forwarded-for": address} if address else {}
    headers = {**headers_of(method, name, token), "mcp-protocol-version": version, **forwarded, **more}
    return httpx2.post(server.url, content=message_of(method, params, version), headers=headers, timeout=PATIENCE_S)


def got(server: Hosted, path: str, **headers: str) -> httpx2.Response:
    """The response to a GET."""
    return httpx2.get(f"{server.base}{path}", headers=headers, timeout=PATIENCE_S)
