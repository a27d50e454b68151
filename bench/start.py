"""A start, and an end: spawn to each first response, exit after stdin's end, memory; beside a minimal MCP server.

    python3 dev.py bench start
    python3 dev.py bench start --rounds 3

The minimal server is an `MCPServer` of the same SDK with one tool. Both run in this environment, in turn, and each
figure of ours is divided by that of the minimal server of the same round; the table has the medians. The row of
`dev.py serve` has the first tool call's time of the console script in the minimal server's place. Writes
.artifacts/start.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

from bench.common import ROOT, processor_s, user, write_json

SETTLED_S = 1.5
"""Seconds after its first tool call at which a server counts as settled."""
PREFIX = "io.modelcontextprotocol/"
CLIENT = {"name": "bench", "version": "0"}
OPENINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "2025-11-25": ("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}),
    "2026-07-28": ("server/discover", {}),
}
ENVELOPE = {
    f"{PREFIX}protocolVersion": "2026-07-28",
    f"{PREFIX}clientInfo": CLIENT,
    f"{PREFIX}clientCapabilities": {},
}
MINIMAL = """
from mcp.server.mcpserver import MCPServer

server = MCPServer("minimal")

@server.tool()
def add(a: int, b: int) -> int:
    "Adds two numbers."
    return a + b

server.run()
"""
UNITS = {"memory, settled": "MB"}
SCRIPT = [str(Path(sys.executable).with_name("darkroom-mcp")), "serve"]
CLONE = [sys.executable, str(ROOT / "dev.py"), "serve"]
"""The console script, and what `mcp.json` starts in a clone, where nothing has changed since the last time."""
GOALS = {
    "initialize": 0.10, "server/discover": 0.10, "tools/list": 0.10, "first tool call": 1.00,
    "exit, at once": 0.15, "exit, settled": 0.15, "memory, settled": 1.05, "dev.py serve": 1.05,
}  # fmt: skip

MOST_MEMORY = 1.20
"""The ratio beyond which it fails: memory, unlike time, is the same on every machine."""


class Started:
    """A server that was just spawned, spoken to in one era."""

    def __init__(self, command: list[str], environ: dict[str, str], era: str) -> None:
        self._era = era
        self._id = 0
        self.noise = 0
        """Lines on stdout that are not JSON-RPC."""
        self._spawned = time.perf_counter()
        self.process = subprocess.Popen(
            command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def ask(self, method: str, params: dict[str, Any]) -> float:
        """Sends a request, and returns how many ms after the spawn its response was there."""
        self._id += 1
        meta = {} if self._era == "2025-11-25" else {"_meta": ENVELOPE}
        self._write({"id": self._id, "method": method, "params": {**params, **meta}})
        assert self.process.stdout is not None
        for line in self.process.stdout:
            at = (time.perf_counter() - self._spawned) * 1000
            message = self._read(line)
            if message.get("id") == self._id:
                assert "result" in message, message
                return at
        raise AssertionError("the server has ended")

    def notify_initialized(self) -> None:
        """The notification that a client of the older era sends next."""
        if self._era == "2025-11-25":
            self._write({"method": "notifications/initialized"})

    def end(self) -> float:
        """Closes its stdin, and returns how many ms later the process had ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        began = time.perf_counter()
        self.process.stdin.close()
        status = self.process.wait(60)
        took = (time.perf_counter() - began) * 1000
        assert status == 0, status
        for line in self.process.stdout:
            self._read(line)
        return took

    def megabytes(self) -> float | None:
        """Its resident memory; None where there is no /proc."""
        path = Path(f"/proc/{self.process.pid}/status")
        lines = path.read_text().splitlines() if path.exists() else []
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), None)

    def processor_s(self) -> float:
        """Seconds of processor time that it has used. Only where there is a /proc."""
        return processor_s(self.process.pid)

    def _write(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def _read(self, line: bytes) -> dict[str, Any]:
        try:
            message = json.loads(line)
            if message["jsonrpc"] == "2.0":
                return message
        except (ValueError, KeyError, TypeError):
            pass
        self.noise += 1
        return {}


def measured(command: list[str], environ: dict[str, str], tool: tuple[str, Any], era: str) -> dict[str, float]:
    """Every figure of one server: of a start that is used, and of one that is ended right after its handshake."""
    method, params = OPENINGS[era]
    used = Started(command, environ, era)
    figures = {method: used.ask(method, params)}
    used.notify_initialized()
    figures["tools/list"] = used.ask("tools/list", {})
    figures["first tool call"] = used.ask("tools/call", {"name": tool[0], "arguments": tool[1]})
    time.sleep(SETTLED_S)
    if (megabytes := used.megabytes()) is not None:
        figures["memory, settled"] = megabytes
    figures["exit, settled"] = used.end()
    opened = Started(command, environ, era)
    opened.ask(method, params)
    figures["exit, at once"] = opened.end()
    return {**figures, "noise": used.noise + opened.noise}


def first_call(command: list[str], environ: dict[str, str]) -> float:
    """Ms from the spawn to the response to the first tool call."""
    method, params = OPENINGS["2025-11-25"]
    started = Started(command, environ, "2025-11-25")
    started.ask(method, params)
    started.notify_initialized()
    took = started.ask("tools/call", {"name": "list_generations", "arguments": {}})
    started.end()
    return took


def rounds(count: int, home: Path) -> dict[str, list[tuple[float, float]]]:
    """For each figure, the minimal server's and ours, of every round and era. One round before is not counted."""
    minimal = home / "minimal.py"
    minimal.write_text(MINIMAL)
    environ = user(home)
    servers: list[tuple[list[str], tuple[str, Any]]] = [
        ([sys.executable, str(minimal)], ("add", {"a": 1, "b": 2})),
        ([sys.executable, "-m", "darkroom", "serve"], ("list_generations", {})),
    ]
    # So that nothing has changed since the last time.
    subprocess.run(CLONE, stdin=subprocess.DEVNULL, check=True, env={**os.environ, **environ, "HOME": str(Path.home())})
    pairs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for number in range(count + 1):
        for era in OPENINGS:
            turns = (0, 1) if number % 2 else (1, 0)
            found = {turn: measured(servers[turn][0], environ, servers[turn][1], era) for turn in turns}
            for name in found[0] if number else ():
                pairs[name].append((found[0][name], found[1][name]))
        script, clone = first_call(SCRIPT, environ), first_call(CLONE, environ)
        pairs["dev.py serve"] += [(script, clone)] if number else []
    return pairs


def summary(pairs: list[tuple[float, float]]) -> dict[str, float]:
    """The medians of both, and of their ratio, with the spread of the latter: the middle half of it."""
    ratios = sorted(ours / theirs for theirs, ours in pairs)
    middle = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
    minimal, ours = (median(pair[which] for pair in pairs) for which in (0, 1))
    return {"minimal": minimal, "darkroom": ours, "ratio": median(ratios), "low": middle[0], "high": middle[1]}


def main() -> int:
    """Runs it, prints the table; fails where a line on stdout was not JSON-RPC, or its memory has grown."""
    parser = argparse.ArgumentParser(description="start and end, beside a minimal server")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pairs = rounds(arguments.rounds, Path(folder))
    noise = int(sum(ours for _, ours in pairs.pop("noise")))
    table = {name: summary(pairs[name]) for name in GOALS if name in pairs}
    print(f"{'':16} {'minimal':>10} {'darkroom':>10} {'ratio':>7}  {'middle half':13} goal")
    for name, figure in table.items():
        minimal, ours = (f"{figure[who]:.1f} {UNITS.get(name, 'ms')}" for who in ("minimal", "darkroom"))
        spread = f"{figure['low']:.2f} to {figure['high']:.2f}"
        print(f"{name:16} {minimal:>10} {ours:>10} {figure['ratio']:7.2f}  {spread:13} {GOALS[name]:.2f}")
    print(f"lines on stdout that are not JSON-RPC: {noise}")
    write_json("start", {"rounds": arguments.rounds, "noise": noise, "figures": table})
    larger = "memory, settled" in table and table["memory, settled"]["ratio"] > MOST_MEMORY
    return 1 if noise or larger else 0


if __name__ == "__main__":
    sys.exit(main())
