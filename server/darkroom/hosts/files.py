"""Hosts' settings files on the disk: read within bounds, backed up, and replaced whole unless they have changed."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from darkroom.errors import StorageError
from darkroom.hosts.layout import Unreadable

MOST_BYTES = 16_000_000
"""Claude Code's file has its history too, and grows to some megabytes."""
MOST_BACKUPS = 50


def real(path: Path) -> Path:
    """The file behind the links that lead to it; it may be missing, its folder not. Raises Unreadable."""
    try:
        file = path.resolve()
        lost = file.is_symlink() or (path.is_symlink() and not file.parent.is_dir())  # perhaps on a disk that is away
    except RuntimeError:
        lost, file = True, path
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise _unread(error) from error
        lost, file = True, path
    if lost:
        raise Unreadable("its link leads nowhere")
    return file


def read(file: Path) -> bytes | None:
    """The bytes of the file; None: there is none. Raises Unreadable."""
    try:
        about = file.stat()
        if not stat.S_ISREG(about.st_mode):
            raise Unreadable("it is no file")
        if about.st_size > MOST_BYTES:
            raise Unreadable(f"it is larger than {MOST_BYTES // 10**6} MB")
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unread(error) from error


def _unread(error: OSError) -> Unreadable:
    return Unreadable(f"it cannot be read ({error.strerror or type(error).__name__})")


def backups(file: Path) -> Iterator[bytes]:
    """The backups that there are of the file, newest first."""
    with suppress(OSError, Unreadable):
        found = sorted(file.parent.glob(f"{_quoted(file.name)}.darkroom-*.bak"), key=_age, reverse=True)
        for each in found[:MOST_BACKUPS]:
            yield read(each) or b""


def replace(file: Path, before: bytes | None, after: bytes | None) -> Path | None:
    """Puts `after` in the place of `before`; returns where that is kept. None: no file, which needs no backup.

    Raises:
        StorageError: the disk refuses, or the file is not what it was any more. It is as it was.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        about = file.stat() if before is not None else None
        if about is not None and not about.st_mode & stat.S_IWUSR:
            raise PermissionError(errno.EACCES, "it is read-only")
        backup = _backup(file, before, about) if before is not None and after is not None else None
        draft = None if after is None else _written(file, after, about)
        try:
            _unchanged(file, before)
            if draft is None:
                file.unlink()
            else:
                draft.replace(file)
        finally:
            if draft is not None:
                draft.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"{file} cannot be written ({error.strerror or type(error).__name__}).", next_step="It is as it was."
        ) from error
    return backup


def _unchanged(file: Path, before: bytes | None) -> None:
    try:
        now = read(file)
    except Unreadable:
        now = b""
    if now != before:
        raise StorageError(
            f"{file} was changed by another program meanwhile.", next_step="It was left as it is; try again."
        )


def _written(file: Path, data: bytes, about: os.stat_result | None) -> Path:
    """A new file beside it, with the permissions and the owner that this says."""
    with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as draft:
        path = Path(draft.name)
        try:
            draft.write(data)
            draft.flush()
            os.fsync(draft.fileno())
            path.chmod(stat.S_IMODE(about.st_mode) if about else 0o600)
            if about is not None and os.name == "posix" and os.geteuid() == 0:  # a host of the user must read it
                os.chown(path, about.st_uid, about.st_gid)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return path


def _backup(file: Path, data: bytes, about: os.stat_result | None) -> Path:
    now = f"{file.name}.darkroom-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.bak"
    kept = _written(file, data, about)
    return kept.replace(file.with_name(now))


def _age(path: Path) -> str:
    return path.name


def _quoted(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
