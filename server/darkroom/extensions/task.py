"""One task of the Tasks extension: its state, its shapes on the wire, and its home."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.types import CallToolRequestParams, CallToolResult, ErrorData, InputRequests, Notification
from pydantic import ConfigDict

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


class TaskNotification(Notification[dict[str, Any], Literal["notifications/tasks"]]):
    """The notification to a listener: the whole task."""

    model_config = ConfigDict(extra="forbid")
    method: Literal["notifications/tasks"] = "notifications/tasks"
    params: dict[str, Any]


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
