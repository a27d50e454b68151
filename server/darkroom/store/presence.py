"""Signs of life: each process holds a lock on a file of its own for as long as it lives."""

import os
import secrets
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from darkroom.errors import StorageError
from darkroom.store.private import FILE, make_folder

STAYS_MISSING_S = 3.0
"""Seconds after which a missing file means what a free lock does: who lives puts it back sooner."""
RESTORED_EVERY_S = 1.0


class Presence:
    """This process's sign of life. `id` is what ledger rows name as their holder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._missing: dict[str, float] = {}
        self.id, self._lock, self._file = _own_lock(folder)

    def is_dead(self, process_id: str) -> bool:
        """Whether that process has ended. A file that somebody removed tells nothing by itself."""
        if self._ended(process_id).exists():
            return True
        if not self._locked(process_id).exists():
            seen = self._missing.setdefault(process_id, time.monotonic())
            return time.monotonic() - seen >= STAYS_MISSING_S
        self._missing.pop(process_id, None)
        return _is_free(self._locked(process_id))

    def forget(self, process_id: str) -> None:
        """Removes what a dead process has left here."""
        for path in (self._locked(process_id), self._ended(process_id)):
            with suppress(OSError):  # another process forgets it too
                path.unlink()

    def forget_the_dead(self) -> None:
        """The same for everybody who is gone; whose rows they held has been asked by name, not by file."""
        for path in self._folder.iterdir():
            if path.stem != self.id and self.is_dead(path.stem):
                self.forget(path.stem)

    def stay(self) -> None:
        """Puts the own file back where somebody has removed it."""
        path = self._locked(self.id)
        with suppress(OSError, Timeout):  # the next time
            if not path.exists() or not os.path.samestat(path.stat(), self._file):
                make_folder(self._folder)
                lock = _lock(path)
                lock.acquire(timeout=0)
                self._lock.release()
                self._lock, self._file = lock, path.stat()

    def end(self) -> None:
        """Says that this process has ended, as it should."""
        self._lock.release()
        with suppress(OSError):
            self._locked(self.id).replace(self._ended(self.id))

    def _locked(self, process_id: str) -> Path:
        return self._folder / f"{process_id}.lock"

    def _ended(self, process_id: str) -> Path:
        return self._folder / f"{process_id}.ended"


@contextmanager
def present(home: Path) -> Generator[Presence]:
    """Shows this process to its peers until the block ends, however it ends.

    Raises:
        StorageError: the folder cannot be written to.
    """
    folder = home / "processes"
    try:
        make_folder(folder)
        presence = Presence(folder)
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be written to ({error.strerror or type(error).__name__}).",
            next_step="Make it writable, or set DARKROOM_HOME to another folder.",
        ) from error
    try:
        yield presence
    finally:
        presence.end()


def _lock(path: Path) -> FileLock:
    return FileLock(path, mode=FILE)


def _is_free(path: Path) -> bool:
    lock = _lock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    lock.release()
    return True


def _own_lock(folder: Path) -> tuple[str, FileLock, os.stat_result]:
    while True:
        process_id = secrets.token_hex(8)
        path = folder / f"{process_id}.lock"
        lock = _lock(path)
        lock.acquire()
        # A peer that looked between the file's birth and its lock took it for a dead process's and removed it.
        with suppress(FileNotFoundError):
            return process_id, lock, path.stat()
        lock.release()
