"""A declaration against its own examples: each is a documented request or response that must be read as documented."""

import json
from collections.abc import Iterator
from typing import Any, cast

from pydantic import ValidationError

from darkroom.errors import DarkroomError, NotFound, ProviderError, invalid_arguments
from darkroom.models import Charged, GenerationRequest, ImageStatus
from darkroom.money import Cost
from darkroom.providers.base import Reading, RemoteImage
from darkroom.providers.language.answers import Look, delivered, looked, reading, resulting, stopped, taken
from darkroom.providers.language.checks import is_result
from darkroom.providers.language.filling import Unfillable
from darkroom.providers.language.images import File, sample
from darkroom.providers.language.links import judged
from darkroom.providers.language.offers import check, traits_of
from darkroom.providers.language.requests import names_of, prepare, submission
from darkroom.providers.language.schema import Example, Service
from darkroom.providers.language.speech import Speech
from darkroom.redact.secrets import Redactor
from darkroom.transport.failures import Answer

REFERENCE = "ref-1"
"""Our own name for the generation of an example."""
PROMPT = "a cat"
_FAILED = {"moderated", "cancelled"}
_DONE = Look("done", None)


def misread(service: Service) -> dict[str, list[str]]:
    """The examples that are not read as documented, by name, each with the reasons."""
    found = {f"{number}. {each.name}": list(_reasons(service, each)) for number, each in enumerate(service.example, 1)}
    return {name: reasons for name, reasons in found.items() if reasons}


def _reasons(service: Service, example: Example) -> Iterator[str]:
    try:
        request = _request(service, example)
    except DarkroomError as error:
        yield f"request: {error.message}"
        return
    except ValidationError as error:
        yield f"request: {invalid_arguments(error).message}"
        return
    if example.body is not None:
        yield from _sent(service, example.body, request)
    if example.means is not None or example.urls is not None or example.answer is not None:
        read = {"submit": _submitted, "read": _read, "result": _result, "cancel": _cancelled}[example.to]
        told = read(service, _answer(example), request)
        yield from _compared(example, told)
        if example.means == told.get("means") == "taken":  # what was recorded may be of another address
            yield from _unfollowed(service, request, told["job"])


def _request(service: Service, example: Example) -> GenerationRequest:
    roles = example.request.get("images", [])
    wished = {"prompt": PROMPT, "model": "", **example.request, "provider": service.name}
    wished["images"] = [{"role": role} for role in cast("list[Any]", roles)] if isinstance(roles, list) else roles
    return check(service, traits_of(service), GenerationRequest.model_validate(wished))


def _sent(service: Service, body: dict[str, Any], request: GenerationRequest) -> Iterator[str]:
    try:
        names = names_of(service, request, reference=REFERENCE, images=sample(request))
        sent = _shown(prepare(service, submission(service, request), names).body)
    except Unfillable as error:
        yield str(error)
        return
    if sent != body:
        yield f"body: {_short(sent)} is sent, not {_short(body)}"


def _shown(value: Any) -> Any:
    """The body with the names of files in their place."""
    if isinstance(value, File):
        return value.name
    if isinstance(value, list):
        return [_shown(each) for each in cast("list[Any]", value)]
    fields = cast("dict[str, Any]", value)
    return {name: _shown(each) for name, each in fields.items()} if isinstance(value, dict) else value


def _answer(example: Example) -> Answer:
    body = b"" if example.answer is None else json.dumps(example.answer).encode()
    return Answer(example.status, {"content-type": "application/json"}, body)


_Told = dict[str, Any]


def _submitted(service: Service, answer: Answer, request: GenerationRequest) -> _Told:
    try:
        if is_result(service):
            seen = delivered(_speech(service), answer, request, service.base_url)
            return {"means": "done", "urls": _urls(service, seen, request), "cost": _said(seen.cost)}
        submitted = taken(_speech(service), answer, service.base_url)
    except DarkroomError as error:
        return _error(error)
    return {"means": "taken", "job": submitted.receipt.kept["job"], "cost": _said(submitted.cost)}


def _unfollowed(service: Service, request: GenerationRequest, job: str) -> Iterator[str]:
    """The reason why a job that was paid for could not be asked for."""
    try:
        asked = prepare(service, service.read, names_of(service, request, job=job))
        if service.read.url is not None:
            judged(service, service.base_url, asked.at)
    except Unfillable as error:
        yield f"the job {_short(job)} could never be asked for: {error}"
    except ProviderError:
        yield (
            f"the job could never be asked for: {_short(job)} is no https link to the host of base_url or to one of "
            "hosts; name its host there, or take the job's id and a path"
        )


def _read(service: Service, answer: Answer, request: GenerationRequest) -> _Told:
    try:
        look = looked(_speech(service), answer)
        seen = reading(_speech(service), look, look.value, request)
    except DarkroomError as error:
        return _error(error)
    means = look.means or ("done" if seen.done else "running")
    urls = _urls(service, seen, request)
    return {"means": means, "urls": urls, "charged": seen.charged, "cost": _said(seen.cost)}


def _result(service: Service, answer: Answer, request: GenerationRequest) -> _Told:
    try:
        result = resulting(_speech(service), answer)
    except DarkroomError as error:
        return _error(error)
    return {"urls": _urls(service, reading(_speech(service), _DONE, result, request), request)}


def _cancelled(service: Service, answer: Answer, request: GenerationRequest) -> _Told:
    try:
        return {"means": stopped(_speech(service), answer).value}
    except DarkroomError as error:
        return _error(error)


def _urls(service: Service, seen: Reading, request: GenerationRequest) -> list[str]:
    there = (image for image in seen.images if image.status is ImageStatus.SUCCEEDED and not image.hidden)
    return [_place(service, image, request) for image in there]


def _place(service: Service, image: RemoteImage, request: GenerationRequest) -> str:
    if service.pictures.request is None:
        return image.url or "base64"
    return prepare(service, service.pictures.request, {**names_of(service, request, job="job"), **image.source}).at


def _said(cost: Cost | None) -> str | None:
    return None if cost is None else str(cost.money)


def _error(error: DarkroomError) -> _Told:
    return {"means": "not_found" if isinstance(error, NotFound) else error.code, "charged": error.charged}


def _compared(example: Example, read: _Told) -> Iterator[str]:
    for name in ("means", "job", "urls", "charged", "cost"):
        documented, found = getattr(example, name), read.get(name)
        if documented is None or documented == found or (documented == "failed" and found in _FAILED):
            continue
        yield f"{name}: it is read as {_short(found)}, not as {_short(documented)}"


def _short(value: Any) -> str:
    text = str(value) if isinstance(value, Charged) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 300 else f"{text[:300]}…"


def _speech(service: Service) -> Speech:
    return Speech(service, f"{service.prefix}KEY", Redactor([]))
