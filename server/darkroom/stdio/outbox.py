"""The lines that wait to be written to the client, and the requests that wait for a response."""

import logging
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Self

import anyio
from anyio import to_thread
from mcp.shared.message import SessionMessage
from mcp_types.jsonrpc import JSONRPCError, JSONRPCMessage, JSONRPCResponse, RequestId

from darkroom.redact.secrets import LONGEST
from darkroom.stdio.messages import Refused
from darkroom.stdio.wire import Wire

log = logging.getLogger(__name__)

MAX_UNREAD = 4 * 1024 * 1024
"""Bytes of responses that may wait for the client to read them before nothing more is read from it."""
MAX_OPEN = 2_000
MAX_HELD = 4 * 1024 * 1024
"""Requests that may be under way at once, and the bytes of their lines; parsed, those take up to thirty times as much.
Who sends more waits a moment, and is refused then."""
BATCHES = "2025-03-26"
"""The only version of the protocol that knows batches."""


class Batch:
    """The responses to a batch of `left` messages, which go out as one line once none is left."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.lines: list[bytes] = []
        self.letters: list[Letter] = []


class Letter:
    """The fate of the response to one request, which counts for `weight` bytes while it is under way.

    `said`: the line in which its client was sent it already.
    """

    def __init__(self, weight: int, batch: Batch | None, said: bytes | None = None) -> None:
        self.weight = weight
        self.batch = batch
        self.said = said
        self._over = anyio.Event()
        self._written = False

    async def written(self) -> bool:
        """Waits until the response is in the pipe, which is not yet read. False: there will be none."""
        await self._over.wait()
        return self._written

    def end(self, *, written: bool) -> None:
        """It is written, or never will be."""
        self._written = self._written or written
        self._over.set()


class Outbox:
    """The write stream that the server is given: lines wait here for the client, and their senders with them."""

    def __init__(self, wire: Wire, unechoed: Callable[[str], str]) -> None:
        self._wire = wire
        self._unechoed = unechoed
        self._lines: deque[tuple[bytes, list[Letter]]] = deque()
        self._unread = 0
        self._closed = False
        self._changed = anyio.Event()
        self._held = 0
        self.batches = False
        # The requests under way; a client may give two of them the same id.
        self._open = defaultdict[RequestId | None, list[Letter]](list)

    @property
    def full(self) -> bool:
        """True where more waits to be read than may."""
        return self._unread > MAX_UNREAD

    async def send(self, item: SessionMessage, /) -> None:
        """Queues a message once there is room."""
        if self._closed:
            raise anyio.ClosedResourceError
        text, letter = _text(item.message), None
        if len(text) <= LONGEST:  # a longer one holds pictures, or a list of what has been searched already
            text = self._unechoed(text)
        line = _line(text)
        if isinstance(item.message, JSONRPCResponse | JSONRPCError):
            letter = self._settled(item.message.id)
        if isinstance(item.message, JSONRPCResponse) and item.message.result.get("protocolVersion") == BATCHES:
            self.batches = True
        if letter is not None and letter.said is not None:
            if letter.said != line:
                log.error("What was sent before the start was done is not what is sent now.")
            letter.end(written=True)
            return
        while self.full:
            await self.change()
        self._deliver(line, letter, letter.batch if letter else None)

    def refuse(self, refused: Refused, batch: Batch | None = None) -> None:
        """Queues the response to a line, or a part of a batch, that the server never sees."""
        self._deliver(_line(_text(refused.answer)), None, batch)

    def unasked(self, batch: Batch) -> None:
        """A part of this batch gets no response."""
        self._deliver(b"", None, batch)

    def _deliver(self, line: bytes, letter: Letter | None, batch: Batch | None) -> None:
        letters = [letter] if letter else []
        if batch is not None:
            batch.left -= 1
            batch.lines += [line.rstrip(b"\n")] if line else []
            batch.letters += letters
            if batch.left or not batch.lines:
                return
            line, letters = b"[" + b",".join(batch.lines) + b"]\n", batch.letters
        self._lines.append((line, letters))
        self._unread += len(line)
        self._notify()

    def admit(self, request_id: RequestId, length: int, batch: Batch | None) -> Letter | None:
        """Counts a request in; None while others must be answered first."""
        letter = Letter(max(length, MAX_HELD // MAX_OPEN), batch)
        if self._held + letter.weight > MAX_HELD:
            return None
        self.await_answer(request_id, letter)
        return letter

    def await_answer(self, request_id: RequestId, letter: Letter) -> None:
        """Counts a request in, whatever there is room for."""
        self._held += letter.weight
        self._open[request_id].append(letter)

    async def unanswered(self, request_id: RequestId) -> None:
        """This request is under way no more, and its client expects no response."""
        if letter := self._settled(request_id):
            letter.end(written=False)
            if letter.batch is not None:
                self.unasked(letter.batch)

    def _settled(self, request_id: RequestId | None) -> Letter | None:
        letters = self._open.get(request_id)
        if not letters:
            return None  # an error about what was no request
        letter = letters.pop()
        self._held -= letter.weight
        if not letters:
            del self._open[request_id]
        self._notify()
        return letter

    async def change(self) -> None:
        """Waits until something was queued, written or answered."""
        await self._changed.wait()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def write(self) -> None:
        """Writes whatever is queued, until the stream is closed and all of it is out."""
        while self._lines or not self._closed:
            if not self._lines:
                await self.change()
                continue
            lines = list(self._lines)
            self._lines.clear()
            waiting = b"".join(line for line, _ in lines)
            await self._write(waiting)
            self._unread -= len(waiting)
            self._notify()
            for letter in (letter for _, letters in lines for letter in letters):
                letter.end(written=True)

    async def _write(self, data: bytes) -> None:
        while rest := self._wire.write_at_once(data):
            if not self._wire.tells_room:
                await to_thread.run_sync(self._wire.write, rest, abandon_on_cancel=True)
                return
            await anyio.wait_writable(self._wire.sink)
            data = rest

    async def aclose(self) -> None:
        """Takes nothing more."""
        self._closed = True
        self._notify()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, exc_type: object, exc_val: object, exc_tb: object) -> None:
        await self.aclose()


def _text(message: JSONRPCMessage) -> str:
    return message.model_dump_json(by_alias=True, exclude_unset=True)


def _line(text: str) -> bytes:
    return f"{text}\n".encode()
