"""Tables of what `setup` asks about."""

import sys
from collections.abc import Collection, Sequence

from darkroom.cli.commands.setup.services import Offer
from darkroom.cli.commands.tables import plain_table
from darkroom.cli.terminal import console
from darkroom.hosts.settings_file import Seen


def show_offers(offers: Sequence[Offer], kept: Collection[str]) -> None:
    """The services, and whose keys are kept already."""
    _show(("SERVICE", "", "KEY"), [(each.name, each.title, "kept" if each.name in kept else "") for each in offers])


def show_hosts(found: Sequence[Seen]) -> None:
    """The hosts that were found, with their files, and what there is of Darkroom."""
    rows = [
        (each.host.title, each.problem or ("there already" if each.entry else ""), str(each.file)) for each in found
    ]
    _show(("HOST", "DARKROOM", "SETTINGS"), rows)


def _show(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.text import Text  # noqa: PLC0415 - heavy, and nothing that serves needs it

    table = plain_table(heads=True)
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console(sys.stderr).print(table)
