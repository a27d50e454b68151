"""What can go wrong with an answer: faults, and the script that says which request meets which."""

import asyncio
import json as jsons
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, cast

from tests.services.exchange import Canned, Exchange

RouteName = Literal["submit", "read", "picture", "models", "account"]


class Fault(Protocol):
    async def play(self, exchange: Exchange, /) -> None: ...


@dataclass(frozen=True)
class Normal:
    """No fault at all: whatever the service answers."""

    async def play(self, exchange: Exchange) -> None:
        await exchange.answer(await exchange.normal())


@dataclass(frozen=True)
class Answer:
    """A made-up answer. `accepts`: the request took effect all the same."""

    status: int
    json: object = None
    text: str | None = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    accepts: bool = False

    async def play(self, exchange: Exchange) -> None:
        if self.accepts:
            await exchange.normal()
        await exchange.answer(self._canned())

    def _canned(self) -> Canned:
        kind, body = self._body()
        headers = {"content-type": kind, "content-length": str(len(body))}
        headers |= {name.lower(): value for name, value in self.headers.items()}
        return Canned(self.status, tuple(headers.items()), body)

    def _body(self) -> tuple[str, bytes]:
        if self.content is not None:
            return "application/octet-stream", self.content
        if self.text is not None:
            return "text/plain; charset=utf-8", self.text.encode()
        if self.json is not None:
            return "application/json", jsons.dumps(self.json).encode()
        return "text/plain; charset=utf-8", b""


def Html(status: int = 200, *, accepts: bool = False) -> Answer:
    """A web page where JSON or a picture is due, as a proxy in front of the provider shows it."""
    page = f"<!DOCTYPE html><html><head><title>{status}</title></head><body>Just a moment…</body></html>"
    return Answer(status, text=page, headers={"content-type": "text/html; charset=utf-8"}, accepts=accepts)


def Redirect(to: str, status: int = 307, *, accepts: bool = False) -> Answer:
    """An answer that sends the client somewhere else."""
    return Answer(status, headers={"location": to}, accepts=accepts)


@dataclass(frozen=True)
class CutBody:
    """A body shorter than declared, then the end of the connection; without `body` it is the normal one."""

    body: object = None
    keep: int = 10
    status: int = 200
    accepts: bool = True

    async def play(self, exchange: Exchange) -> None:
        whole = await self._whole(exchange)
        # At least one byte is missing, whatever is to be kept.
        declared = (*_without_length(whole), ("content-length", str(max(len(whole.body), self.keep + 1))))
        await exchange.head(Canned(whole.status, declared, whole.body))
        await exchange.piece(whole.body[: self.keep])
        await exchange.hang_up(reset=False)

    async def _whole(self, exchange: Exchange) -> Canned:
        if self.body is None:
            return await exchange.normal()
        if self.accepts:
            await exchange.normal()
        if isinstance(self.body, bytes):
            return Canned(self.status, (("content-type", "application/octet-stream"),), self.body)
        return Canned(self.status, (("content-type", "application/json"),), jsons.dumps(self.body).encode())


@dataclass(frozen=True)
class Reset:
    """The connection breaks after the whole request was read.

    `before_body`: without a byte of an answer, else after a head that says 200. `rst`: by a TCP reset, else by
    an orderly end.
    """

    accepts: bool = False
    before_body: bool = True
    rst: bool = True

    async def play(self, exchange: Exchange) -> None:
        if self.accepts:
            await exchange.normal()
        if not self.before_body:
            await exchange.head(Canned(200, (("content-type", "application/json"), ("content-length", "99")), b""))
        await exchange.hang_up(reset=self.rst)


@dataclass(frozen=True)
class Hang:
    """Never answers. With `keep`, that many bytes of the normal answer come first (and it takes effect)."""

    accepts: bool = False
    keep: int | None = None

    async def play(self, exchange: Exchange) -> None:
        if self.accepts:
            await exchange.normal()
        if self.keep is not None:
            whole = await exchange.normal()
            await exchange.head(whole)
            await exchange.piece(whole.body[: self.keep])
        await exchange.gone()


@dataclass(frozen=True)
class Delay:
    """Late; `accept_first`: the request takes effect at once, else when the time is over."""

    seconds: float
    then: Fault = field(default_factory=Normal)
    accept_first: bool = True

    async def play(self, exchange: Exchange) -> None:
        if self.accept_first:
            await exchange.normal()
        await asyncio.sleep(self.seconds)
        await self.then.play(exchange)


@dataclass(frozen=True)
class Drip:
    """The normal answer, slowly."""

    bytes_per_second: float

    async def play(self, exchange: Exchange) -> None:
        whole = await exchange.normal()
        await exchange.head(whole)
        step = max(1, int(self.bytes_per_second * 0.02))
        for start in range(0, len(whole.body), step):
            await exchange.piece(whole.body[start : start + step])
            await asyncio.sleep(step / self.bytes_per_second)
            if exchange.closed:
                return
        await exchange.piece(b"", last=True)


@dataclass(frozen=True)
class Flood:
    """More than anybody asked for: `total` bytes, beginning with `start`; chunked unless `declared`."""

    total: int
    start: bytes = b""
    declared: bool = False
    content_type: str = "application/octet-stream"

    async def play(self, exchange: Exchange) -> None:
        length = (("content-length", str(self.total)),) if self.declared else (("transfer-encoding", "chunked"),)
        await exchange.head(Canned(200, (("content-type", self.content_type), *length), b""))
        await exchange.piece(self.start[: self.total])
        left = self.total - len(self.start)
        while left > 0 and not exchange.closed:
            await exchange.piece(b" " * min(left, 65536))
            left -= 65536
            # The socket may take everything at once, and other requests want their turn.
            await asyncio.sleep(0)
        if not exchange.closed:
            await exchange.piece(b"", last=True)


@dataclass(frozen=True)
class Raw:
    """Bytes that need not be HTTP, then the end of the connection."""

    raw: bytes = b"\x16\x03\x01 this is not HTTP\r\n\r\n"
    accepts: bool = False

    async def play(self, exchange: Exchange) -> None:
        if self.accepts:
            await exchange.normal()
        exchange.write_raw(self.raw)
        await exchange.hang_up(reset=False)


@dataclass(frozen=True)
class Alter:
    """The normal JSON answer after `change`, with its own status unless `status` says otherwise."""

    change: Callable[[Any], object]
    status: int | None = None

    async def play(self, exchange: Exchange) -> None:
        whole = await exchange.normal()
        changed = whole.with_body(jsons.dumps(self.change(jsons.loads(whole.body))).encode())
        await exchange.answer(Canned(self.status or whole.status, changed.headers, changed.body))


def UnknownFields() -> Alter:
    """The normal JSON answer with a field nobody documented in every object of it."""
    return Alter(_with_unknown_fields)


@dataclass(frozen=True)
class CutJson:
    """The first `share` of the normal answer, declared as if it were all: for JSON or for a picture."""

    share: float = 0.5

    async def play(self, exchange: Exchange) -> None:
        whole = await exchange.normal()
        await exchange.answer(whole.with_body(whole.body[: int(len(whole.body) * self.share)]))


class Script:
    """Which fault the next request on a route meets; its methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[RouteName, deque[Fault | None]] = {}
        self._always: dict[RouteName, Fault] = {}

    def add(self, route: RouteName, faults: tuple[Fault | None, ...]) -> None:
        with self._lock:
            self._next.setdefault(route, deque()).extend(faults)

    def always(self, route: RouteName, fault: Fault | None) -> None:
        with self._lock:
            if fault is None:
                self._always.pop(route, None)
            else:
                self._always[route] = fault

    def take(self, route: RouteName) -> Fault | None:
        with self._lock:
            waiting = self._next.get(route)
            return waiting.popleft() if waiting else self._always.get(route)

    def left(self, route: RouteName) -> int:
        with self._lock:
            return len(self._next.get(route, ()))


def _without_length(canned: Canned) -> tuple[tuple[str, str], ...]:
    return tuple(header for header in canned.headers if header[0] != "content-length")


def _with_unknown_fields(node: object) -> object:
    if isinstance(node, dict):
        known = {name: _with_unknown_fields(value) for name, value in cast("dict[str, object]", node).items()}
        return {"undocumented": {"nested": [1, None, "x"]}, **known, "etaSeconds": None}
    if isinstance(node, list):
        return [_with_unknown_fields(item) for item in cast("list[object]", node)]
    return node
