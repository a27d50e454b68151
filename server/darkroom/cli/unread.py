"""A stderr that perhaps nobody reads: hosts give a server a pipe, and not all of them empty it."""

import os
import select
import sys
from typing import TextIO

from darkroom.stdio.wire import is_pollable

PATIENCE_MS = 100
"""Milliseconds for which a full pipe may hold up the first line that it does not take; those after it wait for none."""
LEFT_OUT = b"\n(Lines are missing here: nobody read them.)\n"


class Unread:
    """A stream for a log. What the pipe does not take is left out, since waiting would stop the whole server."""

    def __init__(self, stream: TextIO) -> None:
        assert sys.platform != "win32"
        self._descriptor = stream.fileno()
        self._room = select.poll()
        self._room.register(self._descriptor, select.POLLOUT)
        self._missing = False

    def write(self, text: str) -> None:
        """Writes what there is room for. Raises OSError: there is no reader any more."""
        assert sys.platform != "win32"
        data = text.encode(errors="backslashreplace")
        rest = memoryview(LEFT_OUT + data if self._missing else data)
        while rest and self._room.poll(0 if self._missing else PATIENCE_MS):
            rest = rest[os.write(self._descriptor, rest[: select.PIPE_BUF]) :]  # as many as do not block (POSIX)
        self._missing = bool(rest)

    def flush(self) -> None:
        """Nothing is kept back."""


def never_waiting(stream: TextIO) -> TextIO | Unread:
    """The stream; where it is a pipe, one that holds nobody up."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return stream
    if sys.platform == "win32" or not is_pollable(descriptor):
        return stream
    return Unread(stream)
