"""Faults of the arguments that a declaration says its service takes."""

from collections.abc import Iterator
from math import inf

from darkroom.providers.language.costs import OwnFigure
from darkroom.providers.language.fault import ASKED, Fault, unknown
from darkroom.providers.language.filling import names_in, places_in
from darkroom.providers.language.images import is_picture
from darkroom.providers.language.schema import Option, Request, Scalar, Service


def faults_of_offer(service: Service) -> Iterator[Fault]:
    """Each fault in [accepts], and each argument that is taken and never sent."""
    yield from _of_models(service)
    yield from _of_unsent(service)
    yield from _of_groups(service)
    yield from _of_options(service)
    yield from _of_prices(service)
    yield from _of_images(service)


def _of_models(service: Service) -> Iterator[Fault]:
    accepts = service.accepts
    models = [model.id for model in accepts.models]
    if accepts.model_type is not None and models:
        yield Fault(("accepts", "model_type"), "there are models as well: keep one of the two")
    if models and accepts.default_model not in models:
        yield Fault(("accepts", "default_model"), f"it is none of the models: write one of {', '.join(models)}")
    if accepts.default_aspect_ratio not in {None, *accepts.aspect_ratios}:
        listed = ", ".join(accepts.aspect_ratios)
        yield Fault(("accepts", "default_aspect_ratio"), f"it is none of the aspect_ratios: write one of {listed}")


def _of_unsent(service: Service) -> Iterator[Fault]:
    accepts, sent = service.accepts, {*sent_by(service.submit), *(sent_by(service.edit) if service.edit else ())}
    for name in ("seed", "negative_prompt"):
        if getattr(accepts, name) and name not in sent:
            yield Fault(
                ("accepts", name), f'it is true, but never sent: write "${name}" into submit.body, or false here'
            )
    if accepts.max_count > 1 and "count" not in sent:
        yield Fault(("accepts", "max_count"), 'the count is never sent: write "$count" into submit.body, or 1 here')
    if "prompt" not in sent:
        yield Fault(("submit",), 'the prompt is never sent: write "$prompt" into submit.body')
    if accepts.aspect_ratios and not any(name == "aspect_ratio" or name.startswith("size.") for name in sent):
        yield Fault(
            ("accepts", "aspect_ratios"), 'they are never sent: write "$aspect_ratio" or "$size.…" into submit.body'
        )
    for name in accepts.options:
        if f"options.{name}" not in sent:
            yield Fault(
                ("accepts", "options", name),
                f'it is never sent: write "$options.{name}" into submit.body, or leave it out',
            )


def _of_groups(service: Service) -> Iterator[Fault]:
    accepts = service.accepts
    known = ASKED | {f"options.{name}" for name in accepts.options}
    for number, group in enumerate(accepts.not_together):
        for name in group:
            if name not in known:
                yield Fault(("accepts", "not_together", number), unknown(name, frozenset(known)))


def _of_options(service: Service) -> Iterator[Fault]:
    for name, option in service.accepts.options.items():
        where, numeric = ("accepts", "options", name), option.type in {"integer", "number"}
        if not numeric and (option.min is not None or option.multiple_of is not None):
            yield Fault(where, "only a number has min and multiple_of: leave them out, or write another type")
        if option.max is not None and not numeric and option.type != "strings":
            yield Fault(where, "only a number or a list has max: leave it out, or write another type")
        if (option.enum or option.max_length) and option.type not in {"string", "strings"}:
            yield Fault(where, "only a text has enum and max_length: leave them out, or write another type")
        if option.max is not None and option.max < (1 if option.type == "strings" else _least(option)):
            yield Fault(where, "its max is too low, so nothing could ever be given: write a higher one")


def _least(option: Option) -> float:
    return -inf if option.min is None else option.min


def _of_prices(service: Service) -> Iterator[Fault]:
    if service.price is None:
        return
    models, where = {model.id for model in service.accepts.models}, ("price", "lines")
    for number, line in enumerate(service.price.lines):
        if line.model is not None and models and line.model not in models:
            yield Fault((*where, number), f"there is no model {line.model}: write one of {', '.join(sorted(models))}")
        for name, values in line.given.items():
            yield from (Fault((*where, number), says) for says in _unpriceable(service, name, values))
    for own in (service.submit.cost, service.read.cost):
        if isinstance(own, OwnFigure) and own.unit != service.price.unit:
            yield Fault(
                ("price", "unit"),
                f"the service's own figure is in {own.unit}: write one unit, and times beside the figure",
            )


def _unpriceable(service: Service, name: str, values: list[Scalar]) -> Iterator[str]:
    option = service.accepts.options.get(name.removeprefix("options."))
    if name == "aspect_ratio":
        known = list(service.accepts.aspect_ratios)
    elif option is None:
        yield unknown(name, frozenset())
        return
    else:
        known = option.enum or values
    if strange := [repr(value) for value in values if value not in known]:
        yield f"{name} is never {', '.join(strange)}: write one of {', '.join(map(str, known))}"


def _of_images(service: Service) -> Iterator[Fault]:
    images, where = service.accepts.images, ("accepts", "images")
    if images is None:
        if service.edit is not None:
            yield Fault(("edit",), "nobody can give it a picture: add [accepts.images], or leave it out")
        return
    known = sorted(model.id for model in service.accepts.models)
    for key, models in {"models": images.models, "needed": images.needed}.items():
        if strange := [model for model in models if known and model not in known]:
            yield Fault((*where, key), f"there is no model {', '.join(strange)}: write some of {', '.join(known)}")
    sent = {name.partition(".")[0] for name in sent_by(service.edit or service.submit) if is_picture(name)}
    table = "edit" if service.edit is not None else "submit"
    if not {"image", "images"} & sent:
        yield Fault(where, f'a picture is never sent: write "$image.data_url", …base64 or …file into {table}.body')
    elif "images" not in sent and f"image_{images.max}" not in sent and images.max > 1:
        yield Fault(
            (*where, "max"), f'the last is never sent: write "$images.data_url" or "$image_{images.max}.data_url"'
        )
    if images.mask and "mask" not in sent:
        yield Fault((*where, "mask"), f'it is never sent: write "$mask.data_url" or "$mask.file" into {table}.body')
    if service.edit is not None and "prompt" not in sent:
        yield Fault(("edit",), 'the prompt is never sent: write "$prompt" into edit.body')


def sent_by(request: Request) -> Iterator[str]:
    """Every name that the request sends."""
    yield from names_in([request.body, request.query])
    yield from places_in(request.path or "")
