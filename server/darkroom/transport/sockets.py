"""A provider's WebSocket, listened to: nothing is said there, and its words are bounded in size and in number."""

import base64
import json
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import anyio

from darkroom.errors import ProviderError
from darkroom.transport.client import Api, Call, NotAsked
from darkroom.transport.http import READ_TIMEOUT

if TYPE_CHECKING:
    from httpcore2 import AsyncNetworkStream
    from wsproto.events import Message

MAX_TEXT = 2**18
"""Characters of a message that is read; a longer one is passed over."""
MAX_BYTES = 2**23
MAX_FRAMES = 1000
"""The bytes and the frames of one second of the clock, at most: a server that sends more is hung up on."""
SILENT_S = 30.0
"""Seconds of silence after which the other side is pinged, and as many again after which it is hung up on."""
WRITE_S = 10.0
_CHUNK = 2**16


async def listen(api: Api, path: str, heard: Callable[[Any], None]) -> None:
    """Gives each JSON message of the WebSocket at `path` to `heard`; returns when the other side closes it.

    Raises:
        NotAsked: the account's limit leaves no room for the request.
        ProviderError: there is no WebSocket, or it sends more than is listened to.
        Exception: anything else that ended it, such as an error of the connection.
    """
    if not await api.door.draw_now():
        raise NotAsked(f"{api.title} was not asked: its limit of requests is nearly used up", next_step="Wait.")
    client, url = api.http.sockets, Call("GET", path).url(api.base_url)
    request = client.build_request("GET", url, headers={**api.headers, **_upgrade()}, timeout=READ_TIMEOUT)
    response = await client.send(request, stream=True)
    try:
        if response.status_code != 101:
            raise _ended(api.title, f"returned {response.status_code} in place of a WebSocket")
        await _follow(response.extensions["network_stream"], api.title, heard)
    finally:
        with anyio.CancelScope(shield=True):
            await response.aclose()


def _upgrade() -> dict[str, str]:
    return {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)).decode(),
    }


async def _follow(stream: "AsyncNetworkStream", title: str, heard: Callable[[Any], None]) -> None:
    from wsproto.connection import Connection, ConnectionType  # noqa: PLC0415 - few processes need it
    from wsproto.events import CloseConnection, Message, Ping  # noqa: PLC0415

    connection, text, budget = Connection(ConnectionType.CLIENT), _Text(), _Budget(title)
    try:
        while data := await _next(stream, lambda: connection.send(Ping())):
            connection.receive_data(data)
            budget.spend(0, len(data))
            for event in connection.events():
                budget.spend(1, 0)
                if isinstance(event, CloseConnection):
                    return
                if isinstance(event, Ping):
                    await stream.write(connection.send(event.response()), WRITE_S)
                elif isinstance(event, Message):
                    _hand_on(text.whole(cast("Message[Any]", event)), heard)
    finally:
        with anyio.move_on_after(1.0, shield=True), suppress(Exception):  # it is over, politely if that can be
            await stream.write(connection.send(CloseConnection(code=1000)), WRITE_S)
            await stream.aclose()


def _hand_on(text: str | None, heard: Callable[[Any], None]) -> None:
    if text is not None:
        with suppress(ValueError, RecursionError):  # no JSON
            heard(json.loads(text))


async def _next(stream: "AsyncNetworkStream", ping: Callable[[], bytes]) -> bytes:
    """The bytes that come next; none: the connection has ended. Raises ReadTimeout: not even a ping is answered."""
    from httpcore2 import ReadTimeout  # noqa: PLC0415 - loaded with the first request

    try:
        return await stream.read(_CHUNK, SILENT_S)
    except ReadTimeout:
        await stream.write(ping(), WRITE_S)
    return await stream.read(_CHUNK, SILENT_S)


class _Text:
    """The text of a message that comes in pieces; what is not text, or is too long, is passed over."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0

    def whole(self, piece: "Message[Any]") -> str | None:
        """The message that ends with this piece; None: it does not end here, or nobody reads it."""
        data = piece.data
        self._length += len(data)
        if isinstance(data, str) and self._length <= MAX_TEXT:
            self._pieces.append(data)
        if not piece.message_finished:
            return None
        found = "".join(self._pieces) if isinstance(data, str) and self._length <= MAX_TEXT else None
        self._pieces, self._length = [], 0
        return found


class _Budget:
    """The frames and bytes that are left of this second."""

    def __init__(self, title: str) -> None:
        self._title, self._second, self._frames, self._bytes = title, 0, 0, 0

    def spend(self, frames: int, size: int) -> None:
        """Raises ProviderError: there were too many."""
        second = int(anyio.current_time())
        if second != self._second:
            self._second, self._frames, self._bytes = second, 0, 0
        self._frames += frames
        self._bytes += size
        if self._frames > MAX_FRAMES or self._bytes > MAX_BYTES:
            raise _ended(self._title, "sends more over its WebSocket than is listened to")


def _ended(title: str, why: str) -> ProviderError:
    return ProviderError(f"{title} {why}", next_step="Nothing is lost: progress is asked for as well.")
