"""Servers that stand only when a test lets them: until then it is the doorman alone who answers."""

import json
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

from tests.hosts import PATIENCE_S, Home

HELD = """
from darkroom.stdio.wire import Wire
import pathlib, time
relieve = Wire.relieve
def held(self):
    while not pathlib.Path({gate!r}).exists():
        time.sleep(0.005)
    return relieve(self)
Wire.relieve = held
"""
WITHOUT_DOORMAN = """
from darkroom.doorman import snapshot
snapshot.PATH = ""
"""
SERVE = """
import runpy, sys
sys.argv[1:] = ["serve"]
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""


class Server:
    """A server under a client that writes bytes as they are."""

    def __init__(self, process: subprocess.Popen[bytes], gate: Path) -> None:
        self.process = process
        self._gate = gate

    def say(self, data: bytes) -> None:
        """Writes these bytes."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def hear(self, count: int) -> list[bytes]:
        """The next lines."""
        assert self.process.stdout is not None
        lines = [self.process.stdout.readline() for _ in range(count)]
        assert b"" not in lines, f"only {lines.index(b'')} of {count} lines came"
        return lines

    def stand(self) -> None:
        """Lets the server itself come."""
        self._gate.touch()

    def end(self) -> list[bytes]:
        """Closes its stdin; returns what it still said. It must end well."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        rest = self.process.stdout.readlines()
        assert self.process.wait(PATIENCE_S) == 0
        return rest


@contextmanager
def started(home: Home, code: str, gate: Path) -> Generator[Server]:
    """A server in whose process this code runs first; killed at the end if it still runs."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", code + SERVE]
    with (
        gate.with_name("stderr.txt").open("wb") as stderr,
        subprocess.Popen(command, env=home.environ, stdin=pipe, stdout=pipe, stderr=stderr) as process,
    ):
        impatience = Timer(PATIENCE_S, process.kill)
        impatience.start()
        try:
            yield Server(process, gate)
        finally:
            impatience.cancel()
            process.kill()


@contextmanager
def held(home: Home, *, besides: str = "") -> Generator[Server]:
    """A server that does not stand yet; `besides`: code that runs in its process before."""
    gate = home.path / "gate"
    gate.unlink(missing_ok=True)
    with started(home, HELD.format(gate=str(gate)) + besides, gate) as server:
        yield server


def without(home: Home, *parts: bytes, count: int) -> list[bytes]:
    """What a server without a doorman says to the same bytes, in so many lines.

    Who sends a handshake first waits for the response: whether batches are understood depends on that.
    """
    first, *rest = b"".join(parts).splitlines(keepends=True)
    with started(home, WITHOUT_DOORMAN, home.path / "gate") as server:
        server.say(first)
        lines = server.hear(1) if b'"initialize"' in first else []
        server.say(b"".join(rest))
        lines += server.hear(count - len(lines))
        assert server.end() == []
        return lines


def line(message: dict[str, Any] | Sequence[Any]) -> bytes:
    """A message as it is sent."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def ask(id: Any, method: str, params: dict[str, Any] | None = None) -> bytes:  # noqa: A002 - as on the wire
    """A request as it is sent."""
    rest = {} if params is None else {"params": params}
    return line({"jsonrpc": "2.0", "id": id, "method": method, **rest})


INITIALIZED = line({"jsonrpc": "2.0", "method": "notifications/initialized"})
