"""Folders and files for their owner alone, whatever the umask."""

import errno
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
UNSUPPORTED = {
    errno.EPERM, errno.EACCES, errno.EBADF, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK,
    errno.EXDEV,
}  # fmt: skip
"""Errors of file systems without permissions, hard links (exFAT, many network drives) or syncs of folders."""


def make_folder(path: Path) -> None:
    """Makes the folder and those above it where they are missing; one that exists keeps its permissions."""
    try:
        path.mkdir(FOLDER)
    except FileNotFoundError:
        make_folder(path.parent)
        with suppress(FileExistsError):  # another process makes it too
            path.mkdir(FOLDER)
    except OSError:
        if not path.is_dir():
            raise
        return
    restore(path, FOLDER)


def restore(path: Path | str | int, mode: int, above: int | None = None) -> None:
    """Gives back what the umask took from the owner."""
    if sys.platform != "win32":
        with where_supported():
            os.chmod(path, mode, dir_fd=above)


@contextmanager
def where_supported() -> Generator[None]:
    """Passes over what the file system cannot do."""
    try:
        yield
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
