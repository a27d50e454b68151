"""`python -m darkroom` and the `darkroom-mcp` script."""

import os
import sys


def main() -> int:
    """Runs the command line. While serving, file descriptor 1 belongs to JSON-RPC alone.

    So it is taken away before anything else is imported: whatever a dependency prints, then or later, goes to stderr.
    """
    wire = None
    if sys.argv[1:2] == ["serve"] or (len(sys.argv) == 1 and not sys.stdin.isatty()):
        wire = os.dup(1)
        os.dup2(2, 1)
    from darkroom.cli.main import main as command_line  # noqa: PLC0415 - see above

    return command_line(sys.argv[1:], wire)


if __name__ == "__main__":
    sys.exit(main())
