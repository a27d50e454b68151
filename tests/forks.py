"""Starts `python -m darkroom` in a moment instead of a second: as a fork of a process that has imported everything.

What comes of it is what would have come of a start: a process of its own and a child of the test's, with its own pipes,
environment, working folder, exit status and coverage. Where more than that matters (other options of Python, another
locale, another path), or where the operating system is not Linux, it is started as ever.

Code that alters Darkroom before it starts (`python -c`) runs in such a fork too if it imports something of Darkroom
first of all: by that it says that it does not matter to it what is imported already.
"""

import atexit
import ctypes
import gc
import json
import os
import pkgutil
import runpy
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from threading import Lock, RLock
from typing import Any, Generic, TypeVar

ROOT = Path(__file__).resolve().parent.parent
STARTED = [sys.executable, "-m", "darkroom"]
ALTERED = ("import darkroom\n", "from darkroom.")
SET_CHILD_SUBREAPER = 36
LONGEST = 1_000_000
PLUGINS = ("Bmp", "Gif", "Jpeg", "Png", "Ppm", "WebP")
LAZY = (
    "PIL.Image", "PIL.ImageFont", *(f"PIL.{kind}ImagePlugin" for kind in PLUGINS),
    "anyio._backends._asyncio", "coverage", "httpcore2", "keyring", "rich.logging", "ruamel.yaml",
)  # fmt: skip
"""What Darkroom, and the measuring of it, imports when it is needed."""
UNFORKED = ("darkroom.store.objects",)
"""What stays out: a library with threads of its own does not survive a fork, and few servers have it."""

T = TypeVar("T", str, bytes)


class Closes:
    """A `preexec_fn` that closes standard streams, as `<&-` does in a shell; a fork can have it too."""

    def __init__(self, *streams: int) -> None:
        self.streams = streams

    def __call__(self) -> None:
        """Closes them."""
        for stream in self.streams:
            os.close(stream)


_execute = subprocess.Popen[Any]._execute_child  # pyright: ignore


def install() -> None:
    """Makes every start of Darkroom by this process, and whatever it imports, such a fork."""
    if sys.platform != "linux" or os.environ.get("DARKROOM_TESTS_START") == "afresh":
        return
    # Who has no parent any more becomes our child, and so the forks' forks do.
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    subprocess.Popen = _Popen


def can_fork(command: Sequence[str], environ: Mapping[str, str] | None) -> bool:
    """Whether a fork of the process below is what this command would be."""
    altered = list(command[:2]) == [sys.executable, "-c"] and command[2].lstrip().startswith(ALTERED)
    if list(command[:3]) != STARTED and not altered:
        return False
    if environ is None or environ.get("PYTHONWARNINGS") != "error":
        return False
    return not any(name.startswith(("PYTHON", "LC_", "LANG", "LD_")) for name in environ if name != "PYTHONWARNINGS")


class _Popen(subprocess.Popen[T], Generic[T]):
    def _execute_child(
        self, args: Any, executable: Any, preexec_fn: Any, close_fds: Any, pass_fds: Any, *rest: Any
    ) -> None:
        cwd, environ, _, _, shell, *pipes = rest
        closes = isinstance(preexec_fn, Closes)
        own = executable is None and (closes or preexec_fn is None) and close_fds and not pass_fds and not shell
        if not own or isinstance(args, str | bytes | os.PathLike) or not can_fork(args, environ):
            _execute(self, args, executable, preexec_fn, close_fds, pass_fds, *rest)
            return
        p2cread, _, _, c2pwrite, _, errwrite, *_, new_session, _ = pipes
        streams = [own if pipe == -1 else pipe for own, pipe in enumerate((p2cread, c2pwrite, errwrite))]
        os.umask(umask := os.umask(0))
        self.pid = _Nursery.shared().fork(
            streams, command=args[1:], environ=dict(environ), cwd=os.fspath(cwd or Path.cwd()), umask=umask,
            new_session=new_session, closed=preexec_fn.streams if closes else (),
        )  # fmt: skip
        self._child_created = True
        self._close_pipe_fds(*pipes[:6])  # pyright: ignore


class _Nursery:
    """The process that is forked, one for each process of tests."""

    _the_one: "_Nursery | None" = None
    _lock = Lock()

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "tests.forks", str(there.fileno())]
        environ = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error"}
        with there:
            self._process = subprocess.Popen(command, cwd=ROOT, env=environ, pass_fds=[there.fileno()])

    @classmethod
    def shared(cls) -> "_Nursery":
        with cls._lock:
            if cls._the_one is None or cls._the_one.owner != os.getpid():
                cls._the_one = cls()
            return cls._the_one

    def fork(self, streams: Sequence[int], **request: Any) -> int:
        with self._lock:
            socket.send_fds(self._here, [json.dumps(request).encode()], streams)
            answer = self._here.recv(LONGEST)
        assert answer, "the process that is to be forked has ended"
        return int(answer)


def _wait_for_births(wire: socket.socket) -> dict[str, Any]:
    """Forks for each request; returns in the forks alone, each with its request."""
    while True:
        message, streams, _, _ = socket.recv_fds(wire, LONGEST, 3)
        if not message:
            os._exit(0)
        read, write = os.pipe()
        between = os.fork()
        if between == 0:
            child = os.fork()
            if child:
                os.write(write, str(child).encode())
                os._exit(0)
            os.close(read)
            os.close(write)
            wire.close()
            request = json.loads(message)
            _take(streams, request["closed"])
            return request
        os.waitpid(between, 0)  # from now on it is the child of the tests' process
        wire.send(os.read(read, 100))
        for descriptor in (read, write, *streams):
            os.close(descriptor)


def _take(streams: Sequence[int], closed: Sequence[int]) -> None:
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    for descriptor in streams:
        os.close(descriptor)
    text: dict[str, Any] = {"encoding": "utf-8", "closefd": False}
    errors = sys.stdin.errors
    sys.stdin = sys.__stdin__ = os.fdopen(0, "r", errors=errors, **text)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", errors=errors, **text)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", buffering=1, errors="backslashreplace", **text)
    for number in closed:
        os.close(number)
        name = ("stdin", "stdout", "stderr")[number]
        setattr(sys, name, None)
        setattr(sys, f"__{name}__", None)


def _end_at_once(codes: list[Any], exit_process: Callable[[int], None] = os._exit) -> None:
    """The last thing that is done at exit, instead of taking Python apart, which would be half of a command's work."""
    status = codes[0] or 0 if codes else None
    if not isinstance(status, int):  # a text, which Python prints, or an error
        return
    gc.collect()  # whoever left something open is told of it, as ever
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:  # pyright: ignore[reportUnnecessaryComparison]
                stream.flush()
    except OSError:
        return
    exit_process(status & 0xFF)


def _measure() -> None:
    """Begins to measure, where that is wanted; one thread at a time saves what was measured, and not within itself.

    A server's last resort may end the process while its main thread saves at exit: both would use one connection.
    A signal may end it while this thread holds a lock of coverage's own, which would then wait for itself.
    """
    coverage = import_module("coverage")
    coverage.process_startup()
    if (running := coverage.Coverage.current()) is not None:
        save, turn = running.save, RLock()
        saving: list[Callable[[], None]] = []

        def save_alone() -> None:
            with turn:
                if not saving:
                    saving.append(save)
                    save()
                    saving.clear()

        running.save = save_alone
        running._collector.data_lock = RLock()


def _become(request: dict[str, Any]) -> None:
    if request["new_session"]:
        os.setsid()
    os.chdir(request["cwd"])
    os.umask(request["umask"])
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    _measure()
    option, code, *words = request["command"]
    sys.argv = [option, *words]
    if option == "-c":
        exec(code, {"__name__": "__main__"})
    else:
        runpy.run_module("darkroom", run_name="__main__", alter_sys=True)


def _list_tools() -> None:
    """Makes the schemas of results, which a process makes once."""
    server, context, errors = (import_module(f"darkroom.{name}") for name in ("app.server", "app.context", "errors"))
    unopened = context.Unopened(errors.DarkroomError("", next_step=""))
    import_module("anyio").run(server.DarkroomServer(unopened).list_tools)


def _main(descriptor: int) -> None:
    codes: list[Any] = []
    atexit.register(_end_at_once, codes)  # before whatever others register, and so after it
    for module in pkgutil.walk_packages(import_module("darkroom").__path__, "darkroom."):
        if not module.name.endswith(("__main__", *UNFORKED)):
            import_module(module.name)
    for name in LAZY:
        import_module(name)
    import_module("darkroom.transport.http").Http().kept  # noqa: B018 - it reads the certificates, once for all forks
    _list_tools()
    gc.freeze()
    try:
        _become(_wait_for_births(socket.socket(fileno=descriptor)))
        codes.append(0)
    except SystemExit as end:
        codes.append(end.code)
        raise


if __name__ == "__main__":
    _main(int(sys.argv[1]))
