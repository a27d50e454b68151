"""`again ID`: the same once more with another seed; or another prompt, with all else as it was."""

import argparse
from dataclasses import replace

from darkroom.app.context import Opened, Part, open_app
from darkroom.cli.commands.command import AN_ID, Command, seconds
from darkroom.cli.commands.ids import whole_ids
from darkroom.cli.commands.watching import drives, made, report
from darkroom.errors import InvalidRequest
from darkroom.generations.asking.wishes import Wish
from darkroom.models import MASK, MAX_COUNT, RANDOM_SEED, GenerationRequest, InputImage
from darkroom.settings import Settings


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("id", **AN_ID)
    command.add_argument("--prompt", metavar="TEXT", help="instead of its own")
    command.add_argument("--count", type=int, metavar="N", help=f"1 to {MAX_COUNT} (default: as many as it was)")
    command.add_argument("--timeout", type=seconds, default=600.0, metavar="SECONDS", help="default: 600")


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    (generation_id,) = await whole_ids(settings, [arguments.id])
    async with open_app(settings, Part.NONE) as app:
        before = await app.desk().request_of(generation_id)
        takes_seed = app.desk().traits(before.provider).seed
    _check_kept(before)
    images = [_named(image) for image in before.images]
    wish = Wish(
        prompt=before.prompt if arguments.prompt is None else arguments.prompt,
        provider=before.provider,
        model=before.model,
        count=before.count if arguments.count is None else arguments.count,
        aspect_ratio=before.aspect_ratio,
        negative_prompt=before.negative_prompt,
        seed=RANDOM_SEED if takes_seed else None,
        options=before.options,
        images=images,
    )
    # Each of these files was sent before, and is sent only if it is still the same.
    async with open_app(replace(settings, inputs=drives(images)), Part.OWN) as app:
        await _check_same(app, wish, before)
        return await report(app, await made(app, [wish], arguments.timeout), as_json=arguments.json)


def _named(image: InputImage) -> str:
    return f"{MASK if image.role == 'mask' else ''}{image.source}"


def _check_kept(before: GenerationRequest) -> None:
    """Raises InvalidRequest: a picture that it was made from was part of the conversation, and is not kept."""
    if any(image.source == "data:" for image in before.images):
        raise InvalidRequest(
            "It was made from a picture that is not kept here: a data: URL.",
            next_step="Run darkroom-mcp generate with --image for it; nothing was sent.",
        )


async def _check_same(app: Opened, wish: Wish, before: GenerationRequest) -> None:
    """Raises InvalidRequest: one of the pictures that it was made from is another by now."""
    foreseen = await app.desk().foresee(wish) if before.images else None
    if foreseen is not None and foreseen.images != before.images:
        changed = next(old.name for old, new in zip(before.images, foreseen.images, strict=True) if old != new)
        raise InvalidRequest(
            f"{changed} is not the picture any more that it was made from.",
            next_step="Run darkroom-mcp generate with --image for the new one; nothing was sent.",
        )


AGAIN = Command("again", "make the same once more, with another seed or prompt", _take, _run)
