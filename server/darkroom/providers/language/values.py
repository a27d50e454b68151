"""The values of a declaration's file: TOML, and nothing in it that no JSON could hold."""

import tomllib
from collections.abc import Iterator
from datetime import date, time
from math import isfinite
from typing import Any, cast

from darkroom.providers.language.fault import Fault

MAX_FILE = 200_000
"""Bytes of such a file."""
MOST_DEEP = 32
"""Tables and lists in each other."""


def values_of(data: bytes) -> dict[str, Any]:
    """The tables and keys of the file. Raises ValueError: it is none, for the reason that is said."""
    if len(data) > MAX_FILE:
        raise ValueError(f"it is larger than {MAX_FILE} bytes")
    try:
        return tomllib.loads(text_of(data))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"it is not text in UTF-8 (at line {line}): save it as that") from error
    except RecursionError as error:
        raise ValueError(f"it is not TOML: lists or tables stand more than {MOST_DEEP} deep in each other") from error
    except ValueError as error:
        raise ValueError(f"it is not TOML: {error}") from error


def text_of(data: bytes) -> str:
    """The file's text with `\\n` at the end of each line, without the mark that some editors begin a file with."""
    return data.decode("utf-8-sig").replace("\r\n", "\n")


def odd(value: Any, where: tuple[str | int, ...] = ()) -> Iterator[Fault]:
    """A fault for each value that TOML has and JSON has not, or that nothing here could count with."""
    if isinstance(value, dict | list):
        fields = cast("dict[str, Any]", value).items() if isinstance(value, dict) else enumerate(cast("Any", value))
        if len(where) >= MOST_DEEP:
            yield Fault(where[:3], f"it is more than {MOST_DEEP} deep: write fewer tables or lists in each other")
            return
        for key, each in fields:
            yield from odd(each, (*where, key))
    elif isinstance(value, date | time):
        yield Fault(where, 'it is a date or a time, which JSON does not have: write it as a text, in "quotes"')
    elif isinstance(value, float) and not isfinite(value):
        yield Fault(where, "it is no number that JSON has: write a finite one, or leave it out")
    elif isinstance(value, int) and abs(value) >= 2**63:
        yield Fault(where, 'it is too large: write a smaller number, or a text in "quotes"')
