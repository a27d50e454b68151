"""Stays with generations, and says on leaving what becomes of them."""

import sys
from collections.abc import Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Literal

import anyio
import anyio.lowlevel

from darkroom.app.context import Opened
from darkroom.cli.commands.results import exit_status, print_result, reported_paths, tell
from darkroom.cli.live import Live
from darkroom.cli.words import for_people
from darkroom.errors import DarkroomError
from darkroom.generations.asking.wishes import Wish
from darkroom.generations.showing import linked
from darkroom.generations.telling.wording import say_progress
from darkroom.models import MASK, Status
from darkroom.views import Generation, WaitedGenerations


def drives(images: Sequence[str]) -> tuple[Path, ...]:
    """The folders that have all of these files: a person names each in so many words; an agent has no such command."""
    return tuple(map(Path, filter(None, {Path(text.removeprefix(MASK)).anchor for text in images})))


async def made(app: Opened, wishes: Sequence[Wish], timeout_s: float) -> WaitedGenerations:
    """Submits them one after the other, says their ids, and stays with them.

    Raises:
        DarkroomError: one of several is refused; those before it go on, and stderr says how to wait for them.
    """
    ids: list[str] = []
    try:
        for wish in wishes:
            with anyio.CancelScope(shield=True):  # a person who left before this would not know what they paid for
                async with app.desk().submit(wish) as started:
                    ids.append(started.id)
                    tell(f"{started.id} {started.status}")
            await anyio.lowlevel.checkpoint()
    except (DarkroomError, anyio.get_cancelled_exc_class()):
        await _leave(app, ids)
        raise
    return await watched(app, ids, timeout_s, "all")


async def report(app: Opened, answer: WaitedGenerations, *, as_json: bool, several: bool = False) -> int:
    """Prints what was made, and returns the exit status. `several`: as JSON, in a list."""
    links = await app.desk().pictures.links(answer.generations)
    found = tuple(linked(each, links) for each in answer.generations)
    value = answer.model_copy(update={"generations": found}) if several else found[0]
    print_result(value, reported_paths(found, links), as_json=as_json)
    return exit_status(found)


async def watched(app: Opened, ids: list[str], timeout_s: float, until: Literal["all", "any"]) -> WaitedGenerations:
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
        await _leave(app, ids)
        raise
    if answer.timed_out:
        answer = answer.model_copy(update={"generations": await _left(app, ids) or answer.generations})
        _explain_leaving(answer.generations)
    return answer


async def _leave(app: Opened, ids: Sequence[str]) -> None:
    if ids:
        with anyio.CancelScope(shield=True):
            left = await _left(app, ids)
            reported_paths(left)
            _explain_leaving(left)


async def _left(app: Opened, ids: Sequence[str]) -> tuple[Generation, ...]:
    """These as they are once nothing is being sent any more."""
    if app.driver.sending():
        tell("Waiting for the response to what was just sent; it may be paid for.")
    await app.driver.finish()
    with suppress(DarkroomError):
        return tuple([await app.desk().kept(generation_id) for generation_id in dict.fromkeys(ids)])
    return ()


def _explain_leaving(generations: Sequence[Generation]) -> None:
    running = " ".join(generation.id for generation in generations if not generation.status.terminal)
    unsent = [g.id for g in generations if g.status is Status.QUEUED and g.submitted_at is None]
    if unsent:
        tell(f"Not sent yet, and not charged: {' '.join(unsent)}.")
    if running:
        tell(f"Nothing is lost. To go on: darkroom-mcp wait {running}")
