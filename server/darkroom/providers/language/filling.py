"""Requests are tables, not texts: `$name` in one becomes the typed value of that name, and nothing else changes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import quote

FORMS = frozenset({"$first", "$join"})
_WHOLE = re.compile(r"\$([a-z][a-z0-9_.]*)(?::(integer|number|string))?")
_WITHIN = re.compile(r"\$(\$|[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)")
_PLACE = re.compile(r"\{([a-z][a-z0-9_.]*)(\+?)\}")


class Unfillable(ValueError):
    """A value does not have the type, or does not fit the place, that the declaration gives it."""


def fill(template: Any, names: Mapping[str, Any]) -> Any:
    """The template with its names replaced; None where all of it is a name without a value.

    A key whose value has none is left out, and so is such an element of a list.

    Raises:
        Unfillable: a value is not what the template makes of it.
    """
    if isinstance(template, str):
        return _text(template, names)
    if isinstance(template, list):
        filled = (fill(each, names) for each in cast("list[Any]", template))
        return [each for each in filled if each is not None]
    if not isinstance(template, dict):
        return template
    fields = cast("dict[str, Any]", template)
    if form := form_of(fields):
        return _formed(form, fields[form], names)
    filled = {name: fill(each, names) for name, each in fields.items()}
    return {name: each for name, each in filled.items() if each is not None}


def fill_path(text: str, names: Mapping[str, Any]) -> str:
    """The path with `{name}` as one percent-encoded segment, or as several where it is `{name+}`.

    Raises:
        Unfillable: a name has no value, or a segment would be `.`, `..` or empty.
    """

    def place(found: re.Match[str]) -> str:
        value = names.get(found[1])
        parts = str(value or "").split("/") if found[2] else [str(value or "")]
        if any(part in {"", ".", ".."} for part in parts):
            raise Unfillable(f"{found[1]} does not fit into the path")
        return "/".join(quote(part, safe="") for part in parts)

    return _PLACE.sub(place, text)


def fill_link(text: str, names: Mapping[str, Any]) -> str:
    """The URL with `{name}` as it is: where it leads is judged afterwards."""
    return _PLACE.sub(lambda found: str(names.get(found[1]) or ""), text)


def form_of(fields: Mapping[str, Any]) -> str | None:
    """`$first` or `$join`, where the table is one of these; any other key with a dollar is a key."""
    return next(iter(FORMS & fields.keys()), None) if len(fields) == 1 else None


def names_in(template: Any) -> Iterator[str]:
    """Every name that a template is filled with."""
    if isinstance(template, str):
        if whole := _WHOLE.fullmatch(template):
            yield whole[1]
    elif isinstance(template, list):
        for each in cast("list[Any]", template):
            yield from names_in(each)
    elif isinstance(template, dict):
        fields = cast("dict[str, Any]", template)
        joined = form_of(fields) == "$join"
        for each in fields["$join"] if joined else fields.values():
            yield from _names_within(each) if joined else names_in(each)


def places_in(text: str) -> list[str]:
    """The names between braces in a path or link."""
    return [found[1] for found in _PLACE.finditer(text)]


def malformed(template: Any) -> Iterator[str]:
    """Texts that look like a name and are none, and so would be sent as they are."""
    if isinstance(template, str):
        if template.startswith("$") and not template.startswith("$$") and not _WHOLE.fullmatch(template):
            yield template
    elif isinstance(template, list):
        for each in cast("list[Any]", template):
            yield from malformed(each)
    elif isinstance(template, dict):
        fields = cast("dict[str, Any]", template)
        for each in fields.values() if form_of(fields) != "$join" else ():
            yield from malformed(each)


def _names_within(text: str) -> Iterator[str]:
    yield from (found[1] for found in _WITHIN.finditer(text) if found[1] != "$")


def _text(text: str, names: Mapping[str, Any]) -> Any:
    if text.startswith("$$"):
        return text[1:]
    found = _WHOLE.fullmatch(text)
    if found is None:
        return text
    value = names.get(found[1])
    return value if value is None or found[2] is None else _cast(value, found[2], found[1])


def _cast(value: Any, kind: str, name: str) -> Any:
    if kind == "string":
        return str(value)
    try:
        return int(str(value)) if kind == "integer" else float(str(value))
    except ValueError as error:
        raise Unfillable(f"{name} is no {kind}") from error


def _formed(form: str, parts: Any, names: Mapping[str, Any]) -> Any:
    if form == "$first":
        return next((filled for part in parts if (filled := fill(part, names)) is not None), None)
    said = [_part(part, names) for part in parts if all(names.get(name) is not None for name in _names_within(part))]
    return " ".join(said) or None


def _part(part: str, names: Mapping[str, Any]) -> str:
    return _WITHIN.sub(lambda found: "$" if found[1] == "$" else str(names.get(found[1])), part)
