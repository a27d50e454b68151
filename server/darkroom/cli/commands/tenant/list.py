"""`tenant list`: the tenants of a file, with their limits and the names of their variables."""

import argparse
from typing import Any

from darkroom.cli.commands.command import DONE, Command
from darkroom.cli.commands.results import print_value
from darkroom.cli.commands.tenant.add import THE_FILE
from darkroom.settings import Settings
from darkroom.tenants import Tenant, Tenants


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("--file", **THE_FILE)


async def _run(_: Settings, arguments: argparse.Namespace) -> int:
    tenants = [_described(tenant) for tenant in Tenants.read(arguments.file).all]
    print_value({"tenants": tenants}, [_line(each) for each in tenants] or ["No tenants."], as_json=arguments.json)
    return DONE


def _described(tenant: Tenant) -> dict[str, Any]:
    budget = tenant.budget
    return {
        "name": tenant.name,
        "tokens": len(tenant.tokens),
        "subjects": list(tenant.subjects),
        "keys": sorted(tenant.keys),
        "active": tenant.active,
        "submissions_per_day": budget.generations if budget else None,
        "money_per_day": str(budget.money) if budget and budget.money else None,
        "stored_mb": tenant.stored_mb,
    }


def _line(tenant: dict[str, Any]) -> str:
    limits = [f"{name} {tenant[name]}" for name in ("active", "submissions_per_day", "money_per_day", "stored_mb")]
    known = [each for each in limits if not each.endswith(" None")]
    keys = ", ".join(tenant["keys"]) or "no keys"
    tokens = f"{tenant['tokens']} token{'s' * (tenant['tokens'] != 1)}"
    return f"{tenant['name']}  {tokens}  {keys}  {', '.join(known) or 'no limits'}"


LIST = Command("list", "the tenants of a file", _take, _run)
