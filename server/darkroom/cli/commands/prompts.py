"""Prompts that are not written on the command line: stdin as one, or each line of a file."""

import sys
from functools import partial
from pathlib import Path

from anyio import to_thread

from darkroom.errors import InvalidRequest
from darkroom.generations.telling.wording import MOST_AWAITED
from darkroom.models import MAX_PROMPT

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
    text = await to_thread.run_sync(partial(_read, file or STDIN), abandon_on_cancel=True)
    if file is None:
        return [text.strip()]
    prompts = [line.strip() for line in text.splitlines() if line.strip()]
    if not 1 <= len(prompts) <= MOST:
        raise _refusal(f"{_name(file)} has {len(prompts)} prompts", f"Give 1 to {MOST}, each on a line of its own")
    return prompts


def _read(file: str) -> str:
    try:
        if file == STDIN:
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(file).expanduser().open("rb") as opened:
                data = opened.read(MAX_BYTES + 1)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise _refusal(f"{_name(file)} cannot be read ({reason})", "Name a file with prompts") from error
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
