"""Tasks kept in memory: tool calls that go on in the background, whatever becomes of the request that started them."""

import math
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import anyio
from anyio.abc import TaskGroup
from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.session import ServerSession
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ElicitRequest,
    ElicitRequestedSchema,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequests,
    RequestId,
)

from darkroom.extensions.task import OVER, Task

POLL_INTERVAL_MS = 200


class Job:
    """One tool call in the background."""

    def __init__(self, caller: str, ttl_ms: int) -> None:
        now = datetime.now(UTC)
        self.caller = caller
        self.task = Task(
            secrets.token_urlsafe(16), "working", created_at=now, updated_at=now,
            ttl_ms=ttl_ms, poll_interval_ms=POLL_INTERVAL_MS,
        )  # fmt: skip
        self._scope = anyio.CancelScope()
        self._changed = anyio.Event()
        self._answers: dict[str, ElicitResult] = {}

    @property
    def kept(self) -> bool:
        """Whether its time has not run out."""
        lifetime = timedelta(milliseconds=self.task.ttl_ms or math.inf)
        return datetime.now(UTC) < self.task.created_at + lifetime

    async def run(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> None:
        """Calls the tool, with a session that leads here instead of to a request long answered."""
        session = cast("ServerSession", Backstage(ctx.session, self))
        with self._scope:
            try:
                result = await call_next(replace(ctx, session=session))
            except MCPError as error:
                self.move(status="failed", error=error.error)
            else:
                self.move(status="completed", result=cast("CallToolResult", result))

    def move(self, **changes: Any) -> None:
        """The only way in which its task changes; what is over stays as it is."""
        if self.task.status in OVER:
            return
        self.task = replace(self.task, **changes, updated_at=datetime.now(UTC))
        self._changed.set()
        self._changed = anyio.Event()

    async def ask(self, question: ElicitRequest) -> ElicitResult:
        """Puts a question beside those that are open, and waits for its answer."""
        key = secrets.token_hex(8)
        self._await({**(self.task.input_requests or {}), key: question})
        while key not in self._answers:
            await self._changed.wait()
        return self._answers.pop(key)

    def answer(self, responses: Mapping[str, Any]) -> None:
        """Takes the answers to open questions, and leaves out all else."""
        asked = self.task.input_requests or {}
        self._answers |= {k: ElicitResult.model_validate(given) for k, given in responses.items() if k in asked}
        self._await({key: question for key, question in asked.items() if key not in responses})

    def cancel(self) -> None:
        """Ends it, if it has not ended."""
        self._scope.cancel()
        self.move(status="cancelled", input_requests=None)

    async def states(self) -> AsyncGenerator[Task]:
        """Its task now and whenever it has changed."""
        while True:
            changed, task = self._changed, self.task
            yield task
            if task.status in OVER:
                return
            await changed.wait()

    def _await(self, questions: InputRequests) -> None:
        self.move(status="input_required" if questions else "working", input_requests=questions or None)


class Backstage:
    """The session as a tool sees it that runs as a job."""

    def __init__(self, session: ServerSession, job: Job) -> None:
        self._session = session
        self._job = job

    async def report_progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Progress becomes the message of the task."""
        self._job.move(message=message)

    async def elicit_form(
        self, message: str, requested_schema: ElicitRequestedSchema, related_request_id: RequestId | None = None
    ) -> ElicitResult:
        """A question to the user becomes an input request of the task."""
        params = ElicitRequestFormParams(message=message, requested_schema=requested_schema)
        return await self._job.ask(ElicitRequest(params=params))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


class Jobs:
    """A `TaskBackend` that makes a task of every call but those to the tools named in `plain`.

    A tool named in `asks_first` is called plainly until it has been given what it asks for.
    """

    def __init__(self, group: TaskGroup, *, plain: set[str], asks_first: set[str], ttl_ms: int) -> None:
        self._group = group
        self._plain = plain
        self._asks_first = asks_first
        self._ttl_ms = ttl_ms
        self._jobs: dict[str, Job] = {}

    async def start(
        self, call: CallToolRequestParams, ctx: ServerRequestContext[Any, Any], call_next: CallNext, caller: str
    ) -> Task | HandlerResult:
        """The task of a job that has been started."""
        if call.name in self._plain or (call.name in self._asks_first and call.input_responses is None):
            return await call_next(ctx)
        job = Job(caller, self._ttl_ms)
        self._jobs[job.task.id] = job
        self._group.start_soon(job.run, ctx, call_next)
        return job.task

    async def get(self, task_id: str, caller: str) -> Task | None:
        """Its task as it is now."""
        job = self._of(task_id, caller)
        return None if job is None else job.task

    async def update(self, task_id: str, caller: str, responses: Mapping[str, Any]) -> bool:
        """Answers what it has asked."""
        job = self._of(task_id, caller)
        if job is not None:
            job.answer(responses)
        return job is not None

    async def cancel(self, task_id: str, caller: str) -> bool:
        """Ends it."""
        job = self._of(task_id, caller)
        if job is not None:
            job.cancel()
        return job is not None

    async def watch(self, task_id: str, caller: str) -> AsyncGenerator[Task]:
        """Its states."""
        job = self._of(task_id, caller)
        if job is not None:
            async for task in job.states():
                yield task

    def _of(self, task_id: str, caller: str) -> Job | None:
        self._jobs = {known: job for known, job in self._jobs.items() if job.kept}
        job = self._jobs.get(task_id)
        return job if job is not None and job.caller == caller else None


@asynccontextmanager
async def open_jobs(*, plain: set[str], asks_first: set[str], ttl_ms: int = 300_000) -> AsyncGenerator[Jobs]:
    """Jobs that go on until this is left, and no longer."""
    async with anyio.create_task_group() as group:
        yield Jobs(group, plain=plain, asks_first=asks_first, ttl_ms=ttl_ms)
        group.cancel_scope.cancel()
