"""The place where pictures are saved: tried before one is paid for, and not by every submission."""

from collections.abc import Callable
from datetime import datetime

import anyio
from anyio import to_thread

from darkroom.models import Record, moment
from darkroom.store.pictures import PictureStore

ROOM_PER_PICTURE = 4 * 2**20
"""Bytes that must be free for each: most pictures are smaller."""
GOOD_FOR_S = 30.0
"""Seconds for which a place that was tried is believed in."""
PATIENCE_S = 5.0
"""Seconds that it may take: a folder may lie on a drive that hangs."""


class Place:
    """The store of all pictures, for one process."""

    def __init__(
        self, store: PictureStore, *, clock: Callable[[], float] = anyio.current_time, patience_s: float = PATIENCE_S
    ) -> None:
        self._store = store
        self._clock = clock
        self._patience_s = patience_s
        self._one_at_a_time = anyio.Lock()
        self._hangs = False
        self._tried: tuple[str, int, float] = "", 0, 0.0

    async def ready(self, record: Record) -> None:
        """Returns where the pictures of this row can be saved, as far as a trial tells.

        Raises:
            StorageError: they cannot; the message names the reason, and the next step the variable.
        """
        day, room = moment(record.created_at).astimezone(), record.request.count * ROOM_PER_PICTURE
        name = f"{day:%Y-%m-%d}"
        async with self._one_at_a_time:
            tried, enough_for, until = self._tried
            if tried == name and room <= enough_for and self._clock() < until:
                return
            if not self._hangs:  # or else one more thread would wait for that drive
                with anyio.move_on_after(self._patience_s):
                    await to_thread.run_sync(self._try, day, room, abandon_on_cancel=True)
                    self._tried = name, room, self._clock() + GOOD_FOR_S
                    return
        raise self._store.unusable(f"it does not respond within {self._patience_s:g} s")

    def _try(self, day: datetime, room: int) -> None:
        self._hangs = True
        try:
            self._store.try_out(day, room)
        finally:
            self._hangs = False
