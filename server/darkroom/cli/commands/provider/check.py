"""`provider check FILE…`: what is wrong with declarations, found without sending anything."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from darkroom.cli.commands.command import DONE, FAILED, Command
from darkroom.cli.commands.results import print_result
from darkroom.errors import InvalidRequest
from darkroom.redact.text import clean
from darkroom.settings import Settings

if TYPE_CHECKING:
    from darkroom.providers.authoring.review import Finding, Review

LONGEST = 1000


def reviewed(file: Path) -> "Review":
    """The faults of the file. Raises InvalidRequest: it cannot be read."""
    from darkroom.providers.authoring.review import review  # noqa: PLC0415 - the language takes long to import

    try:
        return review(file)
    except OSError as error:
        raise InvalidRequest(
            f"{clean(str(file), 300)} cannot be read ({error.strerror or type(error).__name__}).",
            next_step="Write the path of a declaration, as in my-service.toml.",
        ) from error


def said(review: "Review") -> Iterator[str]:
    """A line for each fault and note, and one for the file."""
    yield from (_line(review, each, "") for each in review.faults)
    yield from (_line(review, each, "note: ") for each in review.notes)
    if review.faults:
        yield f"{review.file}: {len(review.faults)} to correct. docs/add-a-service.md has every key."
    else:
        read = f"{review.examples} example{'s' * (review.examples != 1)} read as documented"
        noted = f"{len(review.notes)} note{'s' * (len(review.notes) != 1)}"
        yield f"{review.file}: sound; {read}, {noted}."


def _line(review: "Review", finding: "Finding", kind: str) -> str:
    place = review.file if finding.line is None else f"{review.file}:{finding.line}"
    return clean(f"{place}: {kind}{finding.message}", LONGEST)


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("files", metavar="FILE", nargs="+", type=Path)


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    from darkroom.providers.authoring.review import Reviews  # noqa: PLC0415

    reviews = [reviewed(file) for file in arguments.files]
    print_result(
        Reviews(files=tuple(reviews)), [line for each in reviews for line in said(each)], as_json=arguments.json
    )
    return FAILED if any(review.faults for review in reviews) else DONE


CHECK = Command("check", "look for mistakes in declarations, without sending anything", _take, _run)
