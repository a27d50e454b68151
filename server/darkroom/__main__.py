"""`python -m darkroom` and the `darkroom-mcp` script."""

import os
import sys


def main() -> int:
    """Runs the command line. While serving, file descriptor 1 belongs to JSON-RPC alone.

    So it is taken away before anything else is imported: whatever a dependency prints, then or later, goes to stderr.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:  # closed by whoever started us: the next file that is opened, the ledger even, would get it
            os.open(os.devnull, os.O_RDWR)
    sys.stderr = sys.stderr or os.fdopen(2, "w", errors="backslashreplace", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    wire = None
    if sys.argv[1:2] == ["serve"] or (len(sys.argv) == 1 and not sys.stdin.isatty()):
        wire = os.dup(1)
        os.dup2(2, 1)
    from darkroom.cli.main import main as command_line  # noqa: PLC0415 - see above

    return command_line(sys.argv[1:], wire)


if __name__ == "__main__":
    sys.exit(main())
