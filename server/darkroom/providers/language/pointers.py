"""Pointers into JSON: RFC 6901, and `*` for every element of a list or every value of an object."""

from typing import Any, cast

MAX_HITS = 64
MAX_SEGMENTS = 16


def every(value: Any, pointer: str) -> list[Any]:
    """All that the pointer leads to, in order, at most 64; nulls count as absent."""
    found = [value]
    for segment in segments(pointer):
        found = [inner for each in found for inner in _inside(each, segment)][:MAX_HITS]
    return [each for each in found if each is not None]


def first(value: Any, *pointers: str) -> Any:
    """The first thing that one of the pointers leads to; None where none does."""
    return next((hit for pointer in pointers for hit in every(value, pointer)), None)


def segments(pointer: str) -> list[str]:
    """The pointer's parts, unescaped.

    Raises:
        ValueError: it is no pointer, or has more than 16 parts.
    """
    if pointer and not pointer.startswith("/"):
        raise ValueError(f"{pointer!r} is no pointer: it begins with /, or is empty for the whole")
    parts = pointer.split("/")[1:]
    if len(parts) > MAX_SEGMENTS:
        raise ValueError(f"{pointer!r} has more than {MAX_SEGMENTS} parts")
    return [part.replace("~1", "/").replace("~0", "~") for part in parts]


def _inside(value: Any, segment: str) -> list[Any]:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return list(fields.values()) if segment == "*" else [fields[segment]] if segment in fields else []
    if not isinstance(value, list):
        return []
    items = cast("list[Any]", value)
    if segment == "*":
        return items
    numbered = segment.isascii() and segment.isdigit() and len(segment) < 6
    return [items[int(segment)]] if numbered and int(segment) < len(items) else []
