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
from darkroom.cli.commands import COMMANDS
from darkroom.cli.commands.command import FAILED, WRONG_USE, Command, Commands, run
from darkroom.cli.log import configure_logging
from darkroom.cli.terminal import show, spell_anything
from darkroom.cli.words import for_people
from darkroom.errors import DarkroomError, InvalidRequest, NotConfigured
from darkroom.providers.declared import forget_secrets, read_settings
from darkroom.redact.text import clean
from darkroom.settings import Settings
from darkroom.stdio.wire import Wire

log = logging.getLogger(__name__)


def main(words: Sequence[str], wire: Wire | None = None) -> int:
    """Runs one command and returns the exit status: 0 done, 1 failed, 2 wrong use, 3 still running.

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
        # The reader of our output has gone; Python's own flush at exit must not complain about it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _run(words: list[str], wire: Wire | None) -> int:
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
    return anyio.run(run, arguments.chosen, settings, arguments)


def _read_settings(*, serving: bool) -> Settings | NotConfigured:
    try:
        return read_settings(os.environ, in_any_folder=serving)
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


def _serve(settings: Settings | DarkroomError, wire: Wire) -> int:
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
    commands_of = _commands_of(parser, words, "COMMAND")
    commands_of.add_parser("serve", help="serve MCP on stdin and stdout")
    for command in COMMANDS.values():
        parser.options[command.name] = _add(commands_of, command, words)
    return parser


def _commands_of(parser: argparse.ArgumentParser, words: Sequence[str], metavar: str) -> Any:
    its_own: Any = partial(_Parser, words=words)
    return cast("Any", parser).add_subparsers(dest=metavar.lower(), metavar=metavar, parser_class=its_own)


def _add(commands_of: Any, command: Command | Commands, words: Sequence[str]) -> list[str]:
    """Adds the command, with those below it; returns their options."""
    parser = commands_of.add_parser(command.name, help=command.summary, description=f"{command.summary}.".capitalize())
    if isinstance(command, Commands):
        below = _commands_of(parser, words, "ACTION")
        below.required = True
        return [option for each in command.each for option in _add(below, each, words)]
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(chosen=command)
    command.take(parser)
    return re.findall(r"--[a-z-]+", parser.format_usage())
