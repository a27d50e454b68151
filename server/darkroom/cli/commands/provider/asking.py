"""Asks the person at the terminal, who alone may say yes."""

import os
import select
import sys
from collections.abc import Generator
from contextlib import contextmanager

import anyio
from anyio import to_thread

from darkroom.errors import InvalidRequest


async def agreed(question: str, *, otherwise: str, usually: bool = False) -> bool:
    """True where the person says yes. `otherwise`: the option that says so where nobody can be asked.

    `usually`: what an empty line means; the end of the input is a no.

    Raises:
        InvalidRequest: there is no terminal to ask on.
    """
    line = await _said(f"{question} {'[Y/n]' if usually else '[y/N]'} ", otherwise)
    return line.strip().lower() in {"y", "yes"} or (usually and bool(line) and not line.strip())


async def typed(question: str, wanted: str, *, otherwise: str) -> bool:
    """True where the person types just this; the rest as `agreed`."""
    return (await _said(f"{question} ", otherwise)).strip() == wanted


async def answer(question: str) -> str:
    """The line that the person types, or the next one of the input where that is no terminal; empty at its end."""
    return (await _line(question)).strip()


async def secret(question: str) -> str:
    """The same of a line that the terminal does not show; of a paste of several, all of them in one."""
    if sys.platform == "win32":
        import getpass  # noqa: PLC0415 - elsewhere the terminal itself is told

        return (await to_thread.run_sync(getpass.getpass, question, abandon_on_cancel=True)).strip()
    with _unseen():
        return " ".join([await answer(question), *_pasted_behind().split()])


async def _line(question: str) -> str:
    """The line as it was typed, with its end; empty at the end of the input."""
    sys.stderr.write(question)
    sys.stderr.flush()
    try:
        if sys.platform == "win32" or not sys.stdin.isatty():
            return await to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
        await anyio.wait_readable(sys.stdin)  # so that Ctrl-C ends it, which a blocking read would not notice
        line = sys.stdin.readline()
    except anyio.get_cancelled_exc_class():
        sys.stderr.write("\n")
        raise
    if not line.endswith("\n"):
        sys.stderr.write("\n")
    return line


def _pasted_behind() -> str:
    """The lines behind the first one of a paste, which answer nothing that is asked next."""
    behind = b""
    while select.select([sys.stdin], [], [], 0)[0] and (more := os.read(sys.stdin.fileno(), 4096)):
        behind += more
    return behind.decode(errors="replace")


async def _said(question: str, otherwise: str) -> str:
    if not sys.stdin.isatty():
        raise InvalidRequest(
            "Nobody can be asked here: this is no terminal.", next_step=f"Run it in one, or with {otherwise}."
        )
    return await _line(question)


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
