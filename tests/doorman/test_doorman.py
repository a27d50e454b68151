"""While a server is being imported its doorman answers, and says to the byte what the server itself would say."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from darkroom.doorman.snapshot import PATH
from tests.doorman.held import INITIALIZED, ask, held, line, without
from tests.hosts import Home
from tests.snapshots_update import APPS, COMMAND, LISTS, doorman_snapshot, envelope, greeting

HANDSHAKES = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MUCH: dict[str, Any] = {
    "roots": {"listChanged": True}, "sampling": {"tools": {}, "context": {}}, "elicitation": {"form": {}, "url": {}},
    "tasks": {"list": {}, "requests": {"sampling": {"createMessage": {}}}}, "experimental": {"x": {"a": [1]}},
    "extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/plain"]}, "x/y": {"b": 1}},
}  # fmt: skip
CLIENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "any": ("raw", {}),
    "one that can do much": ("raw", MUCH),
    "one with MCP Apps": ("raw", APPS),
    "Codex": ("codex-mcp-client", {"elicitation": {"form": {}, "url": {}}}),
    "Codex with MCP Apps": ("codex-mcp-client", APPS),
}
CALL: dict[str, Any] = {"name": "list_generations", "arguments": {}}
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def legacy(name: str = "raw", capabilities: dict[str, Any] | None = None, version: str = "2025-11-25") -> bytes:
    """The first line of a client of the older era."""
    return ask(0, "initialize", greeting(capabilities or {}, version, name))


def check(home: Home, at_first: bytes, later: bytes = b"", *, early: int, late: int = 0) -> None:
    """Holds a conversation against that of a server without a doorman.

    `early`: how many responses there are to what is said `at_first`, before the server stands; `late`: after that.
    """
    expected = without(home, at_first, later, count=early + late)
    with held(home) as server:
        server.say(at_first)
        heard = server.hear(early)
        server.stand()
        server.say(later)
        heard += server.hear(late)
        assert server.end() == []
    assert sorted(heard) == sorted(expected)


def test_the_snapshot_is_what_the_sdk_says(home: Home) -> None:
    assert Path(PATH).read_text("utf-8") == doorman_snapshot(home), f"if that is meant: {COMMAND}"


@pytest.mark.parametrize("version", HANDSHAKES)
@pytest.mark.parametrize("client", CLIENTS)
def test_the_handshake_and_the_lists_are_those_of_the_server(home: Home, client: str, version: str) -> None:
    lists = [ask(at, method) for at, method in enumerate(LISTS, 1)]
    check(home, legacy(*CLIENTS[client], version) + INITIALIZED + ask("p", "ping") + b"".join(lists), early=5)


@pytest.mark.parametrize("client", CLIENTS)
def test_discovery_and_the_lists_are_those_of_the_server(home: Home, client: str) -> None:
    name, capabilities = CLIENTS[client]
    methods = ("server/discover", *LISTS)
    asked = [ask(f"id:{at}", method, envelope(capabilities, name)) for at, method in enumerate(methods)]
    check(home, b"".join(asked), early=4)


PLAIN: dict[str, tuple[bytes, int]] = {
    # What is said while the server does not stand, and how many responses there are to it then.
    "a byte order mark": (b"\xef\xbb\xbf" + legacy(), 1),
    "blank lines before": (b"\n  \n\r\n" + legacy(), 1),
    "lines that end as in Windows": (legacy().replace(b"\n", b"\r\n") + ask(1, "ping", {}).replace(b"\n", b"\r\n"), 2),
    "a ping before the handshake": (ask("early", "ping") + legacy() + ask(1, "tools/list"), 3),
    "a progress token": (legacy() + ask(1, "tools/list", {"_meta": {"progressToken": "t"}}), 2),
    "an id of a probe": (ask("server-probe-1700000000", "initialize", greeting({})), 1),
}
DOUBTFUL: dict[str, tuple[bytes, int, bytes, int]] = {
    # The same; then what is said as soon as the server stands, and how many responses there are to all the rest.
    "a batch": (legacy(version="2025-03-26"), 1, line([PING, {**PING, "id": 2}]), 1),
    "a batch while it is held": (legacy(version="2025-03-26") + line([PING]), 1, b"", 1),
    "a batch first of all": (line([PING]) + legacy(), 0, b"", 2),
    "a batch in a version without them": (legacy() + line([1, 2]), 1, b"", 1),
    "a line that is split": (legacy() + ask(1, "tools/list")[:20], 1, ask(1, "tools/list")[20:], 1),
    "a call": (legacy() + INITIALIZED + ask(1, "tools/call", CALL) + ask(2, "tools/list"), 2, b"", 1),
    "an id twice": (legacy() + ask(1, "ping") + ask(1, "tools/list"), 2, ask(2, "ping"), 2),
    "a handshake twice": (legacy() + ask(1, "initialize", greeting(APPS)) + ask(2, "tools/list"), 1, b"", 2),
    "a list before the handshake": (ask(1, "tools/list") + legacy() + ask(2, "tools/list"), 0, b"", 3),
    "an unknown version": (legacy(version="1999-01-01") + ask(1, "ping"), 0, b"", 2),
    "an unknown capability": (legacy(capabilities={"roots": {"listChanged": 2}}), 0, b"", 1),
    "no JSON": (b"hello\n" + legacy(), 0, b"", 2),
    "a line too long": (b"x" * (1024 * 1024 + 2) + b"\n" + legacy(), 0, b"", 2),
    "a cursor": (legacy() + ask(1, "tools/list", {"cursor": "x"}) + ask(2, "ping"), 2, b"", 1),
    "an envelope after the handshake": (legacy() + ask(1, "tools/list", envelope({})) + ask(2, "ping"), 2, b"", 1),
    "a handshake after discovery": (ask(1, "server/discover", envelope({})) + legacy() + ask(2, "ping"), 1, b"", 2),
    "a handshake after a list": (ask(1, "tools/list", envelope({})) + legacy(), 1, b"", 1),
    "a ping after discovery": (ask(1, "server/discover", envelope({})) + ask(2, "ping"), 1, b"", 1),
    "an enveloped ping": (ask(1, "ping", envelope({})) + ask(2, "tools/list", envelope({})), 0, b"", 2),
    "half an envelope": (ask(1, "tools/list", {"_meta": {"io.modelcontextprotocol/protocolVersion": "x"}}), 0, b"", 1),
    "a text that is no Unicode": (legacy(name="X").replace(b"X", b"\\ud800"), 0, b"", 1),
    "a number for a name": (legacy(name="X").replace(b'"X"', b"1"), 0, b"", 1),
    "an id of floating point": (ask("X", "ping").replace(b'"X"', b"1.0") + legacy(), 0, b"", 2),
}  # fmt: skip


@pytest.mark.parametrize("case", PLAIN)
def test_the_doorman_understands(home: Home, case: str) -> None:
    said, early = PLAIN[case]
    check(home, said, early=early)


@pytest.mark.parametrize("case", DOUBTFUL)
def test_the_doorman_leaves_to_the_server(home: Home, case: str) -> None:
    at_first, early, later, late = DOUBTFUL[case]
    check(home, at_first, later, early=early, late=late)


def test_a_server_is_made_without_a_schema_or_a_log_handler_that_nobody_asks_for(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from darkroom.app.context import Unopened\n"
        "from darkroom.app.server import DarkroomServer\n"
        "from darkroom.errors import StorageError\n"
        "from pydantic.json_schema import GenerateJsonSchema\n"
        "made = []\n"
        "generate = GenerateJsonSchema.generate\n"
        "GenerateJsonSchema.generate = lambda *given, **named: made.append(given) or generate(*given, **named)\n"
        "DarkroomServer(Unopened(StorageError('closed', next_step='Open it.')))\n"
        "print(len(made), 'rich.console' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    count, rich = done.stdout.split()
    assert int(count) < 12
    assert rich == "False"
