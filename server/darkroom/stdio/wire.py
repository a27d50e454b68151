"""The two descriptors of JSON-RPC, read and written from threads, and what was said on them before the server stood."""

import os
import select
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread
from typing import NamedTuple

from darkroom.stdio.lines import Lines

CHUNK = 64 * 1024
MAX_HEARD = 1024 * 1024
"""Bytes that are taken in before the server stands; the rest waits in the pipe."""

Answer = Callable[[bytes | None], bytes | None]
"""The response to a line (None: one too long); b"": there is none to come; None: the server is to say it."""


class Heard(NamedTuple):
    """A line that came before the server stood, and the response that was sent (see `Answer`)."""

    line: bytes | None
    said: bytes | None


class Wire:
    """The descriptors that messages come from (`source`) and go to (`sink`)."""

    def __init__(self, source: int, sink: int) -> None:
        self.source = source
        self.sink = sink
        self.lines = Lines()
        """Cuts what is read, from the first byte to the last."""
        self._heard: list[Heard] = []
        self._relieved = False
        self._turn, self._mouth = Lock(), Lock()
        self._thread: Thread | None = None
        self._rest: bytes | None = None
        self._pollable = is_pollable(source)
        self._room = _room_of(sink)

    def attend(self, answer: Answer, leave: Callable[[], None]) -> None:
        """Has lines answered on a thread until `relieve`; calls `leave` where the input ends and nothing is owed."""
        self._thread = Thread(target=self._attend, args=(answer, leave), daemon=True)
        self._thread.start()

    def relieve(self) -> list[Heard]:
        """Ends that, and returns what came meanwhile: what comes from now on is for `read`."""
        with self._turn:
            self._relieved = True
            return self._heard

    def read(self) -> bytes:
        """The next bytes, b"" at the end; blocks. `relieve` must have been called before."""
        if self._thread is not None:
            self._thread.join()  # it is still in its last read
            self._thread = None
            if self._rest is not None:
                return self._rest
        return self._take()

    @property
    def pollable(self) -> bool:
        """True where an event loop can wait until `read` does not block."""
        return self._pollable and self._thread is None

    @property
    def tells_room(self) -> bool:
        """True where an event loop can wait until `write_at_once` writes something."""
        return self._room is not None

    def write_at_once(self, data: bytes) -> bytes:
        """Writes what can be written without blocking, and returns the rest. Raises OSError: the client has gone."""
        if sys.platform == "win32" or self._room is None or not self._mouth.acquire(blocking=False):
            return data
        try:
            rest = memoryview(data)
            with suppress(BlockingIOError):
                while rest and self._room.poll(0):  # then so many bytes do not block (POSIX, and Python's select)
                    rest = rest[os.write(self.sink, rest[: select.PIPE_BUF]) :]
            return bytes(rest)
        finally:
            self._mouth.release()

    def write(self, data: bytes) -> None:
        """Writes all of it; blocks. Raises OSError: the client has gone."""
        with self._mouth:
            self._write(data)

    def _attend(self, answer: Answer, leave: Callable[[], None]) -> None:
        length = 0
        # A client that has gone, or cannot be read from, is noticed by the server as well.
        with suppress(OSError):
            while length < MAX_HEARD and (chunk := self._hear()):
                length += len(chunk)
                with self._turn:
                    if self._relieved:
                        return
                    fresh = [Heard(line, answer(line)) for line in self.lines.feed(chunk)]
                    self._heard += fresh
                    self._rest = None
                    self._mouth.acquire()  # before the server may say something
                try:
                    self._write(b"".join(each.said or b"" for each in fresh))
                finally:
                    self._mouth.release()
        with self._turn:
            owed = [each for each in self._heard if each.said is None]
            if self._rest == b"" and self._heard and not owed and not self._relieved:
                leave()

    def _hear(self) -> bytes:
        self._rest = self._take()
        return self._rest

    def _take(self) -> bytes:
        while True:
            try:
                return os.read(self.source, CHUNK)
            except BlockingIOError:  # the host's end of it is one with this, and does not block
                select.select([self.source], [], [])

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self.sink, rest) :]
            except BlockingIOError:
                select.select([], [self.sink], [])


def is_pollable(descriptor: int) -> bool:
    """True of pipes and sockets, where the system can say whether they are ready."""
    if sys.platform == "win32":
        return False
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _room_of(descriptor: int):  # Windows has no name for what it returns
    """An object that can be asked for room to write to a pipe or socket; None where nothing can be."""
    if sys.platform == "win32" or not is_pollable(descriptor):
        return None
    room = select.poll()
    room.register(descriptor, select.POLLOUT)
    return room
