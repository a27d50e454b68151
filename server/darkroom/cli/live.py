"""The progress line: rewritten in place on a terminal that can, one plain line per change elsewhere."""

import re
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import TextIO

from darkroom.cli.terminal import FALLBACK, columns, columns_of, show, truncated

QUIET_S = 20.0
"""Seconds for which a plain line that would differ in its figures alone is not printed."""
_FIGURES = re.compile(r"[0-9]+")
_ERASE, _UP, _ERASE_BELOW = "\r\x1b[K", "\x1b[A", "\x1b[J"


class Live:
    """A context in which `show` keeps one line current; the last one stays, whole.

    `in_place` False: the terminal obeys no escape codes. `clock`: seconds.
    """

    def __init__(self, out: TextIO, *, in_place: bool, clock: Callable[[], float] = monotonic) -> None:
        self._out = out
        self._in_place = in_place and out.isatty()
        self._clock = clock
        self._last = ""
        self._shown = ""
        self._shown_at = 0.0

    def __enter__(self) -> "Live":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._in_place:
            self._out.write(self._erased(self._width()))
        if self._in_place or self._shown != self._last:
            show(self._out, self._last)
        self._out.flush()

    def show(self, line: str) -> None:
        """Shows the line, unless it is the one that is shown."""
        if line == self._last:
            return
        self._last = line
        if self._in_place:
            width = self._width()
            erased, self._shown = self._erased(width), truncated(line, max(width - 1, 1), self._out)
            self._out.write(erased + self._shown)
        elif _FIGURES.sub("", line) != _FIGURES.sub("", self._shown) or self._clock() - self._shown_at >= QUIET_S:
            self._shown, self._shown_at = line, self._clock()
            show(self._out, line)
        self._out.flush()

    def _width(self) -> int:
        return columns(self._out) or FALLBACK

    def _erased(self, width: int) -> str:
        """The codes that remove what is shown, also of a terminal that has become too narrow for it since."""
        above = max(columns_of(self._shown) - 1, 0) // width
        return f"{_UP * above}{_ERASE}{_ERASE_BELOW if above else ''}"
