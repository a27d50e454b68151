"""Arguments as hosts send them: what they add, leave blank or spell in their own way is taken as it is meant."""

import re
from collections.abc import Collection, Mapping
from typing import Any, cast

from pydantic import AfterValidator, BeforeValidator

from darkroom.generations.asking.wishes import from_json, options_of
from darkroom.redact.text import clean

HOSTS_OWN = frozenset(
    {"toolCallId", "tool_call_id", "sessionId", "session_id", "chatInput", "action", "tool", "_meta"}
)  # fmt: skip
"""Arguments that n8n and its like add to every call; no tool of ours needs them where it does not know them."""
MAX_NAMED = 10


def given(arguments: Mapping[str, Any], known: Collection[str], needed: Collection[str]) -> dict[str, Any]:
    """The known arguments that were given: null and blank mean left out, but for those that are needed."""
    return {
        name: value
        for name, value in arguments.items()
        if name in known and (name in needed or not (value is None or (isinstance(value, str) and not value.strip())))
    }


def unknown(arguments: Mapping[str, Any], known: Collection[str]) -> list[str]:
    """The agent's own names that no argument has; the first few."""
    names = (name for name in arguments if name not in known and name not in HOSTS_OWN)
    return [repr(clean(name, 40)) for name, _ in zip(names, range(MAX_NAMED), strict=False)]


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")
    return value


def _trimmed(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def _items(value: Any) -> Any:
    """A list; out of a text, what stands in it as JSON, or between commas and blanks."""
    if isinstance(value, str):
        value = from_json(value, list) or [
            part.strip("\"'`[]") for part in re.split(r"[\s,]+", value.strip(), maxsplit=100)
        ]
    if isinstance(value, list):
        items = (_trimmed(item) for item in cast("list[Any]", value))
        return [item for item in items if item is not None and item != ""]
    return value


def _names(value: Any) -> Any:
    """A list of names, none of which is taken apart: a path or a data: URL may hold commas and blanks."""
    if isinstance(value, str):
        found = from_json(value, list)
        value = [value] if found is None else found
    return _items(value)


def _single(value: Any) -> Any:
    """The content of a list of one, however that is written."""
    items = _items(value)
    return cast("list[Any]", items)[0] if isinstance(items, list) and len(cast("list[Any]", items)) == 1 else value


def _options(value: Any) -> Any:
    """An object of options; out of `name=value` texts, each value as text, a list where its name was given twice."""
    if isinstance(value, str):
        parsed = from_json(value, dict | list)
        value = [value] if parsed is None else parsed
    if not isinstance(value, list):
        return value
    try:
        return options_of(cast("list[Any]", value))
    except ValueError:
        raise ValueError('must be a list of name=value texts, such as ["steps=30"]') from None


Number = BeforeValidator(_number)
"""For arguments that are numbers: `true` is not read as 1."""
Trimmed = BeforeValidator(_trimmed)
"""For names: without the blanks around them."""
Word = BeforeValidator(_lower)
"""For one of a few words: in any case."""
NotBlank = AfterValidator(_not_blank)
Ids = BeforeValidator(_items)
"""For lists of ids: one id is a list too."""
Names = BeforeValidator(_names)
"""For lists of names that may hold anything: one is a list too."""
OneId = BeforeValidator(_single)
OptionTexts = BeforeValidator(_options)
"""For a provider's own options: `name=value` texts, or an object."""


def one_of(names: Collection[str]) -> AfterValidator:
    """For a name that must be one of these."""

    def known(name: str | None) -> str | None:
        if name is not None and name not in names:
            raise ValueError(f"must be one of {', '.join(names)}, not {clean(name, 40)!r}")
        return name

    return AfterValidator(known)
