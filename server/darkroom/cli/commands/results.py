"""Printing what a command found: the result on stdout, remarks on stderr."""

import json
import sys
from collections.abc import Mapping, Sequence

from darkroom.cli.commands.command import DONE, FAILED, STILL_RUNNING
from darkroom.cli.terminal import show, spells_everything
from darkroom.cli.words import for_people
from darkroom.generations.telling.wording import say
from darkroom.models import ImageStatus, Sparse, Status
from darkroom.redact.text import for_terminals
from darkroom.views import Generation


def print_result(answer: Sparse, lines: Sequence[str], *, as_json: bool) -> None:
    """Prints these lines, or the result as JSON."""
    # What tools return, word for word: programs read it.
    print_value(answer.model_dump(mode="json"), list(map(for_people, lines)), as_json=as_json)


def print_value(value: object, lines: Sequence[str], *, as_json: bool) -> None:
    """The same of what no tool returns."""
    if as_json:
        print(for_terminals(json.dumps(value, ensure_ascii=not spells_everything(sys.stdout))))
    else:
        for line in filter(None, lines):
            show(sys.stdout, line)
    sys.stdout.flush()


def reported_paths(generations: Sequence[Generation], links: Mapping[str, str] | None = None) -> list[str]:
    """The lines for stdout: where the saved pictures are, and nothing else. What went wrong goes to stderr.

    `links`: those that open pictures without a path, by URI.
    """
    for generation in generations:
        if generation.status is not Status.SUCCEEDED and generation.status.terminal:
            tell(for_people(say(generation)))
    images = (image for generation in generations for image in generation.images)
    saved = (image for image in images if image.status is ImageStatus.SUCCEEDED)
    return [image.path or (links or {}).get(image.uri or "") or image.uri or "" for image in saved]


def tell(line: str) -> None:
    """Says it beside the result."""
    show(sys.stderr, line)
    sys.stderr.flush()


def exit_status(generations: Sequence[Generation]) -> int:
    """The exit status that a script sees for them."""
    if any(not generation.status.terminal for generation in generations):
        return STILL_RUNNING
    return DONE if all(generation.status is Status.SUCCEEDED for generation in generations) else FAILED
