"""Folders of picture files, held open: how files there are made, named, compared and swept."""

import os
import re
import sys
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import IO

from darkroom.store.private import FILE, FOLDER, UNSUPPORTED, make_folder, restore, where_supported

STALE_S = 3600.0
"""Seconds after which nobody is still writing a temporary file, whether it is locked or not."""
_PIECE = 2**18
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}(\.open)?\.part")
"""Those that are `open` are locked as long as somebody writes them."""


@dataclass(frozen=True)
class Folder:
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
                sync(file.fileno())
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
        """Removes it, if it is there."""
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
            return lock(file)

    def sync(self) -> None:
        """Waits until its names are on the disk."""
        if self.descriptor is not None:
            sync(self.descriptor)

    def _at(self, name: str) -> str:
        return name if self.descriptor is not None else str(self.path / name)


@contextmanager
def day_folder(root: Path, day: str) -> Generator[Folder]:
    """The day's folder in the root, made where it is missing; a link in its place is not followed."""
    if sys.platform == "win32":
        make_folder(root / day)
        yield Folder(root / day, None)
        return
    make_folder(root)
    with _opened(root) as above:
        with suppress(FileExistsError):
            os.mkdir(day, FOLDER, dir_fd=above)
            restore(day, FOLDER, above)
            sync(above)
        with _opened(day, os.O_NOFOLLOW, above) as descriptor:
            yield Folder(root / day, descriptor)


@contextmanager
def folder_at(path: Path) -> Generator[Folder]:
    """A folder that exists; a link in its place is not followed."""
    if sys.platform == "win32":
        yield Folder(path, None)
        return
    with _opened(path, os.O_NOFOLLOW) as descriptor:
        yield Folder(path, descriptor)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def lock(file: IO[bytes]) -> bool:
    """Locks the file until it is closed; False: somebody else has, or there are no such locks here."""
    if sys.platform == "win32":  # which removes no file that is open
        return False
    import fcntl  # noqa: PLC0415 - Windows has none

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def sync(descriptor: int) -> None:
    """Waits until it is on the disk, where the file system can say so."""
    with where_supported():
        os.fsync(descriptor)


@contextmanager
def _opened(path: Path | str, flags: int = 0, above: int | None = None) -> Generator[int]:
    assert sys.platform != "win32"  # see `Folder`
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | flags, dir_fd=above)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
