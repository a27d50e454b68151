"""Picture files: saved whole or not at all, under names of our own, never over another file."""

import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from darkroom.errors import StorageError
from darkroom.models import Charged
from darkroom.store.private import FILE, FOLDER, UNSUPPORTED, make_folder, restore, where_supported

STALE_S = 3600.0
"""Seconds after which nobody is still writing a temporary file: the process that began it was killed."""
TRIAL_BYTES = 64 * 1024
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.part")


def save_picture(root: Path, day: datetime, stem: str, suffix: str, data: bytes) -> Path:
    """Writes `data` to `root/YYYY-MM-DD/stem.suffix` through a temporary file, synced before it gets its name.

    A file of that name with the same bytes is ours from before a crash and is kept; with other bytes it is
    somebody's, and the next free `stem-2` is taken. A link in the place of the day's folder is not followed.

    Raises:
        StorageError: the disk refused; nothing of ours is left there.
    """
    try:
        with _day_folder(root, day.strftime("%Y-%m-%d")) as folder:
            folder.sweep()
            temporary = f".{secrets.token_hex(8)}.part"
            folder.write(temporary, data)
            try:
                return folder.path / _give_name(folder, temporary, stem, suffix, data)
            finally:
                folder.remove(temporary)
    except OSError as error:
        raise StorageError(
            f"The picture could not be saved under {root} ({error.strerror or type(error).__name__}).",
            next_step="Make room there, or make the folder that DARKROOM_PICTURES names writable, then call "
            "get_status: Darkroom fetches the picture again, at no cost.",
            charged=Charged.YES,
        ) from error


def try_place(root: Path, day: datetime, room: int) -> None:
    """Makes a file where `save_picture` would, syncs it, removes it, and looks whether `room` bytes are free.

    Raises:
        StorageError: a picture could not be saved there now.
    """
    try:
        with _day_folder(root, day.strftime("%Y-%m-%d")) as folder:
            trial = f".{secrets.token_hex(8)}.part"
            folder.write(trial, bytes(TRIAL_BYTES))
            folder.remove(trial)
            folder.sync()
            disk = shutil.disk_usage(folder.path if folder.descriptor is None else folder.descriptor)
            if disk.total and disk.free < room:  # some network drives do not know how large they are
                raise OSError(errno.ENOSPC, f"only {disk.free:,} bytes are free, {room:,} are needed")
    except (OSError, ValueError) as error:
        raise unusable(root, getattr(error, "strerror", None) or type(error).__name__) from error


def unusable(root: Path | str, reason: str) -> StorageError:
    """Pictures cannot be saved there, so none is asked for."""
    return StorageError(
        f"Pictures cannot be saved under {root} ({reason}), so nothing was sent.",
        next_step="Make room there, make the folder writable, or name another one in DARKROOM_PICTURES; then generate "
        "again.",
    )


def read_at_most(path: Path, size: int) -> bytes:
    """The first bytes of a file. A link in its place, or in its folder's, is not followed. Raises OSError."""
    with _folder(path.parent) as folder:
        return folder.read(path.name, size)


def _give_name(folder: "_Folder", temporary: str, stem: str, suffix: str, data: bytes) -> str:
    for number in range(1, 1000):
        name = f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}"
        try:
            folder.name(temporary, name, data)
        except FileExistsError:
            if folder.holds(name, data):
                return name
            continue
        folder.sync()
        return name
    raise FileExistsError(17, "a thousand files of that name exist")


@dataclass(frozen=True)
class _Folder:
    """A folder held open, so that what is swapped in at its path meanwhile is never written to.

    Windows has no descriptors of folders (`descriptor` None): there the path is used.
    """

    path: Path
    descriptor: int | None

    def write(self, name: str, data: bytes) -> None:
        """Makes the file, for its owner alone, with its content on the disk; or leaves none."""
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
        descriptor = os.open(self._at(name), flags, FILE, dir_fd=self.descriptor)
        try:
            with os.fdopen(descriptor, "wb") as file:
                restore(descriptor, FILE)
                file.write(data)
                file.flush()
                _sync(descriptor)
        except OSError:
            self.remove(name)
            raise

    def name(self, temporary: str, name: str, data: bytes) -> None:
        """Gives the temporary file, which holds `data`, a name of its own. Raises FileExistsError: that is taken."""
        try:
            # A hard link fails where the name is taken; a rename would silently take it over.
            os.link(self._at(temporary), self._at(name), src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            self.write(name, data)

    def read(self, name: str, limit: int) -> bytes:
        """The first bytes of a file. A link is not followed, and a pipe not waited for."""
        flags = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))

        def within(path: str, _: int) -> int:
            return os.open(path, flags, dir_fd=self.descriptor)

        with open(self._at(name), "rb", opener=within) as file:
            return file.read(limit)

    def holds(self, name: str, data: bytes) -> bool:
        """True where that is a file with this content."""
        try:
            return self.read(name, len(data) + 1) == data
        except OSError:
            return False

    def remove(self, name: str) -> None:
        try:
            os.unlink(self._at(name), dir_fd=self.descriptor)
        except FileNotFoundError:
            return

    def sweep(self) -> None:
        """Removes what saves that were killed have left here."""
        oldest = time.time() - STALE_S
        with os.scandir(self.path if self.descriptor is None else self.descriptor) as entries:
            for entry in entries:
                with suppress(OSError):  # another process sweeps too, or it is none of ours
                    if _TEMPORARY.fullmatch(entry.name) and entry.stat(follow_symlinks=False).st_mtime < oldest:
                        self.remove(entry.name)

    def sync(self) -> None:
        if self.descriptor is not None:
            _sync(self.descriptor)

    def _at(self, name: str) -> str:
        return name if self.descriptor is not None else str(self.path / name)


@contextmanager
def _day_folder(root: Path, day: str) -> Generator[_Folder]:
    """The day's folder in the root, made where it is missing; a link in its place is not followed."""
    if os.name == "nt":
        make_folder(root / day)
        yield _Folder(root / day, None)
        return
    make_folder(root)
    with _opened(root) as above:
        with suppress(FileExistsError):
            os.mkdir(day, FOLDER, dir_fd=above)
            restore(day, FOLDER, above)
            _sync(above)
        with _opened(day, os.O_NOFOLLOW, above) as descriptor:
            yield _Folder(root / day, descriptor)


@contextmanager
def _folder(path: Path) -> Generator[_Folder]:
    """A folder that exists; a link in its place is not followed."""
    if os.name == "nt":
        yield _Folder(path, None)
        return
    with _opened(path, os.O_NOFOLLOW) as descriptor:
        yield _Folder(path, descriptor)


def _sync(descriptor: int) -> None:
    """Waits until it is on the disk, where the file system can say so."""
    with where_supported():
        os.fsync(descriptor)


@contextmanager
def _opened(path: Path | str, flags: int = 0, above: int | None = None) -> Generator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | flags, dir_fd=above)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
