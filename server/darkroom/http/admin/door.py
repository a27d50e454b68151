"""Requests for the operator's page: who may see it, and in what form."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qs

import anyio
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope

from darkroom.errors import StorageError
from darkroom.http.admin.operators import LASTS_S, Operators
from darkroom.http.admin.overview import Overview
from darkroom.http.admin.page import PATH, POLICY, entrance, notice, page
from darkroom.http.identity import Unauthenticated
from darkroom.http.refusals import BROKEN, Refusal
from darkroom.tenants import NAME

log = logging.getLogger(__name__)

COOKIE = "darkroom_operator"
MAX_FORM = 4_096
FORM_WITHIN_S = 5.0
UNMADE = "Darkroom itself failed in a way that was not foreseen."
UNREADABLE = "The ledger cannot be read just now. The log says why."
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": POLICY,
    # With no referrer at all a browser would not say where its form comes from.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
Overlook = Callable[[str], Awaitable[Overview]]
"""Looks at the house, with the tenants whose names come after this one. Raises StorageError."""


class Admin:
    """Answers them. There is nothing to be seen before `open`, and after `close`."""

    def __init__(self, operators: Operators) -> None:
        self._operators = operators
        self._overlook: Overlook | None = None

    def open(self, overlook: Overlook) -> None:
        """Shows what this sees."""
        self._overlook = overlook

    def close(self) -> None:
        """Shows nothing any more."""
        self._overlook = None

    async def respond(self, headers: Headers, address: str, scope: Scope, receive: Receive) -> Response:
        """The response to one request, whose host and origin are this server's. Raises Refusal."""
        match scope["method"]:
            case "POST":
                return await self._enter_or_leave(scope, receive, address)
            case "GET" | "HEAD":
                return await self._shown(headers, address, scope)
            case _:
                refusal = Refusal(405, "This page is read, and its form is posted.")
                refusal.response.headers["allow"] = "GET, HEAD, POST"
                raise refusal

    async def _enter_or_leave(self, scope: Scope, receive: Receive, address: str) -> Response:
        form = parse_qs((await _body(receive)).decode(errors="replace"))
        if "leave" in form:
            return _with_cookie(scope, "", 0)
        try:
            self._operators.check(form.get("token", [""])[0], address)
        except Refusal as refusal:
            again = refusal.response.headers.get("retry-after")
            status, more = refusal.response.status_code, {} if again is None else {"retry-after": again}
            return _html(entrance(str(refusal)), status, more)
        return _with_cookie(scope, self._operators.cookie(), LASTS_S)

    async def _shown(self, headers: Headers, address: str, scope: Scope) -> Response:
        accepted = headers.get("accept", "")
        as_json = "application/json" in accepted and "text/html" not in accepted
        if not self._may(headers, address):
            if as_json:
                raise Unauthenticated("The operators' token is needed.", "", given=False)
            return _html(entrance(), 401, {"www-authenticate": "Bearer"})
        try:
            seen = await self._seen(scope)
            return _json(seen) if as_json else _html(page(seen))
        except StorageError:
            log.warning("The operator's page cannot be made", exc_info=True)
            if as_json:
                raise Refusal(503, UNREADABLE, retry_after_s=1.0) from None
            return _html(notice(UNREADABLE), 503)
        except Exception as error:
            if as_json or isinstance(error, Refusal):
                raise
            log.exception("The operator's page cannot be made")
            return _html(notice(f"{UNMADE} The log says how."), BROKEN)

    async def _seen(self, scope: Scope) -> Overview:
        if self._overlook is None:
            raise Refusal(503, "The server is starting, or about to end.", retry_after_s=1.0)
        after = parse_qs(scope["query_string"].decode("ascii", "replace")).get("after", [""])[0]
        return await self._overlook(after if NAME.fullmatch(after) else "")

    def _may(self, headers: Headers, address: str) -> bool:
        """True for an operator. Raises Refusal: a token was given, and is not good."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            self._operators.check(token.strip(), address)
            return True
        return self._operators.knows(cookie_parser(headers.get("cookie", "")).get(COOKIE, ""))


async def _body(receive: Receive) -> bytes:
    """The form that was posted. Raises Refusal: it is larger than any, or does not come."""
    body = b""
    with anyio.move_on_after(FORM_WITHIN_S):
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > MAX_FORM:
                raise Refusal(413, f"The form has at most {MAX_FORM:,} bytes.")
            if not message.get("more_body", False):
                return body
    raise Refusal(408, f"The form did not come within {FORM_WITHIN_S:.0f} s.")


def _with_cookie(scope: Scope, value: str, lasts_s: int) -> Response:
    """Leads to the page, with this cookie."""
    response, secure = RedirectResponse(PATH, 303, {"cache-control": "no-store"}), scope["scheme"] == "https"
    response.set_cookie(COOKIE, value, lasts_s, path=PATH, secure=secure, httponly=True, samesite="strict")
    return response


def _html(document: bytes, status: int = 200, more: Mapping[str, str] | None = None) -> Response:
    return Response(document, status, {**_HEADERS, **(more or {})}, "text/html")


def _json(seen: Overview) -> Response:
    return Response(seen.model_dump_json(), 200, _HEADERS, "application/json")
