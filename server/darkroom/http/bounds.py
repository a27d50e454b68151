"""Bounds on what may be under way at once: requests of each caller and of all, and the bytes of what they sent."""

import anyio
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from darkroom.http.refusals import Refusal

MAX_BODY = 10_000_000
"""Bytes of a request: a picture in it, as a data: URL, is nearly all of one."""
MAX_HEADERS = 200
"""Headers of a request; what reads them takes a time that grows with the square of their number."""
BODY_WITHIN_S = 60.0
"""Seconds that a request's body has to come."""
MAX_REQUESTS, MAX_OF_ONE = 5_000, 2_500
"""Requests under way of all callers, and of one; most of them wait for pictures."""
MAX_HELD, MAX_HELD_OF_ONE = 128_000_000, 64_000_000
"""Bytes of their bodies. Parsed, ordinary ones take a few times as much."""
AGAIN_S = 2.0


def check_head(headers: Headers) -> None:
    """Refuses what a proxy and this server may read in two ways, and ends its connection.

    Raises:
        Refusal: there are too many headers, two callers, or two lengths.
    """
    names = [name for name, _ in headers.raw]
    refusal: Refusal | None = None
    if len(names) > MAX_HEADERS:
        refusal = Refusal(431, f"A request has at most {MAX_HEADERS} headers.")
    elif names.count(b"authorization") > 1:
        refusal = Refusal(400, "A request has one Authorization header.")
    elif b"content-length" in names and b"transfer-encoding" in names:
        refusal = Refusal(400, "A request has a Content-Length or a Transfer-Encoding, not both.")
    if refusal is not None:
        refusal.response.headers["connection"] = "close"
        raise refusal


class Admission:
    """One request that was let in, for as long as the block lasts."""

    def __init__(self, bounds: "Bounds", caller: str) -> None:
        self._bounds = bounds
        self._caller = caller
        self._held = 0

    def __enter__(self) -> "Admission":
        self._bounds.requests.add(self._caller, 1, MAX_REQUESTS, MAX_OF_ONE)
        return self

    def hold(self, size: int) -> None:
        """Counts bytes in. Raises Refusal: there are too many already."""
        self._bounds.bytes.add(self._caller, size, MAX_HELD, MAX_HELD_OF_ONE)
        self._held += size

    def __exit__(self, *_: object) -> None:
        self._bounds.requests.take(self._caller, 1)
        self._bounds.bytes.take(self._caller, self._held)


class _Tally:
    """A number that is counted for each caller and for all."""

    def __init__(self) -> None:
        self.total = 0
        self._of: dict[str, int] = {}

    def add(self, caller: str, number: int, most: int, most_of_one: int) -> None:
        """Counts it in. Raises Refusal: there is no room."""
        if self._of.get(caller, 0) + number > most_of_one:
            raise Refusal(429, "Too many of your requests are under way here.", retry_after_s=AGAIN_S)
        if self.total + number > most:
            raise Refusal(503, "Too many requests are under way here.", retry_after_s=AGAIN_S)
        self.total += number
        self._of[caller] = self._of.get(caller, 0) + number

    def take(self, caller: str, number: int) -> None:
        self.total -= number
        left = self._of.get(caller, 0) - number
        if left:
            self._of[caller] = left
        else:
            self._of.pop(caller, None)


class Bounds:
    """The requests that are under way."""

    def __init__(self) -> None:
        self.requests, self.bytes = _Tally(), _Tally()

    def admit(self, caller: str) -> Admission:
        """Lets a request of this caller in, as a block, which raises Refusal where there is no room."""
        return Admission(self, caller)


async def received(scope: Scope, receive: Receive, admission: Admission) -> Receive:
    """The same request with all of its body here. Raises Refusal: it is too large, or does not come."""
    body = bytearray()
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > MAX_BODY:
            raise _too_large()
    with anyio.move_on_after(BODY_WITHIN_S):
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise Refusal(400, "The request ended within its body.")
            part = message.get("body", b"")
            if len(body) + len(part) > MAX_BODY:
                raise _too_large()
            admission.hold(len(part))
            body += part
            if not message.get("more_body", False):
                return _replayed(bytes(body), receive)
    raise Refusal(408, f"The body of the request did not come within {BODY_WITHIN_S:.0f} s.")


def _replayed(body: bytes, receive: Receive) -> Receive:
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return left.pop() if left else await receive()

    return replay


def _too_large() -> Refusal:
    return Refusal(413, f"A request has at most {MAX_BODY:,} bytes.")
