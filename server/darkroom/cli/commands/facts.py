"""All that is known of one generation: as JSON, and in lines for people."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from darkroom.cli.times import ago, lasted
from darkroom.models import GenerationRequest, Image, ImageStatus
from darkroom.redact.text import clean
from darkroom.views import Generation

ASKED = ("aspect_ratio", "negative_prompt", "options")
"""Parts of a request that a generation does not have as well."""
LONGEST = 10_000


def as_json(generation: Generation, request: GenerationRequest) -> dict[str, Any]:
    """The generation as every tool returns it, with what else was asked for."""
    asked = {name: value for name in ASKED if (value := getattr(request, name))}
    return {**generation.model_dump(mode="json"), **asked}


def lines(generation: Generation, request: GenerationRequest, now: datetime) -> Iterator[tuple[str, str]]:
    """Each fact by its name, but for the status and the pictures."""
    for name, value in _asked(generation, request):
        if value is not None and value != "":
            yield name, clean(str(value), LONGEST)
    yield "created", f"{_local(generation.created_at)}, {ago((now - generation.created_at).total_seconds())}"
    if generation.finished_at is not None:
        took = (generation.finished_at - generation.created_at).total_seconds()
        yield "finished", f"{_local(generation.finished_at)}, after {lasted(took)}"
    yield "state", clean(generation.progress.message, LONGEST)
    if generation.error is not None:
        error = generation.error
        yield "error", f"{error.code}. Charged: {error.charged}. {clean(error.next_step)}"


def _asked(generation: Generation, request: GenerationRequest) -> Iterator[tuple[str, object]]:
    yield "id", generation.id
    yield "provider", generation.provider
    yield "model", generation.model
    yield "prompt", generation.prompt
    yield "negative prompt", request.negative_prompt
    yield "made from", ", ".join(generation.made_from or ())
    yield "pictures", generation.count
    yield "aspect ratio", request.aspect_ratio
    yield "seed", request.seed if generation.seed is None else generation.seed
    yield "options", ", ".join(f"{name}={value}" for name, value in request.options.items())
    yield "cost", generation.cost


def picture(image: Image) -> str:
    """The picture's place, or what became of it; its measures are behind it."""
    if image.status is not ImageStatus.SUCCEEDED:
        return f"{image.index}. {clean(image.error.message) if image.error else 'not there yet'}"
    return f"{image.index}. {image.path or clean(image.url or image.uri or '', LONGEST)}"


def measures(image: Image) -> str:
    """Its pixels, format and bytes, as far as they are known: `1280 × 720 PNG, 1.2 MB`."""
    kind = (image.mime_type or "").removeprefix("image/").upper()
    marked = ", watermarked" if image.watermarked else ""
    return f"{image.width} × {image.height} {kind}, {size(image.bytes or 0)}{marked}"


def size(count: int) -> str:
    """So many bytes: `812 kB`, `1.2 MB`."""
    return f"{count / 1000:.0f} kB" if count < 10**6 else f"{count / 10**6:,.1f} MB"


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %z}"
