"""The parts of a command of the terminal: its name, how it runs, and its exit status."""

import argparse
import os
import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import anyio

from darkroom.app.context import unwrapped
from darkroom.cli.signals import on_signal
from darkroom.errors import NotConfigured
from darkroom.keys.reading import kept_names
from darkroom.providers.declared import DECLARED, names_in
from darkroom.providers.offered import NAMES
from darkroom.settings import Settings

DONE, FAILED, WRONG_USE, STILL_RUNNING = 0, 1, 2, 3
AN_ID: Any = {"metavar": "ID", "help": "its id, or so much of its beginning as no other has"}


class Command(NamedTuple):
    """One command: what it is called and does, which words it takes, and what it runs."""

    name: str
    summary: str
    take: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Settings, argparse.Namespace], Awaitable[int]]


class Commands(NamedTuple):
    """Several commands about one thing, behind its name."""

    name: str
    summary: str
    each: tuple[Command, ...]


async def run(command: Command, settings: Settings, arguments: argparse.Namespace) -> int:
    """Runs a command until it ends or a signal asks to stop, which loses nothing."""
    status = STILL_RUNNING
    with unwrapped():
        async with anyio.create_task_group() as tasks:
            await tasks.start(on_signal, tasks.cancel_scope.cancel)
            status = await command.run(settings, arguments)
            tasks.cancel_scope.cancel()
    return status


def take_provider(command: argparse.ArgumentParser, *, past: bool = False) -> None:
    """Adds `--provider`. `past`: also one that is not configured, but may have been."""
    try:
        names = [*names_in(os.environ, also=kept_names(os.environ))]
    except NotConfigured:
        names = [*DECLARED]
    choices = dict.fromkeys([*names, *(NAMES if past else ())])
    command.add_argument("--provider", choices=tuple(choices), metavar="NAME", help="as `models` lists them")


def seconds(text: str) -> float:
    """The seconds that this word says. Raises ArgumentTypeError."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) or not 0 < float(text) <= 86_400:
        raise argparse.ArgumentTypeError("a number of seconds, at most 86400")
    return float(text)
