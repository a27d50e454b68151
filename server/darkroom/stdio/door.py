"""The place where requests wait while too many are under way; other messages go past them."""

from collections import deque
from functools import partial
from typing import NamedTuple

import anyio
from anyio.streams.memory import MemoryObjectSendStream
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from mcp_types.jsonrpc import JSONRPCMessage, JSONRPCNotification, JSONRPCRequest, RequestId

from darkroom.stdio.messages import Refused, read_batch, read_message
from darkroom.stdio.outbox import MAX_HELD, MAX_OPEN, Batch, Letter, Outbox

BUSY = -32000
BUSY_AFTER_S = 5.0
"""Seconds that a request waits while none before it gets in."""
LEAST_WEIGHT = 256


class _Waiting(NamedTuple):
    """A request as it came: its line takes a small part of what it does once it is parsed."""

    id: RequestId
    line: bytes
    batch: Batch | None
    since: float

    @property
    def weight(self) -> int:
        """The bytes that it counts for while it waits."""
        return max(len(self.line), LEAST_WEIGHT)


class Door:
    """Hands messages on to the server: requests in their order, as many as may be under way."""

    def __init__(self, incoming: MemoryObjectSendStream[SessionMessage | Exception], outbox: Outbox) -> None:
        self._incoming = incoming
        self._outbox = outbox
        self._waiting: deque[_Waiting] = deque()
        self._weight = 0
        self._moved_at = 0.0
        self._came = anyio.Event()

    @property
    def crowded(self) -> bool:
        """True where so much waits here that nothing more may come for a moment."""
        return self._weight > MAX_HELD

    async def take(self, line: bytes | None, said: bytes | None = None) -> None:
        """Hands on what the line says, or answers it. `said`: the response to this request that was sent already."""
        if said is not None and isinstance(request := read_message(line), JSONRPCRequest):
            await self._repeat(request, said)
            return
        try:
            parts = read_batch(line) if self._outbox.batches else None
            if parts is None:
                await self._pass(read_message(line), line or b"", None)
                return
        except Refused as refused:
            self._outbox.refuse(refused)
            return
        batch = Batch(len(parts))
        for part in parts:
            if isinstance(part, Refused):
                self._outbox.refuse(part, batch)
            else:
                text = b"" if part is None else part.model_dump_json(by_alias=True, exclude_unset=True).encode()
                await self._pass(part, text, batch)

    async def _repeat(self, request: JSONRPCRequest, said: bytes) -> None:
        """Brings the server to where its client is already: whatever follows may depend on it."""
        letter = Letter(LEAST_WEIGHT, None, said)
        self._outbox.await_answer(request.id, letter)
        await self._send(request, request.id, letter)
        await letter.written()

    async def run(self) -> None:
        """Lets in who waits, in order, or tells that there is no room."""
        while True:
            if not self._waiting:
                self._came = anyio.Event()
                await self._came.wait()
                continue
            first = self._waiting[0]
            letter = self._outbox.admit(first.id, len(first.line), first.batch)
            until = max(first.since, self._moved_at) + BUSY_AFTER_S
            if letter is None and anyio.current_time() < until:
                with anyio.CancelScope(deadline=until):
                    await self._outbox.change()
                continue
            self._forget(first)
            if letter is None:
                busy = f"Too many requests: {MAX_OPEN} or {MAX_HELD} bytes may be under way"
                self._outbox.refuse(Refused(BUSY, busy, first.id), first.batch)
            elif message := read_message(first.line):
                self._moved_at = anyio.current_time()
                await self._send(message, first.id, letter)

    async def _pass(self, message: JSONRPCMessage | None, line: bytes, batch: Batch | None) -> None:
        if isinstance(message, JSONRPCRequest) and (message.method != "ping" or batch is not None):
            letter = None if self._waiting else self._outbox.admit(message.id, len(line), batch)
            if letter is not None:
                await self._send(message, message.id, letter)
            else:
                waiting = _Waiting(message.id, line, batch, anyio.current_time())
                self._waiting.append(waiting)
                self._weight += waiting.weight
                self._came.set()
            return
        if batch is not None:
            self._outbox.unasked(batch)
        if message is not None:
            self._withdraw(message)
            await self._incoming.send(SessionMessage(message))

    async def _send(self, message: JSONRPCMessage, request_id: RequestId, letter: Letter) -> None:
        unanswered = partial(self._outbox.unanswered, request_id)
        metadata = ServerMessageMetadata(request_context=letter, on_request_unanswered=unanswered)
        await self._incoming.send(SessionMessage(message, metadata))

    def _withdraw(self, message: JSONRPCMessage) -> None:
        """A request that its client no longer wants need not wait."""
        if isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            named = (message.params or {}).get("requestId")
            for waiting in [each for each in self._waiting if each.id == named and type(each.id) is type(named)]:
                self._forget(waiting)
                if waiting.batch is not None:
                    self._outbox.unasked(waiting.batch)

    def _forget(self, waiting: _Waiting) -> None:
        self._waiting.remove(waiting)
        self._weight -= waiting.weight
