"""Writes tests/snapshots/<tool>.json, what agents are told of each tool, and the doorman's snapshot of all of it."""

import json
import tempfile
from pathlib import Path
from typing import Any

import anyio
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.types import Tool

from darkroom.doorman.snapshot import PATH, versions
from tests.doorman.held import ask, without
from tests.hosts import Home, connected

COMMAND = ".venv/bin/python -m tests.snapshots_update"
FOLDER = Path(__file__).parent / "snapshots"
LISTS = ("tools/list", "prompts/list", "resources/templates/list")
APPS: dict[str, Any] = {"extensions": {EXTENSION_ID: {"mimeTypes": [APP_MIME_TYPE]}}}
CLIENT = {"name": "raw", "version": "0"}


def as_sent(tool: Tool) -> dict[str, Any]:
    """The tool as it is on the wire."""
    return tool.model_dump(mode="json", by_alias=True, exclude_none=True)


def snapshot_of(tool: Tool) -> str:
    """The text of the tool's snapshot."""
    return json.dumps(as_sent(tool), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


async def live_tools(home: Home) -> list[Tool]:
    """What a server over stdio lists to a client that shows the gallery."""
    async with connected(home, apps=True) as client:
        return (await client.list_tools()).tools


def greeting(capabilities: dict[str, Any], version: str = "2025-11-25", name: str = "raw") -> dict[str, Any]:
    """The params of `initialize`."""
    return {"protocolVersion": version, "capabilities": capabilities, "clientInfo": {**CLIENT, "name": name}}


def envelope(capabilities: dict[str, Any], name: str = "raw") -> dict[str, Any]:
    """The params of a request that asks nothing in particular in 2026-07-28."""
    own = {"protocolVersion": "2026-07-28", "clientInfo": {**CLIENT, "name": name}, "clientCapabilities": capabilities}
    return {"_meta": {f"io.modelcontextprotocol/{member}": value for member, value in own.items()}}


def returned(home: Home, *requests: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """What a server without a doorman returns to these requests, by method."""
    lines = [ask(at, method, params) for at, (method, params) in enumerate(requests)]
    responses = sorted(map(json.loads, without(home, *lines, count=len(lines))), key=lambda response: response["id"])
    return {method: response["result"] for (method, _), response in zip(requests, responses, strict=True)}


def doorman_snapshot(home: Home) -> str:
    """The text of the doorman's snapshot: what a client that shows the gallery is told in each era."""
    plain = [(method, dict[str, Any]()) for method in LISTS]
    enveloped = [(method, envelope(APPS)) for method in ("server/discover", *LISTS)]
    results = {
        "legacy": returned(home, ("initialize", greeting(APPS)), *plain),
        "2026-07-28": returned(home, *enveloped),
    }
    return json.dumps({"made_with": versions(), "results": results}, indent=1, ensure_ascii=False) + "\n"


def write(tools: list[Tool]) -> None:
    """One file per tool, and none besides."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for tool in tools:
        (FOLDER / f"{tool.name}.json").write_text(snapshot_of(tool), "utf-8")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        Path(PATH).write_text(doorman_snapshot(home), "utf-8")
        write(anyio.run(live_tools, home))


if __name__ == "__main__":
    main()
