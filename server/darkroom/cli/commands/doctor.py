"""`doctor`: what keeps Darkroom from working here, and the cure of each. 0: nothing does; 1: something does."""

import argparse
import sys
from collections.abc import Collection
from contextlib import aclosing

from darkroom.cli.commands.command import DONE, FAILED, Command
from darkroom.cli.commands.results import print_result
from darkroom.cli.terminal import show
from darkroom.cli.words import for_people
from darkroom.doctor.findings import Finding, Level, Report, report
from darkroom.errors import NotConfigured
from darkroom.settings import Settings

_COLOURS: dict[Level, str] = {"ok": "green", "warning": "yellow", "failure": "bold red"}
_WIDTH = max(map(len, _COLOURS))


def _take(command: argparse.ArgumentParser) -> None:
    command.set_defaults(unread=None, blank=())


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    # All checks, which a start of another command need not import.
    from darkroom.doctor.examination import examine  # noqa: PLC0415

    unread: NotConfigured | None = arguments.unread
    blank: Collection[str] = arguments.blank
    found: list[Finding] = []
    async with aclosing(examine(settings, unread=unread, blank=blank)) as findings:
        async for each in findings:
            if not arguments.json:
                _print(each, begins=not found or found[-1].section != each.section)
            found.append(each)
    answer = report(found)
    print_result(answer, [_sum(answer)], as_json=arguments.json)
    return FAILED if answer.failures else DONE


def _print(finding: Finding, *, begins: bool) -> None:
    """Prints it, below the name of its section where that begins."""
    heading = finding.section[:1].upper() + finding.section[1:]
    cure = "" if finding.cure is None else for_people(finding.cure)
    message = for_people(finding.message)
    if sys.stdout.isatty():
        _print_in_colour(heading if begins else "", finding.level, message, cure)
        return
    lines = [heading] if begins else []
    lines += [f"  {finding.level:<{_WIDTH}}  {message}", f"  {'':<{_WIDTH}}  {cure}" if cure else ""]
    for line in filter(None, lines):
        show(sys.stdout, line)
    sys.stdout.flush()


def _print_in_colour(heading: str, level: Level, message: str, cure: str) -> None:
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(file=sys.stdout, highlight=False)
    if heading:
        console.print(Text(heading, style="bold"))
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(width=_WIDTH + 2, justify="right")
    row.add_column(overflow="fold")
    row.add_row(Text(level, style=_COLOURS[level]), Text(message))
    if cure:
        row.add_row("", Text(cure, style="dim"))
    console.print(row)


def _sum(answer: Report) -> str:
    if not answer.failures and not answer.warnings:
        return "Nothing is wrong."
    counts = ((answer.failures, "failure"), (answer.warnings, "warning"))
    return ", ".join(f"{count} {name}{'s' * (count != 1)}" for count, name in counts if count) + "."


DOCTOR = Command("doctor", "check that Darkroom works here, and say how to fix what is wrong", _take, _run)
