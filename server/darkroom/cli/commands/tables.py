"""Generations in a table as wide as the terminal: the narrower it is, the fewer columns."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from darkroom.cli.terminal import spelled
from darkroom.cli.times import ago, short_time
from darkroom.models import Status
from darkroom.redact.text import clean
from darkroom.views import Generation

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

SHORT_ID = 8
"""So many characters behind the `gen_` of an id tell it from the others of any one user."""
SHOWN_PROMPT = 300
GAP = 2
WORDS_FROM = 50
"""Columns of a terminal that has room for a status in words beside its mark."""
MARKS = {
    Status.QUEUED: ("○", ".", "yellow"),
    Status.PROCESSING: ("◐", "~", "cyan"),
    Status.SUCCEEDED: ("✓", "+", "green"),
    Status.PARTIAL: ("◒", "-", "yellow"),
    Status.FAILED: ("✗", "x", "red"),
    Status.CANCELLED: ("⊘", "/", "bright_black"),
}
"""The mark of each status, the same where an encoding has no such character, and its colour."""


class _Column(NamedTuple):
    """A column of a list: its head, the least width of a terminal that has it, and its style."""

    head: str
    least: int
    style: str = ""


_AT, _AGE, _PROVIDER, _COST = (
    _Column("CREATED", 64, "bright_black"),
    _Column("AGE", 36, "bright_black"),
    _Column("PROVIDER", 72),
    _Column("COST", 90),
)


def _cells(each: Generation, now: datetime) -> dict[_Column, str]:
    """Those that depend on the width."""
    return {
        _AT: short_time(each.created_at, now),
        _AGE: ago((now - each.created_at).total_seconds()),
        _PROVIDER: clean(each.provider, 40),
        _COST: "" if each.cost is None else str(each.cost),
    }


def short(generation: Generation) -> str:
    """So much of its id as tells it from the others, and every command takes."""
    return generation.id.removeprefix("gen_")[:SHORT_ID]


def marked(status: Status, console: "Console", *, words: bool = True) -> "Text":
    """The status by its mark and its colour, and in a word."""
    from rich.text import Text  # noqa: PLC0415 - see `console`

    mark, plain, colour = MARKS[status]
    mark = mark if spelled(mark, console.encoding) == mark else plain
    return Text(f"{mark} {status}" if words else mark, colour)


def listed(generations: Sequence[Generation], console: "Console", now: datetime, *, heads: bool = True) -> "Table":
    """These (at least one), a line each. `heads`: with the names of the columns, where there is room."""
    from rich.text import Text  # noqa: PLC0415

    whole = spelled("…", console.encoding) == "…"
    found = [_cells(each, now) for each in generations]
    shown = [column for column in found[0] if console.width >= column.least and any(each[column] for each in found)]
    wide = console.width >= WORDS_FROM
    table = plain_table(heads=heads and wide)
    names = ("ID", "STATUS" if wide else "", *(column.head for column in shown))
    cells = [
        (
            Text(short(each), "bold"),
            marked(each.status, console, words=wide),
            *(Text(others[column], column.style) for column in shown),
        )
        for each, others in zip(generations, found, strict=True)
    ]
    room = console.width
    for name, *column in zip(names, *cells, strict=True):
        widest = max(len(name) if table.show_header else 0, *(cell.cell_len for cell in column))
        table.add_column(name, no_wrap=True, width=widest)
        room -= widest + GAP
    # Only the prompt gives way where there is little room.
    table.add_column("PROMPT", no_wrap=True, max_width=max(room, 1), overflow="ellipsis" if whole else "crop")
    for each, row in zip(generations, cells, strict=True):
        table.add_row(*row, Text(spelled(clean(each.prompt, SHOWN_PROMPT), console.encoding)))
    return table


def plain_table(*, heads: bool) -> "Table":
    """A table without lines, for those who read it aloud or copy from it."""
    from rich.table import Table  # noqa: PLC0415

    return Table(box=None, show_header=heads, header_style="bright_black", pad_edge=False, padding=(0, GAP, 0, 0))
