"""`python -m darkroom` and the `darkroom-mcp` script."""

import sys

from darkroom.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
