"""A stream of bytes, cut into lines."""

import codecs
from collections.abc import Iterator

MAX_LINE = 1024 * 1024
"""No message that we serve is a hundredth as long; one of this length takes up to 30 MB once it is parsed."""


class Lines:
    """Cuts a stream of bytes into lines, without a byte order mark before the first.

    Of a line that is too long nothing is kept: it comes out as None.
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._too_long = False
        self._first = True

    def feed(self, chunk: bytes) -> Iterator[bytes | None]:
        """The lines that end in this chunk."""
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            self._keep(end)
            line = bytes(self._line)
            yield None if self._too_long else line.removeprefix(codecs.BOM_UTF8) if self._first else line
            self._first = self._first and not line.strip()
            self._line.clear()
            self._too_long = False
        self._keep(rest)

    def _keep(self, part: bytes) -> None:
        if self._too_long or len(self._line) + len(part) > MAX_LINE:
            self._too_long = True
            self._line.clear()
        else:
            self._line += part
