"""Stretches of a file: each is read when it is needed, so that memory does not grow with the file."""

import io
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_PIECE = 2**18


class Stretch:
    """The bytes of a file from one place to another; a slice of it is one too. Reading it raises OSError.

    The file's position is moved, so it belongs to one thread at a time.
    """

    def __init__(self, file: IO[bytes], start: int, end: int) -> None:
        self._file, self._start, self._end = file, start, end

    @classmethod
    def of(cls, data: bytes) -> "Stretch":
        """The same of bytes in memory."""
        return cls(io.BytesIO(data), 0, len(data))

    def __len__(self) -> int:
        return self._end - self._start

    def __getitem__(self, part: slice) -> "Stretch":
        start, end, _ = part.indices(len(self))
        return Stretch(self._file, self._start + start, self._start + max(start, end))

    def __bytes__(self) -> bytes:
        self._file.seek(self._start)
        return self._file.read(len(self))

    def read(self, at: int, size: int) -> bytes:
        """So many bytes from this place on, or those that there are."""
        return bytes(self[at : at + size])

    def after(self, mark: bytes) -> "Stretch":
        """All that follows the first byte of this value; nothing where there is none."""
        at = 0
        for piece in self.pieces():
            if (found := piece.find(mark)) >= 0:
                return self[at + found + 1 :]
            at += len(piece)
        return self[at:]

    def pieces(self) -> Iterator[bytes]:
        """All of it, piece by piece."""
        for at in range(0, len(self), _PIECE):
            yield self.read(at, _PIECE)


Piece = bytes | Stretch


def pieces(of: Sequence[Piece]) -> Iterator[bytes]:
    """The content of all of these, in pieces of bounded size."""
    for each in of:
        yield from [each] if isinstance(each, bytes) else each.pieces()


class Joined(io.RawIOBase):
    """A file that is read as if these had been put together."""

    def __init__(self, of: Sequence[Piece]) -> None:
        super().__init__()
        self._pieces = [each if isinstance(each, Stretch) else Stretch.of(each) for each in of if len(each)]
        self._starts = [0, *accumulate(map(len, self._pieces))]
        self._at = 0

    def readable(self) -> bool:
        """See `io.IOBase`."""
        return True

    def seekable(self) -> bool:
        """See `io.IOBase`."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """See `io.IOBase`."""
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._starts[-1]}[whence])
        return self._at

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """See `io.RawIOBase`."""
        if self._at >= self._starts[-1]:
            return 0
        number = bisect_right(self._starts, self._at) - 1
        view = memoryview(buffer).cast("B")
        found = self._pieces[number].read(self._at - self._starts[number], len(view))
        view[: len(found)] = found
        self._at += len(found)
        return len(found)
