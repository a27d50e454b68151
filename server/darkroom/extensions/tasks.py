"""The Tasks extension of MCP (SEP-2663, final in 2026-07-28): a tool call gets a handle that is asked later.

Nothing here knows Darkroom. A `TaskBackend` decides which calls become tasks, keeps them and moves them on; this file
speaks the protocol: who may use it, the shapes on the wire, the header, the notifications.

    tasks = Tasks(backend, caller=lambda ctx: "local")
    server = MCPServer("pictures", extensions=[tasks], middleware=[tasks.listen])
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, NamedTuple, cast

import anyio
from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver import require_client_extension
from mcp.server.session import ServerSession
from mcp.shared.inbound import MCP_NAME_HEADER, decode_header_value
from mcp.shared.subscriptions import SUBSCRIPTION_ID_META_KEY
from mcp.types import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    CallToolRequestParams,
    RequestId,
    RequestParams,
    ServerNotification,
    SubscriptionsAcknowledgedNotification,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import Field

from darkroom.extensions.task import Task, TaskBackend, TaskNotification

IDENTIFIER = "io.modelcontextprotocol/tasks"
VERSIONS = frozenset(MODERN_PROTOCOL_VERSIONS)
MAX_LISTENED = 100
"""Tasks that one stream is notified of; what exceeds it is left out of the acknowledgement."""


class _TaskParams(RequestParams):
    """The parameters of `tasks/get` and `tasks/cancel`."""

    task_id: str = Field(alias="taskId")


class _TaskUpdateParams(_TaskParams):
    """The parameters of `tasks/update`."""

    input_responses: dict[str, Any] = Field(alias="inputResponses")


class Tasks(Extension):
    """Serves tasks to clients that declare the extension on that very request; for all others nothing changes.

    Args:
        backend: decides which calls become tasks, and keeps them.
        caller: the verified identity behind a request, to which its tasks are bound.
    """

    identifier = IDENTIFIER

    def __init__(self, backend: TaskBackend, *, caller: Callable[[ServerRequestContext[Any, Any]], str]) -> None:
        self._backend = backend
        self._caller = caller

    def methods(self) -> Sequence[MethodBinding]:
        """The three methods; there is none that lists."""
        return [
            MethodBinding("tasks/get", _TaskParams, self._get, VERSIONS),
            MethodBinding("tasks/update", _TaskUpdateParams, self._update, VERSIONS),
            MethodBinding("tasks/cancel", _TaskParams, self._cancel, VERSIONS),
        ]

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """Returns a handle where the backend made a task of the call."""
        if not declared(ctx):
            return await call_next(ctx)
        started = await self._backend.start(params, ctx, call_next, self._caller(ctx))
        return started.handle() if isinstance(started, Task) else started

    async def listen(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Middleware: adds `notifications/tasks` to a `subscriptions/listen` that names `taskIds`.

        The stream itself stays the server's own, with every other kind of notification on it; the acknowledgement
        also names the tasks that the caller has.
        """
        wanted = _task_ids(ctx.params) if ctx.method == "subscriptions/listen" else []
        if not wanted or ctx.request_id is None:
            return await call_next(ctx)
        require_client_extension(ctx, IDENTIFIER)
        caller = self._caller(ctx)
        known = [task_id for task_id in wanted if await self._backend.get(task_id, caller) is not None]
        session = _Acknowledging(ctx.session, known)
        stream = _Stream(ctx.session, ctx.request_id)
        error: MCPError | None = None
        result: HandlerResult = None
        async with anyio.create_task_group() as group:
            for task_id in known:
                group.start_soon(self._tell, stream, session.acknowledged, task_id, caller)
            try:
                result = await call_next(replace(ctx, session=cast("ServerSession", session)))
            except MCPError as refused:  # to be raised outside of the group, which would wrap it
                error = refused
            group.cancel_scope.cancel()
        if error is not None:
            raise error
        return result

    async def _tell(self, stream: "_Stream", acknowledged: anyio.Event, task_id: str, caller: str) -> None:
        await acknowledged.wait()
        async with aclosing(self._backend.watch(task_id, caller)) as states:
            async for task in states:
                await stream.send(task)

    async def _get(self, ctx: ServerRequestContext[Any, Any], params: _TaskParams) -> HandlerResult:
        task = await self._backend.get(params.task_id, self._admitted(ctx, params))
        if task is None:
            raise unknown(params.task_id)
        return {"resultType": "complete", **task.detailed()}

    async def _update(self, ctx: ServerRequestContext[Any, Any], params: _TaskUpdateParams) -> HandlerResult:
        if not await self._backend.update(params.task_id, self._admitted(ctx, params), params.input_responses):
            raise unknown(params.task_id)
        return {"resultType": "complete"}

    async def _cancel(self, ctx: ServerRequestContext[Any, Any], params: _TaskParams) -> HandlerResult:
        if not await self._backend.cancel(params.task_id, self._admitted(ctx, params)):
            raise unknown(params.task_id)
        return {"resultType": "complete"}

    def _admitted(self, ctx: ServerRequestContext[Any, Any], params: _TaskParams) -> str:
        """The caller of a `tasks/*` request that may be served. Raises MCPError."""
        require_client_extension(ctx, IDENTIFIER)
        # Over HTTP, what lies between routes by this header; the SDK checks it for the core's own methods only.
        headers: Mapping[str, str] | None = getattr(ctx.request, "headers", None)
        if headers is not None and decode_header_value(headers.get(MCP_NAME_HEADER)) != params.task_id:
            raise MCPError(code=HEADER_MISMATCH, message="The Mcp-Name header does not match taskId")
        return self._caller(ctx)


def declared(ctx: ServerRequestContext[Any, Any]) -> bool:
    """True where this request's client declared the extension, on a protocol version that has it."""
    capabilities = ctx.session.client_capabilities
    extensions = capabilities.extensions if capabilities is not None else None
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS and IDENTIFIER in (extensions or {})


def unknown(task_id: str) -> MCPError:
    """The one error for a task that never was, is over its time, or is another's."""
    return MCPError(code=INVALID_PARAMS, message="There is no such task", data={"taskId": task_id})


class _Acknowledging:
    """The session as the stream's own handler sees it: its acknowledgement also names the tasks."""

    def __init__(self, session: ServerSession, task_ids: list[str]) -> None:
        self._session = session
        self._task_ids = task_ids
        self.acknowledged = anyio.Event()

    async def send_notification(
        self, notification: ServerNotification, related_request_id: RequestId | None = None
    ) -> None:
        if isinstance(notification, SubscriptionsAcknowledgedNotification):
            extended = notification.params.notifications.model_copy(update={"taskIds": self._task_ids})
            params = notification.params.model_copy(update={"notifications": extended})
            notification = notification.model_copy(update={"params": params})
        await self._session.send_notification(notification, related_request_id)
        self.acknowledged.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


class _Stream(NamedTuple):
    """The open response of one `subscriptions/listen`."""

    session: ServerSession
    request_id: RequestId

    async def send(self, task: Task) -> None:
        params = {**task.detailed(), "_meta": {SUBSCRIPTION_ID_META_KEY: self.request_id}}
        # The SDK's union of notifications is closed; on the wire an extension's own are equals.
        notification = cast("ServerNotification", TaskNotification(params=params))
        await self.session.send_notification(notification, related_request_id=self.request_id)


def _task_ids(params: Mapping[str, Any] | None) -> list[str]:
    notifications = (params or {}).get("notifications")
    named: Any = cast("Mapping[str, Any]", notifications).get("taskIds") if isinstance(notifications, Mapping) else None
    ids = cast("list[Any]", named) if isinstance(named, list) else []
    return list(dict.fromkeys(task_id for task_id in ids if isinstance(task_id, str)))[:MAX_LISTENED]
