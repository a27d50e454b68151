"""Suggestions for words of the command line that cannot be read."""

import re
import shlex
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import takewhile


def hint(message: str, words: Sequence[str], options: Mapping[str, Sequence[str]]) -> str | None:
    """A sentence that cures argparse's `message` about these words; `options` are those of each command, by name."""
    if unread := re.match(r"unrecognized arguments: (.*)", message, re.S):
        return _unread(unread[1].split(), words, options)
    if chosen := re.search(r"argument (\S+): invalid choice: '([^']*)' \(choose from (.*)\)", message, re.S):
        if close := get_close_matches(chosen[2].lower(), re.findall(r"[\w-]+", chosen[3]), 1):
            return f"Did you mean {close[0]}?"
        if chosen[1] == "COMMAND":
            return f"To make a picture: darkroom-mcp generate {_quoted(words)}"
    return None


def _unread(unread: Sequence[str], words: Sequence[str], options: Mapping[str, Sequence[str]]) -> str | None:
    command = next((word for word in words if word in options), "")
    for word in unread:
        written = word.partition("=")[0]
        if word.startswith("-"):
            close = get_close_matches(written.replace("_", "-").lower(), options.get(command, ()), 1)
            return f"Did you mean {close[0]}?" if close not in ([], [written]) else None
    if command == "generate":
        return f"A prompt of several words needs quotes: darkroom-mcp generate {_quoted(words[1:])}"
    return None


def _quoted(words: Sequence[str]) -> str:
    prompt = " ".join(takewhile(lambda word: not word.startswith("-"), words))
    plain = re.fullmatch(r"[^\"$`\\!%]*", prompt)  # quotes that every shell knows, Windows's too
    return f'"{prompt}"' if plain else shlex.quote(prompt)
