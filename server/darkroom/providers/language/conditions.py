"""Checks that a response fits a condition, and the meaning of a status word."""

from collections.abc import Mapping, Sequence
from typing import Any

from darkroom.providers.language.pointers import every
from darkroom.providers.language.schema import Condition, Rule, Scalar, Service


def holds(condition: Condition, status: int, value: Any) -> bool:
    """True where every part of the condition holds for a response with this HTTP status and JSON."""
    if condition.status is not None and condition.status != status:
        return False
    if condition.at is None:
        return True
    hits = every(value, condition.at)
    if condition.absent:
        return not hits
    if condition.equals is not None and not any(same(hit, each) for hit in hits for each in condition.equals):
        return False
    if condition.has is not None:
        return any(each.casefold() in str(hit).casefold() for hit in hits for each in condition.has)
    return bool(hits)


def same(found: Any, meant: Scalar) -> bool:
    """True where they are the same word or number, in any case of letters; true is no 1."""
    if isinstance(found, bool) or isinstance(meant, bool):
        return found is meant
    if isinstance(found, int | float) and isinstance(meant, int | float):
        return found == meant
    return isinstance(found, str | int | float) and str(found).casefold() == str(meant).casefold()


def meaning_of(found: Any, words: Mapping[Any, Sequence[Scalar]]) -> str | None:
    """The meaning of a status word; None: it is not among these."""
    return next((meaning for meaning, known in words.items() if any(same(found, each) for each in known)), None)


def rule_for(service: Service, on: str, status: int, value: Any) -> Rule | None:
    """The first rule that holds for a response to such a request."""
    rules = (rule for rule in service.rules if rule.on in {on, "any"})
    return next((rule for rule in rules if holds(rule, status, value)), None)


def proven(service: Service, rule: Rule, status: int) -> bool:
    """True where an example with a source shows that a response to a submission with this status means the rule.

    Without one, a status that leaves open whether a job was started goes on leaving it open.
    """
    if rule.at is None or rule.absent:
        return False
    shown = (each for each in service.example if each.to == "submit" and each.source and each.means == rule.code)
    alike = (each for each in shown if each.status == status or each.status // 100 == status // 100 == 2)
    return any(rule_for(service, "submit", each.status, each.answer) is rule for each in alike)
