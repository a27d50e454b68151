"""`tenant audit [NAME]`: who spent what, oldest first, out of the ledger: a line for each generation."""

import argparse
from typing import Any

from darkroom.app.context import Part, open_app
from darkroom.cli.commands.command import DONE, Command
from darkroom.cli.commands.results import print_value
from darkroom.models import Record, moment
from darkroom.settings import Settings

PAGE = 500


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", nargs="?", help="this tenant alone; `local` is the server's own user")


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    found: list[dict[str, Any]] = []
    async with open_app(settings, Part.NONE) as app:
        reached, records = 0, None
        while records != ():
            records, reached = await app.service.ledger.oldest(arguments.name, after=reached, limit=PAGE)
            found += map(_entry, records)
    print_value({"generations": found}, [_line(each) for each in found] or ["Nothing yet."], as_json=arguments.json)
    return DONE


def _entry(record: Record) -> dict[str, Any]:
    """The facts that are reported: neither its prompt nor its pictures."""
    cost = record.cost
    return {
        "owner": record.owner,
        "id": record.id,
        "created_at": moment(record.created_at).isoformat(timespec="seconds"),
        "provider": record.request.provider,
        "model": record.request.model,
        "count": record.request.count,
        "outcome": record.stage.value,
        "cost": None if cost is None else cost.model_dump(mode="json"),
    }


def _line(entry: dict[str, Any]) -> str:
    cost = entry["cost"]
    paid = "-" if cost is None else f"{'about ' if cost['estimated'] else ''}{cost['amount']:g} {cost['unit']}"
    what = f"{entry['provider']} {entry['model']} × {entry['count']}"
    return f"{entry['created_at']}  {entry['owner']}  {entry['id']}  {what}  {entry['outcome']}  {paid}"


AUDIT = Command("audit", "who spent what, from the ledger", _take, _run)
