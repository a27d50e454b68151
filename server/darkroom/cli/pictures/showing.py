"""Shows saved pictures small, where a terminal can."""

import base64
from functools import partial
from typing import TYPE_CHECKING

from anyio import to_thread

from darkroom.cli.pictures.asking import Abilities, Protocol, abilities
from darkroom.cli.pictures.drawing import blocks, codes, fitted
from darkroom.cli.terminal import spelled
from darkroom.generations.showing import Showing
from darkroom.models import Image

if TYPE_CHECKING:
    from rich.console import Console


class Thumbnails:
    """Shows pictures on `console`, which is asked once what it can."""

    def __init__(self, pictures: Showing, console: "Console") -> None:
        self._pictures = pictures
        self._console = console
        self._can: Abilities | None = None

    async def show(self, image: Image, columns: int, rows: int) -> None:
        """Shows it in a box of at most so many columns and rows; nothing, where it cannot be read or seen."""
        if not _colourful(self._console):
            return
        if self._can is None:
            self._can = await to_thread.run_sync(abilities)
        if self._can.protocol is Protocol.BLOCKS and spelled("▀", self._console.encoding) != "▀":
            return
        small = await self._pictures.preview(image)
        if small is not None:
            box = min(columns, self._console.width), rows
            drawn = await to_thread.run_sync(partial(_drawn, base64.b64decode(small), box, self._can))
            self._print(drawn)

    def _print(self, drawn: object) -> None:
        if isinstance(drawn, str):
            self._console.file.write(drawn)
        else:
            self._console.print(drawn, no_wrap=True, overflow="crop")


def _colourful(console: "Console") -> bool:
    """True for a terminal that obeys escape codes and shows colours."""
    return console.is_terminal and not console.is_dumb_terminal and not console.no_color


def _drawn(jpeg: bytes, box: tuple[int, int], can: Abilities) -> object:
    picture = fitted(jpeg, box, can)
    return blocks(picture) if can.protocol is Protocol.BLOCKS else codes(picture, can)
