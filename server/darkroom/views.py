"""Generations as callers see them: the same for tools, terminal, resources and pages."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import WithJsonSchema
from pydantic.functional_serializers import PlainSerializer

from darkroom.models import Failure, Image, Sparse, Status
from darkroom.money import Cost


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(_iso, return_type=str)]


class State(StrEnum):
    """The state of a generation at the moment, more closely than by its status."""

    WAITING = "waiting"
    """In our own queue."""
    HELD = "held"
    """In our own queue, and not sent for a reason that the message gives."""
    SENDING = "sending"
    QUEUED = "queued"
    """In the provider's own queue."""
    WORKING = "working"
    SAVING = "saving"
    OVER = "over"


class Progress(Sparse):
    """The progress of a generation: in parts (seconds), and in a sentence made of them.

    `starts_in_s`: when its turn comes in our own queue, as far as the limits tell. `step`: where the service is in
    its work, as far as it reports that. `trouble`: what goes wrong now, in a sentence.
    """

    message: str
    # Its words would stand in the schema of five tools, which every conversation pays for; an agent reads the message.
    state: Annotated[State, WithJsonSchema({"type": "string"})]
    queue_position: int | None = None
    starts_in_s: float | None = None
    elapsed_s: float
    expected_s: float | None = None
    step: Annotated[str | None, WithJsonSchema({})] = None
    trouble: str | None = None


class Generation(Sparse):
    """A generation as every tool and `--json` return it.

    `next_step`: what to do where it is unfinished, or pictures are missing. `contact_sheet`: true where the first image
    beside it shows its pictures side by side, in order. `made_from`: the pictures that its caller gave, by their names.
    """

    id: str
    provider: str
    model: str
    prompt: str
    count: int
    seed: int | None = None
    status: Status
    progress: Progress
    # Its schema stays open: agents pay for every byte of it, in each tool, and its keys speak for themselves.
    cost: Annotated[Cost | None, WithJsonSchema({})] = None
    made_from: Annotated[tuple[str, ...] | None, WithJsonSchema({})] = None
    images: tuple[Image, ...] = ()
    error: Failure | None = None
    next_step: str | None = None
    contact_sheet: bool | None = None
    created_at: Moment
    submitted_at: Moment | None = None
    finished_at: Moment | None = None


class WaitedGenerations(Sparse):
    """The result of wait."""

    generations: tuple[Generation, ...]
    timed_out: bool
    next_step: str | None = None
    contact_sheet: bool | None = None


class ListedGenerations(Sparse):
    """The result of list_generations, newest first."""

    generations: tuple[Generation, ...]
    next_cursor: str | None = None
