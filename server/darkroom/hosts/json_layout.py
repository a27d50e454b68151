"""JSON, with comments and trailing commas where it has them: each value is found at its place in the text."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from darkroom.hosts.layout import Servers, Unreadable, line_end, line_start, newline_of, without

_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\r\n]*|/\*.*?(?:\*/|\Z)', re.S)
_TRAILING = re.compile(r'"(?:[^"\\\n]|\\.)*"|[{\[]\s*,|,(?=\s*[}\]])')
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True)
class _Member:
    """One member of an object: where its key begins, and where its value does and ends."""

    name: str
    start: int
    value: int
    end: int


class JsonLayout:
    """See `Layout`."""

    def read(self, text: str) -> Any:
        """See `Layout`."""
        try:
            return _DECODER.decode(_plain(text)) if text.strip() else {}
        except (ValueError, RecursionError) as error:
            raise Unreadable(_where(error)) from error

    def put(self, text: str, servers: Servers, name: str, value: Mapping[str, Any]) -> str:
        """See `Layout`."""
        if not text.strip():
            text = f"{{}}{newline_of(text)}"
        keys, plain = [*servers.path, name], _plain(text)
        at, unit = _root(plain), _unit(text, plain)
        for depth, key in enumerate(keys):
            found, end = _members(plain, at)
            member = _the_one(found, key)
            if member is None:
                nested: Any = value
                for inner in reversed(keys[depth + 1 :]):
                    nested = {inner: nested}
                return _inserted(text, (at, end), found, (key, nested), unit)
            if depth == len(keys) - 1:
                return _updated(text, member.value, value, unit)
            at = member.value
        raise AssertionError("the name is one of the keys")

    def take(self, text: str, servers: Servers, name: str) -> str:
        """See `Layout`."""
        plain = _plain(text)
        at = _root(plain)
        for key in servers.path:
            member = _the_one(_members(plain, at)[0], key)
            if member is None:
                raise Unreadable(f"it has no {key}")
            at = member.value
        found, end = _members(plain, at)
        member = _the_one(found, name)
        if member is None:
            raise Unreadable(f"it has no {name}")
        return _removed(text, (at, end), found, found.index(member))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _where(error: Exception) -> str:
    place = f"line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else str(error)
    return f"it is no JSON ({place[:100]})"


def _blank(found: re.Match[str]) -> str:
    text = found[0]
    if text.startswith('"') or (text.startswith("/*") and not text.endswith("*/")) or text == "/*/":
        return text
    return re.sub(r"[^\r\n]", " ", text)


def _uncommented(text: str) -> str:
    """The text with spaces in the place of its comments."""
    return _COMMENT.sub(_blank, text)


def _plain(text: str) -> str:
    """The same without trailing commas too: what is left is JSON, and each character is where it was."""
    return _TRAILING.sub(lambda found: found[0] if found[0] != "," else " ", _uncommented(text))


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def _root(plain: str) -> int:
    return _skip(plain, 0)


def _members(plain: str, at: int) -> tuple[list[_Member], int]:
    """The members of the object that begins here, and where its closing brace is."""
    if plain[at] != "{":
        raise Unreadable("something else is where its servers belong")
    found: list[_Member] = []
    at = _skip(plain, at + 1)
    while plain[at] == '"':
        name, after = _DECODER.raw_decode(plain, at)
        value = _skip(plain, _skip(plain, after) + 1)
        _, end = _DECODER.raw_decode(plain, value)
        found.append(_Member(name, at, value, end))
        at = _skip(plain, end)
        at = _skip(plain, at + 1) if plain[at] == "," else at
    return found, at


def _the_one(found: list[_Member], name: str) -> _Member | None:
    same = [member for member in found if member.name == name]
    if len(same) > 1:
        raise Unreadable(f"it has {name} twice")
    return same[0] if same else None


def _indent(text: str, at: int) -> str:
    """The space that the line of this begins with."""
    found = re.compile(r"[ \t]*").match(text, line_start(text, at))
    return "" if found is None else found[0]


def _alone(text: str, member: _Member) -> bool:
    """True where it begins its line."""
    return not text[line_start(text, member.start) : member.start].strip()


def _unit(text: str, plain: str) -> str:
    found, _ = _members(plain, _root(plain))
    first = _indent(text, found[0].start) if found and _alone(text, found[0]) else ""
    return first or "  "


def _spelled(text: str, value: Any, indent: str, unit: str, *, inline: bool) -> str:
    if inline:
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False, indent=unit).replace("\n", newline_of(text) + indent)


def _inserted(text: str, span: tuple[int, int], found: list[_Member], member: tuple[str, Any], unit: str) -> str:
    """The text with this member before those that the object has."""
    (at, end), line = span, newline_of(text)
    key = json.dumps(member[0], ensure_ascii=False)
    if found:
        first = found[0]
        if "\n" not in text[at : first.start] or not _alone(text, first):
            piece = f"{key}: {json.dumps(member[1], ensure_ascii=False)}, "
            return text[: first.start] + piece + text[first.start :]
        indent, place = _indent(text, first.start), line_end(text, at)
        if any(each.start() < place < each.end() for each in _COMMENT.finditer(text, at, first.start)):
            place = first.start - len(indent)  # a comment goes on in the line below the brace
        written = _spelled(text, member[1], indent, unit, inline=False)
        return f"{text[:place]}{indent}{key}: {written},{line}{text[place:]}"
    outer, rest = _indent(text, at), text[at + 1 : end]
    if "\n" not in text.strip() and text.strip() != "{}":
        return f"{text[: at + 1]}{key}: {json.dumps(member[1], ensure_ascii=False)}{text[at + 1 :]}"
    written = _spelled(text, member[1], outer + unit, unit, inline=False)
    closing = "" if "\n" in rest else line + outer
    return f"{text[: at + 1]}{line}{outer}{unit}{key}: {written}{closing}{text[at + 1 :]}"


def _updated(text: str, at: int, value: Mapping[str, Any], unit: str) -> str:
    """The text with these members in the object that begins here; the others, and all comments, stay."""
    for key, new in value.items():
        plain = _plain(text)
        found, end = _members(plain, at)
        member = _the_one(found, key)
        if member is None:
            text = _inserted(text, (at, end), found, (key, new), unit)
        elif isinstance(new, Mapping) and plain[member.value] == "{":
            text = _updated(text, member.value, cast("Mapping[str, Any]", new), unit)
        elif _DECODER.decode(plain[member.value : member.end]) != new:
            written = _spelled(text, new, _indent(text, member.start), unit, inline=not _alone(text, member))
            text = text[: member.value] + written + text[member.end :]
    return text


def _removed(text: str, span: tuple[int, int], found: list[_Member], index: int) -> str:
    bare, member = _uncommented(text), found[index]
    after = _skip(bare, member.end)
    comma = bare[after] == ","
    start, end = member.start, after + 1 if comma else member.end
    if _alone(text, member) and not text[end : line_end(text, end)].strip():
        start, end = line_start(text, start), line_end(text, end)
    elif comma:
        end += len(text[end:]) - len(text[end:].lstrip(" "))
    spans = [(start, end)]
    if index and not comma:
        before = _skip(bare, found[index - 1].end)
        spans.append((before, before + 1))
    text, shorter = without(text, *spans), sum(b - a for a, b in spans)
    at, close = span[0], span[1] - shorter
    return text if text[at + 1 : close].strip() else text[: at + 1] + text[close:]
