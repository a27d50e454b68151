"""Results and tools fitted to each client: as the user wishes, or as suits a client known to drop a part."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.session import ServerSession
from mcp.types import RequestId, ServerNotification

from darkroom.environment import RESULT_PARTS
from darkroom.extensions.clients import GALLERY, KNOWN, Wire, listed, shows_pages
from darkroom.extensions.gallery import STRUCTURED
from darkroom.extensions.task import TaskNotification

PART_OF = {"text": "text", "resource_link": "links", "image": "images"}
"""The names of a result's blocks in DARKROOM_RESULTS."""


class Fitting:
    """Middleware that takes out what a client should not get. `parts`: the user's wish; None: what suits the client."""

    def __init__(self, parts: frozenset[str] | None) -> None:
        self._parts = parts

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Passes everything on, and results and lists of tools as they suit this request's client."""
        if ctx.method == "subscriptions/listen":  # its stream carries the results of tasks
            session = _FittedSession(ctx.session, lambda task: self._task(ctx, task))
            return await call_next(replace(ctx, session=cast("ServerSession", session)))
        result = await call_next(ctx)
        if not isinstance(result, dict):
            return result
        match ctx.method:
            case "tools/list":
                return self._list(ctx, result)
            case "tools/call" if (ctx.params or {}).get("name") not in GALLERY:  # which the page calls, not the model
                return self._result(ctx, result)
            case "tasks/get":
                return self._task(ctx, result)
            case _:
                return result

    def _list(self, ctx: ServerRequestContext[Any, Any], result: Wire) -> Wire:
        structured = "structured" in self._parts_for(ctx)
        return {**result, "tools": listed(result["tools"], pages=shows_apps(ctx), structured=structured)}

    def _task(self, ctx: ServerRequestContext[Any, Any], task: Wire) -> Wire:
        return {**task, "result": self._result(ctx, task["result"])} if isinstance(task.get("result"), dict) else task

    def _result(self, ctx: ServerRequestContext[Any, Any], result: Wire) -> Wire:
        """A tool's result, whole where it is an error or no result yet."""
        parts = self._parts_for(ctx)
        if result.get("isError") or "structuredContent" not in result:
            return result
        fitted = {**result, "content": [block for block in result["content"] if PART_OF[block["type"]] in parts]}
        if "structured" not in parts:
            structured = fitted.pop("structuredContent")
            if shows_apps(ctx):  # the page lives on it, and models are not shown `_meta`
                fitted["_meta"] = {**(result.get("_meta") or {}), STRUCTURED: structured}
        return fitted

    def _parts_for(self, ctx: ServerRequestContext[Any, Any]) -> frozenset[str]:
        if self._parts is not None:
            return self._parts
        params = ctx.session.client_params
        return KNOWN.get(params.client_info.name if params else "", frozenset(RESULT_PARTS))


def shows_apps(ctx: ServerRequestContext[Any, Any]) -> bool:
    """True where this request's client declared MCP Apps, in either era, with pages like ours."""
    capabilities = ctx.session.client_capabilities
    return shows_pages(capabilities.extensions if capabilities else None)


class _FittedSession:
    """The session as a stream of notifications uses it."""

    def __init__(self, session: ServerSession, fit: Callable[[Wire], Wire]) -> None:
        self._session = session
        self._fit = fit

    async def send_notification(
        self, notification: ServerNotification, related_request_id: RequestId | None = None
    ) -> None:
        seen: Any = notification  # the SDK's union of notifications knows none of an extension
        if isinstance(seen, TaskNotification):
            notification = cast("ServerNotification", TaskNotification(params=self._fit(seen.params)))
        await self._session.send_notification(notification, related_request_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)
