"""`cost`: what the generations in the ledger cost, by day, service or model; no currency is turned into another."""

import argparse
import sys
from collections import defaultdict
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from darkroom.app.context import Part, open_app
from darkroom.cli.commands.command import DONE, Command
from darkroom.cli.commands.results import print_value
from darkroom.cli.commands.rows import day, oldest
from darkroom.cli.commands.tables import plain_table
from darkroom.cli.terminal import console
from darkroom.models import Record, moment
from darkroom.money import Money
from darkroom.redact.text import clean
from darkroom.settings import Settings

BY = ("day", "service", "model")


@dataclass
class Sum:
    """The generations of one group: how many, what they cost by unit in millionths, and how many have no price."""

    generations: int = 0
    known: defaultdict[str, int] = field(default_factory=lambda: defaultdict[str, int](int))
    estimated: defaultdict[str, int] = field(default_factory=lambda: defaultdict[str, int](int))
    unpriced: int = 0

    def add(self, record: Record, *, free: bool) -> None:
        """Counts it. `free`: whatever its service makes costs nothing."""
        self.generations += 1
        cost = record.cost
        if cost is not None:
            (self.estimated if cost.estimated else self.known)[cost.unit] += cost.money.micros
        elif not free:
            self.unpriced += 1

    def as_json(self) -> dict[str, Any]:
        """The same, amounts as decimal texts, so that nobody rounds them."""
        kinds = {"known": self.known, "estimated": self.estimated}
        sums = {kind: {unit: _amount(micros, unit) for unit, micros in found.items()} for kind, found in kinds.items()}
        return {"generations": self.generations, **sums, "without_price": self.unpriced}

    def said(self) -> str:
        """The same for people: `1.20 USD, about 0.30 USD, 2 without a price`."""
        parts = [str(Money(micros, unit)) for unit, micros in self.known.items() if micros]
        parts += [f"about {Money(micros, unit)}" for unit, micros in self.estimated.items() if micros]
        parts += [f"{self.unpriced} without a price"] if self.unpriced else []
        return ", ".join(parts) or "nothing"


def _amount(micros: int, unit: str) -> str:
    return str(Money(micros, unit)).removesuffix(f" {unit}")


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("--by", choices=BY, default="day", help="default: day")
    command.add_argument("--since", type=day, metavar="DATE", help="from this day on, as in 2026-03-31")


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    groups: defaultdict[str, Sum] = defaultdict(Sum)
    total = Sum()
    since = 0.0 if arguments.since is None else arguments.since.timestamp()
    async with open_app(settings, Part.NONE) as app, aclosing(oldest(app)) as pages:
        async for page in pages:
            for record in page:
                if record.created_at >= since:
                    free = app.desk().traits(record.request.provider).free
                    groups[_group(record, arguments.by)].add(record, free=free)
                    total.add(record, free=free)
    found = dict(sorted(groups.items()))
    value = {
        "by": arguments.by,
        "groups": [{arguments.by: name, **each.as_json()} for name, each in found.items()],
        "total": total.as_json(),
    }
    if arguments.json or not console(sys.stdout).is_terminal:
        lines = [f"{name}  {each.generations}  {each.said()}" for name, each in [*found.items(), ("total", total)]]
        print_value(value, lines, as_json=arguments.json)
    else:
        _show(arguments.by, found, total)
    return DONE


def _group(record: Record, by: str) -> str:
    match by:
        case "day":
            return f"{_local(record):%Y-%m-%d}"
        case "service":
            return record.request.provider
        case _:
            return clean(f"{record.request.provider} {record.request.model}", 100)


def _local(record: Record) -> datetime:
    return moment(record.created_at).astimezone()


def _show(by: str, found: Mapping[str, Sum], total: Sum) -> None:
    from rich.text import Text  # noqa: PLC0415 - see `console`

    table = plain_table(heads=True)
    table.add_column(by.upper(), overflow="fold")
    table.add_column("MADE", justify="right", no_wrap=True)
    table.add_column("COST", overflow="fold")
    for name, each in found.items():
        table.add_row(Text(name), str(each.generations), Text(each.said()))
    table.add_row("total", str(total.generations), Text(total.said()), style="bold")
    console(sys.stdout).print(table)


COST = Command("cost", "add up what generations cost, as far as the ledger has them", _take, _run)
