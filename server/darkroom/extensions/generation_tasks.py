"""`generate` and `wait` as tasks: a task is a row of the ledger, and as far as the generations that it names.

So its id survives the server, and any process on the ledger answers for it. Nothing runs for a task: the driver moves
its generations on, and what a task says is read from them.
"""

import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace
from typing import Any

import anyio
from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ElicitResult,
    InputRequests,
    InputRequiredResult,
)
from pydantic import TypeAdapter, ValidationError

from darkroom.errors import DarkroomError, InvalidRequest, StorageError
from darkroom.extensions.tasks import OVER, Task, TaskStatus
from darkroom.generations.service import Service, new_id
from darkroom.generations.wording import say_progress
from darkroom.models import Generation, Status, TaskRecord, TaskStage, moment
from darkroom.store.tasks import TaskRows
from darkroom.tools.confirm import settle
from darkroom.tools.results import one, waited
from darkroom.tools.tool import AgentTool, error_result, refused

TTL_S = 7 * 24 * 3600.0
"""How long a task can be asked for. Its generations stay in the ledger for ever."""
POLL_INTERVAL_MS = 2_500
REREAD_S = 1.0
"""How soon a listener learns what another request, or another process, did to a task that asks its user."""

_QUESTIONS: TypeAdapter[InputRequests] = TypeAdapter(InputRequests)


class GenerationTasks:
    """See `TaskBackend`. `wait` is the tool of that name, whose arguments it takes."""

    def __init__(
        self, service: Service, rows: TaskRows, wait: AgentTool, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._service = service
        self._rows = rows
        self._wait = wait
        self._clock = clock

    async def start(
        self, call: CallToolRequestParams, ctx: ServerRequestContext[Any, Any], call_next: CallNext, caller: str
    ) -> Task | HandlerResult:
        """See `TaskBackend.start`: a call that is refused is answered at once, without a task."""
        arguments = call.arguments or {}
        if call.name == "generate":
            return await self._generating(arguments, await call_next(ctx), caller)
        if call.name == "wait":
            return await self._waiting(arguments, caller)
        return await call_next(ctx)

    async def get(self, task_id: str, caller: str) -> Task | None:
        """See `TaskBackend.get`."""
        with _as_protocol_error():
            return await self._current(task_id, caller)

    async def update(self, task_id: str, caller: str, responses: Mapping[str, Any]) -> bool:
        """See `TaskBackend.update`: a yes submits, whichever process takes it, and never twice."""
        with _as_protocol_error():
            record = await self._row(task_id, caller)
            if record is None:
                return False
            for key in record.questions.keys() & responses.keys():
                taken = await self._rows.change(
                    record, stages=(TaskStage.ASKING,), changed_at=self._clock(), **_verdict(responses[key])
                )
                if taken is not None and taken.stage is TaskStage.GOING:
                    await self._submitted(taken)
            return True

    async def cancel(self, task_id: str, caller: str) -> bool:
        """See `TaskBackend.cancel`: what no provider has received is cancelled, for what one has it goes on."""
        with _as_protocol_error():
            task = await self._current(task_id, caller)
            record = await self._row(task_id, caller)
            if task is None or record is None:
                return False
            if record.tool == "generate" and record.generation_ids:
                await self._service.cancel(caller, record.generation_ids[0])
            elif task.status not in OVER:
                ended = {"stage": TaskStage.CANCELLED, "changed_at": self._clock()}
                await self._rows.change(record, stages=(TaskStage.ASKING, TaskStage.GOING), **ended)
            return True

    async def watch(self, task_id: str, caller: str) -> AsyncGenerator[Task]:
        """See `TaskBackend.watch`."""
        record = await self._row(task_id, caller)
        if record is not None and record.stage is TaskStage.ASKING:
            yield await self._task(record)
        while record is not None and record.stage is TaskStage.ASKING:
            await anyio.sleep(REREAD_S)
            with suppress(StorageError):
                record = await self._row(task_id, caller)
        if record is None:
            return
        ids, until = list(record.generation_ids), record.arguments.get("until", "all")
        left = (_deadline(record) or record.created_at + TTL_S) - self._clock()
        async with aclosing(self._service.watch(record.owner, ids, timeout_s=left, until=until)) as changes:
            async for _ in changes:
                with suppress(StorageError):
                    task = await self._current(task_id, caller)
                    if task is None:
                        return
                    yield task
                    if task.status in OVER:
                        return

    async def _generating(self, arguments: dict[str, Any], answer: HandlerResult, caller: str) -> Task | HandlerResult:
        if isinstance(answer, InputRequiredResult) and answer.input_requests:
            questions = _QUESTIONS.dump_python(answer.input_requests, **_WIRE)
            record = self._record(caller, "generate", arguments, stage=TaskStage.ASKING, questions=questions)
        elif isinstance(answer, CallToolResult) and not answer.is_error and answer.structured_content is not None:
            record = self._record(caller, "generate", arguments, generation_ids=(answer.structured_content["id"],))
        else:
            return answer
        try:
            return await self._begun(record)
        except StorageError:
            return answer  # a plain answer with the generation's own id is better than none

    async def _waiting(self, arguments: dict[str, Any], caller: str) -> Task | HandlerResult:
        try:
            checked = self._wait.check(arguments)
            ids = tuple(dict.fromkeys(checked["generation_ids"]))
            return await self._begun(self._record(caller, "wait", checked, generation_ids=ids))
        except DarkroomError as error:
            return error_result(error)

    def _record(self, owner: str, tool: str, arguments: dict[str, Any], **fields: Any) -> TaskRecord:
        now = self._clock()
        record = TaskRecord(
            id=new_id("task"), owner=owner, tool=tool, arguments=arguments, stage=TaskStage.GOING,
            created_at=now, changed_at=now,
        )  # fmt: skip
        return record.model_copy(update=fields)

    async def _begun(self, record: TaskRecord) -> Task:
        task = await self._task(record)  # before it is written: an unknown generation is refused here
        await self._rows.begin(record, expired_before=self._clock() - TTL_S)
        return task

    async def _row(self, task_id: str, owner: str) -> TaskRecord | None:
        return await self._rows.get(task_id, owner, expired_before=self._clock() - TTL_S)

    async def _current(self, task_id: str, owner: str) -> Task | None:
        record = await self._row(task_id, owner)
        if record is not None and record.stage is TaskStage.GOING and not record.generation_ids:
            record = await self._submitted(record)  # whoever took the answer ended before it was sent
        return None if record is None else await self._task(record)

    async def _submitted(self, record: TaskRecord) -> TaskRecord:
        """Submits what the user agreed to, under a key of its own, so that doing it again changes nothing."""
        key = record.arguments.get("request_key") or record.id
        arguments: dict[str, Any] = {**record.arguments, "request_key": key}
        changes: dict[str, Any]
        try:
            async with self._service.submit(record.owner, **arguments) as generation:
                changes = {"generation_ids": (generation.id,)}
        except StorageError:
            raise
        except DarkroomError as error:
            changes = {"stage": TaskStage.REFUSED, "refusal": str(error)}
        changed = await self._rows.change(record, stages=(TaskStage.GOING,), changed_at=self._clock(), **changes)
        return changed or record

    async def _task(self, record: TaskRecord) -> Task:
        match record.stage:
            case TaskStage.ASKING:
                questions = _QUESTIONS.validate_python(record.questions)
                return _task(record, "input_required", message=ASKING, input_requests=questions)
            case TaskStage.CANCELLED:
                return _task(record, "cancelled")
            case TaskStage.REFUSED:
                return _task(record, "completed", result=refused(record.refusal or ""))
            case TaskStage.GOING:
                generations = [(await self._service.kept(record.owner, found))[0] for found in record.generation_ids]
                done = await (_generated if record.tool == "generate" else _waited)(record, generations, self._clock())
                return replace(done, message=say_progress(generations))


ASKING = "It waits for your answer; nothing is sent before."
_WIRE: Any = {"mode": "json", "by_alias": True, "exclude_none": True}


def _verdict(response: Any) -> dict[str, Any]:
    """What the user's answer makes of the row. Raises MCPError where it is no answer."""
    try:
        answer = ElicitResult.model_validate(response)
        settle(answer.action, answer.content)
    except ValidationError as error:
        raise MCPError(code=INVALID_PARAMS, message="The answer is not an ElicitResult") from error
    except InvalidRequest as error:
        return {"stage": TaskStage.REFUSED, "refusal": str(error)}
    return {"stage": TaskStage.GOING}


async def _generated(record: TaskRecord, generations: Sequence[Generation], now: float) -> Task:
    """As far as its generation is."""
    (generation,) = generations
    if not generation.status.terminal:
        return _task(record, "working", updated_at=now)
    if generation.status is Status.CANCELLED:
        return _task(record, "cancelled", updated_at=_ended(generation))
    return _task(record, "completed", updated_at=_ended(generation), result=await one(generation))


async def _waited(record: TaskRecord, generations: Sequence[Generation], now: float) -> Task:
    """Over when enough of its generations are, or when its time is, whatever they became later."""
    ends = sorted(_ended(generation) for generation in generations if generation.status.terminal)
    needed = 1 if record.arguments["until"] == "any" else len(generations)
    deadline = _deadline(record) or now
    in_time = len(ends) >= needed and ends[needed - 1] <= deadline
    if not in_time and now < deadline:
        return _task(record, "working", updated_at=now)
    timeout_s = deadline - record.created_at
    result = await waited(generations, timed_out=not in_time, timeout_s=timeout_s)
    return _task(record, "completed", updated_at=ends[needed - 1] if in_time else deadline, result=result)


def _task(record: TaskRecord, status: TaskStatus, *, updated_at: float | None = None, **rest: Any) -> Task:
    changed = record.changed_at if updated_at is None else max(updated_at, record.created_at)
    return Task(
        record.id, status, created_at=moment(record.created_at), updated_at=moment(changed),
        ttl_ms=int(TTL_S * 1000), poll_interval_ms=POLL_INTERVAL_MS, **rest,
    )  # fmt: skip


def _ended(generation: Generation) -> float:
    return (generation.finished_at or generation.created_at).timestamp()


def _deadline(record: TaskRecord) -> float | None:
    timeout_s = record.arguments.get("timeout_s")
    return None if timeout_s is None else record.created_at + float(timeout_s)


@contextmanager
def _as_protocol_error() -> Generator[None]:
    try:
        yield
    except DarkroomError as error:
        raise MCPError(code=INTERNAL_ERROR, message=str(error)) from error
