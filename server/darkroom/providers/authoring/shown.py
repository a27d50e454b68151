"""Gaps in the examples of a declaration: words, rules and steps that only the real service would try."""

from collections.abc import Iterator, Mapping
from typing import Any

from darkroom.providers.language.checks import is_result
from darkroom.providers.language.conditions import holds, rule_for, same
from darkroom.providers.language.costs import OwnFigure
from darkroom.providers.language.fault import Fault
from darkroom.providers.language.pointers import every
from darkroom.providers.language.schema import Example, Scalar, Service


def unshown(service: Service) -> list[Fault]:
    """A sentence for each part that no example shows; such a part may be right."""
    parts = (_steps, _words, _picture_words, _conditions, _rules, _cancel, _costs)
    return [fault for part in parts for fault in part(service)]


def _steps(service: Service) -> Iterator[Fault]:
    where = ("example",)
    if not any(each.body is not None for each in service.example):
        yield Fault(where, "no example shows a body that is sent: copy the request of the documentation into one")
    taken = any(each.to == "submit" and each.means == "taken" for each in service.example)
    if not is_result(service) and not taken:
        yield Fault(where, 'no example shows a job being taken: add one with to = "submit", answer, means = "taken"')
    if service.accepts.images is not None and not any("images" in each.request for each in service.example):
        shown = 'add one with request = { images = ["image"] } and the body that is sent'
        yield Fault(("accepts", "images"), f"no example shows a picture being sent: {shown}")
    if not any(each.urls for each in service.example):
        yield Fault(where, "no example shows where pictures are: add the response of a finished job, with its urls")


def _looks(service: Service) -> list[Example]:
    return [each for each in service.example if each.to == "read" and each.answer is not None]


def _words(service: Service) -> Iterator[Fault]:
    read = service.read
    if read.status is None:
        return
    seen: list[Any] = []
    for each in service.example:
        if each.to == "read":
            seen += [each.status] if read.status == "http" else every(each.answer, read.status)
    yield from _unseen(("read", "words"), read.words, seen)


def _picture_words(service: Service) -> Iterator[Fault]:
    pictures = service.pictures
    if pictures.status is None:
        return
    answers = [each.answer for each in service.example]
    hits = [hit for answer in answers for place in pictures.each for hit in every(answer, place)]
    seen = [found for hit in hits for found in every(hit, pictures.status)]
    yield from _unseen(("pictures", "words"), pictures.words, seen)


def _unseen(where: tuple[str, str], words: Mapping[Any, list[Scalar]], seen: list[Any]) -> Iterator[Fault]:
    for meaning, known in words.items():
        missing = [repr(word) for word in known if not any(same(found, word) for found in seen)]
        if missing:
            yield Fault((*where, meaning), f"no example shows {', '.join(missing)}")


def _conditions(service: Service) -> Iterator[Fault]:
    for number, when in enumerate(service.read.when):
        if not any(holds(when, each.status, each.answer) for each in _looks(service)):
            yield Fault(("read", "when", number), f"no example shows what means {when.means} here")


def _rules(service: Service) -> Iterator[Fault]:
    for number, rule in enumerate(service.rules):
        shown = any(rule_for(service, each.to, each.status, each.answer) is rule for each in service.example)
        if not shown:
            yield Fault(("rules", number), f"no example shows a response that means {rule.code} here")


def _cancel(service: Service) -> Iterator[Fault]:
    replies = [each for each in service.example if each.to == "cancel"]
    if service.cancel is None:
        return
    if not any(each.means == "asked" for each in replies):
        add = 'add one with to = "cancel", answer, means = "asked"'
        yield Fault(("cancel",), f"no example shows the reply to a request to stop a job: {add}")
    for number, when in enumerate(service.cancel.when):
        if not any(holds(when, each.status, each.answer) for each in replies):
            yield Fault(("cancel", "when", number), f"no example shows a reply that means {when.means} here")


def _costs(service: Service) -> Iterator[Fault]:
    for table, figure in {"submit": service.submit.cost, "read": service.read.cost}.items():
        shown = any(each.to == table and each.cost is not None for each in service.example)
        if isinstance(figure, OwnFigure) and not shown:
            yield Fault((table, "cost"), 'no example shows what a job costs: add to one, say, cost = "0.04 USD"')
