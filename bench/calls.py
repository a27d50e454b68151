"""Calls on what is finished, beside a minimal server with a tool that returns the same bytes.

    python3 dev.py bench calls
    python3 dev.py bench calls --calls 200

A generation of four pictures of the built-in provider is made and looked at once. Then each tool is called again and
again: one call after the other, by the clock and by processor time, which other work on the machine disturbs less, and
a hundred at a time. The minimal server is an `MCPServer` of the same SDK whose one
tool returns, from memory, a result of the very same content. Both servers run at once and are called in turn. Writes
.artifacts/calls.json.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.common import processor_s, user, write_json
from bench.start import CLIENT

AT_ONCE = 100
Pair = tuple[float, float]
"""The minimal server's figure, and ours."""
GOAL_ONE, GOAL_MANY = 1.15, 0.9
SAME = """
import sys
from pathlib import Path
from mcp.server.mcpserver import MCPServer
from mcp.types import CallToolResult

files = Path(sys.argv[1]).glob("*.json")
results = {path.stem: CallToolResult.model_validate_json(path.read_bytes()) for path in files}
server = MCPServer("minimal")

@server.tool()
def same(name: str) -> CallToolResult:
    "Returns what was kept under this name."
    return results[name]

server.run()
"""


class Wire:
    """A server that was initialized, spoken to over its pipes."""

    def __init__(self, command: list[str], environ: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._id = 0
        opening = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}
        self._send({"id": 0, "method": "initialize", "params": opening})
        self._response()
        self._send({"method": "notifications/initialized"})

    def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The result of one call."""
        (message,) = self.calls(tool, arguments, 1)
        assert not message["result"].get("isError"), message
        return message["result"]

    def calls(self, tool: str, arguments: dict[str, Any], count: int) -> list[dict[str, Any]]:
        """The responses to so many calls that are sent at once."""
        return [json.loads(line) for line in self.lines(tool, arguments, count)]

    def lines(self, tool: str, arguments: dict[str, Any], count: int) -> list[bytes]:
        """The same, unread: parsing them would be this client's work, not the server's."""
        for _ in range(count):
            self._id += 1
            self._send({"id": self._id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
        return [self._response() for _ in range(count)]

    def end(self) -> None:
        """Closes its stdin, and waits for its end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def _response(self) -> bytes:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if b'"id":' in line and (b'"result":' in line or b'"error":' in line):
                return line
        raise AssertionError("the server has ended")


def main() -> int:
    """Runs it, and prints the table."""
    parser = argparse.ArgumentParser(description="calls on what is finished, beside a minimal server")
    parser.add_argument("--calls", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = measured(Path(folder), arguments.calls)
    print(f"{'':18} {'minimal':>9} {'darkroom':>9} {'ratio':>6} {'processor':>10}  {'minimal/s':>9} {'darkroom/s':>10} "
          f"{'ratio':>6}")  # fmt: skip
    for name, figure in table.items():
        (one, our_one), (busy, our_busy), (many, our_many) = figure["one"], figure["processor"], figure["many"]
        print(f"{name:18} {one:6.2f} ms {our_one:6.2f} ms {our_one / one:6.2f} {our_busy / (busy or 1):10.2f}  "
              f"{many:9.0f} {our_many:10.0f} {our_many / many:6.2f}")  # fmt: skip
    print(f"goals: {GOAL_ONE} or less for one after the other, {GOAL_MANY} or more with {AT_ONCE} at once")
    write_json("calls", {"calls": arguments.calls, "figures": table})
    return 0


def measured(home: Path, count: int) -> dict[str, dict[str, Pair]]:
    """For each tool, the minimal server's figure and ours.

    `one`: ms for one call. `processor`: ms of processor time for it. `many`: calls a second with many at once.
    """
    environ = user(home)
    ours = Wire([sys.executable, "-m", "darkroom", "serve"], environ)
    started = ours.call("generate", {"prompt": "A lighthouse in a storm", "provider": "sketch", "count": 4})
    ids = [started["structuredContent"]["id"]]
    ours.call("wait", {"generation_ids": ids, "timeout_s": 60})
    asked: dict[str, dict[str, Any]] = {
        "get_status": {"generation_id": ids[0]}, "wait": {"generation_ids": ids}, "list_generations": {},
    }  # fmt: skip
    results = home / "results"
    results.mkdir()
    for name, words in asked.items():
        (results / f"{name}.json").write_text(json.dumps(ours.call(name, words)))
    minimal = home / "minimal.py"
    minimal.write_text(SAME)
    theirs = Wire([sys.executable, str(minimal), str(results)], environ)
    table = {
        name: compared(Turn(theirs, "same", {"name": name}), Turn(ours, name, words), count)
        for name, words in asked.items()
    }
    for wire in (ours, theirs):
        wire.end()
    return table


def compared(theirs: "Turn", ours: "Turn", count: int) -> dict[str, Pair]:
    """The figures of two servers that are called in turn."""
    turns = theirs, ours
    sizes = [len(turn.wire.lines(turn.tool, turn.arguments, 1)[0]) for turn in turns]
    assert abs(sizes[0] - sizes[1]) < 100, sizes
    before = [processor_s(turn.wire.process.pid) for turn in turns]
    ones = [[turn.took(1) for turn in turns] for _ in range(count)]
    after = [processor_s(turn.wire.process.pid) for turn in turns]
    many = [[AT_ONCE / turn.took(AT_ONCE) for turn in turns] for _ in range(5)]
    return {
        "one": (1000 * median(pair[0] for pair in ones), 1000 * median(pair[1] for pair in ones)),
        "processor": (1000 * (after[0] - before[0]) / count, 1000 * (after[1] - before[1]) / count),
        "many": (median(pair[0] for pair in many), median(pair[1] for pair in many)),
    }


@dataclass(frozen=True)
class Turn:
    """A call that one of the servers is asked for again and again."""

    wire: Wire
    tool: str
    arguments: dict[str, Any]

    def took(self, count: int) -> float:
        """Seconds until the last of so many responses was there."""
        began = time.perf_counter()
        self.wire.lines(self.tool, self.arguments, count)
        return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
