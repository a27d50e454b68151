"""Asks the person at the terminal, who alone may say yes."""

import os
import sys

import anyio
from anyio import to_thread

from darkroom.errors import InvalidRequest


async def agreed(question: str, *, otherwise: str) -> bool:
    """True where the person says yes. `otherwise`: the option that says so where nobody can be asked.

    Raises:
        InvalidRequest: there is no terminal to ask on.
    """
    return (await _said(f"{question} [y/N] ", otherwise)).lower() in {"y", "yes"}


async def typed(question: str, wanted: str, *, otherwise: str) -> bool:
    """True where the person types just this; the rest as `agreed`."""
    return await _said(f"{question} ", otherwise) == wanted


async def _said(question: str, otherwise: str) -> str:
    if not sys.stdin.isatty():
        raise InvalidRequest(
            "Nobody can be asked here: this is no terminal.", next_step=f"Run it in one, or with {otherwise}."
        )
    sys.stderr.write(question)
    sys.stderr.flush()
    if os.name == "posix":
        await anyio.wait_readable(sys.stdin)  # so that Ctrl-C ends it, which a blocking read would not notice
        said = sys.stdin.readline()
    else:
        said = await to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
    return said.strip()
