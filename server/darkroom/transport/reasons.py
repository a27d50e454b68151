"""Reasons that a provider gives for a failure, in whatever shape, and what such words mean."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, cast

MOST = 3
"""So many reasons of a list are repeated; a provider that sent more has made its point."""
_DEEPEST = 6
# Where services put words for people, in the order in which they are worth reading (RFC 9457 has detail and title);
# here without capitals and underscores.
_WORDS = (
    *("error", "message", "detail", "msg", "errors", "errordescription", "errormessage", "details", "title"),
    *("description", "reason", "failure", "failurereason", "reasons", "fault", "faultstring"),
)
# Where they put words for programs.
_CODES = ("code", "type", "status", "reason", "error_code", "errorCode", "error")

_ID = re.compile(r"(.*[_-])?(id|uuid)|.*(Id|ID)", re.DOTALL)

_MODERATED = re.compile(
    r"moderat|flagged|\bsafety\b|nsfw|inappropriate|prohibited|disallowed|content.?(policy|filter|guideline|violation)"
    r"|usage polic|(policy|guideline|terms)\w*\W+(\w+\W+){0,3}violat"
    r"|violat\w*\W+(\w+\W+){0,5}(polic|guideline|terms|rules)",
    re.IGNORECASE,
)
_PAYMENT = re.compile(
    r"quota|billing|payment|insufficient.{0,3}(credit|balance|fund)|(out of|not enough|no|too few|low|lack of).{0,12}"
    r"(credit|balance|fund)|(credit|balance|fund)s?(?![a-z]).{0,30}(exhausted|too low|used up|depleted|insufficient"
    r"|run out)|(used|spent|consumed|exhausted)( up)?( all)?( of)?( your| the)? (credit|balance|fund)"
    r"|\b0 (credit|fund)s?\b|credit limit|top.?up|spend(ing)? (limit|cap)|(exceeded|over) (your )?(\w+ )?spend"
    r"|monthly\W+(\w+\W+){0,2}(limit|cap|allowance)\b|\b(limit|cap|allowance)\b.{0,30}\b(this|the|your|per|a) month\b"
    r"|hard limit|trial (has )?(expired|ended)",
    re.IGNORECASE,
)
_PACE = re.compile(
    r"(per|/|a|an|each)\s*(second|minute|min|hour|sec)\b|too many requests|rate.?limit|concurren|simultaneous|at a time"
    r"|in parallel",
    re.IGNORECASE,
)
_BILLED = re.compile(r"billing|payment|credit|balance|fund|insufficient", re.IGNORECASE)
_PLAN = re.compile(r"\b(plan|subscription|upgrade)\b", re.IGNORECASE)


def lenient_json(body: bytes) -> Any:
    """The JSON in `body`, also where one odd value in it would make it unreadable.

    Raw control characters in texts, bytes that are no Unicode, NaN, infinities and numbers of thousands of digits
    spoil nothing but themselves: such a number is None, and NaN the text that it is.

    Raises:
        ValueError, RecursionError: it is not JSON.
    """
    return json.loads(text_of(body), strict=False, parse_constant=str, parse_int=_whole)


def text_of(body: bytes) -> str:
    """The text of JSON."""
    return body.decode(json.detect_encoding(body), "replace")


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) < 400 else None


def words_in(value: Any) -> str:
    """The words for people in an error of any shape, as they are; empty where there are none."""
    return _words(value, 0).strip()


def codes_in(value: Any) -> str:
    """The words for programs in it, such as `insufficient_quota`."""
    return " ".join(_codes(value, 0))


def ids_in(value: Any) -> str:
    """The first ids in it, each behind the names that lead to it; empty where there are none."""
    return ", ".join(f"{at} {str(found)[:100]}" for at, found in islice(_ids(value, "", 0), MOST))


def is_moderation(words: str) -> bool:
    """True where these words mean that a safety review refused it. The one place where that is recognised."""
    return _MODERATED.search(words) is not None


def is_payment(words: str) -> bool:
    """True where these words of a 429 mean that there is nothing left to pay with, which waiting does not cure."""
    return _PAYMENT.search(words) is not None and (_PACE.search(words) is None or _BILLED.search(words) is not None)


def is_plan(words: str) -> bool:
    """True where these words mean that the account's plan does not include it."""
    return _PLAN.search(words) is not None


def _words(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return value.strip()
    if depth > _DEEPEST:
        return ""
    if isinstance(value, list):
        return _joined(_words(each, depth + 1) for each in cast("list[Any]", value)[: 10 * MOST])
    if not isinstance(value, dict):
        return ""
    fields = cast("dict[str, Any]", value)
    spelled = {re.sub(r"[_-]", "", name).lower(): each for name, each in reversed(fields.items())}
    said = list(filter(None, (_words(spelled[name], depth + 1) for name in _WORDS if name in spelled)))
    # {"error": "invalid_request", "error_description": "…"}: one word is for programs, where there are more for people.
    found = next((words for words in said if " " in words), said[0] if said else "")
    if found and isinstance(fields.get("loc"), list):  # where a validated request is wrong: ["body", "steps"]
        where = ".".join(str(part) for part in fields["loc"][-3:] if isinstance(part, str | int))
        return f"{where}: {found}"
    if found or depth == 0:
        return found
    # {"prompt": ["is too long"]}: the names of the fields are part of what is said.
    inner = ((name, _words(each, depth + 1)) for name, each in list(fields.items())[: 10 * MOST])
    return _joined(f"{name}: {words}" for name, words in inner if words)


def _ids(value: Any, at: str, depth: int) -> Iterator[tuple[str, Any]]:
    fields = cast("dict[str, Any]", value).items() if isinstance(value, dict) else ()
    inner = enumerate(cast("list[Any]", value)[:MOST]) if isinstance(value, list) else fields
    for name, each in inner if depth <= _DEEPEST else ():
        named = isinstance(each, str | int) and not isinstance(each, bool) and _ID.fullmatch(str(name))
        if named and str(each).strip():
            yield f"{at}/{name}", each
        else:
            yield from _ids(each, f"{at}/{name}", depth + 1)


def _joined(reasons: Iterable[str]) -> str:
    return "; ".join(list(dict.fromkeys(filter(None, reasons)))[:MOST])


def _codes(value: Any, depth: int) -> list[str]:
    if depth > _DEEPEST:
        return []
    if isinstance(value, list):
        return [code for each in cast("list[Any]", value)[:MOST] for code in _codes(each, depth + 1)]
    if not isinstance(value, dict):
        return []
    fields = cast("dict[str, Any]", value)
    found = [str(fields[name]) for name in _CODES if isinstance(fields.get(name), str)]
    return found + [code for name in ("error", "errors", "detail") for code in _codes(fields.get(name), depth + 1)]
