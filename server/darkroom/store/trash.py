"""The system's trash, out of which a person takes back what was deleted by mistake."""

import errno
import os
import sys
from pathlib import Path

from darkroom.store.day_folders import folder_at


def into_trash(path: Path, size: int) -> bool:
    """Moves the file into the trash, if it has this size; False: it has another. One that is gone is gone.

    A link is not followed. What trash there is depends on the file's drive. Raises OSError: it stays where it is.
    """
    try:
        with folder_at(path.parent) as folder, folder.open(path.name) as file:
            found = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return True
    if found != size:
        return False
    if not _has_bin(path):
        raise OSError(errno.ENOTSUP, "its drive has no recycle bin")
    from send2trash import send2trash  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

    send2trash(str(path))
    return True


def _has_bin(path: Path) -> bool:
    """False where Windows would remove the file for good, and say nothing."""
    if sys.platform != "win32":
        return True
    import ctypes  # noqa: PLC0415 - only there

    fixed = 3
    return ctypes.windll.kernel32.GetDriveTypeW(f"{path.absolute().drive}\\") == fixed
