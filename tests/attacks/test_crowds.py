"""However many pictures come or are shown at once, few of them are decoded, so that they do not fill the memory."""

import threading
from typing import Any

import anyio
import PIL.ImageFile
import pytest

from darkroom.app.context import open_app
from darkroom.models import LOCAL_OWNER
from darkroom.settings import Settings
from darkroom.tools.results import one
from tests.hosts import PATIENCE_S, Home
from tests.services.fatthumb import FatThumb


class Door:
    """Counts who is in the decoder, and holds everybody up there for a moment, so that a crowd would be seen."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self.passed = 0
        self.most = 0
        real = PIL.ImageFile.ImageFile.load

        def load(picture: PIL.ImageFile.ImageFile) -> Any:
            with self._changed:
                self._inside += 1
                self.passed += 1
                self.most = max(self.most, self._inside)
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._inside > 2, timeout=0.2)
            try:
                return real(picture)
            finally:
                with self._changed:
                    self._inside -= 1

        monkeypatch.setattr(PIL.ImageFile.ImageFile, "load", load)


async def test_only_two_pictures_are_decoded_at_the_same_time(
    home: Home, fatthumb: FatThumb, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Door(monkeypatch)
    settings = Settings.from_environment(home.with_(fatthumb).environ)
    async with open_app(settings) as app:
        with anyio.fail_after(PATIENCE_S):
            async with app.service.submit(LOCAL_OWNER, prompt="A fox", count=4) as generation:
                started = generation.id
            async for snapshot in app.service.watch(LOCAL_OWNER, [started], timeout_s=PATIENCE_S):
                generation = snapshot.generations[0]
        assert generation.status == "succeeded"
        assert door.passed == 4
        async with anyio.create_task_group() as callers:
            for _ in range(4):
                callers.start_soon(one, generation)
        assert door.most <= 2
        assert door.passed >= 4 + 4 * 4
