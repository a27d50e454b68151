"""However many pictures come or are shown at once, few are fetched or decoded, so that they do not fill the memory."""

import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from shutil import rmtree
from typing import Any

import anyio
import PIL.ImageFile
import pytest
from anyio import to_thread

from darkroom.app.context import Opened, open_app
from darkroom.generations.asking.wishes import Wish
from darkroom.generations.driving.collect import AT_ONCE
from darkroom.providers.declared import read_settings
from darkroom.tools.results import Results
from darkroom.views import Generation
from tests.hosts import PATIENCE_S, Home
from tests.services.exchange import Exchange
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
            if not picture.tile:  # it is decoded already
                return real(picture)
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


@asynccontextmanager
async def app_of(home: Home, fatthumb: FatThumb) -> AsyncGenerator[Opened]:
    """Everything that a server has, in this process; what happens in it must end."""
    settings = read_settings(home.with_(fatthumb, FATTHUMB_LIMITS="submit=1000/1").environ)
    with anyio.fail_after(PATIENCE_S):
        async with open_app(settings) as app:
            yield app


async def finished(app: Opened, prompt: str) -> Generation:
    """Four new pictures, once they are saved."""
    async with app.desk().submit(Wish(prompt=prompt, count=4)) as generation:
        pass
    async for snapshot in app.desk().watch([generation.id], timeout_s=PATIENCE_S):
        generation = snapshot.generations[0]
    assert generation.status == "succeeded"
    return generation


async def test_only_two_pictures_are_decoded_at_the_same_time_to_save_or_to_show_them(
    home: Home, fatthumb: FatThumb, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Door(monkeypatch)
    async with app_of(home, fatthumb) as app:
        shown = await finished(app, "A fox")
        assert door.passed == 4
        over = False

        async def show() -> None:
            while not over:
                rmtree(app.settings.home / "previews", ignore_errors=True)  # what was made once would only be read
                await Results(app.desk).one(shown)

        async with anyio.create_task_group() as callers:
            for _ in range(4):
                callers.start_soon(show)
            await finished(app, "Another fox")
            over = True
        assert door.most == 2
        assert door.passed >= 4 + 4 + 4 * 4


class Gate:
    """Counts the requests that are under way at once, and holds each up for a moment, so that a crowd would be seen."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self.most = 0

    async def play(self, exchange: Exchange) -> None:
        await to_thread.run_sync(self._hold)
        await exchange.answer(await exchange.normal())

    def _hold(self) -> None:
        with self._changed:
            self._inside += 1
            self.most = max(self.most, self._inside)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most >= AT_ONCE, timeout=PATIENCE_S)  # a slow machine fills it late
            self._changed.wait_for(lambda: self._inside > AT_ONCE, timeout=1)
            self._inside -= 1


async def test_only_four_pictures_are_fetched_at_the_same_time(home: Home, fatthumb: FatThumb) -> None:
    gate = Gate()
    fatthumb.always("picture", gate)
    async with app_of(home, fatthumb) as app, anyio.create_task_group() as callers:
        for number in range(3):
            callers.start_soon(finished, app, f"Fox {number}")
    assert gate.most == AT_ONCE == 4
    assert len(home.saved()) == 12
