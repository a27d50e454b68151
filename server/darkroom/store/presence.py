"""Signs of life: each process holds a lock on a file of its own while it lives, and touches it while it runs."""

import os
import re
import secrets
import sys
import time
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import anyio
from filelock import FileLock, Timeout

from darkroom import __version__
from darkroom.errors import StorageError
from darkroom.store.private import FILE, make_folder
from darkroom.store.signs import Life, Neighbour, Sign

STAYS_MISSING_S = 3.0
"""Seconds after which a missing file means what a free lock does: who lives puts it back sooner."""
RESTORED_EVERY_S = 1.0
SILENT_AFTER_S = 30.0
"""Seconds that a live process may do nothing before others go on with its work."""
MOST_BETWEEN_LOOKS_S = 2.0
"""The most that counts of the time between two looks at the others: more means that the looker itself was asleep."""


class FilePresence:
    """See `Presence`: a file that is locked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._missing: dict[str, float] = {}
        self._beats: dict[str, tuple[int | None, float]] = {}
        self._looked_at = time.monotonic()
        self._unchecked = folder / "unchecked"
        if any(_is_free(path) for path in folder.glob("*.lock")):
            os.close(os.open(self._unchecked, os.O_CREAT | os.O_WRONLY, FILE))
        self.id, self._lock, self._file = _own_lock(folder)

    def life(self, process_id: str) -> Life:
        """See `Signs.life`."""
        if process_id == self.id:
            return Life.RUNNING
        if self.is_dead(process_id):
            return Life.DEAD
        return Life.SILENT if self.silent(process_id) else Life.RUNNING

    def silent(self, process_id: str) -> bool:
        """See `Signs.silent`."""
        return self._beats.get(process_id, (None, 0.0))[1] > SILENT_AFTER_S

    def living(self) -> Mapping[str, Sign]:
        """See `Signs.living`."""
        found: dict[str, Sign] = {}
        for path in self._folder.glob("*.lock"):
            if path.stem == self.id or not self.is_dead(path.stem):
                with suppress(OSError):  # it has just ended
                    ago_s = max(0.0, time.time() - path.stat().st_mtime)
                    found[path.stem] = Sign(ago_s, ago_s > SILENT_AFTER_S)
        return found

    def look(self, others: Collection[str]) -> Collection[str]:
        """See `Presence.look`: how long each has shown nothing. Only the time counts in which this process itself ran.

        Any of them may be dead: a lock is tried within a transaction only.
        """
        now = time.monotonic()
        passed = min(now - self._looked_at, MOST_BETWEEN_LOOKS_S)
        self._looked_at = now
        beats: dict[str, tuple[int | None, float]] = {}
        for other in others:
            beat = self._last_beat(other)
            known, silent_s = self._beats.get(other, (beat, -passed))
            beats[other] = (beat, silent_s + passed if beat == known else 0.0)
        self._beats = beats
        return others

    async def wait(self, within_s: float) -> None:
        """See `Presence.wait`: a file tells nobody."""
        await anyio.sleep(within_s)

    def _last_beat(self, process_id: str) -> int | None:
        with suppress(OSError):
            return self._locked(process_id).stat().st_mtime_ns
        return None

    def is_dead(self, process_id: str) -> bool:
        """True where that process has ended. A file that somebody removed proves nothing by itself."""
        if self._ended(process_id).exists():
            return True
        if not self._locked(process_id).exists():
            seen = self._missing.setdefault(process_id, time.monotonic())
            return time.monotonic() - seen >= STAYS_MISSING_S
        self._missing.pop(process_id, None)
        return _is_free(self._locked(process_id))

    def neighbours(self) -> list[Neighbour]:
        """The other processes that live. To be asked within a write transaction, as `Signs.life` is."""
        others = (path for path in sorted(self._folder.glob("*.lock")) if path.stem != self.id)
        return [Neighbour(path.stem.partition("-")[0], _version_in(path)) for path in others if not _is_free(path)]

    @property
    def checked(self) -> bool:
        """True where the ledger has been checked since a process last died unannounced: the whole machine may have."""
        return not self._unchecked.exists()

    def note_check(self) -> None:
        """The ledger has been checked."""
        self._unchecked.unlink(missing_ok=True)

    def forget(self, process_id: str) -> None:
        """Removes what a dead process has left here."""
        for path in (self._locked(process_id), self._ended(process_id)):
            with suppress(OSError):  # another process forgets it too
                path.unlink()

    def remove_dead(self, named: Collection[str] = ()) -> None:
        """See `Presence.remove_dead`."""
        for path in self._folder.glob("*.*"):
            if path.stem not in {self.id, *named} and self.is_dead(path.stem):
                self.forget(path.stem)

    def stay(self) -> None:
        """See `Presence.stay`."""
        path = self._locked(self.id)
        with suppress(OSError, Timeout):  # the next time
            if not path.exists() or not os.path.samestat(path.stat(), self._file):
                make_folder(self._folder)
                lock = _lock(path)
                lock.acquire(timeout=0)
                _write_version(path)
                self._lock.release()
                self._lock, self._file = lock, path.stat()
            os.utime(path)

    def end(self) -> None:
        """Says that this process has ended, as it should."""
        self._lock.release()
        with suppress(OSError):
            try:
                self._locked(self.id).replace(self._ended(self.id))
            except FileNotFoundError:  # on Windows it goes with its lock
                self._ended(self.id).touch(FILE)

    def _locked(self, process_id: str) -> Path:
        return self._folder / f"{process_id}.lock"

    def _ended(self, process_id: str) -> Path:
        return self._folder / f"{process_id}.ended"


@contextmanager
def present(home: Path) -> Generator[FilePresence]:
    """Shows this process to its peers until the block ends, however it ends.

    Raises:
        StorageError: the folder cannot be written to.
    """
    folder = home / "processes"
    try:
        make_folder(folder)
        presence = FilePresence(folder)
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
    return FileLock(path, mode=FILE, thread_local=False)


def _write_version(path: Path) -> None:
    """Writes this version into a sign of life, behind the byte that Windows locks; nothing depends on it."""
    with suppress(OSError), path.open("r+b", buffering=0) as file:
        file.seek(1)
        file.write(__version__.encode())


def _version_in(path: Path) -> str:
    with suppress(OSError), path.open("rb", buffering=0) as file:
        file.seek(1)
        found = re.match(r"[0-9][0-9A-Za-z.+]{0,30}", file.read(40).decode("ascii", "replace"))
        return found[0] if found else ""
    return ""


def _is_free(path: Path) -> bool:
    """True where nobody holds that lock; others who look now do not take the caller for its holder."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return False
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - only Windows has it, and no shared locks

            # The byte that `FileLock` locks, which itself removes the file as it lets go.
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - Windows has none

            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _own_lock(folder: Path) -> tuple[str, FileLock, os.stat_result]:
    while True:
        process_id = f"{os.getpid()}-{secrets.token_hex(8)}"
        path = folder / f"{process_id}.lock"
        lock = _lock(path)
        lock.acquire()
        _write_version(path)
        # A peer that looked between the file's birth and its lock took it for a dead process's and removed it.
        with suppress(FileNotFoundError):
            return process_id, lock, path.stat()
        lock.release()
