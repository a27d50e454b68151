"""Requests are tables, not texts: `$name` in one becomes the typed value of that name, and nothing else changes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import quote

FORMS = frozenset({"$first", "$join", "$each"})
_WHOLE = re.compile(r"\$([a-z][a-z0-9_.]*)(?::(integer|number|string))?")
_WITHIN = re.compile(r"\$(\$|[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)")
_ONE, _ALL = "image.", "images."
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
        return [each for each in _elements(cast("list[Any]", template), names) if each is not None]
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
    """`$first`, `$join` or `$each`, where the table is one of these; any other key with a dollar is a key."""
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
        form = form_of(fields)
        for each in _parts(fields["$join"]) if form == "$join" else fields.values():
            found = _names_within(each) if form == "$join" else names_in(each)
            yield from (_of_all(name) for name in found) if form == "$each" else found


def places_in(text: str) -> list[str]:
    """The names between braces in a path or link."""
    return [found[1] for found in _PLACE.finditer(text)]


def malformed(template: Any) -> Iterator[str]:
    """A sentence for each text that looks like a name and is none, and for each `$each` that would send nothing."""
    if isinstance(template, str):
        if template.startswith("$") and not template.startswith("$$") and not _WHOLE.fullmatch(template):
            yield f"{template!r} begins with a single $ and is no name: write $${template[1:]} to send {template!r}"
    elif isinstance(template, list):
        for each in cast("list[Any]", template):
            yield from malformed(each)
    elif isinstance(template, dict):
        fields = cast("dict[str, Any]", template)
        form = form_of(fields)
        if form in {"$first", "$join"} and not isinstance(fields[form], list):
            yield f'"{form}" takes a list: write {{ "{form}" = ["$prompt", "…"] }}'
        elif form == "$join" and len(_parts(fields[form])) != len(fields[form]):
            yield '"$join" joins texts: write each of its parts in "quotes"'
        if form == "$each" and not any(map(_is_of_all, names_in(fields))):
            yield '"$each" is sent once for each picture, and names none: write, say, "$image.base64" into it'
        for each in fields.values() if form != "$join" else ():
            yield from malformed(each)


def _parts(joined: Any) -> list[str]:
    """The texts that `$join` joins; whatever else stands there is malformed."""
    return [each for each in cast("list[Any]", joined) if isinstance(each, str)] if isinstance(joined, list) else []


def _names_within(text: str) -> Iterator[str]:
    yield from (found[1] for found in _WITHIN.finditer(text) if found[1] != "$")


def _of_all(name: str) -> str:
    """The list that a name of one picture stands for where there is one table for each."""
    return _ALL + name.removeprefix(_ONE) if name.startswith(_ONE) else name


def _is_of_all(name: str) -> bool:
    return name.startswith(_ALL)


def _elements(templates: list[Any], names: Mapping[str, Any]) -> Iterator[Any]:
    for each in templates:
        filled = fill(each, names)
        if isinstance(each, dict) and form_of(cast("dict[str, Any]", each)) == "$each":
            yield from filled or ()
        else:
            yield filled


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
    if form == "$each":
        return _for_each(parts, names)
    said = [_part(part, names) for part in parts if all(names.get(name) is not None for name in _names_within(part))]
    return " ".join(said) or None


def _for_each(template: Any, names: Mapping[str, Any]) -> list[Any] | None:
    """The template once for each picture, whose names are those of one; None where there is no picture."""
    lists = {name: value for name, value in names.items() if _is_of_all(name) and value is not None}
    count = max(map(len, lists.values()), default=0)
    ones = ({_ONE + name.removeprefix(_ALL): value[number] for name, value in lists.items()} for number in range(count))
    return [fill(template, {**names, **one}) for one in ones] or None


def _part(part: str, names: Mapping[str, Any]) -> str:
    return _WITHIN.sub(lambda found: "$" if found[1] == "$" else str(names.get(found[1])), part)
