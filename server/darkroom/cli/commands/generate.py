"""`generate PROMPT`: submits, shows progress, prints the saved paths."""

import argparse
import re
from dataclasses import replace
from pathlib import Path

from darkroom.app.context import Part, open_app
from darkroom.cli.commands.command import Command, seconds, take_provider
from darkroom.cli.commands.results import exit_status, places, print_result
from darkroom.cli.commands.watching import made
from darkroom.generations.asking.wishes import Wish, options_of
from darkroom.generations.showing import linked
from darkroom.models import MASK, MAX_COUNT, MAX_SEED, RANDOM_SEED
from darkroom.settings import Settings


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("prompt", metavar="PROMPT")
    take_provider(command)
    command.add_argument("--model", metavar="ID", help="an id that `models` lists")
    command.add_argument("--count", type=int, default=1, metavar="N", help=f"1 to {MAX_COUNT} (default: 1)")
    command.add_argument("--aspect-ratio", metavar="W:H")
    command.add_argument("--negative-prompt", metavar="TEXT")
    command.add_argument("--seed", type=int, metavar="N", help=f"up to {MAX_SEED}; {RANDOM_SEED}: random")
    command.add_argument(
        "--option", dest="options", action="append", default=[], type=_option, metavar="NAME=VALUE",
        help="an option of the provider's own; may be repeated, and of the same name makes a list",
    )  # fmt: skip
    command.add_argument(
        "--image", dest="images", action="append", default=[], metavar="FILE|gen_…/N",
        help="a picture to edit or follow: any file of yours, or an earlier result; may be repeated; mask=FILE: a mask",
    )  # fmt: skip
    command.add_argument("--request-key", metavar="NAME", help="your name for it: the same name is never made twice")
    command.add_argument("--timeout", type=seconds, default=600.0, metavar="SECONDS", help="default: 600")


def _option(text: str) -> str:
    if not re.fullmatch(r"\s*[^=\s][^=]*=.*", text, re.DOTALL):
        raise argparse.ArgumentTypeError("write it as NAME=VALUE")
    return text


def _whole(text: str) -> str:
    """The text with a path in it made whole; what names no file stays as it is."""
    role, name = (MASK, text.removeprefix(MASK)) if text.startswith(MASK) else ("", text)
    kept = re.match(r"(?:gen_[a-z2-7]{26}/|darkroom:|data:|https?:)", name, re.IGNORECASE)
    return text if kept or not name else f"{role}{Path(name).expanduser().absolute()}"


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    images = [_whole(text) for text in arguments.images]
    # A person names each file in so many words, so any that can be read is meant; an agent has no such command.
    drives = {Path(text.removeprefix(MASK)).anchor for text in images}
    async with open_app(replace(settings, inputs=tuple(map(Path, filter(None, drives)))), Part.OWN) as app:
        wish = Wish(
            prompt=arguments.prompt,
            provider=arguments.provider,
            model=arguments.model,
            count=arguments.count,
            aspect_ratio=arguments.aspect_ratio,
            negative_prompt=arguments.negative_prompt,
            seed=arguments.seed,
            options=options_of(arguments.options),
            request_key=arguments.request_key,
            images=images,
        )
        answer = await made(app, wish, arguments.timeout)
        links = await app.desk().pictures.links(answer.generations)
        lines = places(answer.generations, links)
        print_result(linked(answer.generations[0], links), lines, as_json=arguments.json)
        return exit_status(answer.generations)


GENERATE = Command("generate", "make pictures and wait for them", _take, _run)
