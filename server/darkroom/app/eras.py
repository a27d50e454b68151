"""Protocol versions of a connection: `server/discover` asks what there is, and decides nothing."""

from collections.abc import Callable, Coroutine
from typing import Any, Self

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types.jsonrpc import JSONRPCRequest

from darkroom.stdio.outbox import Outbox

Item = SessionMessage | Exception
Serve = Callable[[MemoryObjectReceiveStream[Item], "_KeptOpen"], Coroutine[Any, Any, None]]
"""Serves one connection, whose first request decides its era for good."""


class _KeptOpen:
    """The outbox as one of the connections that share it may use it: it outlives them."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def send(self, item: SessionMessage, /) -> None:
        """See `Outbox.send`."""
        await self._outbox.send(item)

    async def aclose(self) -> None:
        """Nothing: others still send."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, exc_type: object, exc_val: object, exc_tb: object) -> None:
        await self.aclose()


async def serve_eras(serve: Serve, incoming: MemoryObjectReceiveStream[Item], outbox: Outbox) -> None:
    """Serves what comes in; an `initialize` behind nothing but `server/discover` begins anew, as some hosts do."""
    only_discovered = True
    connection: MemoryObjectSendStream[Item] | None = None
    async with outbox, incoming, anyio.create_task_group() as tasks:
        async for item in incoming:
            request = item.message if isinstance(item, SessionMessage) else None
            if isinstance(request, JSONRPCRequest):
                if request.method == "initialize" and only_discovered and connection is not None:
                    await connection.aclose()
                    connection = None
                only_discovered = only_discovered and request.method == "server/discover"
            if connection is None:
                connection, messages = anyio.create_memory_object_stream[Item]()
                tasks.start_soon(serve, messages, _KeptOpen(outbox))
            await connection.send(item)
        if connection is not None:
            await connection.aclose()
