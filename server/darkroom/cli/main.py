"""Reads argv, and hands over to the command."""

import argparse
import logging
import os
import re
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn, cast

import anyio

from darkroom import __version__
from darkroom.cli import commands
from darkroom.cli.commands import FAILED, WRONG_USE
from darkroom.cli.log import configure_logging
from darkroom.cli.terminal import show, spell_anything
from darkroom.cli.words import for_people
from darkroom.errors import DarkroomError, InvalidRequest, NotConfigured
from darkroom.models import MAX_COUNT, MAX_SEED, RANDOM_SEED, Status
from darkroom.redact import clean
from darkroom.settings import PROVIDERS, Settings, forget_secrets

log = logging.getLogger(__name__)


def main(words: Sequence[str], wire: tuple[int, int] | None = None) -> int:
    """Runs one command and answers the exit status: 0 done, 1 failed, 2 wrong use, 3 still running.

    `wire`: where `serve` reads and sends its messages; without words, a server is what was asked for.
    """
    spell_anything(sys.stdout, sys.stderr)
    try:
        try:
            return _run(list(words) if words or wire is None else ["serve"], wire)
        finally:
            if wire is None:
                sys.stdout.flush()
    except (InvalidRequest, NotConfigured) as error:
        return _refuse(error, WRONG_USE)
    except DarkroomError as error:
        return _refuse(error, FAILED)
    except BrokenPipeError:
        # Whoever read our output has gone; Python's own flush at exit must not complain about it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _run(words: list[str], wire: tuple[int, int] | None) -> int:
    parser = _parser(words)
    if any("\ud800" <= character <= "\udfff" for word in words for character in word):
        parser.error("the words of a command must be text in UTF-8")
    arguments = parser.parse_args(words)
    if arguments.command is None:
        parser.print_help()
        return 0
    settings = _read_settings(serving=wire is not None)
    if isinstance(settings, NotConfigured):
        if wire is None:
            raise settings
        configure_logging(logging.WARNING, ())
        logging.error("%s %s", settings.message, settings.next_step)
        return _serve(settings, wire)
    configure_logging(settings.log_level, settings.secrets)
    for warning in settings.warnings:
        log.warning("%s", warning)
    if wire is not None:
        return _serve(settings, wire)
    return anyio.run(commands.run, commands.COMMANDS[arguments.command], settings, arguments)


def _read_settings(*, serving: bool) -> Settings | NotConfigured:
    try:
        return Settings.from_environment(os.environ, in_any_folder=serving)
    except NotConfigured as error:
        return error
    finally:
        forget_secrets(os.environ)


class _Parser(argparse.ArgumentParser):
    """One that repeats words of the command line without what a terminal would obey, and says what was meant."""

    def __init__(self, *given: Any, words: Sequence[str] = (), **named: Any) -> None:
        super().__init__(*given, **named)
        self._words = words
        self.options: dict[str, list[str]] = {}
        """Those of each command, by name."""

    def error(self, message: str) -> NoReturn:
        # What looks for a word that was meant takes longer to import than a start may.
        from darkroom.cli.hints import hint  # noqa: PLC0415

        meant = hint(message, self._words, self.options)
        super().error(f"{clean(message, 500)}{f'. {clean(meant, 500)}' if meant else ''}")


def _refuse(error: DarkroomError, status: int) -> int:
    show(sys.stderr, for_people(str(error)))
    return status


def _serve(settings: Settings | DarkroomError, wire: tuple[int, int]) -> int:
    # The SDK takes most of the start-up time, and no other command needs it.
    from darkroom.cli.serve import serve  # noqa: PLC0415

    return serve(settings, wire)


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = _Parser(
        words=words,
        prog="darkroom-mcp",
        description="Makes pictures with generation services, for AI agents (serve) and from the terminal.",
        epilog="Exit status: 0 done, 1 failed, 2 wrong use, 3 still running.",
    )
    parser.add_argument("--version", action="version", version=f"darkroom-mcp {__version__}")
    its_own: Any = partial(_Parser, words=words)
    commands_of = cast("Any", parser).add_subparsers(dest="command", metavar="COMMAND", parser_class=its_own)
    commands_of.add_parser("serve", help="serve MCP on stdin and stdout")
    _add_generate(_command(commands_of, "generate", "make pictures and wait for them"))
    status = _command(commands_of, "status", "look at one generation")
    status.add_argument("id", **AN_ID)
    cancel = _command(commands_of, "cancel", "cancel a generation that no provider has received yet")
    cancel.add_argument("id", **AN_ID)
    _add_wait(_command(commands_of, "wait", "wait for generations"))
    _add_list(_command(commands_of, "list", "list generations, newest first"))
    models = _command(commands_of, "models", "list providers and their models")
    models.add_argument("--provider", choices=PROVIDERS)
    for name, command in commands_of.choices.items():
        parser.options[name] = re.findall(r"--[a-z-]+", command.format_usage())
    return parser


AN_ID: Any = {"metavar": "ID", "help": "its id, or so much of its beginning as no other has"}


def _command(commands_of: Any, name: str, summary: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands_of.add_parser(
        name, help=summary, description=f"{summary}.".capitalize()
    )
    command.add_argument("--json", action="store_true", help="print the result as one JSON object")
    return command


def _add_generate(command: argparse.ArgumentParser) -> None:
    command.add_argument("prompt", metavar="PROMPT")
    command.add_argument("--provider", choices=PROVIDERS)
    command.add_argument("--model", metavar="ID", help="an id that `models` lists")
    command.add_argument("--count", type=int, default=1, metavar="N", help=f"1 to {MAX_COUNT} (default: 1)")
    command.add_argument("--aspect-ratio", metavar="W:H")
    command.add_argument("--negative-prompt", metavar="TEXT")
    command.add_argument("--seed", type=int, metavar="N", help=f"up to {MAX_SEED}; {RANDOM_SEED}: random")
    command.add_argument(
        "--option", dest="options", action="append", default=[], type=_option, metavar="NAME=VALUE",
        help="an option of the provider's own; may be repeated, and of the same name makes a list",
    )  # fmt: skip
    command.add_argument("--request-key", metavar="NAME", help="your name for it: the same name is never made twice")
    command.add_argument("--timeout", type=_seconds, default=600.0, metavar="SECONDS", help="default: 600")


def _add_wait(command: argparse.ArgumentParser) -> None:
    command.add_argument("ids", nargs="+", **AN_ID)
    command.add_argument("--timeout", type=_seconds, default=600.0, metavar="SECONDS", help="default: 600")
    command.add_argument("--until", choices=("all", "any"), default="all")


def _add_list(command: argparse.ArgumentParser) -> None:
    command.add_argument("--status", choices=[status.value for status in Status])
    command.add_argument("--provider", choices=PROVIDERS)
    command.add_argument("--limit", type=_page_size, default=20, metavar="N", help="1 to 100 (default: 20)")
    command.add_argument("--cursor", help="the cursor that the page before ended with")


def _option(text: str) -> str:
    if not re.fullmatch(r"\s*[^=\s][^=]*=.*", text, re.DOTALL):
        raise argparse.ArgumentTypeError("write it as NAME=VALUE")
    return text


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) or not 0 < float(text) <= 86_400:
        raise argparse.ArgumentTypeError("a number of seconds, at most 86400")
    return float(text)


def _page_size(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError("a number from 1 to 100")
    return int(text)
