"""Calls of tools over HTTP by a client that costs little: it shares two cores with what is measured."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.http.hosting import envelope, headers_of

Event = Callable[[dict[str, Any]], None]
Work = Callable[["Caller"], Awaitable[None]]


class Refused(Exception):
    """The call came to nothing: no result, or another status than 200."""


@dataclass
class Caller:
    """One connection to one replica, kept from call to call."""

    url: str
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def call(self, tool: str, heard: Event | None = None, within_s: float = 30.0, **arguments: Any) -> Any:
        """The structured result. `heard` is given every notification before it.

        Raises:
            Refused: there is none.
        """
        try:
            async with asyncio.timeout(within_s):
                return await self._call(tool, heard, arguments)
        except (OSError, EOFError, ValueError, KeyError, TimeoutError) as error:
            await self.close()
            raise Refused(f"{type(error).__name__}: {error}") from error

    async def _call(self, tool: str, heard: Event | None, arguments: dict[str, Any]) -> Any:
        reader, writer = await self._connected()
        writer.write(_request(self.url, tool, arguments, progress=heard is not None))
        status, length = await _head(reader)
        body = b"" if length is None else await reader.readexactly(length)
        if status != 200:
            raise ValueError(f"{status} {body[:200]!r}")
        if length is not None:
            return _result(json.loads(body))
        result: Any = None
        async for event in _events(reader):
            if "method" in event:
                if heard is not None:
                    heard(event)
            else:
                result = _result(event)
        return result

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.reader is None or self.writer is None:
            where = urlsplit(self.url)
            self.reader, self.writer = await asyncio.open_connection(where.hostname, where.port)
        return self.reader, self.writer

    async def close(self) -> None:
        """Closes the connection; the next call has another."""
        writer, self.reader, self.writer = self.writer, None, None
        if writer is not None:
            writer.close()


def _request(url: str, tool: str, arguments: dict[str, Any], *, progress: bool) -> bytes:
    body = envelope("tools/call", {"name": tool, "arguments": arguments})
    if progress:
        message = json.loads(body)
        message["params"]["_meta"]["progressToken"] = 1
        body = json.dumps(message).encode()
    lines = {**headers_of("tools/call", tool), "host": urlsplit(url).netloc, "content-length": str(len(body))}
    head = "\r\n".join(["POST /mcp HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items()), "", ""])
    return head.encode() + body


async def _head(reader: asyncio.StreamReader) -> tuple[int, int | None]:
    """The status and the length of the body; None: it comes in chunks."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]), int(headers["content-length"]) if "content-length" in headers else None


async def _events(reader: asyncio.StreamReader) -> AsyncGenerator[dict[str, Any]]:
    """The messages of a stream of events, to its end."""
    while size := int(await reader.readline(), 16):
        chunk = await reader.readexactly(size + 2)
        for line in chunk.decode().splitlines():
            if line.startswith("data:") and (text := line[5:].strip()):
                yield json.loads(text)
    await reader.readline()


def _result(message: dict[str, Any]) -> Any:
    result = message["result"]
    if result.get("isError"):
        raise ValueError(result["content"][0]["text"][:300])
    return result["structuredContent"]


async def at_once(callers: list[Caller], jobs: list[Work], until: float | None = None) -> int:
    """Gives these jobs to callers that are free, until none is left or it is that time; returns how many were done."""
    left, done = iter(jobs), 0

    async def work(caller: Caller) -> None:
        nonlocal done
        for job in left:
            if until is not None and time.monotonic() >= until:
                return
            await job(caller)
            done += 1

    await asyncio.gather(*map(work, callers))
    return done
