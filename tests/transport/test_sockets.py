"""WebSockets over real connections: what an other side may do instead of talking, and what is left of it then."""

from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream

from darkroom.redact.secrets import Redactor
from darkroom.transport import sockets
from darkroom.transport.client import Api
from darkroom.transport.http import open_http
from tests.hosts import PATIENCE_S
from tests.transport.test_nothing_sent import OpenDoor

UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
HELLO = b'\x81\x10{"type":"hello"}'
FAULTS: dict[str, bytes] = {
    "a page": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "nothing there": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "an end": b"",
    "masked frames": UPGRADED + b"\x81\x82\0\0\0\0{}",
    "no frames": UPGRADED + b"\xff" * 100,
    "broken text": UPGRADED + b"\x81\x02\xff\xff",
    "an endless run of frames": UPGRADED + b"\x81\x02{}" * 2000,
}


async def listened(answers: bytes, *, silent: bool = False) -> tuple[list[Any], list[bytes], BaseException | None]:
    """The messages that are heard of a server that answers with this, what it was sent, and how that ended."""
    heard: list[Any] = []
    came: list[bytes] = []

    async def serve(stream: SocketStream) -> None:
        async with stream:
            came.append(await stream.receive())
            await stream.send(answers)
            if silent:
                async for data in stream:
                    came.append(data)

    async with open_http() as http, await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        api = Api(
            "ComfyUI", "", f"http://127.0.0.1:{port}", http, {"Authorization": "Bearer k"}, Redactor([]), OpenDoor()
        )
        ended: BaseException | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(listener.serve, serve)
            with anyio.fail_after(PATIENCE_S):
                try:
                    await sockets.listen(api, "/ws?clientId=c", heard.append)
                except Exception as error:
                    ended = error
            group.cancel_scope.cancel()
    return heard, came, ended


async def test_messages_are_heard_until_the_other_side_closes_and_the_key_goes_along() -> None:
    heard, came, ended = await listened(UPGRADED + HELLO + b"\x81\x01{" + b"\x82\x02{}" + HELLO + b"\x88\x00")
    assert (heard, ended) == ([{"type": "hello"}] * 2, None)
    assert b"GET /ws?clientId=c HTTP/1.1" in came[0]
    assert b"Authorization: Bearer k" in came[0]


@pytest.mark.parametrize("answers", FAULTS.values(), ids=FAULTS)
async def test_whatever_is_there_in_place_of_a_websocket_ends_without_a_word_too_many(
    answers: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anyio, "current_time", lambda: 0.5)  # all of it comes in one second
    heard, _, ended = await listened(answers)
    assert ended is not None or answers.startswith(UPGRADED)
    assert len(heard) <= sockets.MAX_FRAMES


async def test_a_message_in_pieces_is_put_together_and_one_that_is_too_long_is_passed_over() -> None:
    whole = b'\x01\x08{"type":' + b'\x80\x08"hello"}'
    long = b"\x81\x7f" + (2**18 + 2).to_bytes(8, "big") + b'"' + b"x" * 2**18 + b'"'
    heard, _, _ = await listened(UPGRADED + long + whole + b"\x88\x00")
    assert heard == [{"type": "hello"}]


async def test_one_that_is_silent_is_pinged_and_then_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "SILENT_S", 0.3)
    heard, came, ended = await listened(UPGRADED, silent=True)
    assert (heard, type(ended).__name__) == ([], "ReadTimeout")
    assert any(data[0] == 0x89 for data in came[1:])
