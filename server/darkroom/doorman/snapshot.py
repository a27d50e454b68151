"""The responses of the server at every start, kept in a file beside this; `tests/snapshots_update.py` writes it."""

# ruff: noqa: PTH112, PTH118, PTH120, PTH123, PTH208
# Importing pathlib takes longer than all of this.

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from darkroom import __version__

PATH = os.path.join(os.path.dirname(__file__), "snapshot.json")
INFO = ".dist-info"
PYTHONS = "3.11 to 3.14"
"""Pythons on which the server returns the same: CI holds each of them against this file."""


def results() -> Mapping[str, Any] | None:
    """For each era, by method, what the server returns; None where it was made with other versions than these."""
    try:
        with open(PATH, encoding="utf-8") as file:
            kept = json.load(file)
        return kept["results"] if kept["made_with"] == versions() else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def versions() -> dict[str, str]:
    """Everything that decides what the server returns, besides settings; what cannot be found has no version."""
    python = PYTHONS if (3, 11) <= sys.version_info < (3, 15) else f"{sys.version_info[0]}.{sys.version_info[1]}"
    found = {"darkroom": __version__, "python": python}
    folder = next((path for path in sys.path if os.path.isdir(os.path.join(path, "mcp_types"))), None)
    names = os.listdir(folder) if folder else []
    for package in ("mcp", "mcp_types", "pydantic"):
        kept = [name for name in names if name.startswith(f"{package}-") and name.endswith(INFO)]
        found[package] = ", ".join(name[len(package) + 1 : -len(INFO)] for name in kept)
    found["pydantic"] = ".".join(found["pydantic"].split(".")[:2])
    return found
