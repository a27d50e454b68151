"""YAML: a server is a block of lines under its name, or an element of a list; a library says where each stands."""

import json
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, cast

from darkroom.hosts.layout import Servers, Unreadable, line_end, line_start, newline_of, without


class _Node(Protocol):
    """A value as the library reports it: its parts, and the places where it begins and ends."""

    value: Any
    start_mark: Any
    end_mark: Any


class YamlLayout:
    """See `Layout`."""

    def read(self, text: str) -> Any:
        """See `Layout`."""
        from ruamel.yaml import YAML, YAMLError  # noqa: PLC0415 - few commands need it

        try:
            with warnings.catch_warnings(action="ignore"):  # an anchor may be named again
                return YAML(typ="safe", pure=True).load(text) or {}  # pyright: ignore[reportUnknownMemberType]
        except (YAMLError, RecursionError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            place = f"line {mark.line + 1}: {getattr(error, 'problem', '')}" if mark else type(error).__name__
            raise Unreadable(f"it is no YAML ({place[:100]})") from error

    def put(self, text: str, servers: Servers, name: str, value: Mapping[str, Any]) -> str:
        """See `Layout`."""
        if name in servers.named:
            changes = sorted(_changes(text, _entry(text, servers, name)[1], servers.named[name], value), reverse=True)
            for start, end, piece in changes:
                text = text[:start] + piece + text[end:]
            return text
        nodes, line = _container(text, servers), newline_of(text)
        if nodes is None:
            before = line if text and not text.endswith("\n") else ""
            written = f"{servers.path[0]}:{line}{_block(text, servers, name, value, '  ')}"
            return text + before + (written if text.endswith("\n") or not text else written.removesuffix(line))
        key, container = nodes
        if _in_brackets(container):
            place = container.start_mark.index + 1
            return f"{text[:place]}{_flow(servers, name, value)}{', ' if container.value else ''}{text[place:]}"
        place = line_end(text, key.end_mark.index)
        indent = " " * (container.start_mark.column if container.value else key.start_mark.column + 2)
        if not text[:place].endswith("\n"):
            return f"{text}{line}{_block(text, servers, name, value, indent).removesuffix(line)}"
        return text[:place] + _block(text, servers, name, value, indent) + text[place:]

    def take(self, text: str, servers: Servers, name: str) -> str:
        """See `Layout`."""
        start, end = _span(text, servers, name)
        nodes = _container(text, servers)
        if nodes is not None and _in_brackets(nodes[1]):
            end += len(text[end:]) - len(text[end:].removeprefix(",").lstrip(" "))
        elif nodes is not None and len(servers.named) == 1:
            start = line_start(text, nodes[0].start_mark.index)
        return without(text, (start, end))


def _root(text: str) -> _Node | None:
    from ruamel.yaml import YAML  # noqa: PLC0415 - few commands need it

    with warnings.catch_warnings(action="ignore"):  # as above
        return YAML(typ="rt", pure=True).compose(text)  # pyright: ignore[reportUnknownMemberType]


def _container(text: str, servers: Servers) -> tuple[_Node, _Node] | None:
    """The nodes of the servers' key and of what it holds; None: there is none."""
    root = _root(text)
    pairs: list[tuple[_Node, _Node]] = [] if root is None or isinstance(root.value, str) else root.value
    return next((pair for pair in pairs if pair[0].value == servers.path[0]), None)


def _span(text: str, servers: Servers, name: str) -> tuple[int, int]:
    """The lines of this server, or its place between brackets."""
    nodes = _container(text, servers)
    key, node = _entry(text, servers, name)
    start = key.start_mark.index
    if nodes is not None and _in_brackets(nodes[1]):
        return start, _last(node).end_mark.index
    return line_start(text, start), _lines_end(text, node)


def _entry(text: str, servers: Servers, name: str) -> tuple[_Node, _Node]:
    """The nodes of this server's key, which is itself in a list, and of what it says. Raises Unreadable."""
    nodes = _container(text, servers)
    for key, node in _pairs(nodes[1], servers) if nodes is not None else ():
        if (_named(node) if servers.listed else key.value) == name:
            return key, node
    raise Unreadable(f"it has no {name}")


def _changes(
    text: str, node: _Node, before: Mapping[str, Any], value: Mapping[str, Any]
) -> Iterator[tuple[int, int, str]]:
    """Stretches of the text, and what takes their place, so that this mapping says the value; all else in it stays."""
    nodes = {key.value: (key, each) for key, each in node.value}
    missing = {key: new for key, new in value.items() if key not in before}
    for key, new in value.items():
        if key in missing or before[key] == new:
            continue
        if key not in nodes:  # it comes from elsewhere, by `<<`
            missing[key] = new
        elif isinstance(new, Mapping) and isinstance(before[key], Mapping) and before[key]:
            yield from _changes(text, nodes[key][1], before[key], cast("Mapping[str, Any]", new))
        else:
            yield _replaced(text, *nodes[key], new)
    if missing and _in_brackets(node):
        pieces = [f"{json.dumps(key)}: {_json(new)}" for key, new in missing.items()]
        place = node.start_mark.index + 1
        yield place, place, ", ".join([*pieces, ""] if node.value else pieces)
    elif missing:
        place, indent = _lines_end(text, node), " " * node.value[0][0].start_mark.column
        yield place, place, _in_lines(text, place, [f"{indent}{each}" for each in _lines(missing)])


def _replaced(text: str, key: _Node, node: _Node, new: Any) -> tuple[int, int, str]:
    start, end = node.start_mark.index, _last(node).end_mark.index
    written = _json(new)
    if start == end:  # nothing is written there, and the library's place for that is anywhere before the next key
        start = end = text.find(":", key.end_mark.index) + 1
        return start, end, f" {written}"
    if isinstance(new, list) and new and isinstance(node.value, list) and not _in_brackets(node):
        elements = [f"- {_json(each)}" for each in cast("list[Any]", new)]
        written = f"{newline_of(text)}{' ' * node.start_mark.column}".join(elements)
    return start, end, written + (newline_of(text) if text[start:end].endswith("\n") else "")


def _in_lines(text: str, place: int, lines: list[str]) -> str:
    """The lines to be put in at the beginning of a line, or at the end of a text that does not end with one."""
    line = newline_of(text)
    return line + line.join(lines) if text[:place] and not text[:place].endswith("\n") else line.join([*lines, ""])


def _pairs(container: _Node, servers: Servers) -> list[tuple[_Node, _Node]]:
    """Each server with its key, which is itself in a list."""
    return [(each, each) for each in container.value] if servers.listed else container.value


def _named(element: _Node) -> object:
    """The name that an element of a list says: each of them is a mapping with one."""
    return next(value.value for key, value in element.value if key.value == "name")


def _in_brackets(node: _Node) -> bool:
    return bool(getattr(node, "flow_style", False)) and not isinstance(node.value, str)


def _last(node: _Node) -> _Node:
    """The innermost node at the end of it: a text, or something in brackets."""
    if isinstance(node.value, str) or not node.value or _in_brackets(node):
        return node
    last = cast("_Node | tuple[_Node, _Node]", node.value[-1])
    return _last(last[1] if isinstance(last, tuple) else last)


def _lines_end(text: str, node: _Node) -> int:
    """The end of the last line of it."""
    end = _last(node).end_mark.index
    return end if text[:end].endswith("\n") else line_end(text, end)


def _lines(value: Mapping[str, Any]) -> list[str]:
    return [f"{key}: {_json(each)}" for key, each in value.items()]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)  # a date is none of ours, and is not written back


def _block(text: str, servers: Servers, name: str, value: Mapping[str, Any], indent: str) -> str:
    lines = _lines(value)
    if servers.listed:
        lines = [f"- {lines[0]}", *(f"  {each}" for each in lines[1:])]
    else:
        lines = [f"{name}:", *(f"  {each}" for each in lines)]
    line = newline_of(text)
    return "".join(f"{indent}{each}{line}" for each in lines)


def _flow(servers: Servers, name: str, value: Mapping[str, Any]) -> str:
    written = _json(value)
    return written if servers.listed else f"{json.dumps(name)}: {written}"
