"""The identity of the file at a path: another one than before, after it was copied or restored."""

import os
import sys
from pathlib import Path
from typing import Any

_AT_FDCWD = -100
_STATX_BTIME = 0x800


def file_identity(path: Path) -> str:
    """Its inode and the moment that it was made at; where nobody knows that moment, its device instead.

    Inodes are given again to new files, and devices are numbered anew by a restart.
    """
    seen = path.stat()
    born = _born(path, seen)
    return f"{seen.st_dev}/{seen.st_ino}" if born is None else f"{seen.st_ino}@{born}"


def _born(path: Path, seen: Any) -> str | None:
    if sys.platform == "win32":
        return str(seen.st_ctime_ns)
    if hasattr(seen, "st_birthtime"):
        return str(seen.st_birthtime)
    return _linux_born(path)


def _linux_born(path: Path) -> str | None:
    # The one thing of a file's status that Python does not report here.
    import ctypes  # noqa: PLC0415 - the start of a command is a feature

    status = ctypes.create_string_buffer(256)
    try:
        asked = ctypes.CDLL(None).statx(_AT_FDCWD, os.fsencode(path), 0, _STATX_BTIME, status)
    except (AttributeError, OSError):
        return None
    known = int.from_bytes(status.raw[:4], sys.byteorder) & _STATX_BTIME
    if asked != 0 or not known:
        return None
    seconds = int.from_bytes(status.raw[80:88], sys.byteorder, signed=True)
    nanoseconds = int.from_bytes(status.raw[88:92], sys.byteorder)
    return f"{seconds}.{nanoseconds:09}"
