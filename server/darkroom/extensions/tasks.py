"""The Tasks extension of MCP (SEP-2663, final in 2026-07-28): a tool call gets a handle that is asked later.

Nothing here knows Darkroom. A `TaskBackend` decides which calls become tasks, keeps them and moves them on; this file
speaks the protocol: who may use it, the shapes on the wire, the header, the notifications.

    tasks = Tasks(backend, caller=lambda ctx: "local")
    server = MCPServer("pictures", extensions=[tasks], middleware=[tasks.listen])
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import KW_ONLY, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, cast

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
    CallToolResult,
    ErrorData,
    InputRequests,
    Notification,
    RequestId,
    RequestParams,
    ServerNotification,
    SubscriptionsAcknowledgedNotification,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ConfigDict, Field

IDENTIFIER = "io.modelcontextprotocol/tasks"
VERSIONS = frozenset(MODERN_PROTOCOL_VERSIONS)
MAX_LISTENED = 100
"""Tasks that one stream is notified of; what exceeds it is left out of the acknowledgement."""

TaskStatus = Literal["working", "input_required", "completed", "failed", "cancelled"]
OVER: frozenset[TaskStatus] = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True)
class Task:
    """The state of one task. `ttl_ms` counts from `created_at`, None: it is kept for good."""

    id: str
    """Unguessable, 128 random bits or more: SEP-2663 has no other way to list or to find tasks."""
    status: TaskStatus
    _: KW_ONLY
    created_at: datetime
    updated_at: datetime
    ttl_ms: int | None = None
    poll_interval_ms: int | None = None
    message: str | None = None
    """Its progress, in a sentence: progress notifications end when the task is handed out."""
    result: CallToolResult | None = None
    """Of a completed task, also where `is_error`: the tool ran."""
    error: ErrorData | None = None
    """Of a failed task: an error of the protocol, not of the tool."""
    input_requests: InputRequests | None = None
    """The questions of an `input_required` task, by key."""

    def handle(self) -> dict[str, Any]:
        """The wire form of a result of `tools/call`."""
        return {"resultType": "task", **self._summary()}

    def detailed(self) -> dict[str, Any]:
        """The wire form with all that its status brings, as `tasks/get` and `notifications/tasks` carry it."""
        detail = {"result": self.result, "error": self.error}
        found = {name: model.model_dump(**_WIRE) for name, model in detail.items() if model is not None}
        if self.input_requests is not None:
            found["inputRequests"] = {key: asked.model_dump(**_WIRE) for key, asked in self.input_requests.items()}
        return {**self._summary(), **found}

    def _summary(self) -> dict[str, Any]:
        summary = {
            "taskId": self.id,
            "status": self.status,
            "createdAt": _iso(self.created_at),
            "lastUpdatedAt": _iso(self.updated_at),
            "ttlMs": self.ttl_ms,
        }
        optional = {"pollIntervalMs": self.poll_interval_ms, "statusMessage": self.message}
        return summary | {name: value for name, value in optional.items() if value is not None}


_WIRE: Any = {"by_alias": True, "mode": "json", "exclude_none": True}


class TaskBackend(Protocol):
    """The home of tasks. `caller` names who asks, verified: what is another's must look as if it did not exist."""

    async def start(
        self, call: CallToolRequestParams, ctx: ServerRequestContext[Any, Any], call_next: CallNext, caller: str
    ) -> Task | HandlerResult:
        """A task for this call, kept before it is returned, or the result of a call that stays a plain one.

        `call_next(ctx)` runs the tool now, inside this request; what a task does must outlive it.
        """
        ...

    async def get(self, task_id: str, caller: str) -> Task | None:
        """The task as it is now; None where the caller has none of that id, or no longer."""
        ...

    async def update(self, task_id: str, caller: str, responses: Mapping[str, Any]) -> bool:
        """Takes answers to `input_requests` before it returns; False where there is no such task.

        The answers are as the client sent them: keys that nobody asked for are to be ignored, the others checked.
        """
        ...

    async def cancel(self, task_id: str, caller: str) -> bool:
        """Asks for its end, which may come otherwise or not at all; False where there is no such task."""
        ...

    def watch(self, task_id: str, caller: str) -> AsyncGenerator[Task]:
        """Its state now and at each change, until it is over."""
        ...


class _TaskParams(RequestParams):
    """The parameters of `tasks/get` and `tasks/cancel`."""

    task_id: str = Field(alias="taskId")


class _TaskUpdateParams(_TaskParams):
    """The parameters of `tasks/update`."""

    input_responses: dict[str, Any] = Field(alias="inputResponses")


class TaskNotification(Notification[dict[str, Any], Literal["notifications/tasks"]]):
    """The notification to a listener: the whole task."""

    model_config = ConfigDict(extra="forbid")
    method: Literal["notifications/tasks"] = "notifications/tasks"
    params: dict[str, Any]


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


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


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


@dataclass(frozen=True)
class _Stream:
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
