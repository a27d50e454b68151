"""What is wrong with a declaration whose keys and types are right: sentences for the person who wrote it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from darkroom.environment import is_origin
from darkroom.providers.language.conditions import proven
from darkroom.providers.language.filling import malformed, names_in, places_in
from darkroom.providers.language.schema import Condition, Request, Service
from darkroom.transport.failures import FROM_GATEWAYS

ASKED = frozenset({"prompt", "model", "count", "aspect_ratio", "negative_prompt", "seed"})
_OURS = {"host", "content-type", "content-length", "transfer-encoding", "connection", "cookie", "user-agent", "accept"}
_HERE = {"127.0.0.1", "::1", "localhost"}


def faults(service: Service) -> list[str]:
    """Each fault in a sentence; empty: none was found."""
    return [
        *_of_places(service), *_of_words(service), *_of_requests(service), *_of_accepts(service),
        *_of_pictures(service), *_of_rules(service),
    ]  # fmt: skip


def requests_of(service: Service) -> dict[str, tuple[Request, frozenset[str]]]:
    """Every request of the service by its table, with the names that it can be filled with."""
    wished = ASKED | {f"options.{name}" for name in service.accepts.options}
    wished |= {f"size.{name}" for row in service.accepts.aspect_ratios.values() for name in row}
    job = wished | {"job"}
    found: dict[str, tuple[Request | None, frozenset[str]]] = {
        "submit": (service.submit, wished | {"reference"}),
        "read": (service.read, job),
        "result": (service.result, job),
        "cancel": (service.cancel, job),
        "pictures.request": (service.pictures.request, job | service.pictures.item.keys()),
        "lookup": (service.lookup, wished | {"reference"}),
        "account": (service.account, frozenset()),
        "models": (service.models, frozenset()),
    }
    return {table: (request, names) for table, (request, names) in found.items() if request is not None}


def _of_places(service: Service) -> Iterator[str]:
    parts = urlsplit(service.base_url)
    if not is_origin(service.base_url) or parts.username or service.base_url.endswith("/"):
        yield "base_url is an https URL without a user, a query or a / at its end"
    elif parts.scheme != "https" and parts.hostname not in _HERE:
        yield "base_url is plain http: only a service on this machine may be"


def _of_words(service: Service) -> Iterator[str]:
    read, seen = service.read, dict[str, str]()
    for meaning, words in read.words.items():
        for word in map(str, words):
            if seen.setdefault(word.casefold(), meaning) != meaning:
                yield f"read.words: {word!r} means both {seen[word.casefold()]} and {meaning}"
    if read.words and read.status is None:
        yield "read.words has words, but read.status does not say where one stands"
    own_status = service.pictures.status is not None
    if "done" not in read.words and not own_status and not any(when.means == "done" for when in read.when):
        yield "nothing in read means done"


def _of_requests(service: Service) -> Iterator[str]:
    for table, (request, names) in requests_of(service).items():
        yield from (f"{table}: {fault}" for fault in _of_request(service, request, names))
    if service.submit.url is not None:
        yield "submit: it is sent below base_url, so it has a path and no url"
    if service.submit.method not in {None, "POST", "PUT"}:
        yield "submit: it is a POST or a PUT"


def _of_request(service: Service, request: Request, names: frozenset[str]) -> Iterator[str]:
    if (request.path is None) == (request.url is None):
        yield "it has either a path or a url"
    used = [*names_in(request.body), *names_in(request.query), *places_in(f"{request.path or ''}{request.url or ''}")]
    yield from (f"there is no name {name}" for name in dict.fromkeys(used) if name not in names)
    yield from (
        f"{text!r} is no name; write $${text[1:]} for the text" for text in malformed([request.body, request.query])
    )
    if method_of(service, request) == "GET" and request.body is not None:
        yield "a GET has no body"
    if service.auth.body is not None and method_of(service, request) in {"GET", "DELETE"}:
        yield f"the key goes into the body, which a {method_of(service, request)} does not have"
    if re.search(r"[{}]", re.sub(r"\{[a-z][a-z0-9_.]*\+?\}", "", f"{request.path or ''}{request.url or ''}")):
        yield "a place in its path is written {name} or {name+}"
    for header, value in request.headers.items():
        if header.lower() in _OURS | {service.auth.header.lower()}:
            yield f"the header {header} is not the declaration's to set"
        if not re.fullmatch(r"\$reference|[\x20-\x23\x25-\x7e]{0,200}", value) or (value == "$reference" not in names):
            yield f"the header {header} is a plain text, or $reference where something is submitted"


def method_of(service: Service, request: Request) -> str:
    """The method that the request is sent with."""
    return request.method or ("POST" if request is service.submit else "GET")


def _of_accepts(service: Service) -> Iterator[str]:
    accepts, sent = service.accepts, set(_sent(service))
    models = [model.id for model in accepts.models]
    if accepts.model_type is not None and models:
        yield "accepts: it has either models or model_type"
    if models and accepts.default_model not in models:
        yield "accepts.default_model is none of its models"
    if accepts.default_aspect_ratio not in {None, *accepts.aspect_ratios}:
        yield "accepts.default_aspect_ratio is none of its aspect_ratios"
    for name in ("seed", "negative_prompt"):
        if getattr(accepts, name) and name not in sent:
            yield f"accepts.{name} is true, but submit does not send it"
    if accepts.max_count > 1 and "count" not in sent:
        yield "accepts.max_count is more than 1, but submit does not send count"
    if "prompt" not in sent:
        yield "submit does not send the prompt"
    if accepts.aspect_ratios and not any(name == "aspect_ratio" or name.startswith("size.") for name in sent):
        yield "accepts.aspect_ratios are not sent"
    yield from (f"the option {name} is not sent" for name in accepts.options if f"options.{name}" not in sent)
    known = ASKED | {f"options.{name}" for name in accepts.options}
    yield from (
        f"accepts.not_together: there is no {n}" for group in accepts.not_together for n in group if n not in known
    )
    yield from _of_options(service)


def _of_options(service: Service) -> Iterator[str]:
    for name, option in service.accepts.options.items():
        numeric = option.type in {"integer", "number"}
        if not numeric and (option.min is not None or option.multiple_of is not None):
            yield f"the option {name} is no number, so it has no min and no multiple_of"
        if option.max is not None and not numeric and option.type != "strings":
            yield f"the option {name} is no number and no list, so it has no max"
        if (option.enum or option.max_length) and option.type not in {"string", "strings"}:
            yield f"the option {name} is no text, so it has no enum and no max_length"


def _sent(service: Service) -> Iterator[str]:
    yield from names_in([service.submit.body, service.submit.query])
    yield from places_in(service.submit.path or "")


def _of_pictures(service: Service) -> Iterator[str]:
    pictures = service.pictures
    if sum(each is not None for each in (pictures.url, pictures.base64, pictures.request)) != 1:
        yield "pictures: each is behind a url, in base64, or behind a request"
    if pictures.request is None and (pictures.item or pictures.answer is not None):
        yield "pictures: item and answer belong to a request"
    if pictures.request is not None and not pictures.item:
        yield "pictures.item does not say what the request is about"
    flags = [each for each in (pictures.hidden, pictures.watermarked) if isinstance(each, Condition)]
    if any(each.at is None or each.status is not None for each in flags):
        yield "pictures: hidden and watermarked look at the picture (at), not at a status"
    if (pictures.status is None) != (not pictures.words):
        yield "pictures: status and words belong together"


def _of_rules(service: Service) -> Iterator[str]:
    conditions: Mapping[str, list[Any]] = {"rules": service.rules, "read.when": service.read.when}
    for table, several in conditions.items():
        for number, condition in enumerate(several, start=1):
            yield from (f"{table} {number}: {fault}" for fault in _of_condition(condition))
    for number, rule in enumerate(service.rules, start=1):
        doubtful = rule.status is not None and (not 400 <= rule.status < 500 or rule.status in FROM_GATEWAYS)
        doubtful = doubtful and rule.on in {"submit", "any"} and rule.code != "outcome_unknown"
        if doubtful and not proven(service, rule, rule.status or 0):
            yield (
                f"rules {number}: a {rule.status} to a submission leaves open whether a job was started; only an "
                "example with a source, for a rule with a pointer (at), can show that this one does not"
            )


def _of_condition(condition: Condition) -> Iterator[str]:
    if condition.status is None and condition.at is None:
        yield "it has no condition"
    if condition.at is None and (condition.equals or condition.has or condition.absent):
        yield "equals, has and absent need a pointer (at)"
    if condition.absent and (condition.equals or condition.has):
        yield "what is absent equals nothing and has nothing"
