"""Notifies subscribers of a generation, or of a picture of one, that it has changed, in either era."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import anyio
from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.subscriptions import SubscriptionBus
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS, EmptyResult, SubscribeRequestParams, UnsubscribeRequestParams

from darkroom.errors import DarkroomError, NotFound
from darkroom.generations.desk import Desk, Whose
from darkroom.generations.observer import Observer
from darkroom.models import Image, ImageStatus
from darkroom.redact.text import clean
from darkroom.resources.bus import OwnedUpdate
from darkroom.resources.connection import scopes_of
from darkroom.resources.uris import OfGeneration, parse
from darkroom.views import Generation

MAX_SUBSCRIPTIONS = 100
"""Of one session, or of one `subscriptions/listen`."""

Request = ServerRequestContext[Any, Any]


@dataclass
class _Listened:
    """A resource that `listeners` requests listen to; one task publishes its changes for all of them."""

    scope: anyio.CancelScope
    listeners: int = 0


Subject = tuple[str, str]
"""The owner of a generation, and the URI."""


class Updates:
    """Follows what is subscribed to, and nothing else, for as long as it is."""

    def __init__(self, observer: Callable[[], Observer], whose: Whose, bus: SubscriptionBus) -> None:
        self._observer = observer
        self._whose = whose
        self._bus = bus
        self._listened: dict[Subject, _Listened] = {}
        self._one_at_a_time = anyio.Lock()

    async def while_listened(self, ctx: Request, call_next: CallNext) -> HandlerResult:
        """A middleware: what a `subscriptions/listen` (2026-07-28) names is followed until that request ends."""
        if ctx.method != "subscriptions/listen":
            return await call_next(ctx)
        held: list[Subject] = []
        try:
            for uri in _subscribed_in(ctx):
                desk = self._desk(uri)
                if await self._hold(desk, uri):
                    held.append((desk.owner, uri))
            return await call_next(ctx)
        finally:
            for subject in held:
                self._let_go(subject)

    async def subscribe(self, request: Request, params: SubscribeRequestParams) -> EmptyResult:
        """`resources/subscribe` (2025-11-25): until it is taken back, or the session ends."""
        scopes = scopes_of(request)
        if params.uri in scopes:
            return EmptyResult()
        if len(scopes) >= MAX_SUBSCRIPTIONS:
            raise _too_many(params.uri)
        scope = scopes[params.uri] = anyio.CancelScope()
        try:
            await self._follow(self._desk(params.uri), params.uri, request.session.send_resource_updated, scope)
        except BaseException as error:
            scopes.pop(params.uri, None)
            if isinstance(error, NotFound):
                raise MCPError(INVALID_PARAMS, str(error), {"uri": params.uri}) from None
            raise
        return EmptyResult()

    async def unsubscribe(self, request: Request, params: UnsubscribeRequestParams) -> EmptyResult:
        """`resources/unsubscribe`: also where nothing was subscribed to."""
        scope = scopes_of(request).pop(params.uri, None)
        if scope is not None:
            scope.cancel()
        return EmptyResult()

    async def _hold(self, desk: Desk, uri: str) -> bool:
        subject = desk.owner, uri
        async with self._one_at_a_time:
            if subject not in self._listened:
                listened = _Listened(anyio.CancelScope())
                try:
                    await self._follow(desk, uri, partial(self._publish, desk.owner), listened.scope)
                except NotFound:
                    return False  # the protocol honours it, and it never fires
                self._listened[subject] = listened
            self._listened[subject].listeners += 1
            return True

    def _let_go(self, subject: "Subject") -> None:
        listened = self._listened[subject]
        listened.listeners -= 1
        if not listened.listeners:
            del self._listened[subject]
            listened.scope.cancel()

    def _desk(self, uri: str) -> Desk:
        try:
            return self._whose()
        except DarkroomError as error:
            raise MCPError(INTERNAL_ERROR, str(error), {"uri": uri}) from None

    async def _publish(self, owner: str, uri: str) -> None:
        await self._bus.publish(OwnedUpdate(uri, owner))

    async def _follow(
        self, desk: Desk, uri: str, send: Callable[[str], Awaitable[None]], scope: anyio.CancelScope
    ) -> None:
        """Sends the URI whenever what it names has changed. Raises NotFound where it names nothing that can change."""
        named = parse(uri)
        if not isinstance(named, OfGeneration):
            raise _nothing(uri)

        async def changed(before: Generation, now: Generation) -> None:
            if named.index is None or _outcome(before, named.index) != _outcome(now, named.index):
                await send(uri)

        try:
            generation = await self._observer().follow(desk, named.id, changed, scope)
            if (named.index or 0) > max(generation.count, len(generation.images)):
                raise _nothing(uri)
        except BaseException as error:
            scope.cancel()
            if isinstance(error, DarkroomError) and not isinstance(error, NotFound):
                raise MCPError(INTERNAL_ERROR, str(error), {"uri": uri}) from None
            raise


def _subscribed_in(request: Request) -> list[str]:
    match request.params:
        case {"notifications": {"resourceSubscriptions": [*named]}}:
            uris = list(dict.fromkeys(uri for uri in cast("list[object]", named) if isinstance(uri, str)))
        case _:
            return []
    if len(uris) > MAX_SUBSCRIPTIONS:
        raise _too_many(uris[MAX_SUBSCRIPTIONS])
    return uris


def _outcome(generation: Generation, index: int) -> Image | None:
    """The picture, once there is one, or a reason why there is none."""
    over = (image for image in generation.images if image.status is not ImageStatus.PROCESSING)
    return next((image for image in over if image.index == index), None)


def _nothing(uri: str) -> NotFound:
    return NotFound(
        f"There is nothing at {clean(uri, 100)!r} whose changes could be reported.",
        next_step="Subscribe to a generation, or to a picture of one.",
    )


def _too_many(uri: str) -> MCPError:
    return MCPError(
        INVALID_PARAMS, f"At most {MAX_SUBSCRIPTIONS} resources can be subscribed to at once.", {"uri": uri}
    )
