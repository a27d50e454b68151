"""Picture files: saved whole or not at all, under names of our own, never over another file."""

import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import IO

from darkroom.errors import StorageError
from darkroom.models import Charged
from darkroom.store.private import FILE, FOLDER, UNSUPPORTED, make_folder, restore, where_supported

STALE_S = 3600.0
"""Seconds after which nobody is still writing a temporary file, whether it is locked or not."""
TRIAL_BYTES = 64 * 1024
_PIECE = 2**18
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}(\.open)?\.part")
"""Those that are `open` are locked as long as somebody writes them."""


class Draft:
    """A picture's file before it has its name: in the folder of its day, for its owner alone.

    Every method blocks, and may be called on any thread, one at a time. What is written to `file` is there to be read.

    Raises:
        StorageError: the disk refused; nothing of ours is left there.
    """

    def __init__(self, root: Path, day: datetime) -> None:
        self._root, self._name, self._open = root, f".{secrets.token_hex(8)}.part", ExitStack()
        try:
            self._folder = self._open.enter_context(_day_folder(root, day.strftime("%Y-%m-%d")))
            self.file = self._folder.create(self._name)
            self._open.callback(lambda: self._folder.remove(self._name))
            self._open.callback(self.file.close)
            if _lock(self.file):
                self._name = self._folder.rename(self._name, self._name.replace(".part", ".open.part"))
            self._folder.sweep()
        except OSError as error:
            self.drop()
            raise self.refusal(error) from error

    def write(self, content: Iterable[bytes]) -> None:
        """Adds all of this."""
        try:
            self.file.writelines(content)
        except OSError as error:
            raise self.refusal(error) from error

    def keep(self, stem: str, suffix: str) -> Path:
        """Gives it the name `stem.suffix` instead of its own, once its content is on the disk.

        A file of that name with the same bytes is ours from before a crash and is kept; with other bytes it is
        somebody's, and the next free `stem-2` is taken. A link in the place of the day's folder is not followed.
        """
        try:
            self.file.flush()
            _sync(self.file.fileno())
            name = _give_name(self._folder, self._name, stem, suffix)
        except OSError as error:
            raise self.refusal(error) from error
        self.drop()  # a file that loses one of its names is another by its stamp
        return self._folder.path / name

    def drop(self) -> None:
        """Removes what has no name of its own."""
        with suppress(OSError):  # what cannot be removed now is swept later
            self._open.close()

    def refusal(self, error: OSError) -> StorageError:
        """The error for a disk that takes no more of it, or does not give it back."""
        return StorageError(
            f"The picture could not be saved under {self._root} ({error.strerror or type(error).__name__}).",
            next_step="Make room there, or make the folder that DARKROOM_PICTURES names writable, then call "
            "get_status: Darkroom fetches the picture again, at no cost.",
            charged=Charged.YES,
        )


def try_place(root: Path, day: datetime, room: int) -> None:
    """Makes a file where a picture would be, syncs it, removes it, and looks whether `room` bytes are free.

    Raises:
        StorageError: a picture could not be saved there now.
    """
    try:
        with _day_folder(root, day.strftime("%Y-%m-%d")) as folder:
            trial = f".{secrets.token_hex(8)}.part"
            folder.write(trial, [bytes(TRIAL_BYTES)])
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


def opened(path: Path) -> IO[bytes]:
    """A file, to be read. A link in its place, or in its folder's, is not followed. Raises OSError."""
    with _folder(path.parent) as folder:
        return folder.open(path.name)


def _give_name(folder: "_Folder", temporary: str, stem: str, suffix: str) -> str:
    for number in range(1, 1000):
        name = f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}"
        try:
            folder.name(temporary, name)
        except FileExistsError:
            if folder.alike(temporary, name):
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

    def create(self, name: str) -> IO[bytes]:
        """Makes the file, for its owner alone."""
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)
        descriptor = os.open(self._at(name), flags, FILE, dir_fd=self.descriptor)
        file = os.fdopen(descriptor, "w+b")
        try:
            restore(descriptor, FILE)
        except OSError:
            file.close()
            self.remove(name)
            raise
        return file

    def write(self, name: str, content: Iterable[bytes]) -> None:
        """Makes the file with its content on the disk; or leaves none."""
        file = self.create(name)
        try:
            with file:
                file.writelines(content)
                file.flush()
                _sync(file.fileno())
        except OSError:
            self.remove(name)
            raise

    def name(self, temporary: str, name: str) -> None:
        """Gives the temporary file a name of its own. Raises FileExistsError: that is taken."""
        try:
            # A hard link fails where the name is taken; a rename would silently take it over.
            os.link(self._at(temporary), self._at(name), src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            with self.open(temporary) as file:
                self.write(name, _pieces(file))

    def open(self, name: str) -> IO[bytes]:
        """The file, to be read. A link is not followed, and a pipe not waited for."""
        flags = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
        return open(self._at(name), "rb", opener=lambda path, _: os.open(path, flags, dir_fd=self.descriptor))

    def alike(self, one: str, other: str) -> bool:
        """True where these are files with the same content."""
        try:
            with self.open(one) as first, self.open(other) as second:
                return all(a == b for a, b in zip_longest(_pieces(first), _pieces(second)))
        except OSError:
            return False

    def rename(self, before: str, name: str) -> str:
        """Gives a temporary file another name, which nobody else has; returns it."""
        os.rename(self._at(before), self._at(name), src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
        return name

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
                    ours = _TEMPORARY.fullmatch(entry.name)
                    old = ours and entry.stat(follow_symlinks=False).st_mtime < oldest
                    if old or (ours and ours[1] and self._is_left(entry.name)):
                        self.remove(entry.name)

    def _is_left(self, name: str) -> bool:
        with self.open(name) as file:
            return _lock(file)

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


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def _lock(file: IO[bytes]) -> bool:
    """Locks the file until it is closed; False: somebody else has, or there are no such locks here."""
    if os.name == "nt":  # which removes no file that is open
        return False
    import fcntl  # noqa: PLC0415 - Windows has none

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


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
