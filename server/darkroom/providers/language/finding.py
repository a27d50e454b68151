"""A job whose response was lost: found again by our own name for it, or those that look like it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from darkroom.providers.language.conditions import same
from darkroom.providers.language.filling import fill
from darkroom.providers.language.pictures import text_of
from darkroom.providers.language.pointers import every, first
from darkroom.providers.language.schema import Lookup
from darkroom.providers.likeness import Alike

PAUSES_S = (1.0, 2.0, 4.0)
"""Seconds before each look: a service may need a moment to show a job that it has only just taken."""


def job_in(lookup: Lookup, answer: Any, names: Mapping[str, Any]) -> str | None:
    """The job of the one candidate that has all that is asked for; None where there is none, or more than one."""
    found = [each for each in every(answer, lookup.each) if _fits(lookup, each, names)]
    return text_of(first(found[0], lookup.job)) if len(found) == 1 else None


def alike_in(lookup: Lookup, answer: Any, names: Mapping[str, Any], since: float) -> list[Alike]:
    """The candidates that have all that is asked for, and were made since then (seconds since 1970)."""
    fitting = [each for each in every(answer, lookup.each) if _fits(lookup, each, names)]
    found = [Alike(text_of(first(each, lookup.job)) or "", _moment(first(each, lookup.made or ""))) for each in fitting]
    return [each for each in found if each.job and each.made_at >= since]


def _moment(text: Any) -> float:
    """The time in seconds since 1970, without a zone UTC; minus infinity where it is none."""
    try:
        said = datetime.fromisoformat(text)
        return (said if said.tzinfo is not None else said.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return float("-inf")


def _fits(lookup: Lookup, candidate: Any, names: Mapping[str, Any]) -> bool:
    return all(_has(candidate, pointer, fill(wanted, names)) for pointer, wanted in lookup.where.items())


def _has(candidate: Any, pointer: str, wanted: Any) -> bool:
    return wanted is not None and any(same(hit, wanted) for hit in every(candidate, pointer))
