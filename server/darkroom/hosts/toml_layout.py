"""TOML: a server is a table under a header of its own, which is found by its line."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, cast

from darkroom.hosts.layout import Servers, Unreadable, line_end, newline_of

_HEADER = re.compile(r"^[ \t]*\[(?!\[)[^\r\n]*", re.M)
_ANY_HEADER = re.compile(r"^[ \t]*\[[^\r\n]*\][ \t]*(?:#[^\r\n]*)?\r?$", re.M)


class TomlLayout:
    """See `Layout`."""

    def read(self, text: str) -> Any:
        """See `Layout`."""
        try:
            return tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise Unreadable(f"it is no TOML ({str(error)[:100]})") from error

    def put(self, text: str, servers: Servers, name: str, value: Mapping[str, Any]) -> str:
        """See `Layout`."""
        keys = (*servers.path, name)
        table = _table(keys, value, newline_of(text))
        if name in servers.named:
            start, end = _span(text, keys)
            return text[:start] + _updated(text[start:end], keys, value) + text[end:]
        line = newline_of(text)
        if not text:
            return table + line
        before = "" if text.endswith("\n") else line
        return f"{text}{before}{line}{table}{line if text.endswith(line) else ''}"

    def take(self, text: str, servers: Servers, name: str) -> str:
        """See `Layout`."""
        start, end = _span(text, (*servers.path, name))
        line = newline_of(text)
        if text[:start].endswith(line + line) or text[:start] == line:
            start -= len(line)
        if end == len(text) and not text.endswith("\n") and text[:start].endswith(line):
            start -= len(line)
        return text[:start] + text[end:]


def _table(keys: tuple[str, ...], value: Mapping[str, Any], line: str) -> str:
    import tomlkit  # noqa: PLC0415 - few commands need it

    nested: dict[str, Any] = dict(value)
    for key in reversed(keys):
        nested = {key: nested}
    return tomlkit.dumps(nested).rstrip("\n").replace("\n", line)


def _updated(text: str, keys: tuple[str, ...], value: Mapping[str, Any]) -> str:
    """The text of this table with these values in it; the others, and all comments, stay."""
    import tomlkit  # noqa: PLC0415 - few commands need it

    line, document = newline_of(text), tomlkit.parse(text)
    table: Any = document
    for key in keys:
        table = table[key]
    _set(table, value)
    return tomlkit.dumps(document).replace("\r\n", "\n").replace("\n", line)


def _set(table: Any, value: Mapping[str, Any]) -> None:
    for key, new in value.items():
        if isinstance(new, Mapping) and isinstance(table.get(key), Mapping):
            _set(table[key], cast("Mapping[str, Any]", new))
        elif table.get(key) != new:
            table[key] = new


def _span(text: str, keys: tuple[str, ...]) -> tuple[int, int]:
    """From the table's header to the last line that says something before a header of another one."""
    own = list(_headers(text, keys))
    if not own:
        raise Unreadable(f"{'.'.join(keys)} has no header of its own")
    start, last = own[0].start(), own[-1]
    others = (found.start() for found in _ANY_HEADER.finditer(text, last.end()) if _begins_a_line(text, found))
    between = [found for found in _ANY_HEADER.finditer(text, start, last.start()) if _begins_a_line(text, found)]
    if {found.start() for found in between} - {found.start() for found in own}:
        raise Unreadable(f"the tables of {'.'.join(keys)} are apart from one another")
    limit, end = next(others, len(text)), line_end(text, last.end())
    at = end
    while at < limit:
        following = line_end(text, at)
        said = text[at:following].strip()
        at = following
        end = at if said and not said.startswith("#") else end
    return start, end


def _headers(text: str, keys: tuple[str, ...]) -> Iterator[re.Match[str]]:
    for found in _HEADER.finditer(text):
        if keys[-1] not in found[0]:
            continue
        try:
            named: Any = tomllib.loads(found[0])
        except (tomllib.TOMLDecodeError, RecursionError):
            continue
        for key in keys:
            named = cast("Mapping[str, Any]", named).get(key) if isinstance(named, Mapping) else None
        if named is not None and _begins_a_line(text, found):
            yield found


def _begins_a_line(text: str, found: re.Match[str]) -> bool:
    """True where the text before it is complete: it stands in no text of several lines, and in no list."""
    try:
        tomllib.loads(text[: found.start()])
    except tomllib.TOMLDecodeError:
        return False
    return True
