"""One request to a service, and the means to answer it well or badly."""

import asyncio
import os
import socket
import struct
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True)
class Canned:
    """A whole answer, ready to be sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def with_body(self, body: bytes) -> "Canned":
        kept = tuple(header for header in self.headers if header[0] != "content-length")
        return Canned(self.status, (*kept, ("content-length", str(len(body)))), body)


class Exchange:
    """What a fault has in its hands: the normal answer, and the connection itself."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self._app = app
        self._scope = scope
        self._receive = receive
        self._send = send
        self._transport: asyncio.Transport = scope["state"]["transport"]
        self._normal: Canned | None = None
        self.body = b""

    @property
    def closed(self) -> bool:
        return self._transport.is_closing()

    async def read(self) -> bytes:
        """Read the request to its end, or to where the client broke it off."""
        more = True
        while more:
            message = await self._receive()
            self.body += message.get("body", b"")
            more = message.get("more_body", False)
        return self.body

    async def normal(self) -> Canned:
        """What the service itself answers; the request takes effect once, however often this is asked."""
        if self._normal is None:
            self._normal = await self._ask_app()
        return self._normal

    async def answer(self, canned: Canned) -> None:
        await self.head(canned)
        await self.piece(canned.body, last=True)

    async def head(self, canned: Canned) -> None:
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in canned.headers]
        await self._send({"type": "http.response.start", "status": canned.status, "headers": headers})

    async def piece(self, body: bytes, *, last: bool = False) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": not last})

    async def hang_up(self, *, reset: bool) -> None:
        """End the connection: with a TCP reset, or in good order after what was sent."""
        if reset:
            # Lingering for no time is what makes the kernel send a reset instead of an orderly end.
            linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._transport.abort()
        else:
            self._transport.close()
        await self.gone()

    def write_raw(self, raw: bytes) -> None:
        """Put bytes on the wire that need not be HTTP."""
        self._transport.write(raw)

    async def gone(self) -> None:
        """Wait until the connection is no more."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _ask_app(self) -> Canned:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": self.body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(self._scope, receive, send)
        start, *rest = sent
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"])
        return Canned(start["status"], headers, b"".join(message.get("body", b"") for message in rest))
