"""The offer of a declared service, as the traits and limits that every provider has."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from darkroom.declaration import ImageTraits, Options, Traits
from darkroom.errors import InvalidRequest
from darkroom.models import GenerationRequest
from darkroom.providers.base import Figure, Listed
from darkroom.providers.checking import check_request
from darkroom.providers.language.costs import prices_of
from darkroom.providers.language.offer_checks import sent_by
from darkroom.providers.language.requests import submission
from darkroom.providers.language.schema import Images, Option, Service

THE_ONE = "default"
"""The model of a service that has no choice of them."""


def traits_of(service: Service) -> Traits:
    """The service's abilities."""
    accepts, limits = service.accepts, service.limits
    open_choice = accepts.model_type is not None or (service.models is not None and not accepts.models)
    fixed = tuple(model.id for model in accepts.models) or (THE_ONE,)
    return Traits(
        title=service.title,
        poll_interval_s=limits.poll_s,
        shortest_interval_s=min(limits.shortest_s, limits.poll_s),
        deadline_s=limits.deadline_s,
        max_count=accepts.max_count,
        models=None if open_choice else fixed,
        default_model=accepts.default_model or ("" if open_choice else THE_ONE),
        aspect_ratios=tuple(accepts.aspect_ratios),
        negative_prompt=accepts.negative_prompt,
        seed=accepts.seed,
        options=_options(service),
        images=None if accepts.images is None else _images(accepts.images),
        lasting=service.submit.answers == "result",
        cancels=service.cancel is not None,
        finds=service.lookup is not None and service.lookup.proof == "reference",
        lasts_s=service.pictures.lasts_s,
        prices=prices_of(service.price),
    )


def limits_of(service: Service) -> str:
    """The limits as they are written in a variable."""
    limits = service.limits
    at_a_time = (("active", limits.active), ("pictures", limits.pictures))
    parts = [f"{name}={limit}" for name, limit in at_a_time if limit is not None]
    parts += [f"submit={window}" for window in limits.submit]
    return ",".join([*parts, *(f"requests={window}" for window in limits.requests)])


def check(service: Service, traits: Traits, request: GenerationRequest) -> GenerationRequest:
    """The request with defaults filled in.

    Raises:
        InvalidRequest: the service cannot do it.
    """
    title, accepts = service.title, service.accepts
    number = request.model.isascii() and request.model.isdigit() and len(request.model) <= 18
    if accepts.model_type == "integer" and request.model not in {"", accepts.default_model} and not number:
        raise InvalidRequest(
            f"{title} names its models by number.",
            next_step="Take an id from list_models, or leave model out; nothing was sent.",
        )
    given = set(_given(request))
    for group in accepts.not_together:
        if group[0] in given and given & set(group[1:]):
            raise InvalidRequest(
                f"{group[0]} and {' or '.join(group[1:])} say the same thing twice.",
                next_step="Give one of them and call again; nothing was sent.",
            )
    checked = check_request(request, traits)
    _check_sent(service, checked)
    return checked


def _check_sent(service: Service, request: GenerationRequest) -> None:
    """Raises InvalidRequest: something was asked for that only the other of the two requests has a place for."""
    if service.edit is None:
        return
    sent = {*sent_by(submission(service, request))}
    asked = {*_given(request), *(["count"] if request.count > 1 else [])}
    if any(name.startswith("size.") for name in sent):
        sent.add("aspect_ratio")
    if missing := sorted(name.removeprefix("options.") for name in asked - sent):
        raise InvalidRequest(
            f"{service.title} takes no {' or '.join(missing)} {'with' if request.images else 'without'} a picture.",
            next_step=f"Leave out {' and '.join(missing)} and call again; nothing was sent.",
        )


def _images(images: Images) -> ImageTraits:
    return ImageTraits(images.max, images.mask, tuple(images.formats), tuple(images.models), tuple(images.needed))


def _given(request: GenerationRequest) -> Iterator[str]:
    yield from (name for name in ("aspect_ratio", "negative_prompt", "seed") if getattr(request, name) is not None)
    yield from (f"options.{name}" for name, value in request.options.items() if value not in (None, ""))


def _options(service: Service) -> type[Options]:
    fields = {name: (_type(option) | None, None) for name, option in service.accepts.options.items()}
    return create_model("Options", __base__=Options, **fields)  # pyright: ignore[reportCallIssue, reportArgumentType, reportUnknownVariableType]


def _type(option: Option) -> Any:
    if option.type in {"integer", "number"}:
        kind = int if option.type == "integer" else float
        least, most = (None if each is None else kind(each) for each in (option.min, option.max))
        return Annotated[kind, Field(ge=least, le=most, multiple_of=option.multiple_of), Figure]
    if option.type == "boolean":
        return bool
    text: Any = (
        Literal[tuple(option.enum)] if option.enum else Annotated[str, Field(max_length=option.max_length or 500)]
    )
    if option.type == "string":
        return text
    return Annotated[list[text], Field(max_length=None if option.max is None else int(option.max)), Listed]
