"""A Python that lacks what Windows lacks, and does with files and signals what Windows does.

It is this machine's Python, altered in a process of its own before Darkroom is imported (`START`). Nothing of it shows
that Darkroom runs on Windows: only that nothing which Windows has not is called there.
"""

import asyncio
import ctypes
import errno
import fcntl
import os
import select
import shutil
import signal
import socket
import sys
import time
from importlib import import_module
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace
from typing import Any

from tests.hosts import Home

ROOT = Path(__file__).resolve().parent.parent
SIMULATE = "import sys, tests.windows; tests.windows.simulate()"
START = f"{SIMULATE}; from darkroom.__main__ import main; sys.exit(main())"
DECIDED = (
    "anyio._backends._asyncio", "anyio._core._asyncio_selector_thread", "concurrent.futures.thread", "ctypes.util",
    "filelock", "getpass", "httpcore2", "httpx2", "mcp.server.mcpserver", "PIL.Image", "platformdirs", "rich.console",
    "subprocess", "tempfile", "uvicorn",
)  # fmt: skip
"""What looks at the platform when it is imported: it has to be what it is here."""
ABSENT: dict[Any, tuple[str, ...]] = {
    os: (
        "O_CLOEXEC", "O_DIRECTORY", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK", "fork", "forkpty", "getegid", "geteuid",
        "getgid", "getpgrp", "getuid", "killpg", "mkfifo", "pread", "pwrite", "sched_getaffinity", "setsid", "statvfs",
        "sync", "tcgetpgrp", "uname", "wait", *(("fchmod",) if sys.version_info < (3, 13) else ()),
        *(("get_blocking", "set_blocking") if sys.version_info < (3, 12) else ()),
    ),
    select: ("PIPE_BUF", "epoll", "poll"),
    signal: ("SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGSTOP", "SIGUSR1", "pthread_sigmask"),
}  # fmt: skip
MODULES = ("fcntl", "grp", "pty", "pwd", "resource", "termios", "tty")
TICK_S = 1 / 64
BINARY = 0x8000
FORBIDDEN = frozenset('<>:"|?*') | {chr(code) for code in range(32)}


def on_windows(home: Home, **extra: str) -> Home:
    """The same user, whose Python finds this module, and whose console has the characters of Western Europe."""
    found = {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0", **extra}
    return Home(home.path, {**home.extra, **found})


def simulate() -> None:
    """Makes this process such a Python."""
    for name in DECIDED:
        import_module(name)
    _without_what_is_absent()
    _with_files_of_windows()
    _with_clocks_that_tick()
    sys.modules["msvcrt"] = SimpleNamespace(LK_NBLCK=2, locking=_locking, get_osfhandle=int)  # pyright: ignore
    ctypes.windll = SimpleNamespace(kernel32=SimpleNamespace(SetStdHandle=_bound))  # pyright: ignore
    signal.SIGBREAK = signal.SIGTERM  # pyright: ignore
    sys.platform = "win32"


def _without_what_is_absent() -> None:
    disk = os.statvfs
    import_module("filelock._unix").os = SimpleNamespace(**vars(os))  # pyright: ignore
    for module, names in ABSENT.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    for name in MODULES:
        sys.modules[name] = None  # pyright: ignore[reportArgumentType]

    def usage(path: Any) -> Any:
        found = disk(path)
        return SimpleNamespace(total=found.f_blocks * found.f_frsize, free=found.f_bavail * found.f_frsize)

    def refuse(*given: Any, **named: Any) -> Any:
        raise NotImplementedError

    really = select.select

    def sockets_only(*given: Any) -> Any:
        for each in (*given[0], *given[1], *given[2]):
            with socket.socket(fileno=os.dup(each if isinstance(each, int) else each.fileno())):
                pass  # raises OSError where it is none
        return really(*given)

    shutil.disk_usage = usage
    select.select = sockets_only
    os.kill = refuse  # it would end the process, whatever the signal
    for name in ("add_reader", "add_writer", "add_signal_handler"):  # the loop there is of another kind
        setattr(asyncio.SelectorEventLoop, name, refuse)


def _with_files_of_windows() -> None:
    from filelock import UnixFileLock

    opens, reads, syncs, releases = os.open, os.read, os.fsync, UnixFileLock._release  # pyright: ignore
    as_text = set[int]()

    def opened(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if dir_fd is not None:
            raise NotImplementedError("dir_fd unavailable on this platform")
        if os.path.isdir(path):  # noqa: PTH112
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        descriptor = opens(path, flags & ~BINARY | _CLOEXEC, mode)
        (as_text.discard if flags & BINARY else as_text.add)(descriptor)
        return descriptor

    def read(descriptor: int, most: int) -> bytes:
        data = reads(descriptor, most)
        return data.partition(b"\x1a")[0].replace(b"\r\n", b"\n") if descriptor in as_text else data

    def sync(descriptor: Any) -> None:
        number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        syncs(number)

    def release(lock: Any) -> None:
        releases(lock)
        Path(lock.lock_file).unlink(missing_ok=True)

    os.open, os.read, os.fsync, os.O_BINARY = opened, read, sync, BINARY  # pyright: ignore
    UnixFileLock._release = release  # pyright: ignore
    sys.addaudithook(_check)


_CLOEXEC = os.O_CLOEXEC
_WRITES = os.O_WRONLY | os.O_RDWR


def _check(event: str, given: tuple[Any, ...]) -> None:
    """Refuses what Windows does not do with these paths."""
    match event, given:
        case "open", (str() as path, _, int() as flags) if flags & _WRITES:
            _check_name(path)
        case "os.mkdir", (path, _, above):
            _check_folder(above)
            _check_name(path)
        case "os.remove", (path, above):
            _check_folder(above)
            _check_closed(path)
        case "os.rename" | "os.link", (before, after, *above):
            for each in above:
                _check_folder(each)
            _check_name(after)
            for path in (before, after) if event == "os.rename" else ():
                _check_closed(path)
        case _:
            return


def _check_folder(descriptor: int) -> None:
    if descriptor != -1:
        raise NotImplementedError("dir_fd unavailable on this platform")


def _check_name(path: Any) -> None:
    name = Path(os.fsdecode(path)).name
    if FORBIDDEN & set(name) or name.endswith((".", " ")) or PureWindowsPath(name).is_reserved():
        raise OSError(errno.EINVAL, "The filename, directory name, or volume label syntax is incorrect", name)


def _check_closed(path: Any) -> None:
    """No file that is open can be removed, renamed or replaced there."""
    real = os.path.realpath(os.fsdecode(path))
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208
        if os.path.realpath(f"/proc/self/fd/{number}") == real and os.path.isfile(real):  # noqa: PTH113
            raise PermissionError(errno.EACCES, "It is being used by another process", real)


def _with_clocks_that_tick() -> None:
    for name in ("time", "monotonic"):
        exactly = getattr(time, name)
        setattr(time, name, lambda exactly=exactly: exactly() // TICK_S * TICK_S)
    info = time.get_clock_info
    time.get_clock_info = lambda name: SimpleNamespace(**{**vars(info(name)), "resolution": TICK_S})  # pyright: ignore


def _locking(descriptor: int, mode: int, length: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _bound(kind: int, handle: Any) -> int:
    return 1
