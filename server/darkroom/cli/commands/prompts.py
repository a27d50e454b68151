"""Prompts that are not written on the command line: stdin as one, or each line of a file."""

import os
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import anyio
from anyio import to_thread

from darkroom.errors import InvalidRequest
from darkroom.generations.telling.wording import MOST_AWAITED
from darkroom.models import MAX_PROMPT
from darkroom.redact.text import clean

STDIN = "-"
MOST = MOST_AWAITED
"""Prompts of one file: as many generations as one wait takes."""
MAX_BYTES = MOST * (MAX_PROMPT + 2) * 4


async def given(prompt: str | None, file: str | None) -> list[str]:
    """The prompts: the one that was written, stdin as one for `-`, or one for each line of the file that has words.

    Raises:
        InvalidRequest: there is none, there are too many, or it is no text.
    """
    if prompt is not None and prompt != STDIN:
        return [prompt]
    text = _text(await _data(file or STDIN), file or STDIN)
    if file is None:
        return [text.strip()]
    prompts = [line.strip() for line in text.splitlines() if line.strip()]
    if not 1 <= len(prompts) <= MOST:
        raise _refusal(f"{_name(file)} has {len(prompts)} prompts", f"Give 1 to {MOST}, each on a line of its own")
    return prompts


async def _data(file: str) -> bytes:
    """The content of the file, and no more than can be meant. Ctrl-C ends it, also while nobody writes anything."""
    data = b""
    try:
        with _opened(file) as descriptor:
            slow = _may_be_slow(descriptor)
            while len(data) <= MAX_BYTES:
                if slow:
                    await anyio.wait_readable(descriptor)
                more = await to_thread.run_sync(os.read, descriptor, MAX_BYTES, abandon_on_cancel=True)
                if not more:
                    break
                data += more
    except (OSError, RuntimeError) as error:  # the last: the home of a user who does not exist
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise _refusal(f"{_name(file)} cannot be read ({reason})", "Name a file with prompts") from error
    return data


@contextmanager
def _opened(file: str) -> Generator[int]:
    if file == STDIN:
        yield sys.stdin.fileno()
        return
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(Path(file).expanduser(), flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _may_be_slow(descriptor: int) -> bool:
    """True for a terminal, a pipe or a socket, which somebody has yet to write to."""
    mode = os.fstat(descriptor).st_mode
    return sys.platform != "win32" and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor))


def own_path(text: str) -> Path:
    """The whole path that a person means by this. Raises InvalidRequest: it is empty, or nobody's home."""
    try:
        path = Path(text).expanduser().absolute()
    except RuntimeError:
        path = None
    if path is None or not text.strip():
        raise InvalidRequest(
            f"There is no folder or file {clean(text, 100)!r}.", next_step="Write its path; nothing was done."
        )
    return path


def _text(data: bytes, file: str) -> str:
    if len(data) > MAX_BYTES:
        raise _refusal(f"{_name(file)} has more than {MAX_BYTES:,} bytes", "Give shorter prompts, or fewer")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(f"{_name(file)} is no text in UTF-8", "Save it as UTF-8") from error


def _name(file: str) -> str:
    return "stdin" if file == STDIN else file


def _refusal(why: str, next_step: str) -> InvalidRequest:
    return InvalidRequest(f"{why}.", next_step=f"{next_step}; nothing was sent.")
