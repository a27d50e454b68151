"""Bytes from the network on their way into a file, so that memory does not grow with them."""

from collections.abc import Callable
from typing import IO

from anyio import to_thread

from darkroom.errors import LOOK_AGAIN, DarkroomError, ResultUnavailable
from darkroom.models import Charged
from darkroom.redact.secrets import Redactor

_PIECE = 2**18


class Incoming:
    """A file that is written as its content comes; `refused`: the error for a disk that takes no more of it."""

    def __init__(self, file: IO[bytes], refused: Callable[[OSError], DarkroomError]) -> None:
        self._file = file
        self._refused = refused
        self._waiting = bytearray()
        self.size = 0

    async def take(self, chunk: bytes) -> None:
        """Adds the next bytes; on another thread, for a disk may be slow. Raises what the disk's refusal is made."""
        self._waiting += chunk
        if len(self._waiting) >= _PIECE:
            data, self._waiting = self._waiting, bytearray()
            await to_thread.run_sync(self.write, data)

    def write(self, data: bytes | bytearray) -> None:
        """The same, on this thread and at once."""
        self.size += len(data)
        try:
            self._file.write(data)
        except OSError as error:
            raise self._refused(error) from error

    def whole(self) -> IO[bytes]:
        """The file with everything in it, at its beginning. Raises what the disk's refusal is made."""
        data, self._waiting = self._waiting, bytearray()
        self.write(data)
        try:
            self._file.flush()
            self._file.seek(0)
        except OSError as error:
            raise self._refused(error) from error
        return self._file


class IncomingPicture(Incoming):
    """A picture on its way into its file, where none with a key of the user's in it gets whole."""

    def __init__(self, file: IO[bytes], refused: Callable[[OSError], DarkroomError], redact: Redactor) -> None:
        super().__init__(file, refused)
        self._redact = redact
        self._last = b""

    def write(self, data: bytes | bytearray) -> None:
        """See `Incoming.write`. Raises ResultUnavailable: a key stands in it."""
        # In the picture's own notes, as tools do that write down how it was made. 64 MiB take a second to search.
        near = self._last + data
        if self._redact.within(near):
            raise holds_a_key()
        self._last = near[max(0, len(near) - self._redact.longest) :]
        super().write(data)


def holds_a_key() -> ResultUnavailable:
    """The error for a picture in whose file a key of the user's stands."""
    return ResultUnavailable(
        "The picture's file holds a key of yours, so it is not kept.", next_step=LOOK_AGAIN, charged=Charged.YES
    )
