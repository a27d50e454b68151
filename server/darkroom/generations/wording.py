"""Says generations in plain text, for agents and terminals alike."""

import json
from collections.abc import Sequence

from darkroom.generations.collect import wanted
from darkroom.models import Generation, Image, ImageStatus, Record, Stage
from darkroom.redact import quote

FIRST_WORDS = 60
"""So many characters of a prompt are enough to know it by."""
MOST_AWAITED = 50
"""So many generations one wait takes."""


def say(generation: Generation, before: int = 0) -> str:
    """The generation in a few lines: id, status, the prompt's first words, what happened, and each picture by number.

    `before`: how many pictures come before its own where numbers run on through several generations.
    """
    seed = "" if generation.seed is None else f", seed {generation.seed}"
    head = (
        f"{generation.id} {generation.status} ({generation.provider}, {generation.model}{seed}), "
        f"{quote(generation.prompt, FIRST_WORDS)}: {generation.progress.message}"
    )
    lines = [head, *(_say_picture(image, before + image.index) for image in generation.images)]
    if generation.error is not None:
        error = generation.error
        lines.append(f"{error.code}. Charged: {error.charged}. {error.next_step}")
    return "\n".join(lines)


def next_step(generations: Sequence[Generation]) -> str | None:
    """What to do about those that are still under way, and about pictures that did not arrive."""
    running = [generation.id for generation in generations if not generation.status.terminal]
    if running:
        return f"Call wait with {json.dumps(running[:MOST_AWAITED])}."
    missing = [generation.id for generation in generations if any(map(wanted, generation.images))]
    if missing:
        return f"Call get_status with {missing[0]} to fetch what is missing again, at no cost."
    return None


def say_cancelled(record: Record) -> str:
    """What came of the wish to cancel it."""
    provider = record.request.provider
    if record.stage is Stage.CANCELLED:
        sent = f"{provider} had refused what was sent so far" if record.refusals else "nothing was sent"
        return f"Cancelled for good; {sent} and nothing is charged."
    if record.stage.terminal:
        return "Nothing to cancel: it is already over."
    if record.stage is Stage.SUBMITTING:
        return (
            f"Not cancelled yet: it is being sent to {provider} at this moment. If {provider} turns out not to have "
            "taken it, it is cancelled, not sent again and not charged; else it goes on and is collected."
        )
    return (
        f"Not cancelled: it has been sent to {provider}, which offers no way to stop it. It goes on and is collected."
    )


def say_progress(generations: Sequence[Generation]) -> str:
    """What a person would say of them now: the one generation's own sentence, or how many are done."""
    if len(generations) == 1:
        return generations[0].progress.message
    done = sum(generation.status.terminal for generation in generations)
    busy = [generation.progress.message for generation in generations if not generation.status.terminal]
    return f"{done} of {len(generations)} done. {busy[0]}" if busy else f"All {done} done."


def _say_picture(image: Image, number: int) -> str:
    if image.status is ImageStatus.SUCCEEDED:
        kind = (image.mime_type or "").removeprefix("image/").upper()
        marked = " It carries the provider's watermark." if image.watermarked else ""
        removed = f" Removed from it: {image.removed}." if image.removed else ""
        return f"{number}. {image.path} ({image.width} × {image.height} {kind}){marked}{removed}"
    if image.error is not None:
        hidden = "The provider hides this picture. " if image.hidden else ""
        return (
            f"{number}. {hidden}{image.error.code}: {image.error.message} Charged: {image.error.charged}. "
            f"{image.error.next_step}"
        )
    return f"{number}. not there yet"
