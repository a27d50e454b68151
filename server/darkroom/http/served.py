"""The server from its start to its end: a port, the front, the house behind it, and nobody left without a response."""

import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from darkroom.app.context import TENANTS_EVERY_S, Opened, open_app, unwrapped
from darkroom.app.lowlevel import inner_of
from darkroom.app.server import DarkroomServer
from darkroom.errors import NotConfigured
from darkroom.http.admin.door import Admin
from darkroom.http.admin.operators import Operators
from darkroom.http.admin.overview import overview
from darkroom.http.bounds import MAX_BODY
from darkroom.http.front import PATH, Front
from darkroom.http.identity import Identity, asking
from darkroom.http.oauth import IssuedTokens
from darkroom.http.options import Options
from darkroom.http.outgoing import Outgoing
from darkroom.http.web import listener, serving
from darkroom.settings import Settings
from darkroom.tenants import LOCAL, Tenants
from darkroom.transport.http import open_http

log = logging.getLogger(__name__)

END_WITHIN_S = 2.0
"""Seconds that requests under way have for their ends, once the server is to end."""


async def serve(settings: Settings, options: Options, end: anyio.Event, stands: Callable[[str], None]) -> None:
    """Serves until `end`; calls `stands` with the URL once requests are let in.

    Raises:
        NotConfigured: the port or the tenants file cannot be used.
        StorageError: the ledger cannot.
    """
    tenants = None if options.tenants is None else Tenants.read(options.tenants)
    if tenants is not None and settings.inputs:
        log.warning("DARKROOM_INPUTS is not used: tenants send no files of this machine.")
        settings = replace(settings, inputs=())
    with unwrapped(), listener(options.host, options.port) as socket:
        async with AsyncExitStack() as stack:
            issued = None
            if options.issuer is not None and options.audience is not None:
                http = await stack.enter_async_context(open_http())
                issued = IssuedTokens(http, options.issuer, options.audience, options.claim)
            admin = _admin(settings, tenants)
            front = Front(Identity(tenants, issued), options.names, issued and issued.metadata, admin)
            await stack.enter_async_context(serving(front, [socket], options.proxies))
            app = await stack.enter_async_context(open_app(settings, tenants=tenants, remote=True))
            host, port = socket.getsockname()[:2]
            url = f"http://{f'[{host}]' if ':' in host else host}:{port}{PATH}"
            if admin is not None:
                admin.open(partial(overview, app))
            await _serve(front, app, end, lambda: stands(url))


def _admin(settings: Settings, tenants: Tenants | None) -> Admin | None:
    """The operator's page; None: nobody may see it. Raises NotConfigured: its token is a tenant's as well."""
    if settings.admin_token is None:
        return None
    if tenants is not None and (known := tenants.of_token(settings.admin_token)) is not None:
        raise NotConfigured(
            f"DARKROOM_ADMIN_TOKEN is a token of the tenant {known.name} too.", next_step="Make one for the page alone."
        )
    return Admin(Operators(settings.admin_token))


async def _serve(front: Front, app: Opened, end: anyio.Event, stands: Callable[[], None]) -> None:
    """Serves requests until `end`; then every wait returns the state so far."""
    server = DarkroomServer(replace(app, owner=asking))
    # Host and Origin are the front's, for every path.
    manager = StreamableHTTPSessionManager(inner_of(server), stateless=True, max_request_body_size=MAX_BODY)
    folders = [place for place in (app.settings.home, app.settings.pictures) if isinstance(place, Path)]

    def unechoed(text: str) -> str:
        return app.service.owners.redactor(asking()).unechoed(server.unechoed(text))

    outgoing = Outgoing(unechoed, folders)

    async def ready() -> None:
        await app.service.ledger.ids(LOCAL, "gen_none", 1)

    async with manager.run(), anyio.create_task_group() as group:
        front.open(manager, outgoing, ready)
        if (tenants := app.service.owners.tenants) is not None:
            group.start_soon(_shut_out, front, tenants)
        stands()
        try:
            await end.wait()
        finally:
            front.close()
            app.service.changes.close()
            server.stop_listening()
            with anyio.move_on_after(END_WITHIN_S, shield=True):
                await front.quiet()
            group.cancel_scope.cancel()


async def _shut_out(front: Front, tenants: Tenants) -> None:
    """Ends requests that the tenants file as it is now would not let in."""
    seen = tenants.edition
    while True:
        await anyio.sleep(TENANTS_EVERY_S)
        if tenants.edition != seen:
            seen = tenants.edition
            front.shut_out()
