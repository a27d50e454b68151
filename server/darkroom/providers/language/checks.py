"""Faults of a declaration whose keys and types are right, in sentences for the person who wrote it."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from darkroom.environment import is_origin
from darkroom.models import MAX_IMAGES
from darkroom.providers.language.conditions import proven
from darkroom.providers.language.fault import ASKED, Fault, shared, unknown
from darkroom.providers.language.filling import malformed, names_in, places_in
from darkroom.providers.language.images import image_names, is_file
from darkroom.providers.language.offer_checks import faults_of_offer
from darkroom.providers.language.schema import Condition, Read, Request, Service
from darkroom.transport.failures import FROM_GATEWAYS

_OURS = {
    "host", "content-type", "content-length", "transfer-encoding", "connection", "cookie", "user-agent", "accept",
    "authorization", "proxy-authorization",
}  # fmt: skip
_IMAGES = image_names(MAX_IMAGES, mask=True)
_DEVICES = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
_HERE = {"127.0.0.1", "::1", "localhost"}


def faults(service: Service) -> list[Fault]:
    """Each fault in a sentence; empty: none was found."""
    return [
        *_of_places(service), *_of_words(service), *_of_requests(service), *faults_of_offer(service),
        *_of_pictures(service), *_of_rules(service), *_of_cancel(service),
    ]  # fmt: skip


def is_result(service: Service) -> bool:
    """True where the response to a submission is the result itself."""
    return service.submit.answers == "result"


def requests_of(service: Service) -> dict[str, tuple[Request, frozenset[str]]]:
    """Every request of the service by its table, with the names that it can be filled with."""
    wished = ASKED | {f"options.{name}" for name in service.accepts.options}
    wished |= {f"size.{name}" for row in service.accepts.aspect_ratios.values() for name in row}
    images = service.accepts.images
    given = wished if images is None else wished | image_names(images.max, mask=images.mask)
    job = wished | {"job"}
    found: dict[str, tuple[Request | None, frozenset[str]]] = {
        "submit": (service.submit, (given if service.edit is None else wished) | {"reference"}),
        "edit": (service.edit, given | {"reference"}),
        "read": (None if is_result(service) else service.read, job),
        "result": (service.result, job),
        "pictures.request": (service.pictures.request, job | service.pictures.item.keys()),
        "lookup": (service.lookup, wished | {"reference"}),
        "cancel": (service.cancel, job),
        "account": (service.account, frozenset()),
        "models": (service.models, frozenset()),
    }
    return {table: (request, names) for table, (request, names) in found.items() if request is not None}


def _of_places(service: Service) -> Iterator[Fault]:
    if _DEVICES.fullmatch(service.name):
        yield Fault(("name",), "Windows has no files of that name: write another, as in my-service")
    sound = is_origin(service.base_url) and not service.base_url.endswith("/")
    parts = urlsplit(service.base_url if sound else "")
    if not sound or parts.username:
        yield Fault(("base_url",), "write an https URL without a user, a query or a / at its end")
    elif not service.base_url.isascii():
        yield Fault(("base_url",), "letters of other alphabets look like those of another host: write it with xn--")
    elif parts.scheme != "https" and parts.hostname not in _HERE:
        yield Fault(("base_url",), "it is plain http, which only a service on this machine may use: write https://")
    for number, host in enumerate(service.hosts):
        if host.startswith("*.") and shared(host[2:]):
            yield Fault(
                ("hosts", number),
                f"{host} is too wide: anybody can have a host below {host[2:]}, and would be sent the key; write the "
                "service's own hosts",
            )


def _of_words(service: Service) -> Iterator[Fault]:
    read, seen = service.read, dict[str, str]()
    for meaning, words in read.words.items():
        for number, word in enumerate(map(str, words)):
            if (before := seen.setdefault(word.casefold(), meaning)) != meaning:
                yield Fault(
                    ("read", "words", meaning, number), f"{word!r} means both {before} and {meaning}: keep it in one"
                )
    if read.words and read.status is None:
        yield Fault(
            ("read", "words"), 'there are words, but no place where one stands: add to [read], say, status = "/status"'
        )
    own_status = service.pictures.status is not None
    if (
        not is_result(service)
        and "done" not in read.words
        and not own_status
        and not any(when.means == "done" for when in read.when)
    ):
        yield Fault(
            ("read",),
            'nothing means done, so no picture would ever be fetched: add to read.words, say, done = ["done"]',
        )


def _of_requests(service: Service) -> Iterator[Fault]:
    for table, (request, names) in requests_of(service).items():
        where = tuple(table.split("."))
        yield from (Fault((*where, *key), says) for key, says in _of_request(service, request, names))
    yield from _of_lookup(service)
    if is_result(service) and (service.submit.job is not None or service.read != Read()):
        yield Fault(
            ("submit", "answers"), "the response is the result, so there is no job to look at: no job, no [read]"
        )
    if not is_result(service) and service.submit.job is None:
        yield Fault(
            ("submit", "job"),
            'it is missing: write where the response names the job, as in job = "/id", or answers = "result"',
        )
    for table, request in {"submit": service.submit, "edit": service.edit}.items():
        if request is not None and request.url is not None:
            yield Fault((table, "url"), "it is sent below base_url: write a path in place of the url")
        if request is not None and request.method not in {None, "POST", "PUT"}:
            yield Fault((table, "method"), "write POST or PUT")


def _of_lookup(service: Service) -> Iterator[Fault]:
    lookup = service.lookup
    if lookup is None:
        return
    named = {*names_in([*lookup.where.values()])}
    if lookup.proof == "likeness":
        if "prompt" not in named:
            yield Fault(
                ("lookup", "where"),
                'a likeness is one of the prompt: add, say, where = { "/input/prompt" = "$prompt" }',
            )
        if lookup.made is None:
            yield Fault(
                ("lookup",),
                'write where a job says when it was made, as in made = "/created_at": an older one is another',
            )
        return
    if "reference" not in named:
        yield Fault(
            ("lookup", "where"),
            'only our own name proves a job: add, say, where = { "/tag" = "$reference" }, or proof = "likeness"',
        )
    if "reference" not in names_in([service.submit.body, service.submit.query]):
        yield Fault(("lookup",), "the service cannot show what it is not sent: add $reference to submit.body")
    if service.edit is not None and "reference" not in names_in([service.edit.body]):
        yield Fault(("edit",), "a lost job is found by our own name: add $reference to edit.body, as in submit.body")


_Found = Iterator[tuple[tuple[str | int, ...], str]]
"""Faults of a table: the path from there, and the sentence."""


def _of_request(service: Service, request: Request, names: frozenset[str]) -> _Found:
    if (request.path is None) == (request.url is None):
        yield (), "write either a path, below base_url, or a url that begins with {job}"
    for key, used in _used(request):
        yield from ((key, unknown(name, names)) for name in dict.fromkeys(used) if name not in names)
    for key in ("body", "query"):
        yield from (((key,), says) for says in malformed(getattr(request, key)))
    method = method_of(service, request)
    if method == "GET" and request.body is not None:
        yield ("body",), 'a GET has no body: write its fields into query, or method = "POST"'
    if service.auth.body is not None and method in {"GET", "DELETE"}:
        yield ("method",), f"the key goes into the body (auth.body), which a {method} does not have: write POST or PUT"
    if re.search(r"[{}]", re.sub(r"\{[a-z][a-z0-9_.]*\+?\}", "", f"{request.path or ''}{request.url or ''}")):
        yield ("path",), "a place for a name is written {name}, or {name+} where it may hold slashes"
    yield from _of_files(request)
    yield from _of_headers(service, request, names)


def _of_files(request: Request) -> _Found:
    """A picture stands in the body, and one that is a file there is a part of its own."""
    for key, used in _used(request):
        if key != ("body",) and any(name in _IMAGES for name in used):
            yield key, "a picture is sent in the body only"
    files = {name for name in names_in(request.body) if is_file(name) and name in _IMAGES}
    alone = {value[1:] for value in (request.body or {}).values() if isinstance(value, str)}
    if files and request.encoding != "multipart":
        yield ("encoding",), 'a file needs encoding = "multipart": write that, or …data_url or …base64 for …file'
    elif files - alone:
        yield ("body",), f"${min(files - alone)} is a file, so it stands alone as the value of a field"


def _used(request: Request) -> Iterator[tuple[tuple[str], list[str]]]:
    """The names that each part of the request uses."""
    yield ("body",), [*names_in(request.body)]
    yield ("query",), [*names_in(request.query)]
    yield ("path",) if request.path is not None else ("url",), places_in(f"{request.path or ''}{request.url or ''}")


def _of_headers(service: Service, request: Request, names: frozenset[str]) -> _Found:
    for header, value in request.headers.items():
        key = ("headers", header)
        if header.lower() == service.auth.header.lower():
            yield key, "the key's header is written by [auth]: leave it out here"
        elif header.lower() in _OURS:
            yield key, "Darkroom writes this header itself: leave it out"
        plain = re.fullmatch(r"[\x20-\x23\x25-\x7e]{0,200}", value)
        if not plain and not (value == "$reference" and "reference" in names):
            yield key, "write a plain text, or $reference where something is submitted"


def method_of(service: Service, request: Request) -> str:
    """The method that the request is sent with."""
    posted = any(request is each for each in (service.submit, service.edit, service.cancel))
    return request.method or ("POST" if posted else "GET")


def _of_pictures(service: Service) -> Iterator[Fault]:
    pictures, where = service.pictures, ("pictures",)
    ways = {name for name in ("url", "base64", "request") if getattr(pictures, name) is not None}
    if len(ways) != 1 and ways != {"url", "base64"}:
        yield Fault(
            where,
            'say how a picture is had: url = "" where its place (each) holds the link itself, url = "/url" where the '
            "link stands in an object there, base64, or request; one of them",
        )
    if pictures.request is None and (pictures.item or pictures.answer is not None):
        yield Fault(where, "item and answer belong to a request: add pictures.request, or leave them out")
    if pictures.request is not None and not pictures.item:
        yield Fault(where, 'say what the request is filled with, as in item = { file = "" }')
    for name in ("hidden", "watermarked"):
        each = getattr(pictures, name)
        if isinstance(each, Condition) and (each.at is None or each.status is not None):
            yield Fault((*where, name), "it looks at the picture: write at, and no status")
    if (pictures.status is None) != (not pictures.words):
        yield Fault(where, "status and words belong together: write both, or neither")


def _of_rules(service: Service) -> Iterator[Fault]:
    conditions: dict[tuple[str, ...], list[Any]] = {("rules",): service.rules, ("read", "when"): service.read.when}
    conditions[("cancel", "when")] = service.cancel.when if service.cancel is not None else []
    for table, several in conditions.items():
        for number, condition in enumerate(several):
            yield from (Fault((*table, number), says) for says in _of_condition(condition))
    for number, rule in enumerate(service.rules):
        doubtful = rule.status is not None and (not 400 <= rule.status < 500 or rule.status in FROM_GATEWAYS)
        doubtful = doubtful and rule.on in {"submit", "any"} and rule.code != "outcome_unknown"
        if doubtful and not proven(service, rule, rule.status or 0):
            yield Fault(
                ("rules", number),
                f"a {rule.status} to a submission leaves open whether a job was started; only an example with a source "
                f'(to = "submit", status = {rule.status}, answer, means = "{rule.code}"), for a rule with a pointer '
                "(at), can show that this one does not",
            )


def _of_cancel(service: Service) -> Iterator[Fault]:
    cancel = service.cancel
    if cancel is None:
        for number, example in enumerate(service.example):
            if example.to == "cancel":
                yield Fault(("example", number, "to"), "there is no [cancel] that this could be a reply to")
        return
    if is_result(service):
        yield Fault(
            ("cancel",), "the response to the submission is the result, so there is no job to stop: leave it out"
        )
    elif "job" not in (name for _, used in _used(cancel) for name in used):
        yield Fault(("cancel",), "it does not name the job, so it could stop another: write {job} into the path or url")


def _of_condition(condition: Condition) -> Iterator[str]:
    if condition.status is None and condition.at is None:
        yield "it has no condition: write status, or at with equals, has or absent"
    if condition.at is None and (condition.equals or condition.has or condition.absent):
        yield "equals, has and absent need a pointer: write at"
    if condition.absent and (condition.equals or condition.has):
        yield "absent stands alone: leave out equals and has"
