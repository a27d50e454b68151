"""`generate` and `wait` as tasks: a task is a row of the ledger, and has got as far as its generations.

So its id survives the server, and any process on the ledger can report it. Nothing runs for a task: the driver moves
its generations on, and what a task says is read from them.
"""

from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace
from typing import Any, Protocol

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
from pydantic import ConfigDict, TypeAdapter, ValidationError

from darkroom.errors import DarkroomError, StorageError
from darkroom.extensions.task import OVER, Task, TaskStatus
from darkroom.generations.asking.delivery import Envelope, letter_of
from darkroom.generations.asking.wishes import Wish
from darkroom.generations.desk import Desk
from darkroom.generations.service import new_id
from darkroom.generations.telling.wording import say_progress
from darkroom.models import Status, moment
from darkroom.store.tasks import TaskRecord, TaskRows, TaskStage
from darkroom.tools.confirm import consented
from darkroom.tools.results import Results
from darkroom.tools.tool import AgentTool, error_result, refused
from darkroom.views import Generation

TTL_S = 7 * 24 * 3600.0
"""Seconds for which a task can be asked for. Its generations stay in the ledger for good."""
POLL_INTERVAL_MS = 2_500
FETCHED_WITHIN_S = 20.0
"""Seconds that a `wait` for something finished waits for its missing pictures before it returns a handle."""
REREAD_S = 1.0
"""Seconds until a listener learns what another request, or another process, did to a task that asks its user."""

_QUESTIONS: TypeAdapter[InputRequests] = TypeAdapter(InputRequests, config=ConfigDict(defer_build=True))


class _Works(Protocol):
    """The work that a task stands for."""

    @property
    def tasks(self) -> TaskRows:
        """The rows of all tasks."""
        ...

    def desk_of(self, owner: str) -> Desk:
        """The service, for this owner."""
        ...


class GenerationTasks:
    """See `TaskBackend`. `tools` are those that agents call, by name: they check the arguments."""

    def __init__(self, works: Callable[[], _Works], tools: Mapping[str, AgentTool], results: Results) -> None:
        self._works = works
        self._tools = tools
        self._results = results

    def _desk(self, owner: str) -> Desk:
        return self._works().desk_of(owner)

    async def start(
        self, call: CallToolRequestParams, ctx: ServerRequestContext[Any, Any], call_next: CallNext, caller: str
    ) -> Task | HandlerResult:
        """See `TaskBackend.start`: a call that is refused gets its error at once, without a task."""
        arguments = call.arguments or {}
        try:
            if call.name == "generate":
                handle = Envelope(letter_of(ctx.request))
                async with handle.filling():
                    return await self._generating(arguments, await call_next(replace(ctx, request=handle)), caller)
            if call.name == "wait":
                return await self._waiting(arguments, caller)
        except DarkroomError as error:
            return error_result(error)
        return await call_next(ctx)

    async def get(self, task_id: str, caller: str) -> Task | None:
        """See `TaskBackend.get`."""
        with _as_protocol_error():
            record = await self._row(task_id, caller)
            if record is None:
                return None
            await self._desk(caller).delivered(record.generation_ids)  # who names the task has read its handle
            return await self._task(record)

    async def update(self, task_id: str, caller: str, responses: Mapping[str, Any]) -> bool:
        """See `TaskBackend.update`: a yes submits what was asked about, whichever process takes it, and never twice."""
        with _as_protocol_error():
            record = await self._row(task_id, caller)
            if record is None:
                return False
            for key in record.questions.keys() & responses.keys():
                try:
                    _check_yes(responses[key])
                    await self._desk(caller).submit_agreed(task_id, Wish(**record.arguments))
                except StorageError:
                    raise  # it still asks
                except DarkroomError as error:
                    refusal = {"stage": TaskStage.REFUSED, "refusal": str(error)}
                    await self._works().tasks.change(record, stages=(TaskStage.ASKING,), **refusal)
            return True

    async def cancel(self, task_id: str, caller: str) -> bool:
        """See `TaskBackend.cancel`: as `Desk.cancel`, which may ask the provider of a job to stop it."""
        with _as_protocol_error():
            record = await self._row(task_id, caller)
            if record is None:
                return False
            over = (await self._task(record)).status in OVER
            if not over and (record.tool == "wait" or record.stage is TaskStage.ASKING):
                await self._works().tasks.change(record, stages=(record.stage,), stage=TaskStage.CANCELLED)
                record = await self._row(task_id, caller) or record  # somebody may have said yes before
            if not over and record.tool == "generate" and record.generation_ids:
                await self._desk(caller).cancel(record.generation_ids[0])
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
        left = (_timeout_s(record) or TTL_S) - record.age_s
        async with aclosing(self._desk(record.owner).watch(ids, timeout_s=left, until=until, send=False)) as changes:
            async for _ in changes:
                with suppress(StorageError):
                    record = await self._row(task_id, caller)
                    if record is None:
                        return
                    task = await self._task(record)
                    yield task
                    if task.status in OVER:
                        return

    async def _generating(self, arguments: dict[str, Any], answer: HandlerResult, caller: str) -> Task | HandlerResult:
        try:
            if isinstance(answer, InputRequiredResult) and answer.input_requests:
                wishes = self._tools["generate"].check(arguments)
                request = await self._desk(caller).foresee(Wish(**wishes))
                if request is None:  # it was made while the question was put
                    return answer
                # What the user is asked about is what is submitted, whatever the defaults of the process that takes
                # the yes are.
                asked = request.model_dump(mode="json") | {name: wishes[name] for name in ("request_key", "images")}
                asked["seen"] = [each.sha256 for each in request.images]
                questions = _QUESTIONS.dump_python(answer.input_requests, **_WIRE)
                record = self._record(caller, "generate", asked, stage=TaskStage.ASKING, questions=questions)
            elif isinstance(answer, CallToolResult) and not answer.is_error and answer.structured_content is not None:
                wishes = {**self._tools["generate"].check(arguments), "images": None}  # which are kept with the row
                record = self._record(caller, "generate", wishes, generation_ids=(answer.structured_content["id"],))
            else:
                return answer
            return await self._begun(record)
        except DarkroomError:
            return answer  # a plain result, with the generation's own id or the question, is better than none

    async def _waiting(self, arguments: dict[str, Any], caller: str) -> Task:
        checked = self._tools["wait"].check(arguments)
        ids = tuple(dict.fromkeys(checked["generation_ids"]))
        await self._fetched_again(caller, ids, checked)
        return await self._begun(self._record(caller, "wait", checked, generation_ids=ids))

    async def _fetched_again(self, owner: str, ids: Sequence[str], arguments: dict[str, Any]) -> None:
        """Gives pictures that are missing from what is over a moment to be fetched again, as any wait does."""
        timeout_s = min(arguments["timeout_s"], FETCHED_WITHIN_S)
        watching = self._desk(owner).watch(list(ids), timeout_s=timeout_s, until=arguments["until"])
        async with aclosing(watching) as states:
            async for snapshot in states:
                if not snapshot.over:
                    return

    def _record(self, owner: str, tool: str, arguments: dict[str, Any], **fields: Any) -> TaskRecord:
        record = TaskRecord(id=new_id("task"), owner=owner, tool=tool, arguments=arguments, stage=TaskStage.GOING)
        return record.model_copy(update=fields)

    async def _begun(self, record: TaskRecord) -> Task:
        await self._task(record)  # before it is written: an unknown generation is refused here
        return await self._task(await self._works().tasks.begin(record, kept_s=TTL_S))

    async def _row(self, task_id: str, owner: str) -> TaskRecord | None:
        return await self._works().tasks.get(task_id, owner, kept_s=TTL_S)

    async def _task(self, record: TaskRecord) -> Task:
        match record.stage:
            case TaskStage.ASKING:
                questions = _QUESTIONS.validate_python(record.questions)
                return _state(record, "input_required", message=ASKING, input_requests=questions)
            case TaskStage.CANCELLED:
                return _state(record, "cancelled")
            case TaskStage.REFUSED:
                return _state(record, "completed", result=refused(record.refusal or ""))
            case TaskStage.GOING:
                generations = [await self._desk(record.owner).kept(found) for found in record.generation_ids]
                follow = self._generated if record.tool == "generate" else self._waited
                done = await follow(record, generations)
                return replace(done, message=say_progress(generations))

    async def _generated(self, record: TaskRecord, generations: Sequence[Generation]) -> Task:
        """As far as its generation is."""
        (generation,) = generations
        if not generation.status.terminal:
            return _state(record, "working", updated_at=record.created_at + record.age_s)
        if generation.status is Status.CANCELLED:
            return _state(record, "cancelled", updated_at=_ended(generation))
        return _state(record, "completed", updated_at=_ended(generation), result=await self._results.one(generation))

    async def _waited(self, record: TaskRecord, generations: Sequence[Generation]) -> Task:
        """Over when enough of its generations are, or when its time is, whatever they became later."""
        ends = sorted(_ended(generation) for generation in generations if generation.status.terminal)
        needed = 1 if record.arguments["until"] == "any" else len(generations)
        timeout_s = record.age_s if (asked_s := _timeout_s(record)) is None else asked_s
        deadline = record.created_at + timeout_s
        in_time = len(ends) >= needed and ends[needed - 1] <= deadline
        if not in_time and record.age_s < timeout_s:
            return _state(record, "working", updated_at=record.created_at + record.age_s)
        result = await self._results.waited(generations, timed_out=not in_time, timeout_s=timeout_s)
        return _state(record, "completed", updated_at=ends[needed - 1] if in_time else deadline, result=result)


ASKING = "It waits for your answer; nothing is sent before."
_WIRE: Any = {"mode": "json", "by_alias": True, "exclude_none": True}


def _check_yes(response: Any) -> None:
    """Raises MCPError where it is no answer at all, and InvalidRequest where it is not a yes."""
    try:
        answer = ElicitResult.model_validate(response)
    except ValidationError as error:
        raise MCPError(code=INVALID_PARAMS, message="The answer is not an ElicitResult") from error
    consented(answer.action, answer.content)


def _state(record: TaskRecord, status: TaskStatus, *, updated_at: float | None = None, **rest: Any) -> Task:
    changed = record.changed_at if updated_at is None else max(updated_at, record.created_at)
    return Task(
        record.id, status, created_at=moment(record.created_at), updated_at=moment(changed),
        ttl_ms=int(TTL_S * 1000), poll_interval_ms=POLL_INTERVAL_MS, **rest,
    )  # fmt: skip


def _ended(generation: Generation) -> float:
    return (generation.finished_at or generation.created_at).timestamp()


def _timeout_s(record: TaskRecord) -> float | None:
    timeout_s = record.arguments.get("timeout_s")
    return None if timeout_s is None else float(timeout_s)


@contextmanager
def _as_protocol_error() -> Generator[None]:
    try:
        yield
    except DarkroomError as error:
        raise MCPError(code=INTERNAL_ERROR, message=str(error)) from error
