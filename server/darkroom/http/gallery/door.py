"""Requests of the browser: let in by a token that works once, then by a cookie of this one session."""

import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from mcp import MCPError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from darkroom.http.origins import LOOPBACK, check
from darkroom.http.refusals import BROKEN, UNFORESEEN, Refusal

log = logging.getLogger(__name__)

PARTS = Path(__file__).parent
MAX_CALL = 1_000_000
TOOLS = frozenset({"gallery", "gallery_delete", "generate", "get_status", "cancel"})
"""The tools that the page calls."""
AGAIN = "This address works once. Run darkroom-mcp gallery again for another."
SHELL = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; "
    "frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
PAGE = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
Ask = Callable[[str, Mapping[str, Any], str | None], Awaitable[str]]
"""Passes a request of the page on, `tools/call` or `resources/read`, with the question that the person has said yes
to; returns the result in JSON, or `{"question": "…"}` where they must be asked first. Raises MCPError."""


class Door:
    """An ASGI app for one browser. `page`: the gallery's own document."""

    def __init__(self, page: str, ask: Ask) -> None:
        self._page = page
        self._ask = ask
        self._token: str | None = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)

    @property
    def way_in(self) -> str:
        """The path that lets the first who asks for it in."""
        return f"/?token={self._token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        try:
            response = await self._response(Request(scope, receive))
        except Refusal as refusal:
            response = refusal.response
        except Exception:
            log.exception("A request of the gallery failed in a way that was not foreseen")
            response = Refusal(BROKEN, UNFORESEEN).response
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        check(request.headers, LOOPBACK)
        if request.method == "POST" and request.url.path == "/call":
            return await self._call(request)
        if request.method not in {"GET", "HEAD"}:
            raise Refusal(405, "Not in this way.")
        match request.url.path:
            case "/":
                return self._entered(request)
            case "/host.js":
                return _document((PARTS / "host.js").read_bytes(), SHELL, "text/javascript")
            case "/page":
                self._know(request)
                return _document(self._page.encode(), PAGE, "text/html")
            case _:
                raise Refusal(404, "There is nothing here.")

    def _entered(self, request: Request) -> Response:
        token = request.query_params.get("token", "")
        first = self._token is not None and secrets.compare_digest(token.encode(), self._token.encode())
        if not first:
            self._know(request)
        elif request.method == "GET":  # whoever only looks for headers does not use it up
            self._token = None
        response = _document((PARTS / "host.html").read_bytes(), SHELL, "text/html")
        if first and self._token is None:
            response.set_cookie(_cookie(request.headers), self._session, httponly=True, samesite="strict")
        return response

    async def _call(self, request: Request) -> Response:
        host = request.headers.get("host", "")
        # A page of another port of this machine would bring the cookie along.
        if request.headers.get("origin") != f"http://{host}":
            raise Refusal(403, "Pages of that origin may not ask here.")
        self._know(request)
        call = _asked(await _body(request))
        try:
            result = await self._ask(*call)
        except MCPError as error:
            raise Refusal(400, error.error.message) from None
        return Response(result, 200, {"cache-control": "no-store"}, "application/json")

    def _know(self, request: Request) -> None:
        shown = request.cookies.get(_cookie(request.headers), "")
        if not secrets.compare_digest(shown.encode(), self._session.encode()):
            raise Refusal(403, AGAIN)


def _cookie(headers: Headers) -> str:
    """The cookie's name: a browser sends the cookies of one port to all of them."""
    return f"darkroom_gallery_{headers.get('host', '').rpartition(':')[2]}"


def _document(body: bytes, policy: str, kind: str) -> Response:
    headers = {
        "cache-control": "no-store",
        "content-security-policy": policy,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    return Response(body, 200, headers, kind)


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_CALL:
            raise Refusal(413, f"A call has at most {MAX_CALL:,} bytes.")
    return body


def _asked(body: bytes) -> tuple[str, Mapping[str, Any], str | None]:
    """The method, its parameters, and the question agreed to. Raises Refusal: the page would not ask that."""
    call: Any
    try:
        call = json.loads(body)
    except (ValueError, RecursionError):
        call = None
    match call:
        case {"method": "tools/call", "params": {"name": str(name), "arguments": dict()}} if name in TOOLS:
            agreed = call.get("agreed")
            arguments = call["params"]["arguments"]
            return "tools/call", {"name": name, "arguments": arguments}, agreed if isinstance(agreed, str) else None
        case {"method": "resources/read", "params": {"uri": str(uri)}} if uri.startswith("darkroom://"):
            return "resources/read", {"uri": uri}, None
        case _:
            raise Refusal(400, "That is nothing that the gallery asks for.")
