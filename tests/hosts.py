"""Darkroom as its users start it: a server over stdio under a real MCP client, and the command line."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.types import CallToolResult, ImageContent, Implementation, ResourceLink, TextContent

from tests.services.base import Service

Era = Literal["legacy", "2026-07-28"]
ERAS: tuple[Era, ...] = ("legacy", "2026-07-28")
PATIENCE_S = 240.0
"""How long a test waits for anything, and takes with one client at most: far longer than it needs on a slow machine."""
NOON = f"DAY{datetime.now(UTC).hour - 12:+d}"
"""The zone (POSIX) of every test, in which it was noon when the tests began: no day ends during any of them."""
UNHURRIED = {"wait": {"timeout_s": 0.9 * PATIENCE_S}}
"""By tool: the arguments that a call has which names none of them."""


ON_POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.hosting)
on_both_databases = pytest.mark.parametrize("home", ["sqlite", ON_POSTGRESQL], indirect=True)
"""Runs a test once with the ledger in a file, and once with it in PostgreSQL."""


@dataclass(frozen=True)
class Home:
    """One user's folders and environment."""

    path: Path
    extra: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def pictures(self) -> Path:
        """Where pictures are saved."""
        return self.path / "pictures"

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.path / "home" / "ledger.sqlite3"

    @property
    def environ(self) -> dict[str, str]:
        """Everything that a server or a command of this user is started with."""
        return {
            "PATH": os.environ["PATH"],
            "TZ": NOON,
            "HOME": str(self.path),
            **({"USERPROFILE": str(self.path), "SYSTEMROOT": os.environ["SYSTEMROOT"]} if os.name == "nt" else {}),
            "DARKROOM_HOME": str(self.path / "home"),
            "DARKROOM_PICTURES": str(self.pictures),
            "PYTHONWARNINGS": "error",
            **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
            **self.extra,
        }

    def with_(self, *services: Service[Any], **extra: str) -> "Home":
        """The same user with keys for these services."""
        found = dict(self.extra)
        for service in services:
            name = type(service).__name__.upper()
            found |= {f"{name}_API_KEY": service.key, f"{name}_BASE_URL": service.url}
        return Home(self.path, {**found, **extra})

    def select(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the ledger, read from outside, in words that both databases know."""
        if url := self.extra.get("DARKROOM_DATABASE_URL"):
            import psycopg  # half a second, in every process of tests

            with psycopg.connect(url) as connection:
                return connection.execute(sql.encode()).fetchall()
        # As its next user would: "mode=ro" cannot read what a server that was killed in a commit has left half written.
        with closing(sqlite3.connect(f"{self.ledger.as_uri()}?mode=rw", uri=True, timeout=PATIENCE_S)) as db:
            db.execute("PRAGMA query_only = ON")
            return db.execute(sql).fetchall()

    def taken(self) -> int:
        """How many generations services have taken, as the ledger has it."""
        return len(self.select("SELECT 1 FROM generations WHERE job_id IS NOT NULL"))

    def saved(self) -> list[Path]:
        """Every file under the pictures folder."""
        return sorted(path for path in self.pictures.rglob("*") if path.is_file())

    def trashed(self) -> list[Path]:
        """Every file in the user's trash."""
        return sorted((self.path / ".local" / "share" / "Trash" / "files").glob("*"))


def server_of(home: Home, *, python: Sequence[str] = ("-m", "darkroom")) -> StdioServerParameters:
    """How a host starts the server."""
    return StdioServerParameters(command=sys.executable, args=list(python), env=home.environ)


def identity(name: str = "", *, apps: bool = False) -> dict[str, Any]:
    """What a `Client` is made with that calls itself so, and declares MCP Apps if `apps`."""
    declared = [advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})] if apps else []
    return {"client_info": Implementation(name=name, version="0") if name else None, "extensions": declared}


@asynccontextmanager
async def connected(
    home: Home, era: Era = "legacy", *, python: Sequence[str] = ("-m", "darkroom"), name: str = "", apps: bool = False
) -> AsyncGenerator[Client]:
    """A real client over a real stdio subprocess. `name`: what it calls itself; `apps`: it declares MCP Apps."""
    server = server_of(home, python=python)
    with anyio.fail_after(PATIENCE_S):
        async with Client(server, mode=era, cache=None, **identity(name, apps=apps)) as client:
            yield client


async def call(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """The structured result of a call that must succeed; a wait without a time outlasts a slow machine."""
    result = await client.call_tool(tool, {**UNHURRIED.get(tool, {}), **arguments})
    assert not result.is_error, text_of(result)
    return result.structured_content


async def over(client: Client, *ids: str) -> list[dict[str, Any]]:
    """The generations once they are over; `generate` may return sooner."""
    result = await call(client, "wait", generation_ids=list(ids))
    assert not result["timed_out"], result
    return result["generations"]


async def refused(client: Client, tool: str, /, **arguments: Any) -> str:
    """The text of a call that must be refused."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert result.structured_content is None
    return text_of(result)


def text_of(result: CallToolResult) -> str:
    """The text block of a result."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def links_of(result: CallToolResult) -> list[ResourceLink]:
    """The links of a result, one for each saved picture."""
    return [block for block in result.content if isinstance(block, ResourceLink)]


def previews_of(result: CallToolResult) -> list[ImageContent]:
    """The previews of a result, each of which stands behind its picture's link."""
    pairs = pairwise(result.content)
    return [block for link, block in pairs if isinstance(link, ResourceLink) and isinstance(block, ImageContent)]


def sheet_of(result: CallToolResult) -> ImageContent | None:
    """The contact sheet of a result, which is its first image; None where it has none."""
    block = result.content[1] if len(result.content) > 1 else None
    return block if isinstance(block, ImageContent) else None


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output as JSON."""
        return json.loads(self.out)


def darkroom(home: Home, *words: str, stdin: str = "", **extra: str) -> Finished:
    """Runs the command line to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "darkroom", *words],
        env={**home.environ, **extra}, input=stdin, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    return Finished(done.returncode, done.stdout, done.stderr)


@contextmanager
def running(home: Home, *words: str, python: Sequence[str] = ("-m", "darkroom")) -> Generator[subprocess.Popen[str]]:
    """A process of the command line, killed at the end if it still runs."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, *python, *words],
        env=home.environ, stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def eventually(condition: Callable[[], bool]) -> None:
    """Waits until it holds; fails after a long while."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


class RawServer:
    """A server spoken to in bare JSON-RPC lines, so that a test can do to it what no client would."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.last_bytes = 0
        """How many bytes its last line had."""
        self._next = 0
        self._silent = False

    def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Sends a request and reads lines up to its answer."""
        sent = self.send(method, params)
        while (message := self.read()).get("id") != sent:
            pass
        return message

    def send(self, method: str, params: dict[str, Any]) -> int:
        """Sends a request, without waiting; answers its id."""
        self._next += 1
        self._write({"jsonrpc": "2.0", "id": self._next, "method": method, "params": params})
        return self._next

    def initialize(self) -> None:
        """The handshake of 2025-11-25."""
        info = {"name": "raw", "version": "0"}
        self.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info})
        self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Calls a tool and answers its result; a wait without a time outlasts a slow machine."""
        arguments = {**UNHURRIED.get(tool, {}), **arguments}
        return self.request("tools/call", {"name": tool, "arguments": arguments})["result"]

    def over(self, generation_id: str) -> dict[str, Any]:
        """The generation once it is over, however long a slow machine takes for it."""
        for _ in range(8):
            waited = self.call("wait", generation_ids=[generation_id], timeout_s=PATIENCE_S / 2)["structuredContent"]
            if not waited["timed_out"]:
                return waited["generations"][0]
        raise AssertionError(f"{generation_id} is not over")

    def read(self) -> dict[str, Any]:
        """The next line of its stdout, which must be JSON; a server that says nothing for too long is killed."""
        assert self.process.stdout is not None
        impatience = threading.Timer(PATIENCE_S, self._give_up)
        impatience.start()
        try:
            line = self.process.stdout.readline()
            assert line.endswith("\n"), self._how_it_ended()
        finally:
            impatience.cancel()
        self.last_bytes = len(line.encode())
        return json.loads(line)

    def _give_up(self) -> None:
        self._silent = True
        self.process.kill()

    def _how_it_ended(self) -> str:
        errors = self.process.stderr.read() if self.process.stderr else ""
        how = f"said nothing for {PATIENCE_S:.0f} s" if self._silent else "has ended"
        return f"the server {how}: {errors}"

    def _write(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
