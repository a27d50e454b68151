"""The front: every request from its first look to its response, and its end where the server is to end."""

import logging
from collections.abc import Awaitable, Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import anyio
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from darkroom.about import about
from darkroom.http import origins
from darkroom.http.access import Access, logged
from darkroom.http.admin.door import Admin
from darkroom.http.admin.page import PATH as ADMIN
from darkroom.http.bounds import Bounds, check_head, received
from darkroom.http.identity import NOT_GOOD, Caller, Identity, Unauthenticated, as_caller
from darkroom.http.outgoing import Outgoing
from darkroom.http.refusals import BROKEN, UNFORESEEN, Refusal, said

log = logging.getLogger(__name__)

PATH = "/mcp"
METADATA = "/.well-known/oauth-protected-resource"
LIVES, READY = "/healthz", "/readyz"
READY_WITHIN_S = 2.0
LONGEST_S = 3600.0
"""Seconds after which a stream ends, so that its client comes again with a token that is still good."""
DISCARDED = 1_000_000
DISCARDED_WITHIN_S = 1.0


class Front:
    """The ASGI app. Nobody is let in before `open`, and after `close`."""

    def __init__(
        self,
        identity: Identity,
        hosts: Collection[str],
        metadata: Mapping[str, Any] | None = None,
        admin: Admin | None = None,
    ) -> None:
        self._identity = identity
        self._hosts = hosts
        self._metadata = metadata
        self._admin = admin
        self._bounds = Bounds()
        self._app: ASGIApp | None = None
        self._ready: Callable[[], Awaitable[object]] | None = None
        self._served: dict[anyio.CancelScope, Caller] = {}
        self._inside = 0
        self._left = anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        paths = (PATH, METADATA, METADATA + PATH, *(() if self._admin is None else (ADMIN,)))
        with logged(scope, send, paths=paths, probes=(LIVES, READY)) as access:
            try:
                await self._answer(access, scope, receive)
            except Exception:
                if access.begun:  # its client sees the connection break, and asks again
                    raise
                log.exception("A request failed in a way that was not foreseen")
                await Refusal(BROKEN, UNFORESEEN).response(scope, receive, access.send)

    async def _answer(self, access: Access, scope: Scope, receive: Receive) -> None:
        headers, send = Headers(scope=scope), access.send
        try:
            check_head(headers)
            match scope["path"]:
                case path if path == LIVES:
                    await said(200, {"status": "lives"})(scope, receive, send)
                case path if path == READY:
                    ready = await self._is_ready()
                    await said(200 if ready else 503, {"status": "ready" if ready else "not ready"})(
                        scope, receive, send
                    )
                case path if path.startswith(METADATA) and self._metadata is not None:
                    origins.check(headers, self._hosts)
                    anyone = {"access-control-allow-origin": "*"}
                    await said(200, self._metadata, anyone)(scope, receive, send)
                case path if path == ADMIN and self._admin is not None:
                    origins.check(headers, self._hosts)
                    with self._guest():
                        page = await self._admin.respond(headers, _address(scope), scope, receive)
                        await page(scope, receive, send)
                case path if path == PATH:
                    await self._serve(headers, access, scope, receive)
                case _:
                    raise Refusal(404, f"There is nothing here; MCP is at {PATH}.")
        except Refusal as refusal:
            if not await _discarded(receive):
                refusal.response.headers["connection"] = "close"
            await refusal.response(scope, receive, send)

    async def _serve(self, headers: Headers, access: Access, scope: Scope, receive: Receive) -> None:
        origins.check(headers, self._hosts)
        caller = await self._identity.caller(headers, _address(scope))
        access.tenant = caller.name
        if scope["method"] != "POST":
            refusal = Refusal(405, "Requests are sent with POST; there are no sessions.")
            refusal.response.headers["allow"] = "POST"
            raise refusal
        with self._bounds.admit(caller.name) as admission, about(tenant=caller.name):
            receive = await received(scope, receive, admission)
            if self._app is None:
                raise Refusal(503, "The server is starting, or about to end.", retry_after_s=1.0)
            with self._guest():
                await self._for_a_while(self._app, caller, scope, receive, access)

    async def _for_a_while(self, app: ASGIApp, caller: Caller, scope: Scope, receive: Receive, access: Access) -> None:
        with anyio.move_on_after(LONGEST_S) as lifetime:
            self._served[lifetime] = caller
            try:
                await as_caller(app, caller.name, scope, receive, access.send)
            finally:
                del self._served[lifetime]
        if not lifetime.cancelled_caught:
            return
        if not access.begun:
            raise Unauthenticated(NOT_GOOD, "", given=True)
        await access.send({"type": "http.response.body", "body": b"", "more_body": False})

    def shut_out(self) -> None:
        """Ends the requests of those who would not be let in any more."""
        for lifetime in [lifetime for lifetime, caller in self._served.items() if caller.is_gone]:
            lifetime.cancel()

    @contextmanager
    def _guest(self) -> Generator[None]:
        """Somebody is inside while the block lasts."""
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            self._left.set()

    async def _is_ready(self) -> bool:
        if self._ready is None:
            return False
        with anyio.move_on_after(READY_WITHIN_S):
            try:
                await self._ready()
                return True
            except Exception:
                log.warning("The ledger cannot be read", exc_info=True)
        return False

    def open(
        self, manager: StreamableHTTPSessionManager, outgoing: Outgoing, ready: Callable[[], Awaitable[object]]
    ) -> None:
        """Lets requests in. `ready` raises an error where the server is of no use."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await manager.handle_request(scope, receive, outgoing.through(send))

        self._app, self._ready = app, ready

    def close(self) -> None:
        """Lets nobody in any more."""
        self._app = self._ready = None
        if self._admin is not None:
            self._admin.close()

    async def quiet(self) -> None:
        """Waits until nobody is inside."""
        while self._inside:
            self._left = anyio.Event()
            await self._left.wait()


def _address(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else ""


async def _discarded(receive: Receive) -> bool:
    """Reads what is left of a request that is refused: most clients send all of it before they look for the response.

    False: there is more than anybody waits for.
    """
    length = 0
    with anyio.move_on_after(DISCARDED_WITHIN_S):
        while length <= DISCARDED:
            message = await receive()
            length += len(message.get("body", b""))
            if not message.get("more_body", False):
                return True
    return False
