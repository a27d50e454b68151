"""`python -m darkroom` and the `darkroom-mcp` script."""

import gc
import os
import signal
import sys

from darkroom.stdio.wire import Wire


def main() -> int:
    """Runs the command line. While serving, file descriptors 0 and 1 belong to JSON-RPC alone.

    So they are taken away before anything else is imported: whatever a dependency or a child of it prints, then or
    later, goes to stderr, and what it reads is empty. While the rest is imported, a doorman answers.
    """
    _open_all_three()
    # Else it looks through every installed distribution, and loads whatever plugin it finds there.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    wire = None
    if (sys.argv[1:2] == ["serve"] and "--http" not in sys.argv) or (len(sys.argv) == 1 and not os.isatty(0)):
        wire = Wire(*_take_the_wire())
        gc.disable()  # nothing that is made at the start is garbage; `serve` enables it
        if len(sys.argv) <= 2:
            _receive(wire)
    from darkroom.cli.main import main as command_line  # noqa: PLC0415 - see above

    return command_line(sys.argv[1:], wire)


def _receive(wire: Wire) -> None:
    from darkroom.doorman.doorman import receive  # noqa: PLC0415 - see above

    if sys.platform != "win32":
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _, __: _leave())
    receive(wire, os.environ, _leave)


def _leave() -> None:
    """Ends the process while there is nothing in it to be closed."""
    os._exit(0)


def _take_the_wire() -> tuple[int, int]:
    """Descriptors of their own for what 0 and 1 were; these then lead to nothing and to stderr, for children too."""
    wire = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    was_file = sys.stdout.seekable()
    os.dup2(2, 1)
    if was_file:  # and would look for its place in what may be none
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - only Windows has handles besides its descriptors, which children are given
        import msvcrt  # noqa: PLC0415

        for descriptor in (0, 1):
            handle = ctypes.c_void_p(msvcrt.get_osfhandle(descriptor))
            ctypes.windll.kernel32.SetStdHandle(-10 - descriptor, handle)  # STD_INPUT_HANDLE, STD_OUTPUT_HANDLE
    return wire


def _open_all_three() -> None:
    """Opens what our host closed of 0, 1 and 2: the next file, be it the ledger, would become stderr."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False, errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
