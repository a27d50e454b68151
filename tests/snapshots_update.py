"""Writes tests/snapshots/<tool>.json, what agents are told of each tool."""

import json
import tempfile
from pathlib import Path
from typing import Any

import anyio
from mcp.types import Tool

from tests.hosts import Home, connected

COMMAND = ".venv/bin/python -m tests.snapshots_update"
FOLDER = Path(__file__).parent / "snapshots"


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


def write(tools: list[Tool]) -> None:
    """One file per tool, and none besides."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for tool in tools:
        (FOLDER / f"{tool.name}.json").write_text(snapshot_of(tool), "utf-8")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        write(anyio.run(live_tools, Home(Path(folder))))


if __name__ == "__main__":
    main()
