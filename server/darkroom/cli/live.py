"""The progress line: rewritten in place on a terminal that can, one plain line per change elsewhere."""

from types import TracebackType
from typing import TextIO

from darkroom.cli.terminal import columns, cut, show


class Live:
    """A context in which `show` keeps one line current; the last one stays, whole.

    `in_place` False: the terminal obeys no escape codes.
    """

    def __init__(self, out: TextIO, *, in_place: bool) -> None:
        self._out = out
        self._in_place = in_place and out.isatty()
        self._last = ""

    def __enter__(self) -> "Live":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._in_place:
            self._out.write("\r\x1b[K")
            show(self._out, self._last)
            self._out.flush()

    def show(self, line: str) -> None:
        """Shows the line, unless it is the one that is shown."""
        if line == self._last:
            return
        self._last = line
        if self._in_place:
            self._out.write(f"\r\x1b[K{cut(line, (columns(self._out) or 80) - 1, self._out)}")
        else:
            show(self._out, line)
        self._out.flush()
