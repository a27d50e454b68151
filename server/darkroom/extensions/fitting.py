"""What each client is sent of results and tools: as the user wishes, or as suits what the client is known to drop."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.session import ServerSession
from mcp.types import RequestId, ServerNotification

from darkroom.environment import RESULT_PARTS
from darkroom.extensions.gallery import GALLERY, STRUCTURED
from darkroom.extensions.tasks import TaskNotification

KNOWN = {"codex-mcp-client": frozenset({"text", "links", "images"})}
"""By `clientInfo.name`. Codex hands its model the structured half alone, where there is one: no picture, no text."""
PART_OF = {"text": "text", "resource_link": "links", "image": "images"}
"""What the blocks of a result are called in DARKROOM_RESULTS."""

Wire = dict[str, Any]


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
            case "tools/call" if (ctx.params or {}).get("name") != GALLERY:  # which the page calls, not the model
                return self._result(ctx, result)
            case "tasks/get":
                return self._task(ctx, result)
            case _:
                return result

    def _list(self, ctx: ServerRequestContext[Any, Any], listed: Wire) -> Wire:
        tools = [tool for tool in listed["tools"] if tool["name"] != GALLERY or shows_apps(ctx)]
        if "structured" not in self._parts_for(ctx):  # clients hold a result to its schema
            tools = [{name: value for name, value in tool.items() if name != "outputSchema"} for tool in tools]
        return {**listed, "tools": tools}

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
    """Whether this request's client declared MCP Apps, in either era, with pages like ours."""
    capabilities = ctx.session.client_capabilities
    declared = ((capabilities.extensions if capabilities else None) or {}).get(EXTENSION_ID)
    return declared is not None and APP_MIME_TYPE in declared.get("mimeTypes", [APP_MIME_TYPE])


class _FittedSession:
    """The session as a stream of notifications uses it."""

    def __init__(self, session: ServerSession, fit: Callable[[Wire], Wire]) -> None:
        self._session = session
        self._fit = fit

    async def send_notification(
        self, notification: ServerNotification, related_request_id: RequestId | None = None
    ) -> None:
        told: Any = notification  # the SDK's union of notifications knows none of an extension
        if isinstance(told, TaskNotification):
            notification = cast("ServerNotification", TaskNotification(params=self._fit(told.params)))
        await self._session.send_notification(notification, related_request_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)
