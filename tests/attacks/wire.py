"""A server under a client that says whatever it likes, byte by byte, and measures what that does to the server."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.hosts import PATIENCE_S, Era, Home
from tests.memory import grows_by_at_most

PREFIX = "io.modelcontextprotocol/"
ENVELOPE = {
    f"{PREFIX}protocolVersion": "2026-07-28",
    f"{PREFIX}clientInfo": {"name": "raw", "version": "0"},
    f"{PREFIX}clientCapabilities": {},
}
INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "0"}}
Message = dict[str, Any]


def encoded(message: Any) -> bytes:
    """One line; what json writes for text that is no Unicode is escaped."""
    return json.dumps(message).encode() + b"\n"


class Wire:
    """One connection of one era: `say` writes bytes as they are, and whatever comes back is read all the time."""

    def __init__(self, process: subprocess.Popen[bytes], era: Era) -> None:
        assert process.stdin is not None
        self.process = process
        self.era: Era = era
        self._in = process.stdin
        self._heard = queue.SimpleQueue[bytes]()
        self._next = 1_000_000
        self._reader = threading.Thread(target=self._listen, daemon=True)

    def listen(self) -> None:
        """Begins to read."""
        self._reader.start()

    def open(self) -> None:
        """What a client of this era begins with."""
        self.listen()
        if self.era == "legacy":
            self.say(encoded({"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": INITIALIZE}))
            self.until("hello")
            self.say(encoded({"jsonrpc": "2.0", "method": "notifications/initialized"}))
        else:
            self.say(self.request("look", "server/discover"))
            self.until("look")  # which decides no era: the next request does
            self.say(self.request("hello", "tools/list"))
            self.until("hello")

    def request(self, id: Any, method: str, params: Message | None = None) -> bytes:  # noqa: A002 - as on the wire
        """A request as a client of this era would write it, with this id."""
        params = dict(params or {})
        if self.era != "legacy":
            params["_meta"] = {**ENVELOPE, **params.get("_meta", {})}
        return encoded({"jsonrpc": "2.0", "id": id, "method": method, "params": params})

    def tool(self, id: Any, name: str, **arguments: Any) -> bytes:  # noqa: A002
        """A tool call with this id."""
        return self.request(id, "tools/call", {"name": name, "arguments": arguments})

    def say(self, *parts: bytes) -> None:
        """Writes these bytes."""
        for part in parts:
            self._in.write(part)
        self._in.flush()

    def heard(self) -> Iterator[Message]:
        """The messages of the server, each of which must be JSON-RPC, as they come."""
        while True:
            try:
                line = self._heard.get(timeout=PATIENCE_S)
            except queue.Empty:
                raise AssertionError(f"no answer for {PATIENCE_S} s") from None
            assert line, f"the server has ended with status {self.process.wait(PATIENCE_S)}"
            message = json.loads(line, parse_constant=_no_constant)
            assert message["jsonrpc"] == "2.0"
            assert line.endswith(b"\n")
            yield message

    def heard_lines(self, count: int) -> list[Any]:
        """The next lines, whatever JSON they are."""
        return [json.loads(self._heard.get(timeout=PATIENCE_S)) for _ in range(count)]

    def until(self, id: Any) -> list[Message]:  # noqa: A002
        """Everything up to the answer to this id, which comes last."""
        messages: list[Message] = []
        for message in self.heard():
            messages.append(message)
            if "method" not in message and message["id"] == id:
                break
        return messages

    def serves(self) -> list[Message]:
        """Makes an ordinary request, which must succeed; answers what was said before its answer."""
        self._next += 1
        self.say(self.tool(self._next, "list_generations"))
        *before, answer = self.until(self._next)
        assert answer["result"]["structuredContent"] == {"generations": []}
        return before

    def hang_up(self) -> None:
        """Closes its stdin."""
        self._in.close()

    def ends(self) -> int:
        """Hangs up, and answers the exit status of the server."""
        self.hang_up()
        return self.process.wait(PATIENCE_S)

    def processor_s(self) -> float:
        """How many seconds of a processor it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._heard.put(line)
        self._heard.put(b"")

    @contextmanager
    def grows_by_at_most(self, megabytes: float) -> Generator[None]:
        """Holds the peak of its memory during the block against what it has at the beginning."""
        with grows_by_at_most(megabytes, self.process.pid):
            yield


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


@contextmanager
def wire(home: Home, era: Era) -> Generator[Wire]:
    """A server of its own, not yet spoken to; killed at the end if it still runs."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-m", "darkroom", "serve"], env=home.environ, stdin=pipe, stdout=pipe,
        stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        opened = Wire(process, era)
        try:
            yield opened
        finally:
            process.kill()
            with suppress(OSError):  # what could not be written is not written at the end either
                opened.hang_up()
