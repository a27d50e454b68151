"""A request held against what its provider can do."""

from typing import Any

from pydantic import ValidationError

from darkroom.declaration import Traits
from darkroom.errors import InvalidRequest, invalid_arguments
from darkroom.models import GenerationRequest
from darkroom.redact.text import clean

MAX_NAMED = 10


def check_request(request: GenerationRequest, traits: Traits) -> GenerationRequest:
    """Refuses what the traits do not allow, naming what they do, and fills in the default model.

    Raises:
        InvalidRequest: with one sentence to correct the call by.
    """
    title = traits.title
    problems: dict[str, str] = {}
    if request.count > traits.max_count:
        most = "1 picture" if traits.max_count == 1 else f"1 to {traits.max_count} pictures"
        problems["count"] = f"{title} makes {most} per call, not {request.count}"
    if request.model and traits.models is not None and request.model not in traits.models:
        problems["model"] = f"{title} has no such model; it has {', '.join(traits.models)}"
    if request.aspect_ratio is not None and request.aspect_ratio not in traits.aspect_ratios:
        problems["aspect_ratio"] = f"{title} makes {', '.join(traits.aspect_ratios)}, no other aspect ratio"
    if request.negative_prompt is not None and not traits.negative_prompt:
        problems["negative_prompt"] = f"{title} takes no negative prompt; say it in the prompt"
    if request.seed is not None and not traits.seed:
        problems["seed"] = f"{title} takes no seed"
    model = request.model or _default_model(request, traits)
    if wrong := _wrong_images(request, model, traits):
        problems["images"] = wrong
    known, options = traits.options.model_fields, dict[str, Any]()
    strange = [repr(clean(name, 40)) for name in request.options if name not in known][:MAX_NAMED]
    if strange:
        problems["options"] = f"{title} has no option {', '.join(strange)}; it has: {', '.join(known) or 'none'}"
    try:
        meant = {n: v for n, v in request.options.items() if n in known and v is not None and v != ""}
        options = traits.options.model_validate(meant).model_dump(exclude_none=True, exclude_unset=True)
    except ValidationError as error:
        raise invalid_arguments(error, "options.", list(problems.values())) from error
    if problems:
        said, names = "; ".join(problems.values()), " and ".join(problems)
        raise InvalidRequest(f"{said}.", next_step=f"Correct {names} and call again; nothing was sent.")
    return request.model_copy(update={"model": model, "options": options})


def check_size_said_once(request: GenerationRequest) -> None:
    """Raises InvalidRequest where both the aspect ratio and an option give the size."""
    if request.aspect_ratio is not None and {"width", "height"} & request.options.keys():
        raise InvalidRequest(
            "aspect_ratio and options.width or options.height say the same thing twice.",
            next_step="Give one of them and call again; nothing was sent.",
        )


def _default_model(request: GenerationRequest, traits: Traits) -> str:
    """The default one, or the first of those that take pictures where it takes none."""
    takes = traits.images.models if traits.images and request.images else ()
    return traits.default_model if not takes or traits.default_model in takes else takes[0]


def _wrong_images(request: GenerationRequest, model: str, traits: Traits) -> str:
    """The reason why these pictures, or none, cannot be given to the model; empty where they can."""
    takes, title = traits.images, traits.title
    masks = sum(each.role == "mask" for each in request.images)
    pictures = len(request.images) - masks
    if takes is None:
        return f"{title} takes no pictures" if request.images else ""
    able = not takes.models or model in takes.models
    if not request.images:
        named = f" with {model}" if takes.models else ""
        return f"{title} makes nothing{named} without a picture" if model in takes.needed else ""
    if not able:
        return f"{title} takes no pictures with {model}, but with {', '.join(takes.models)}"
    if pictures > takes.max:
        return f"{title} takes {takes.max} picture{'s' if takes.max > 1 else ''} to work from, not {pictures}"
    if masks and not takes.mask:
        return f"{title} takes no mask; say in the prompt what is to change"
    return "a mask belongs to a picture, and one mask is taken" if masks > 1 or not pictures else ""
