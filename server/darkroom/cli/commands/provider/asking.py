"""Asks the person at the terminal, who alone may say yes."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

import anyio
from anyio import to_thread

from darkroom.errors import InvalidRequest


async def agreed(question: str, *, otherwise: str, usually: bool = False) -> bool:
    """True where the person says yes. `otherwise`: the option that says so where nobody can be asked.

    `usually`: what an empty answer means.

    Raises:
        InvalidRequest: there is no terminal to ask on.
    """
    said = (await _said(f"{question} {'[Y/n]' if usually else '[y/N]'} ", otherwise)).lower()
    return said in {"y", "yes"} or (usually and not said)


async def typed(question: str, wanted: str, *, otherwise: str) -> bool:
    """True where the person types just this; the rest as `agreed`."""
    return await _said(f"{question} ", otherwise) == wanted


async def answer(question: str) -> str:
    """The line that the person types, or the next one of the input where that is no terminal; empty at its end."""
    sys.stderr.write(question)
    sys.stderr.flush()
    if os.name == "posix" and sys.stdin.isatty():
        await anyio.wait_readable(sys.stdin)  # so that Ctrl-C ends it, which a blocking read would not notice
        said = sys.stdin.readline()
    else:
        said = await to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
    return said.strip()


async def secret(question: str) -> str:
    """The same of a line that the terminal does not show."""
    if sys.platform == "win32":
        import getpass  # noqa: PLC0415 - elsewhere the terminal itself is told

        return (await to_thread.run_sync(getpass.getpass, question, abandon_on_cancel=True)).strip()
    with _unseen():
        return await answer(question)


async def _said(question: str, otherwise: str) -> str:
    if not sys.stdin.isatty():
        raise InvalidRequest(
            "Nobody can be asked here: this is no terminal.", next_step=f"Run it in one, or with {otherwise}."
        )
    return await answer(question)


@contextmanager
def _unseen() -> Generator[None]:
    """The terminal shows nothing of what is typed."""
    if sys.platform == "win32":
        raise NotImplementedError
    import termios  # noqa: PLC0415 - Windows has none

    before = termios.tcgetattr(sys.stdin)
    silent = [*before]
    silent[3] = before[3] & ~termios.ECHO
    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        sys.stderr.write("\n")
