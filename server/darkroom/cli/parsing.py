"""The words of the command line, read for every command; a host's start goes past this."""

import argparse
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, cast

from darkroom import __version__
from darkroom.cli.commands.again import AGAIN
from darkroom.cli.commands.cancel import CANCEL
from darkroom.cli.commands.command import Command, Commands
from darkroom.cli.commands.cost import COST
from darkroom.cli.commands.delete import DELETE
from darkroom.cli.commands.doctor import DOCTOR
from darkroom.cli.commands.export import EXPORT
from darkroom.cli.commands.generate import GENERATE
from darkroom.cli.commands.list import LIST
from darkroom.cli.commands.models import MODELS
from darkroom.cli.commands.open import OPEN
from darkroom.cli.commands.provider import PROVIDER
from darkroom.cli.commands.prune import PRUNE
from darkroom.cli.commands.setup import SETUP
from darkroom.cli.commands.show import SHOW
from darkroom.cli.commands.status import STATUS
from darkroom.cli.commands.tenant import TENANT
from darkroom.cli.commands.wait import WAIT
from darkroom.cli.completion import SHELLS
from darkroom.cli.serve_options import take_options
from darkroom.redact.text import clean

COMMANDS: Mapping[str, Command | Commands] = {
    command.name: command
    for command in (
        GENERATE, AGAIN, STATUS, CANCEL, WAIT, LIST, SHOW, OPEN, EXPORT, COST, DELETE, PRUNE, MODELS, PROVIDER, TENANT,
        SETUP, DOCTOR,
    )
}  # fmt: skip


def parsed(words: Sequence[str]) -> argparse.Namespace | None:
    """The command in these words, with what it is given; None: without any, its help was printed.

    Raises:
        SystemExit: they are no command, which stderr says.
    """
    parser = _parser(words)
    if any("\ud800" <= character <= "\udfff" for word in words for character in word):
        parser.error("the words of a command must be text in UTF-8")
    arguments = parser.parse_args(words)
    if arguments.command is None:
        parser.print_help()
        return None
    return arguments


class _Parser(argparse.ArgumentParser):
    """One that repeats words of the command line without what a terminal would obey, and says what was meant."""

    def __init__(self, *given: Any, words: Sequence[str] = (), **named: Any) -> None:
        super().__init__(*given, **named)
        self._words = words
        self.commands: dict[str, list[argparse.ArgumentParser]] = {}
        """Those of each command, and of what is below it, by its name."""

    def error(self, message: str) -> NoReturn:
        # What looks for a word that was meant takes longer to import than a start may.
        from darkroom.cli.hints import hint  # noqa: PLC0415

        options = {
            name: [option for each in parsers for option in re.findall(r"--[a-z-]+", each.format_usage())]
            for name, parsers in self.commands.items()
        }
        meant = hint(message, self._words, options)
        super().error(f"{clean(message, 500)}{f'. {clean(meant, 500)}' if meant else ''}")


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = _Parser(
        words=words,
        prog="darkroom-mcp",
        description="Makes pictures with generation services, for AI agents (serve) and from the terminal.",
        epilog="Exit status: 0 done, 1 failed, 2 wrong use, 3 still running.",
    )
    parser.add_argument("--version", action="version", version=f"darkroom-mcp {__version__}")
    commands_of = _commands_of(parser, words, "COMMAND")
    take_options(commands_of.add_parser("serve", help="serve MCP on stdin and stdout, or over HTTP"))
    commands_of.add_parser("gallery", help="show all generations in a browser on this machine")
    worker = commands_of.add_parser("worker", help="work on what is in the ledger, without serving clients")
    worker.add_argument("--tenants", type=Path, metavar="FILE", help="the tenants whose generations it drives as well")
    completion = commands_of.add_parser("completion", help="print a completion script for a shell")
    completion.add_argument("shell", choices=SHELLS)
    completion.set_defaults(parser=parser)
    for command in COMMANDS.values():
        parser.commands[command.name] = _add(commands_of, command, words)
    return parser


def _commands_of(parser: argparse.ArgumentParser, words: Sequence[str], metavar: str) -> Any:
    its_own: Any = partial(_Parser, words=words)
    return cast("Any", parser).add_subparsers(dest=metavar.lower(), metavar=metavar, parser_class=its_own)


def _add(commands_of: Any, command: Command | Commands, words: Sequence[str]) -> list[argparse.ArgumentParser]:
    """Adds the command, with those below it; returns the parsers of those that do something."""
    parser = commands_of.add_parser(command.name, help=command.summary, description=f"{command.summary}.".capitalize())
    if isinstance(command, Commands):
        below = _commands_of(parser, words, "ACTION")
        below.required = True
        return [found for each in command.each for found in _add(below, each, words)]
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(chosen=command)
    command.take(parser)
    return [parser]
