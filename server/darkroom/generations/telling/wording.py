"""Every sentence about a generation, for agents, terminals and pages alike."""

import json
from collections.abc import Mapping, Sequence

from darkroom.declaration import Traits
from darkroom.errors import Deleted
from darkroom.generations.outcome import pictures, pictures_done, wanted
from darkroom.models import Image, ImageStatus, Record, Stage
from darkroom.providers.stopping import Stop
from darkroom.redact.text import quote
from darkroom.store.turns import Obstacle, Standing
from darkroom.views import Generation, State

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
        f"{quote(generation.prompt, FIRST_WORDS)}: {generation.progress.message}{_say_cost(generation)}"
    )
    lines = [head, *(_say_picture(image, before + image.index) for image in generation.images)]
    if generation.error is not None:
        error = generation.error
        lines.append(f"{error.code}. Charged: {error.charged}. {error.next_step}")
    return "\n".join(lines)


def _say_cost(generation: Generation) -> str:
    return "" if generation.cost is None else f" Cost: {generation.cost}."


def next_step(generations: Sequence[Generation]) -> str | None:
    """The advice on those that are still under way, and on pictures that did not arrive."""
    running = [generation.id for generation in generations if not generation.status.terminal]
    if running:
        return f"Call wait with {json.dumps(running[:MOST_AWAITED])}."
    missing = [generation.id for generation in generations if any(map(wanted, generation.images))]
    if missing:
        return f"Call get_status with {missing[0]} to fetch what is missing again, at no cost."
    return None


AGAIN = "For a new one, give another seed or request_key: this one was begun by an identical call before."
"""Advice to a caller who was given a generation that exists already."""


def say_cancelled(record: Record, stop: Stop, title: str) -> str:
    """The sentence on the wish to cancel it. `stop`: what came of asking its provider, whose name for people it is."""
    provider = record.request.provider
    if record.stage is Stage.CANCELLED and record.failure is not None:
        return f"Cancelled at {title}. Charged: {record.failure.charged}."
    if record.stage is Stage.CANCELLED:
        sent = f"{provider} had refused what was sent so far" if record.refusals else "nothing was sent"
        return f"Cancelled for good; {sent} and nothing is charged."
    if record.stage.terminal:
        return "Nothing to cancel: it is already over."
    if record.stage is Stage.COLLECTING or stop.came == "late":
        return f"Not cancelled: it is too late for {title} to stop it. It is collected."
    if record.stage is Stage.SUBMITTING:
        return (
            f"Not cancelled yet: it is being sent to {provider} at this moment. If {provider} turns out not to have "
            "taken it, it is cancelled, not sent again and not charged; else it goes on and is collected."
        )
    if stop.came == "no way":
        went = f"it has been sent to {provider}, which offers no way to stop it"
        return f"Not cancelled: {went}. It goes on and is collected."
    return _STOPS[stop.came].format(title=title, why=stop.why.rstrip("."))


_STOPS = {
    "asked": "{title} has taken the request to stop it, and has not ended it yet. Until its own status says that it is "
    "cancelled, it may be finished, charged and collected.",
    "unknown": "It is not known whether {title} took the request to stop it ({why}). Its own status decides; call "
    "cancel again to ask again.",
    "refused": "Not cancelled: {title} refuses to stop it ({why}). It goes on and is collected.",
    "not asked": "Not cancelled: {title} was not asked to stop it ({why}). It goes on and is collected; call cancel "
    "again to try again.",
    "gone": "Not cancelled: {title} says that it does not know the job. Its own status decides what becomes of it.",
}
"""Sentences for what came of asking a provider whose job goes on."""


def say_progress(generations: Sequence[Generation]) -> str:
    """The sentence on them now: the one generation's own, or the number that is done."""
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
        return f"{number}. {image.path or image.uri} ({image.width} × {image.height} {kind}){marked}{removed}"
    if image.error is not None:
        hidden = "The provider hides this picture. " if image.hidden else ""
        return (
            f"{number}. {hidden}{image.error.code}: {image.error.message} Charged: {image.error.charged}. "
            f"{image.error.next_step}"
        )
    return f"{number}. not there yet"


def sentence(
    record: Record,
    traits: Traits,
    elapsed_s: float,
    *,
    standing: Standing | None = None,
    expected_s: float | None = None,
    trouble: str | None = None,
    step: str | None = None,
) -> str:
    """The sentence on the row now; arguments as for `describe`."""
    text = (
        _finished(record)
        if record.stage.terminal
        else _waiting(record, traits, _so_far(elapsed_s, expected_s), standing, step)
    )
    if trouble and not record.stage.terminal:
        text = f"{text} {trouble}"
    saved = record.stage in {Stage.SUCCEEDED, Stage.PARTIAL}
    return f"{text} {traits.note}" if saved and traits.note else text


def _so_far(elapsed_s: float, expected_s: float | None) -> str:
    so_far = f"{elapsed_s:.0f} s so far"
    if expected_s is None:
        return so_far
    return (
        f"{so_far} of about {expected_s:.0f} s" if elapsed_s < expected_s else f"{so_far}, {expected_s:.0f} s is usual"
    )


IN_SHORT: Mapping[State, str] = {
    State.WAITING: "Queued here",
    State.SENDING: "Being sent to {title}",
    State.QUEUED: "Queued at {title}",
    State.WORKING: "{title} is working on it",
    State.SAVING: "{title} is done; its pictures are being saved",
}
"""Words for each state, for sentences that go on, and for a page that shows times and places by itself."""


def state_of(record: Record, standing: Standing | None) -> State:
    """The state of the row."""
    match record.stage:
        case Stage.ACCEPTED | Stage.SUBMITTING if standing is not None and standing.obstacle is not None:
            return State.HELD
        case Stage.ACCEPTED:
            return State.WAITING
        case Stage.SUBMITTING:
            return State.SENDING
        case Stage.RUNNING:
            return State.QUEUED if record.provider_queued else State.WORKING
        case Stage.COLLECTING:
            return State.SAVING
        case _:
            return State.OVER


def _waiting(record: Record, traits: Traits, so_far: str, standing: Standing | None, step: str | None) -> str:
    if standing is not None and standing.obstacle is not None:
        return _held_up(record, standing, standing.obstacle, so_far)
    state, saved = state_of(record, standing), f"{pictures_done(record)} of {pictures(record)} done"
    happens = IN_SHORT[state].format(title=traits.title)
    asked = "; it was asked to stop this" if record.cancel_wished and record.stage is Stage.RUNNING else ""
    match state:
        case State.WAITING if standing is not None:
            return _queued_here(standing, so_far)
        case State.WAITING:
            return f"{happens}, not yet sent to {traits.title}, {so_far}."
        case State.SENDING if record.cancel_wished:
            return f"{happens}, {so_far}; cancelled if {traits.title} turns out not to have taken it."
        case State.QUEUED if record.queue_position is not None:
            return f"{happens}, position {record.queue_position}, {so_far}{asked}."
        case State.WORKING:
            return f"{happens}: {f'{step}, ' if step else ''}{saved}, {so_far}{asked}."
        case State.SAVING:
            return f"{happens}: {saved}."
        case _:
            return f"{happens}, {so_far}{asked}."


def _queued_here(standing: Standing, so_far: str) -> str:
    behind = f"Queued here behind {standing.ahead}" if standing.ahead else "Next in the queue here"
    soon = standing.starts_in_s < 1
    if standing.at_the_earliest:
        when = "once the one before it is done" + ("" if soon else f", in {standing.starts_in_s:.0f} s at the earliest")
    else:
        when = "now" if soon else f"in about {standing.starts_in_s:.0f} s"
    return f"{behind}, starts {when}, {so_far}."


def _held_up(record: Record, standing: Standing, obstacle: Obstacle, so_far: str) -> str:
    match obstacle:
        case Obstacle.COPIED:
            return (
                "Not sent: this ledger was copied or restored after it was asked for, and may have been sent from the "
                f"other one. {_ASKED}"
            )
        case Obstacle.FORGOTTEN:
            return f"Not sent: for more than a day nothing ran that could have sent it. {_ASKED}"
        case Obstacle.NOBODY:
            return (
                "Queued here, not sent: the process that was to send it does not run any more. A server sends it, and "
                "so does wait."
            )
        case Obstacle.STOPPED:
            sent_id, process = standing.sender or ("", "")
            number = process.partition("-")[0]
            stopped = (
                f"process {number} lives but has not run for a while (stopped, in a debugger, asleep). It goes on when "
                "that process does, or ends when that process is ended"
            )
            if sent_id == record.id:
                return (
                    f"It was being sent, perhaps received and charged, when its process stopped: {stopped}. {so_far}."
                )
            return f"Queued here behind {sent_id}, which was being sent when its process stopped: {stopped}. {so_far}."


_ASKED = "Nothing was charged for it here. Call wait with its id to send it now, or cancel to drop it."


def _finished(record: Record) -> str:
    saved = sum(image.status is ImageStatus.SUCCEEDED for image in record.images)
    pictures = "picture" if len(record.images) == 1 else "pictures"
    match record.stage:
        case Stage.SUCCEEDED:
            deleted = sum(image.error is not None and image.error.code == Deleted.code for image in record.images)
            left = f"{saved} {'picture' if saved == 1 else 'pictures'} saved"
            return f"{left}, {deleted} deleted since." if deleted else f"{left}."
        case Stage.PARTIAL:
            return f"{saved} of {len(record.images)} {pictures} saved; the others say why."
        case Stage.CANCELLED if record.failure is not None:
            return record.failure.message
        case Stage.CANCELLED:
            if record.refusals:
                times = "One attempt" if record.refusals == 1 else f"{record.refusals} attempts"
                return f"Cancelled. {times} to submit it had been refused as too early; nothing was charged."
            return "Cancelled before anything was sent; nothing was charged."
        case _:
            return record.failure.message if record.failure else "It failed."
