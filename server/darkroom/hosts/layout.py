"""The interface of a format: servers in a text, found, put and taken out without another character changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Unreadable(Exception):
    """The text cannot be read, or cannot be edited without a change to something else; it says why."""


@dataclass(frozen=True)
class Servers:
    """The servers in a settings file, by name. `path`: the keys that lead to them; `listed`: they are a list."""

    path: tuple[str, ...]
    named: Mapping[str, Any]
    listed: bool = False


class Layout(Protocol):
    """A format. Texts have no byte order mark."""

    def read(self, text: str) -> Any:
        """The whole of it as values. Raises Unreadable."""
        ...

    def put(self, text: str, servers: Servers, name: str, value: Mapping[str, Any]) -> str:
        """The text with this server, in the place of one of that name. Raises Unreadable."""
        ...

    def take(self, text: str, servers: Servers, name: str) -> str:
        """The text without the server of that name. Raises Unreadable."""
        ...


def newline_of(text: str) -> str:
    """The line ending that the text has."""
    at = text.find("\n")
    return "\r\n" if at > 0 and text[at - 1] == "\r" else "\n"


def line_start(text: str, at: int) -> int:
    """The beginning of the line that this is in."""
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """The beginning of the next line, or the end of the text."""
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def without(text: str, *spans: Sequence[int]) -> str:
    """The text without these spans, which do not overlap."""
    for start, end in sorted(map(tuple[int, ...], spans), reverse=True):
        text = text[:start] + text[end:]
    return text
