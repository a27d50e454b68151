"""The house at a moment, as its operator sees it: each fact is a number, a name, a code or a time."""

from datetime import datetime

from darkroom import __version__
from darkroom.app.context import Opened
from darkroom.errors import StorageError
from darkroom.models import Sparse, Stage, moment
from darkroom.redact.text import clean
from darkroom.store.survey import Failed, Look, Queue, UnderWay

TENANTS_AT_ONCE = 100
LONGEST_MODEL = 60
_STATES = {
    Stage.SUBMITTING: "being sent",
    Stage.RUNNING: "running",
    Stage.COLLECTING: "collecting",
}


class ProcessSeen(Sparse):
    """A process on this ledger: its last sign, and the unfinished generations that it drives.

    `state`: "running", "silent" where it shows nothing though it lives, or "gone" where nobody took its generations.
    """

    id: str
    state: str
    seen_s_ago: float | None
    drives: int
    this_one: bool


class QueueSeen(Sparse):
    """The queue of one key of a provider, which `account` tells from the provider's other keys."""

    provider: str
    account: str
    waiting: int
    under_way: int
    oldest_wait_s: float | None
    closed_for_s: float | None


class GenerationSeen(Sparse):
    """A generation that is under way, or one that failed. `process`: its state, where that does not run."""

    id: str
    tenant: str
    provider: str
    model: str
    state: str
    since: datetime
    code: str | None = None
    charged: str | None = None
    process: str | None = None


class TenantSeen(Sparse):
    """A tenant, its limits, and the part of each that it has used: today's by the ledger's clock."""

    name: str
    active: int | None
    submissions_today: int
    submissions_per_day: int | None
    money_today: tuple[str, ...]
    money_per_day: str | None
    stored_bytes: int
    stored_bytes_at_most: int | None


class Overview(Sparse):
    """All of it. `more_tenants_after`: the name after which the next tenants come, of `tenants_in_all`."""

    version: str
    at: datetime
    written_to: bool
    """False where the ledger could not be written to just now."""
    tenants_file_refused: bool
    """True where the tenants are those of an older file, since it cannot be used as it is now."""
    queues_are_complete: bool
    processes: tuple[ProcessSeen, ...] | None
    """None where that could not be looked up: a ledger that takes no write says of nobody whether it lives."""
    queues: tuple[QueueSeen, ...]
    under_way: tuple[GenerationSeen, ...]
    failed: tuple[GenerationSeen, ...]
    tenants: tuple[TenantSeen, ...]
    tenants_in_all: int
    more_tenants_after: str | None


async def overview(app: Opened, after: str) -> Overview:
    """The house as it is now, with the tenants whose names come after this one. Raises StorageError."""
    ledger = app.service.ledger
    look = await ledger.look()
    shares = app.service.owners.shares
    names = [name for name in sorted(shares) if name > after]
    processes = await _processes(app, look)  # before it is asked whether the ledger can be written to
    states = {each.id: each.state for each in processes or ()}
    return Overview(
        version=__version__,
        at=moment(look.at),
        written_to=ledger.trouble is None,
        tenants_file_refused=app.service.owners.outdated,
        queues_are_complete=look.all_counted,
        processes=processes,
        queues=tuple(_queue(each, look) for each in look.queues),
        under_way=tuple(_under_way(app, each, states.get(each.holder)) for each in look.under_way),
        failed=tuple(_failed(app, each) for each in look.failed),
        tenants=tuple([await _tenant(app, name, shares[name]) for name in names[:TENANTS_AT_ONCE]]),
        tenants_in_all=len(shares),
        more_tenants_after=names[TENANTS_AT_ONCE - 1] if len(names) > TENANTS_AT_ONCE else None,
    )


async def _processes(app: Opened, look: Look) -> tuple[ProcessSeen, ...] | None:
    try:
        signs = await app.service.ledger.processes()
    except StorageError:
        return None
    me, gone = app.service.holder, sorted(look.held.keys() - signs.keys())
    living = [
        ProcessSeen(
            id=name,
            state="silent" if sign.silent else "running",
            seen_s_ago=round(sign.ago_s, 1),
            drives=look.held.get(name, 0),
            this_one=name == me,
        )
        for name, sign in sorted(signs.items())
    ]
    dead = [
        ProcessSeen(id=name, state="gone", seen_s_ago=None, drives=look.held[name], this_one=False) for name in gone
    ]
    return (*living, *dead)


def _queue(queue: Queue, look: Look) -> QueueSeen:
    return QueueSeen(
        provider=queue.provider,
        account=queue.account.rpartition(":")[2][:8],
        waiting=queue.waiting,
        under_way=queue.under_way,
        oldest_wait_s=_between(queue.oldest_at, look.at),
        closed_for_s=_between(look.at, queue.closed_until),
    )


def _between(since: float | None, until: float | None) -> float | None:
    return None if since is None or until is None else max(0.0, round(until - since, 1))


def _under_way(app: Opened, row: UnderWay, process: str | None) -> GenerationSeen:
    queued = row.stage is Stage.RUNNING and row.provider_queued
    return GenerationSeen(
        id=row.id,
        tenant=row.owner,
        provider=row.provider,
        model=_model(app, row),
        state="queued at the provider" if queued else _STATES.get(row.stage, "running"),
        since=moment(row.since),
        process=None if process == "running" else process,
    )


def _failed(app: Opened, row: Failed) -> GenerationSeen:
    return GenerationSeen(
        id=row.id,
        tenant=row.owner,
        provider=row.provider,
        model=_model(app, row),
        state="failed",
        since=moment(row.at),
        code=row.code,
        charged=row.charged,
    )


def _model(app: Opened, row: UnderWay | Failed) -> str:
    """Its model's name, which some services let a caller choose freely: no link and no secret."""
    if "://" in row.model:
        return "(a link)"
    return clean(app.service.owners.redactor(row.owner)(row.model), LONGEST_MODEL)


async def _tenant(app: Opened, name: str, active: int | None) -> TenantSeen:
    owners = app.service.owners
    means = owners.found(name) or owners.local
    used = await app.service.ledger.used(name, means.registry.free)
    budget = means.budget
    return TenantSeen(
        name=name,
        active=active,
        submissions_today=used.submissions,
        submissions_per_day=budget and budget.generations,
        money_today=tuple(sorted(map(str, used.money))),
        money_per_day=str(budget.money) if budget and budget.money else None,
        stored_bytes=used.stored,
        stored_bytes_at_most=means.stored,
    )
