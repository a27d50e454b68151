"""The progress line: rewritten in place on a terminal, one plain line per change where it is piped."""

import shutil
from types import TracebackType
from typing import TextIO


class Live:
    """A context in which `show` keeps one line current; the last one stays, whole."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._in_place = out.isatty()
        self._last = ""

    def __enter__(self) -> "Live":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._in_place:
            self._out.write(f"\r\x1b[K{self._last}\n")
            self._out.flush()

    def show(self, line: str) -> None:
        """Shows the line, unless it is the one that is shown."""
        if line == self._last:
            return
        self._last = line
        if self._in_place:
            width = shutil.get_terminal_size().columns - 1
            self._out.write(f"\r\x1b[K{line[:width]}")
        else:
            self._out.write(f"{line}\n")
        self._out.flush()
