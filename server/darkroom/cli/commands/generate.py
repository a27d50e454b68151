"""`generate PROMPT`: submits, shows progress, prints the saved paths."""

import argparse
import re
from dataclasses import replace

from darkroom.app.context import Part, open_app
from darkroom.cli.commands.command import Command, seconds, take_provider
from darkroom.cli.commands.prompts import given, own_path
from darkroom.cli.commands.watching import drives, made, report
from darkroom.errors import InvalidRequest
from darkroom.generations.asking.wishes import Wish, options_of
from darkroom.models import MASK, MAX_COUNT, MAX_SEED, RANDOM_SEED
from darkroom.settings import Settings


def _take(command: argparse.ArgumentParser) -> None:
    prompts = command.add_mutually_exclusive_group(required=True)
    prompts.add_argument("prompt", metavar="PROMPT", nargs="?", help="-: stdin is the prompt")
    prompts.add_argument("--file", metavar="FILE", help="make one of each line of it; -: of stdin")
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
    return text if kept or not name else f"{role}{own_path(name)}"


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    several = arguments.file is not None
    if several and arguments.request_key is not None:
        raise InvalidRequest(
            "--request-key names one generation, and --file makes several.", next_step="Leave one out."
        )
    prompts = await given(arguments.prompt, arguments.file)
    images = [_whole(text) for text in arguments.images]
    async with open_app(replace(settings, inputs=drives(images)), Part.OWN) as app:
        wishes = [
            Wish(
                prompt=prompt,
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
            for prompt in prompts
        ]
        if several:
            for wish in wishes:  # so that nothing is paid for where one of them is refused
                await app.desk().foresee(wish)
        answer = await made(app, wishes, arguments.timeout)
        return await report(app, answer, as_json=arguments.json, several=several)


GENERATE = Command("generate", "make pictures and wait for them", _take, _run)
