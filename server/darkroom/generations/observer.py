"""Looks on as generations change, whichever process changes them; no provider is asked because of it."""

import logging
import math
from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import TaskGroup, TaskStatus

from darkroom.errors import DarkroomError
from darkroom.generations.desk import Desk
from darkroom.generations.telling.changes import Changes
from darkroom.generations.watching import HEARTBEAT_S
from darkroom.models import Status
from darkroom.views import Generation, Progress

log = logging.getLogger(__name__)

Changed = Callable[[Generation, Generation], Awaitable[None]]
"""Takes the state before and the state now."""


class Observer:
    """The view of generations that callers have without a word from their providers."""

    def __init__(self, changes: Changes, group: TaskGroup) -> None:
        self._changes = changes
        self._group = group

    async def follow(self, desk: Desk, generation_id: str, changed: Changed, scope: anyio.CancelScope) -> Generation:
        """Returns the generation, and reports each change of its state from then on, until the scope is cancelled.

        Raises:
            NotFound: its owner has none of that id.
            StorageError: it cannot be read.
        """
        return await self._group.start(self._follow, desk, generation_id, changed, scope)

    async def _follow(
        self,
        desk: Desk,
        generation_id: str,
        changed: Changed,
        scope: anyio.CancelScope,
        *,
        task_status: TaskStatus[Generation],
    ) -> None:
        with self._changes.subscribe([generation_id]) as subscription:
            known = await desk.kept(generation_id)
            task_status.started(known)
            with scope:
                while True:
                    # In our own queue it moves up without a change of its row.
                    await subscription.take(HEARTBEAT_S if known.status is Status.QUEUED else math.inf)
                    now = await self._read_at_last(desk, generation_id)
                    if _state(now) != _state(known):
                        await _report(changed, known, now)
                    known = now

    async def _read_at_last(self, desk: Desk, generation_id: str) -> Generation:
        while True:
            try:
                return await desk.kept(generation_id)
            except DarkroomError as error:
                log.info("%s cannot be looked at: %s", generation_id, error.message)
            except Exception:  # a row that cannot be shown must not end the process
                log.exception("%s cannot be looked at", generation_id)
            await anyio.sleep(HEARTBEAT_S)


async def _report(changed: Changed, before: Generation, now: Generation) -> None:
    try:
        await changed(before, now)
    except Exception:  # an onlooker must not bring down the process that does the work
        log.exception("%s: a change of it could not be reported", now.id)


def _state(generation: Generation) -> Generation:
    """The generation without what changes by the clock alone."""
    it = generation.progress
    still = Progress(message="", state=it.state, queue_position=it.queue_position, elapsed_s=0.0)
    return generation.model_copy(update={"progress": still})
