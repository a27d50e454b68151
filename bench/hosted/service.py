"""A FatThumb that knows every job and never finishes one, as a process of its own that costs next to nothing.

python -m bench.hosted.service

The first line on stdout is JSON, as that of `python -m tests.services`. GET /_log returns how many requests of each
kind there were.
"""

import asyncio
import json
import secrets
import sys
from collections import Counter

COUNTED: Counter[str] = Counter()


class Wire(asyncio.Protocol):
    """One connection: requests one after the other, each with its response."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remembers it."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answers each request that is complete."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._received[:end]).decode("latin-1")
            length = _length(head)
            if len(self._received) < end + 4 + length:
                return
            del self._received[: end + 4 + length]
            assert self._transport is not None
            self._transport.write(_answer(*head.split(" ", 2)[:2]))


def _length(head: str) -> int:
    lines = head.lower().split("\r\n")
    return next((int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")), 0)


def _answer(method: str, path: str) -> bytes:
    COUNTED["log" if path == "/_log" else "submit" if method == "POST" else "read"] += 1
    if path == "/_log":
        said: object = COUNTED
    elif method == "POST":
        job = f"generation_{secrets.token_hex(10)}"
        said = {"generationId": job, "thumbnailIds": ["thumb_1"], "status": "processing"}
    else:
        said = _job(path.rpartition("/")[2])
    body = json.dumps(said).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def _job(name: str) -> dict[str, object]:
    thumbnail = {
        "id": "thumb_1", "status": "processing", "url": None, "isWatermarked": False, "isHidden": False,
        "error": None,
    }  # fmt: skip
    return {
        "id": name, "status": "processing", "model": "gemini-3-pro", "count": 1, "createdAt": 0,
        "thumbnails": [thumbnail],
    }  # fmt: skip


async def main() -> None:
    """Serves until it is ended, or its stdin is."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Wire, "127.0.0.1", 0, backlog=1024)
    origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    print(json.dumps({"url": f"{origin}/api/v1", "key": "nsk_bench", "log": f"{origin}/_log"}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
