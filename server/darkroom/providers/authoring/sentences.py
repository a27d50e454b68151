"""Sentences about wrong keys and types of a declaration, which say what to write instead."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from darkroom.providers.authoring.lines import Path
from darkroom.providers.language.fault import Fault
from darkroom.providers.language.schema import Service

_WRITE = {
    "language": "write language = 1",
    "name": 'write, say, name = "my-service", which is also the name of the file',
    "title": 'write its name for people, as in title = "My Service"',
    "base_url": 'write the URL that all paths stand below, as in base_url = "https://api.example.com/v1"',
    "submit": "the table [submit] says how a job is started",
    "read": "the table [read] says how the job is asked for",
    "pictures": "the table [pictures] says where the response has the pictures",
    "submit.job": 'write where the response to the submission has the job\'s id, as in job = "/id"',
    "pictures.each": 'write where each picture stands in the response, as in each = "/output/*"',
    "lookup.proof": 'write "reference" where the service keeps our own name ($reference), else "likeness"',
    "example.name": 'write what it shows, as in name = "done"',
}
_KINDS = {
    "string_type": 'a text: write it in "quotes"',
    "int_type": "a whole number: write it without quotes or a fraction",
    "float_type": "a number: write it without quotes",
    "bool_type": "true or false, without quotes",
    "list_type": "a list: write it in [brackets]",
    "dict_type": "a table: write { name = value }",
    "model_type": "a table: write { name = value }",
}
_OF_TABLES = {"dict_type", "model_type"}
_TABLES: Mapping[str | int, str] = {
    "models": 'a list of tables: write { id = "name-of-a-model" } for each model',
    "aspect_ratios": 'a table: write { "16:9" = {} }, with what is sent for a ratio between its braces',
    "options": 'a table: write { steps = { type = "integer" } }',
}
_PATTERNS = {
    "path": "it begins with / and has no ? or #: write query = { … } for the part behind a ?",
    "url": "it begins with a name in braces, as in {job}: a URL that is known beforehand is base_url and a path",
    "name": "write small letters, digits and hyphens, as in my-service",
    "hosts": "write a host alone, as in api.example.com, or *.example.com for all below it",
    "submit": 'write a number and seconds, as in "10/60": at most 10 in any 60 seconds',
    "requests": 'write a number and seconds, as in "1000/3600": at most 1000 in any hour',
    "key": "write the name of a variable, in capital letters, and never the key itself",
    "aspect_ratios": 'write a ratio like "16:9"',
}
_WORDS = 'write, say, done = ["completed"]; the meanings are queued, running, done, failed, moderated, cancelled, gone'
_GENERIC = "it does not have the form that is needed"


def sentences(error: ValidationError, file: Mapping[str, Any]) -> list[Fault]:
    """One fault for each place in the file, whose values are these."""
    found: dict[Path, Fault] = {}
    for each in error.errors(include_url=False):
        where = _place(each, file)
        found.setdefault(where, Fault(where, _says(each, where)))
    return list(found.values())


def _place(error: ErrorDetails, file: Mapping[str, Any]) -> Path:
    """The part of the error's location that is in the file: behind that stand names of types."""
    missing = error["type"] == "missing"
    parts: list[str | int] = []
    value: Any = file
    for part in error["loc"][:-1] if missing else error["loc"]:
        if not (part in value if isinstance(value, Mapping) else isinstance(value, list) and isinstance(part, int)):
            break
        parts.append(part)
        value = cast("Any", value)[part]
    return (*parts, error["loc"][-1]) if missing else tuple(parts)


def _says(error: ErrorDetails, where: Path) -> str:
    kind, key = error["type"], where[-1] if where else ""
    if kind == "extra_forbidden":
        return _unknown_key(str(key), where)
    if kind == "missing":
        dotted = ".".join(part for part in where if isinstance(part, str))
        return f"it is missing: {_WRITE.get(dotted) or _WRITE.get(str(key)) or 'it cannot be left out'}"
    if kind in _KINDS:
        table = next((_TABLES[part] for part in reversed(where) if part in _TABLES), None)
        return f"it is to be {table if table and kind in _OF_TABLES else _KINDS[kind]}"
    if kind == "literal_error":
        return _choice(error, where)
    if kind == "string_pattern_mismatch":
        named = [part for part in reversed(where) if isinstance(part, str) and part in _PATTERNS]
        return _PATTERNS[named[0]] if named else _GENERIC
    if kind == "too_short":
        return "it is empty: write at least one into it, or leave the key out"
    if kind == "value_error" and "is no pointer" in error["msg"]:
        return f"{error['input']!r} is no pointer: write {'/' + str(error['input'])!r}, beginning with /"
    return error["msg"].removeprefix("Value error, ")


def _choice(error: ErrorDetails, where: Path) -> str:
    if "words" in where[:-1] and where[-1] == error["input"]:
        return "what stands before the = is a meaning, and the service's own word behind it: " + _WORDS
    choices = str(error.get("ctx", {}).get("expected", "")).replace(" or ", ", ").replace("'", "")
    meant = error["input"] if isinstance(error["input"], str) else ""
    close = get_close_matches(meant.lower(), choices.split(", "), 1, cutoff=0.5)
    named = repr(meant) if meant else "it"
    return f"{named} is none of {choices}" + (f": did you mean {close[0]}?" if close else "")


def _unknown_key(key: str, where: Path) -> str:
    table = _table(where[:-1])
    known = list(table.model_fields)
    place = f"[{'.'.join(part for part in where[:-1] if isinstance(part, str))}]" if len(where) > 1 else "the file"
    if close := get_close_matches(key, known, 1):
        return f"{place} has no key {key}: did you mean {close[0]}?"
    if key in Service.model_fields:
        return f"{place} has no key {key}: it belongs above the first [table], to the whole file"
    return f"{place} has no key {key}: there are {', '.join(known)}"


def _table(where: Sequence[str | int]) -> type[BaseModel]:
    """The table that stands at this path."""
    table: type[BaseModel] = Service
    for part in where:
        field = table.model_fields.get(part) if isinstance(part, str) else None
        inner = next(_tables(field.annotation), None) if field is not None else None
        table = inner or table
    return table


def _tables(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _tables(each)
