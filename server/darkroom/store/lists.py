"""Lists and counts of many rows at once; each question has an index that serves it without reading the others."""

import json
import unicodedata
from collections.abc import Collection, Sequence

from darkroom.models import Record, Stage, Status
from darkroom.store import rows
from darkroom.store.connection import Connection
from darkroom.store.ledger import Page, Stretch, Unfinished

# The indexes' own words, so that they are used.
UNFINISHED = "stage IN ('accepted', 'submitting', 'running', 'collecting')"
MOST_LOOSE = 1000
_RUNS = "stage = 'running'"
_BY_STATUS = {
    Status.QUEUED: f"{UNFINISHED} AND (stage IN ('accepted', 'submitting') OR {_RUNS} AND provider_queued <> 0)",
    Status.PROCESSING: f"{UNFINISHED} AND (stage = 'collecting' OR {_RUNS} AND provider_queued = 0)",
}
# As many characters of an id (`gen_` and three that are random) begin few ids of a million.
_TELLING_PREFIX = 7
MOST_SEARCHED = 50_000
"""Prompts that one search reads; its cursor goes on behind them."""
_SEARCHED_AT_ONCE = 1000
SHOWN_TROUBLES = 3


def page(
    db: Connection,
    owner: str,
    *,
    status: Status | None,
    provider: str | None,
    limit: int,
    before: str | None,
    words: Sequence[str] = (),
    favourites: bool = False,
) -> Page:
    """See `Ledger.page`."""
    where: list[str] = ["owner = ?"]
    values: list[str | int] = [owner]
    if status is not None:
        where.append(_BY_STATUS.get(status, f"stage = '{status.value}'"))
    if provider is not None:
        # Few are not over yet, but they may be a provider's oldest: its own index would lead through all of its rows.
        where.append("provider || '' = ?" if status in _BY_STATUS else "provider = ?")
        values.append(provider)
    if favourites:
        where.append("favourites <> 0")
    if before is not None:
        where.append("seq < (SELECT seq FROM generations WHERE id = ? AND owner = ?)")
        values += [before, owner]
    if words:
        return _searched(db, " AND ".join(where), values, words, limit)
    sql = f"{rows.SELECT} WHERE {' AND '.join(where)} ORDER BY seq DESC LIMIT ?"
    found = [rows.from_row(row) for row in db.execute(sql, (*values, limit + 1))]
    # Not the row's number, which would say how many generations there are of all owners together.
    return Page(tuple(found[:limit]), found[limit - 1].id if len(found) > limit else None)


def _searched(db: Connection, where: str, values: Sequence[str | int], words: Sequence[str], limit: int) -> Page:
    """Reads prompts here, since the two databases fold the case of few letters, and not of the same ones."""
    sql = f"SELECT id, seq, request ->> 'prompt' FROM generations WHERE {where} AND seq < ? ORDER BY seq DESC LIMIT ?"
    sought = [_folded(word) for word in words]
    found: list[str] = []
    read, last, behind = 0, None, 2**62
    while read < MOST_SEARCHED and len(found) <= limit:
        some = db.execute(sql, (*values, behind, _SEARCHED_AT_ONCE)).fetchall()
        found += [each for each, _, prompt in some if all(word in _folded(prompt) for word in sought)]
        read += len(some)
        if len(some) < _SEARCHED_AT_ONCE:
            last = None
            break
        last, behind, _ = some[-1]
    shown = found[:limit]
    records = {each.id: each for each in rows.select_all(db, rows.among(shown), tuple(shown))}
    return Page(tuple(records[each] for each in shown), shown[-1] if len(found) > limit else last)


def _folded(text: str) -> str:
    """The text as a search compares it: whatever case its letters have, in any script."""
    return unicodedata.normalize("NFKC", text).casefold()


def providers(db: Connection, owner: str) -> list[str]:
    """See `Ledger.providers`."""
    sql = "SELECT min(provider) FROM generations WHERE owner = ? AND provider > ?"  # from one to the next, by the index
    found = [""]
    while (after := db.execute(sql, (owner, found[-1])).fetchall()[0][0]) is not None:
        found.append(after)
    return found[1:]


def ids(db: Connection, owner: str, prefix: str, limit: int) -> list[str]:
    """See `Ledger.ids`."""
    if "gen_".startswith(prefix[:4]) and len(prefix) < _TELLING_PREFIX:
        where = "owner = ? AND substr(id, 1, ?) = ?"
        values: tuple[str | int, ...] = (owner, len(prefix), prefix, limit)
    else:
        where = "owner || '' = ? AND id >= ? AND id < ?"
        values = (owner, prefix, f"{prefix}\U0010ffff", limit)
    sql = f"SELECT id FROM generations WHERE {where} ORDER BY seq DESC LIMIT ?"
    return [found for (found,) in db.execute(sql, values)]


def oldest(db: Connection, owner: str | None, after: int, limit: int) -> Stretch:
    """See `Ledger.oldest`."""
    where, values = ("", ()) if owner is None else ("owner = ? AND ", (owner,))
    sql = f"SELECT seq, {', '.join(rows.COLUMNS)} FROM generations WHERE {where}seq > ? ORDER BY seq LIMIT ?"
    found = db.execute(sql, (*values, after, limit)).fetchall()
    return Stretch(tuple(rows.from_row(row[1:]) for row in found), found[-1][0] if found else after)


def unfinished(db: Connection) -> Unfinished:
    """See `Ledger.unfinished`."""
    counted = db.execute(f"SELECT stage, count(*) FROM generations WHERE {UNFINISHED} GROUP BY stage").fetchall()
    troubled = db.execute(
        f"SELECT id, trouble FROM generations WHERE {UNFINISHED} AND trouble IS NOT NULL ORDER BY seq LIMIT ?",
        (SHOWN_TROUBLES,),
    ).fetchall()
    return Unfinished({Stage(stage): count for stage, count in counted}, dict(troubled))


def unsent(db: Connection, ids: Collection[str]) -> frozenset[str]:
    """Those of these rows that are or may still be sent."""
    some = "id IN (SELECT value FROM json_each(?))"
    sql = f"SELECT id FROM generations WHERE {some} AND stage IN ('accepted', 'submitting')"
    return frozenset(generation_id for (generation_id,) in db.execute(sql, (json.dumps(list(ids)),)))


def held(db: Connection, holder: str, driven: Collection[str]) -> tuple[frozenset[str], list[Record]]:
    """See `Processes.held`."""
    sql = f"SELECT id, stage, account, owner FROM generations WHERE holder = ? AND {UNFINISHED} ORDER BY seq"
    found, loose, queues = db.execute(sql, (holder,)).fetchall(), list[str](), set[tuple[str, str]]()
    for name, stage, *queue in found:
        if name not in driven and (stage != "accepted" or tuple(queue) not in queues):
            loose.append(name)
            queues |= {tuple(queue)} if stage == "accepted" else set()
    records = rows.select_all(db, rows.among(loose[:MOST_LOOSE]), tuple(loose[:MOST_LOOSE])) if loose else []
    return frozenset(name for name, *_ in found), records
