"""Signs of life: each process holds a lock on a file of its own for as long as it lives."""

import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from darkroom.errors import StorageError


class Presence:
    """This process's sign of life. `id` is what ledger rows name as their holder."""

    def __init__(self, folder: Path, process_id: str) -> None:
        self.id = process_id
        self._folder = folder

    def forget_the_dead(self) -> None:
        """Removes the files of processes that are gone; whose rows they held is asked by name, not by file."""
        for path in self._folder.glob("*.lock"):
            if path.stem != self.id:
                with self.of_dead(path.stem):
                    continue

    @contextmanager
    def of_dead(self, process_id: str) -> Generator[bool]:
        """Whether that process is dead. While the block lasts, nobody else is told so; then its file goes."""
        path = self._folder / f"{process_id}.lock"
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        try:
            yield True
            path.unlink(missing_ok=True)
        finally:
            lock.release()


@contextmanager
def present(home: Path) -> Generator[Presence]:
    """Shows this process to its peers until the block ends, however it ends.

    Raises:
        StorageError: the folder cannot be written to.
    """
    folder = home / "processes"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        process_id, lock = _own_lock(folder)
        presence = Presence(folder, process_id)
        presence.forget_the_dead()
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be written to ({error.strerror or type(error).__name__}).",
            next_step="Make it writable, or set DARKROOM_HOME to another folder.",
        ) from error
    try:
        yield presence
    finally:
        with suppress(OSError):
            (folder / f"{process_id}.lock").unlink(missing_ok=True)
        lock.release()


def _own_lock(folder: Path) -> tuple[str, FileLock]:
    while True:
        process_id = secrets.token_hex(8)
        path = folder / f"{process_id}.lock"
        lock = FileLock(path)
        lock.acquire()
        # A peer that looked between the file's birth and its lock took it for a dead process's and removed it.
        if path.exists():
            return process_id, lock
        lock.release()
