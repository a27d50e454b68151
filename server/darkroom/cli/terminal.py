"""Text that the output can show: characters that its encoding has, lines that fit its width."""

import io
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

FALLBACK = 80
_PATH = re.compile(r"(?:^|\s)(?:/|~|[A-Za-z]:\\|\\\\)\S")
"""A path that is broken into two lines cannot be copied any more."""


def escape_unencodable(*streams: TextIO) -> None:
    """Lets these write every text: what their encoding has no character for is written as an escape."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class _Lenient(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data) or 0
        except OSError:
            return len(data)


def lenient(stream: TextIO) -> TextIO:
    """The stream; where it is a file, one that loses what cannot be written to it, and raises nothing."""
    try:
        raw = _Lenient(stream.fileno(), "w", closefd=False)
    except (OSError, ValueError):
        return stream
    return io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, errors=stream.errors, line_buffering=True)


def read_anything(stream: TextIO) -> None:
    """Lets it read every line: bytes that are no text become characters that nothing takes for a name or a key."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")


def spells_everything(stream: TextIO) -> bool:
    """True where its encoding has every character."""
    return (stream.encoding or "").lower().replace("-", "").replace("_", "").startswith("utf")


def columns(stream: TextIO) -> int | None:
    """The width of the terminal behind it; None where there is none."""
    if not stream.isatty():
        return None
    width = shutil.get_terminal_size((0, 0)).columns
    if not width:
        try:
            width = os.get_terminal_size(stream.fileno()).columns
        except OSError:
            width = 0
    return width or FALLBACK


def console(stream: TextIO) -> "Console":
    """The terminal behind it, with the colours that it has: `NO_COLOR`, `FORCE_COLOR` and `TERM` are obeyed."""
    from rich.console import Console  # noqa: PLC0415 - heavy, and nothing that serves needs it

    width = columns(stream)
    # Without a height it would take a dumb terminal for one of 80 columns, whatever its width.
    height = None if width is None else 25
    return Console(file=stream, width=width, height=height, highlight=False, markup=False, emoji=False)


def show(stream: TextIO, text: str) -> None:
    """Prints the text, its lines broken between words where they are too wide for the terminal."""
    width = columns(stream)
    for line in spelled(text, stream.encoding).split("\n"):
        stream.write("".join(f"{part}\n" for part in (wrapped(line, width) if width else [line])))


def truncated(text: str, width: int, stream: TextIO) -> str:
    """The text, without an end that is too wide."""
    text = spelled(text, stream.encoding)
    if columns_of(text) <= width:
        return text
    mark = "…" if spelled("…", stream.encoding) == "…" else "..."
    while text and columns_of(text) > width - len(mark):
        text = text[:-1]
    return text + mark


def columns_of(text: str) -> int:
    """The number of columns that it takes: two for wide characters, none for those that combine with the one before."""
    wide = sum(unicodedata.east_asian_width(character) in {"W", "F"} for character in text)
    unseen = sum(unicodedata.category(character) in {"Mn", "Me", "Cf"} for character in text)
    return len(text) + wide - unseen


def wrapped(line: str, width: int) -> list[str]:
    """The line in parts that fit, each as far to the right as it is; a line that names a path stays whole."""
    if columns_of(line) <= width or _PATH.search(line):
        return [line]
    return list(_parts(line, width))


def _parts(line: str, width: int) -> Iterator[str]:
    indent = line[: len(line) - len(line.lstrip(" "))]
    part = ""
    for word in line.split():
        longer = f"{part} {word}" if part else indent + word
        if part and columns_of(longer) > width:
            yield part
            longer = indent + word
        part = longer
    yield part


def spelled(text: str, encoding: str | None) -> str:
    """The text as a stream writes it: what its encoding has no character for, as an escape."""
    encoding = encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
