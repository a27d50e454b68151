"""Files in folders that the user named: none is read through a link that leads out of them."""

import os
import stat
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Outside(Exception):
    """The path leads out of every folder; whether anything is there is not said."""


class NotRegular(OSError):
    """There is no file of a known size: a folder, a pipe, a device."""


class Found(NamedTuple):
    """A place in one of the folders, with no link on the way when it was looked for."""

    folder: Path
    names: tuple[str, ...]


def found_in(folders: Iterable[Path], path: Path) -> Found:
    """The place that an absolute path leads to, through links as well. Raises Outside: it is in none of the folders."""
    real = Path(os.path.realpath(path))
    for folder in folders:
        root = Path(os.path.realpath(folder))
        if real != root and real.is_relative_to(root):
            return Found(root, real.relative_to(root).parts)
    raise Outside


def read(found: Found, most: int) -> bytes:
    """The first `most` bytes of the file there. Blocking: for a worker thread.

    Raises:
        OSError: it cannot be read, is no file, or a link has taken the place of something on the way.
    """
    with _opened(found) as descriptor:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotRegular
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(most)


_FLAGS = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_NOCTTY"))


@contextmanager
def _opened(found: Found) -> Generator[int]:
    """The file, opened from the folder down, one name at a time, none of which may be a link by now."""
    if sys.platform == "win32":  # which has no descriptors of folders
        real = found.folder.joinpath(*found.names)
        descriptor = os.open(real, _FLAGS)
        same = Path(os.path.realpath(real)) == real
    else:
        descriptor, same = _walked(*found), True
    try:
        if not same:
            raise NotRegular
        yield descriptor
    finally:
        os.close(descriptor)


def _walked(root: Path, names: tuple[str, ...]) -> int:
    assert sys.platform != "win32"  # see above
    above = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for number, name in enumerate(names, 1):
        folder = os.O_DIRECTORY if number < len(names) else 0
        try:
            below = os.open(name, _FLAGS | folder, dir_fd=above)
        finally:
            os.close(above)
        above = below
    return above
