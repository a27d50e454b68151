"""JSON-RPC over two pipes: a message a line, every line answered or rightly passed over, and memory bounded.

The SDK's own reader passes over what it cannot read, so that a client waits for ever, and takes in a line of any
length; its writer lets answers that nobody reads pile up, and does not end while one is stuck.
"""

import logging
import os
import select
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Self, cast

import anyio
from anyio import to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from mcp_types.jsonrpc import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError
from pydantic_core import from_json

log = logging.getLogger(__name__)

CHUNK = 64 * 1024
MAX_LINE = 1024 * 1024
"""No message that we serve is a hundredth as long; one of this length takes up to 30 MB once it is parsed."""
MAX_UNREAD = 4 * 1024 * 1024
"""Bytes of answers that may wait for the client to read them before nothing more is read from it."""
MAX_OPEN = 2_000
MAX_HELD = 4 * 1024 * 1024
"""Requests that may be under way at once, and the bytes of their lines; parsed, those take up to thirty times as much.
Who sends more waits a moment, and is refused then."""
BUSY = -32000
BUSY_AFTER_S = 5.0
LOOK_EVERY_S = 0.25
DRAIN_S = 0.5


class Lines:
    """Cuts a stream of bytes into lines. Of a line that is too long nothing is kept: it comes out as None."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._too_long = False

    def feed(self, chunk: bytes) -> Iterator[bytes | None]:
        """The lines that end in this chunk."""
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            self._keep(end)
            yield None if self._too_long else bytes(self._line)
            self._line.clear()
            self._too_long = False
        self._keep(rest)

    def _keep(self, part: bytes) -> None:
        if self._too_long or len(self._line) + len(part) > MAX_LINE:
            self._too_long = True
            self._line.clear()
        else:
            self._line += part


class Refused(Exception):
    """A line that is no message; `answer` is what its sender is told."""

    def __init__(self, code: int, message: str, request_id: Any = None) -> None:
        super().__init__(message)
        echoed = request_id if _is_id(request_id) else None
        self.answer = JSONRPCError(jsonrpc="2.0", id=echoed, error=ErrorData(code=code, message=message))


def read_message(line: bytes | None) -> JSONRPCMessage | None:
    """What a line says; None where JSON-RPC has silence for it: blank lines, broken notifications, broken answers.

    Raises:
        Refused: it is no message.
    """
    if line is None:
        raise Refused(INVALID_REQUEST, f"Invalid request: a message has at most {MAX_LINE} bytes")
    if not line.strip():
        return None
    try:
        value = from_json(line, allow_inf_nan=False)
    except ValueError:
        raise Refused(PARSE_ERROR, "Parse error: a line is JSON in UTF-8, at most 200 levels deep") from None
    if not isinstance(value, dict):
        raise Refused(INVALID_REQUEST, "Invalid request: a message is one JSON object, and there are no batches")
    return _checked(cast("dict[str, Any]", value))


def _checked(value: dict[str, Any]) -> JSONRPCMessage | None:
    request_id = value.get("id")
    if "method" not in value and ("result" in value or "error" in value):
        return _validated(value)
    if value.get("jsonrpc") != "2.0":
        raise Refused(INVALID_REQUEST, 'Invalid request: jsonrpc is "2.0"', request_id)
    if not isinstance(value.get("method"), str):
        raise Refused(INVALID_REQUEST, "Invalid request: it names no method", request_id)
    if "id" in value and not _is_id(request_id):
        raise Refused(INVALID_REQUEST, "Invalid request: an id is a string or an integer")
    if "id" in value and not isinstance(value.get("params"), dict | None):
        raise Refused(INVALID_PARAMS, "Invalid params: they are an object", request_id)
    return _validated(value)


def _validated(value: dict[str, Any]) -> JSONRPCMessage | None:
    kind = JSONRPCRequest if "id" in value else JSONRPCNotification
    try:
        return kind.model_validate(value) if "method" in value else jsonrpc_message_adapter.validate_python(value)
    except ValidationError:
        log.debug("Passed over a notification or an answer that is none.")
        return None


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


class Outbox:
    """The write stream that the server is given: lines wait here for the client, and their senders with them."""

    def __init__(self, wire: int) -> None:
        self._wire = wire
        self._lines: deque[bytes] = deque()
        self._unread = 0
        self._closed = False
        self._changed = anyio.Event()
        self._held = 0
        # What each request under way counts for; a client may give two of them the same id.
        self._counted = defaultdict[RequestId | None, list[int]](list)

    @property
    def full(self) -> bool:
        """Whether more waits to be read than may."""
        return self._unread > MAX_UNREAD

    async def send(self, item: SessionMessage, /) -> None:
        """Queues a message once there is room."""
        if self._closed:
            raise anyio.ClosedResourceError
        line = _line(item.message)
        if isinstance(item.message, JSONRPCResponse | JSONRPCError):
            await self.settled(item.message.id)
        while self.full:
            await self.change()
        self._put(line)

    def refuse(self, refused: Refused) -> None:
        """Queues the answer to a line that the server never sees."""
        self._put(_line(refused.answer))

    def _put(self, line: bytes) -> None:
        self._lines.append(line)
        self._unread += len(line)
        self._notify()

    async def admit(self, request_id: RequestId, length: int) -> None:
        """Counts a request in, after a moment if others must be answered first. Raises Refused: too many are."""
        counted = max(length, MAX_HELD // MAX_OPEN)
        with anyio.move_on_after(BUSY_AFTER_S):
            while self._held + counted > MAX_HELD:
                await self.change()
        if self._held + counted > MAX_HELD:
            raise Refused(BUSY, f"Too many requests: {MAX_OPEN} or {MAX_HELD} bytes may be under way", request_id)
        self._held += counted
        self._counted[request_id].append(counted)

    async def settled(self, request_id: RequestId | None) -> None:
        """This request is under way no more."""
        counted = self._counted.get(request_id)
        if not counted:
            return  # an error about what was no request
        self._held -= counted.pop()
        if not counted:
            del self._counted[request_id]
        self._notify()

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
            waiting = b"".join(self._lines)
            self._lines.clear()
            await to_thread.run_sync(_write_all, self._wire, waiting, abandon_on_cancel=True)
            self._unread -= len(waiting)
            self._notify()

    async def aclose(self) -> None:
        """Takes nothing more."""
        self._closed = True
        self._notify()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, exc_type: object, exc_val: object, exc_tb: object) -> None:
        await self.aclose()


def _line(message: JSONRPCMessage) -> bytes:
    return message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"


def _write_all(wire: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(wire, rest) :]


async def _read(source: int, incoming: MemoryObjectSendStream[SessionMessage | Exception], outbox: Outbox) -> None:
    """Hands on the messages that arrive, until the client hangs up; what it began to say then is passed over."""
    lines = Lines()
    async with incoming:
        while chunk := await to_thread.run_sync(os.read, source, CHUNK, abandon_on_cancel=True):
            for line in lines.feed(chunk):
                if not await _room(source, outbox):
                    return
                try:
                    message = read_message(line)
                    if isinstance(message, JSONRPCRequest):
                        await outbox.admit(message.id, len(line or b""))
                except Refused as refused:
                    outbox.refuse(refused)
                    continue
                if message is not None:
                    settled = partial(outbox.settled, getattr(message, "id", None))
                    await incoming.send(SessionMessage(message, ServerMessageMetadata(on_request_unanswered=settled)))


async def _room(source: int, outbox: Outbox) -> bool:
    """Waits while the client does not read its answers. False: it has hung up meanwhile."""
    while outbox.full:
        if _hung_up(source):
            return False
        with anyio.move_on_after(LOOK_EVERY_S):
            await outbox.change()
    return True


def _hung_up(source: int) -> bool:
    """Whether nobody can write to this pipe any more, though there is more to read. Unknown on Windows: then no."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(source, getattr(select, "POLLRDHUP", 0))
    return bool(poll.poll(0))


@asynccontextmanager
async def stdio_streams(
    source: int, wire: int
) -> AsyncGenerator[tuple[MemoryObjectReceiveStream[SessionMessage | Exception], Outbox]]:
    """Messages from the descriptor `source`, and a stream whose messages go out on the descriptor `wire`.

    Raises:
        OSError: the client has gone, or does not read what it is sent (TimeoutError).
    """
    outbox = Outbox(wire)
    incoming, messages = anyio.create_memory_object_stream[SessionMessage | Exception]()
    written = anyio.Event()

    async def write() -> None:
        await outbox.write()
        written.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        tasks.start_soon(_read, source, incoming, outbox)
        yield messages, outbox
        await outbox.aclose()
        with anyio.move_on_after(DRAIN_S):
            await written.wait()
        tasks.cancel_scope.cancel()
    if not written.is_set():
        raise TimeoutError("it does not read what it is sent")
