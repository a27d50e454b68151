"""The commands that a person runs: each opens the same ledger that the servers use."""

import argparse
import json
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Literal

import anyio

from darkroom.app.context import AppContext, Part, open_app, unwrapped
from darkroom.cli.live import Live
from darkroom.cli.signals import on_signal
from darkroom.cli.terminal import columns, cut, show, spells_everything
from darkroom.cli.words import for_people
from darkroom.errors import DarkroomError, InvalidRequest
from darkroom.generations.asking.wishes import Wish, options_of
from darkroom.generations.telling.wording import say, say_progress
from darkroom.models import Generation, ImageStatus, Sparse, Status, WaitedGenerations
from darkroom.providers.catalogue import say as say_catalogue
from darkroom.redact import clean, for_terminals
from darkroom.settings import Settings

DONE, FAILED, WRONG_USE, STILL_RUNNING = 0, 1, 2, 3
WHOLE_ID = r"gen_[a-z2-7]{26}"
SHORT_ID = len("gen_") + 8
"""So much of an id tells it from the others of any one user."""
SHOWN_PROMPT = 60

Command = Callable[[Settings, argparse.Namespace], Awaitable[int]]


async def run(command: Command, settings: Settings, arguments: argparse.Namespace) -> int:
    """Runs a command until it ends or a signal asks to stop, which loses nothing."""
    status = STILL_RUNNING
    with unwrapped():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(on_signal, tasks.cancel_scope.cancel)
            status = await command(settings, arguments)
            tasks.cancel_scope.cancel()
    return status


async def generate(settings: Settings, arguments: argparse.Namespace) -> int:
    """`generate PROMPT`: submits, shows progress, prints the saved paths."""
    async with open_app(settings, Part.OWN) as app:
        submission = app.desk().submit(
            Wish(
                prompt=arguments.prompt,
                provider=arguments.provider,
                model=arguments.model,
                count=arguments.count,
                aspect_ratio=arguments.aspect_ratio,
                negative_prompt=arguments.negative_prompt,
                seed=arguments.seed,
                options=options_of(arguments.options),
                request_key=arguments.request_key,
            )
        )
        async with submission as started:
            _tell(f"{started.id} {started.status}")
        answer = await _watched(app, [started.id], arguments.timeout, "all")
        _print(answer.generations[0], _paths(answer.generations), as_json=arguments.json)
        return _exit_status(answer.generations)


async def wait(settings: Settings, arguments: argparse.Namespace) -> int:
    """`wait ID…`: shows progress until they are done, and prints the saved paths."""
    ids = await _whole(settings, arguments.ids)
    async with open_app(settings, Part.OWN, named=ids) as app:
        answer = await _watched(app, ids, arguments.timeout, arguments.until)
        _print(answer, _paths(answer.generations), as_json=arguments.json)
        finished = [generation for generation in answer.generations if generation.status.terminal]
        return _exit_status(finished if arguments.until == "any" and finished else answer.generations)


async def status(settings: Settings, arguments: argparse.Namespace) -> int:
    """`status ID`: looks once, and sends nothing."""
    (generation_id,) = await _whole(settings, [arguments.id])
    async with open_app(settings, Part.LOOK, named=[generation_id]) as app:
        generation = await app.desk().get(generation_id)
        _print(generation, [say(generation), generation.next_step or ""], as_json=arguments.json)
        return _exit_status([generation])


async def cancel(settings: Settings, arguments: argparse.Namespace) -> int:
    """`cancel ID`: takes back what no provider has received. 3: it goes on; 1: it was over already."""
    (generation_id,) = await _whole(settings, [arguments.id])
    async with open_app(settings, Part.NONE) as app:
        generation, note = await app.desk().cancel(generation_id)
        _print(generation, [note, say(generation), generation.next_step or ""], as_json=arguments.json)
        return DONE if generation.status is Status.CANCELLED else _exit_status([generation]) or FAILED


async def list_(settings: Settings, arguments: argparse.Namespace) -> int:
    """`list`: one line a generation, newest first; asks no provider and moves nothing on."""
    async with open_app(settings, Part.NONE) as app:
        page = await app.desk().page(
            status=None if arguments.status is None else Status(arguments.status),
            provider=arguments.provider,
            limit=arguments.limit,
            cursor=arguments.cursor,
        )
        lines = [_row(generation) for generation in page.generations] or ["No generations yet."]
        if page.next_cursor is not None:
            lines.append(f"There are more: --cursor {page.next_cursor}")
        _print(page, lines, as_json=arguments.json)
        return DONE


async def models(settings: Settings, arguments: argparse.Namespace) -> int:
    """`models`: what every provider offers."""
    async with open_app(settings, Part.NONE) as app:
        answer = await app.catalogue(arguments.provider)
        _print(answer, say_catalogue(answer), as_json=arguments.json)
        return DONE


COMMANDS: Mapping[str, Command] = {
    "generate": generate,
    "wait": wait,
    "status": status,
    "cancel": cancel,
    "list": list_,
    "models": models,
}


async def _whole(settings: Settings, names: Sequence[str]) -> list[str]:
    """The ids that begin so, with or without their `gen_`. What nobody's begins with stays as it is.

    Raises:
        InvalidRequest: several begin with the same.
    """
    if all(re.fullmatch(WHOLE_ID, name) for name in names):
        return list(names)
    async with open_app(settings, Part.NONE) as app:
        return [await _beginning(app, name) for name in names]


async def _beginning(app: AppContext, name: str) -> str:
    own = name.strip().lower().removeprefix("gen_")
    # What every id begins with names none, also where there is only one: a script's variable may be empty.
    if not own or "gen_".startswith(own):
        return name
    found = await app.desk().ids(f"gen_{own}", 2)
    if len(found) > 1:
        raise InvalidRequest(
            f"More than one id begins with {clean(name, 40)}: {', '.join(found)}.",
            next_step="Give more of it; nothing was done.",
        )
    return found[0] if found else name


def _row(generation: Generation) -> str:
    """The generation in one line, which on a terminal is as wide as that, with so much of its id as tells it apart."""
    width = columns(sys.stdout)
    when = generation.created_at.astimezone()
    known = generation.id if width is None else generation.id[:SHORT_ID]
    row = f"{known}  {when:%Y-%m-%d %H:%M %z}  {generation.status:<10}  {generation.provider:<11}  "
    row += clean(generation.prompt, SHOWN_PROMPT)
    return row if width is None else cut(row, width, sys.stdout)


async def _watched(
    app: AppContext, ids: list[str], timeout_s: float, until: Literal["all", "any"]
) -> WaitedGenerations:
    """Stays with them, a progress line on stderr, until they are over or the time is, or somebody presses Ctrl-C."""
    watching = app.desk().watch(ids, timeout_s=timeout_s, until=until)
    answer = WaitedGenerations(generations=(), timed_out=False)
    try:
        with Live(sys.stderr, in_place=not app.settings.dumb_terminal) as live:
            async with aclosing(watching):
                async for snapshot in watching:
                    answer = WaitedGenerations(generations=snapshot.generations, timed_out=snapshot.timed_out)
                    live.show(for_people(say_progress(snapshot.generations)))
    except anyio.get_cancelled_exc_class():
        with anyio.CancelScope(shield=True):
            left = await _left(app, ids)
            _paths(left)
            _explain_leaving(left)
        raise
    if answer.timed_out:
        answer = answer.model_copy(update={"generations": await _left(app, ids) or answer.generations})
        _explain_leaving(answer.generations)
    return answer


async def _left(app: AppContext, ids: Sequence[str]) -> tuple[Generation, ...]:
    """These as they are once nothing is being sent any more."""
    if app.driver.sending():
        _tell("Waiting for the answer to what was just sent; it may be paid for.")
    await app.driver.finish()
    with suppress(DarkroomError):
        return tuple([await app.desk().kept(generation_id) for generation_id in dict.fromkeys(ids)])
    return ()


def _explain_leaving(generations: Sequence[Generation]) -> None:
    running = " ".join(generation.id for generation in generations if not generation.status.terminal)
    unsent = [g.id for g in generations if g.status is Status.QUEUED and g.submitted_at is None]
    if unsent:
        _tell(f"Not sent yet, and not charged: {' '.join(unsent)}.")
    if running:
        _tell(f"Nothing is lost. To go on: darkroom-mcp wait {running}")


def _paths(generations: Sequence[Generation]) -> list[str]:
    """What goes to stdout: the saved paths alone. What went wrong goes to stderr."""
    for generation in generations:
        if generation.status is not Status.SUCCEEDED and generation.status.terminal:
            _tell(for_people(say(generation)))
    images = (image for generation in generations for image in generation.images)
    return [image.path for image in images if image.status is ImageStatus.SUCCEEDED and image.path]


def _print(answer: Sparse, lines: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        same = answer.model_dump(mode="json")  # what tools return, word for word: programs read it
        print(for_terminals(json.dumps(same, ensure_ascii=not spells_everything(sys.stdout))))
    else:
        for line in filter(None, lines):
            show(sys.stdout, for_people(line))
    sys.stdout.flush()


def _tell(line: str) -> None:
    """Says it beside the result."""
    show(sys.stderr, line)
    sys.stderr.flush()


def _exit_status(generations: Sequence[Generation]) -> int:
    if any(not generation.status.terminal for generation in generations):
        return STILL_RUNNING
    return DONE if all(generation.status is Status.SUCCEEDED for generation in generations) else FAILED
