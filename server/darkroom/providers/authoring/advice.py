"""Reasons why an example is not read as it is documented, and the change that would mend it."""

from collections.abc import Iterator
from typing import Any, cast

from darkroom.providers.language.conditions import holds, meaning_of, proven, rule_for
from darkroom.providers.language.fault import Fault
from darkroom.providers.language.pointers import every, first
from darkroom.providers.language.schema import Example, Service

MOST_PLACES = 5


def advised(service: Service, number: int, reasons: list[str]) -> Fault:
    """The fault of the example with this number, counted from 0, for these reasons."""
    example = service.example[number]
    helps = [*_of_submission(service, example), *_of_status(service, example), *_of_urls(service, example)]
    if example.to == "cancel":
        helps.append("a reply means asked, late or gone: how the job ends is told by its own status")
    where = ("example", number)
    return Fault(where, f"{example.name!r} is not read as documented: {'; '.join([*reasons, *helps])}")


def _of_submission(service: Service, example: Example) -> Iterator[str]:
    if example.to != "submit":
        return
    job, rule = service.submit.job, rule_for(service, "submit", example.status, example.answer)
    if rule is not None and rule.code == example.means and not proven(service, rule, example.status):
        yield (
            f"a {example.status} leaves open whether a job was started unless an example has a source: add source = "
            '"https://…", the page that documents it'
        )
    elif rule is None and job is not None and 200 <= example.status < 300 and not every(example.answer, job):
        yield f"nothing stands at {job} (submit.job) in its response{_there(example.answer)}"


def _of_status(service: Service, example: Example) -> Iterator[str]:
    read = service.read
    if example.to != "read" or read.status is None or not read.words or not 200 <= example.status < 300:
        return
    found = example.status if read.status == "http" else first(example.answer, read.status)
    if found is None:
        yield f"nothing stands at {read.status} (read.status) in its response{_there(example.answer)}"
        if every(example.answer, service.submit.job or "/-") and example.means not in {"done", "failed"}:
            yield 'if this is the response to the submission, add to = "submit" and means = "taken"'
    elif meaning_of(found, read.words) is None and not any(holds(w, example.status, example.answer) for w in read.when):
        meant = (
            example.means if example.means in {*read.words, "queued", "running", "done", "failed"} else "one of them"
        )
        yield f"its status is {found!r}, which is none of read.words: write it into {meant}"


def _of_urls(service: Service, example: Example) -> Iterator[str]:
    if example.urls and service.pictures.request is not None:
        yield "where each picture has a request of its own (pictures.request), urls are the paths of these requests"
        return
    for link in (example.urls or [])[:1]:
        places = [place for place in _places(example.answer, "") if first(example.answer, place) == link]
        each = [at + (service.pictures.url or "") for at in service.pictures.each]
        if places and not any(link in every(example.answer, place) for place in each):
            yield f"pictures looks at {' and '.join(each)}, and {link!r} stands at {places[0]}"


def _there(answer: Any) -> str:
    places = list(_places(answer, ""))[:MOST_PLACES]
    return f", which has {', '.join(places)}" if places else ""


def _places(value: Any, at: str) -> Iterator[str]:
    """A pointer to each text and number of the response."""
    if isinstance(value, dict):
        for name, each in cast("dict[str, Any]", value).items():
            yield from _places(each, f"{at}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for number, each in enumerate(cast("list[Any]", value)):
            yield from _places(each, f"{at}/{number}")
    elif value is not None:
        yield at
