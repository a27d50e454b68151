"""Requests to send: those of the declaration, filled with the caller's arguments."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from darkroom.models import RANDOM_SEED, GenerationRequest
from darkroom.providers.inputs import Attached
from darkroom.providers.language.checks import method_of
from darkroom.providers.language.filling import fill, fill_link, fill_path, names_in
from darkroom.providers.language.images import image_values
from darkroom.providers.language.schema import Request, Service


@dataclass(frozen=True)
class Prepared:
    """A request, ready but for its signature. `at`: a path below the base URL, or the URL of a link that was given."""

    method: str
    at: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: dict[str, Any] | None
    encoding: Literal["json", "form", "multipart"]


def prepare(service: Service, request: Request, names: Mapping[str, Any]) -> Prepared:
    """The request with these names.

    Raises:
        Unfillable: a value does not fit where the declaration puts it.
    """
    body = None if request.body is None else fill(request.body, names)
    method = method_of(service, request)
    return Prepared(
        method=method,
        at=fill_path(request.path, names) if request.path is not None else fill_link(request.url or "", names),
        query=tuple(_pairs(fill(request.query, names))),
        headers={name: str(fill(text, names)) for name, text in request.headers.items()},
        body=body if body is not None or method in {"GET", "DELETE"} or service.auth.body is None else {},
        encoding=request.encoding,
    )


def submission(service: Service, request: GenerationRequest) -> Request:
    """The table of the POST: another where there are pictures, if the service has one for them."""
    return service.edit if request.images and service.edit is not None else service.submit


def names_of(
    service: Service,
    request: GenerationRequest,
    *,
    reference: str | None = None,
    job: str | None = None,
    images: Sequence[Attached] = (),
) -> dict[str, Any]:
    """The values that a request may be filled with, by name; a name whose value is None counts as absent.

    `images`: the request's own, where they are sent.
    """
    accepts = service.accepts
    ratio = request.aspect_ratio
    if ratio is None and not {"width", "height"} & request.options.keys():
        ratio = accepts.default_aspect_ratio
    unsent = request.model == accepts.default_model and not accepts.default_is_sent
    names: dict[str, Any] = {
        "prompt": request.prompt,
        "model": None if unsent else request.model or None,
        "count": request.count,
        "aspect_ratio": ratio,
        "negative_prompt": request.negative_prompt,
        "seed": None if request.seed == RANDOM_SEED else request.seed,
        "reference": reference,
        "job": job,
    }
    names |= {f"size.{name}": value for name, value in accepts.aspect_ratios.get(ratio or "", {}).items()}
    names |= image_values(images, set(names_in(submission(service, request).body)))
    return names | {f"options.{name}": value for name, value in request.options.items()}


def _pairs(query: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in query.items():
        for each in cast("list[Any]", value) if isinstance(value, list) else [value]:
            yield name, {True: "true", False: "false"}[each] if isinstance(each, bool) else str(each)
