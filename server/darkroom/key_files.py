"""Files that a person wrote for a server, perhaps with keys: read whole, or refused with the reason."""

import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from darkroom.errors import NotConfigured
from darkroom.redact.text import clean

MAX_FILE = 4 * 2**20
"""Bytes of such a file."""
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,99}")


def variables_in(file: Path) -> Iterator[tuple[str, str]]:
    """The variables in a file of NAME=value lines; lines that begin with # are none. Raises NotConfigured."""
    try:
        text = contents_of(file, secret=True).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise wrong(str(file), "it is not text in UTF-8") from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, separator, value = (part.strip() for part in line.partition("="))
        name = name.removeprefix("export ").strip()
        if not separator or not _VARIABLE.fullmatch(name):
            raise wrong(f"{file}, line {number}", "it is no line like FATTHUMB_API_KEY=…")
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        yield name, value[1:-1] if quoted else value


def contents_of(path: Path, *, secret: bool) -> bytes:
    """The file's contents; `secret`: nobody but its owner may be able to read it. Raises NotConfigured."""
    try:
        # A pipe in its place would keep the process waiting without an end.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise wrong(str(path), "it is no file")
            if secret and _readable_by_others(found):
                raise wrong(str(path), "others can read the keys in it: chmod 600")
            data = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise wrong(str(path), reason or "there is no such file") from error
    if len(data) > MAX_FILE:
        raise wrong(str(path), f"it has more than {MAX_FILE:,} bytes")
    return data


def _readable_by_others(found: os.stat_result) -> bool:
    """True where it is; a file of somebody else's is read through its group, as orchestrators mount files."""
    if sys.platform == "win32":
        return False
    return bool(found.st_mode & (0o077 if found.st_uid == os.geteuid() else 0o007))


def stamp_of(path: Path) -> object:
    """A value that is another one once the file is; None: there is none."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_mode


def wrong(where: str, why: str) -> NotConfigured:
    """The refusal of what stands there."""
    return NotConfigured(f"{clean(where, 500)}: {why}.", next_step="Correct it; nothing was sent.")
