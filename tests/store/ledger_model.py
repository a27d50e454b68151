"""What a ledger ought to hold and what may be sent, kept in plain Python beside the real one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from darkroom.accounts import Limits, Window
from darkroom.models import TERMINAL, Charged, Failure, GenerationRequest, Image, ImageStatus, Record, Stage
from darkroom.money import Money
from darkroom.store.ledger import Ledger, Room
from darkroom.store.signs import Life
from tests.ledgers import Seen
from tests.store.callers import Callers

LIMITS = {
    "alpha": Limits(submit=(Window(2, 10.0), Window(3, 40.0)), requests=(Window(10, 60.0),)),
    "beta": Limits(active=1, submit=(Window(1, 5.0),)),
}
ACCOUNTS = {"alpha": "key of alpha", "beta": "key of beta"}
LOST = Failure(code="outcome_unknown", message="Nobody knows.", charged=Charged.MAYBE, next_step="Look.")
REFUSED = Failure(code="moderated", message="Refused.", charged=Charged.NO, next_step="Reword.")
FAILED_IMAGE = Image(index=2, status=ImageStatus.FAILED, error=REFUSED)
SAVED = (Image(index=1, status=ImageStatus.SUCCEEDED), Image(index=2, status=ImageStatus.SUCCEEDED))
ENDS: Mapping[Stage, tuple[Image, ...]] = {
    Stage.SUCCEEDED: SAVED,
    Stage.PARTIAL: (SAVED[0], FAILED_IMAGE),
    Stage.FAILED: (FAILED_IMAGE.model_copy(update={"index": 1}), FAILED_IMAGE),
}
ACTIVE = frozenset({Stage.SUBMITTING, Stage.RUNNING})
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where thousands of synced writes are quick: a file system in memory, where there is one."""


class Said(StrEnum):
    """How a POST may end."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    TOO_SOON = "too soon"
    UNREACHABLE = "unreachable"
    UNSENT = "unsent"
    """It was never sent: the word of its claim was lost."""
    LOST = "lost"


UNCOUNTED = frozenset({Said.UNREACHABLE, Said.UNSENT})
"""What never reached the provider."""


@dataclass(eq=False)
class Process:
    """One holder, with a connection of its own; a dead one's writes may still be on their way."""

    name: str
    ledger: Ledger
    seen: Seen

    @property
    def life(self) -> Life:
        return self.seen.life(self.name)

    @life.setter
    def life(self, life: Life) -> None:
        self.seen.lives[self.name] = life


@dataclass(eq=False)
class Post:
    """A permit that the gate gave: the one POST that its process may send."""

    process: Process
    record: Record
    at: float
    said: Said | None = None
    over_at: float = float("inf")
    """When its answer came, or its row was taken from a dead process; the provider has it by then, or never."""

    @property
    def taken_back(self) -> bool:
        """Whether the provider certainly has no job of it."""
        return self.said in {Said.TOO_SOON, *UNCOUNTED}

    def back(self, refused_since: float | None) -> dict[str, Any]:
        """What a claim that is taken back leaves of its row; a claim that was never sent leaves no more."""
        waiting = {"stage": Stage.ACCEPTED, "submit_token": None, "submitted_at": None}
        return waiting if self.said is Said.UNSENT else {**waiting, "refused_since": refused_since}


picks = st.integers(0, 11)
ages = st.sampled_from([0, 0, 0, 1, 2, 5])
"""How many states ago a process last read the row that it writes to."""
providers = st.sampled_from(["alpha", "beta"])
prompts = st.sampled_from(["fox", "owl"])
keys = st.none() | st.sampled_from(["mine", "yours", "his", "hers", "ours", "theirs"])
PRICES: Mapping[str, int | None] = {"fox": 300_000, "owl": None}
"""What alpha asks for a prompt, in millionths of a dollar."""
FIGURE = {"cost_micros": 450_000, "cost_unit": "USD", "cost_estimated": False}
"""What it says of one that it has taken."""
budgets = (
    st.none() | st.integers(0, 6) | st.sampled_from([Money(1_200_000, "USD"), Money(200_000, "USD"), Money(9, "EUR")])
)
"""How many generations a budget allows, or how much money."""
answers = st.sampled_from([Said.ACCEPTED, *Said])
seconds = st.sampled_from([0.1, 1.0, 4.9, 5.3, 9.9, 10.3, 30.0, 40.0])


@dataclass
class Model:
    """The rows as they must be, in order of acceptance, and what the providers saw.

    `now` passes as time does; the ledger is told `now - behind`, the time of a clock that is sometimes set back.
    """

    callers: Callers
    rows: dict[str, Record] = field(default_factory=dict[str, Record])
    history: dict[str, list[Record]] = field(default_factory=dict[str, list[Record]])
    posts: list[Post] = field(default_factory=list[Post])
    polls: list[tuple[str, float, int]] = field(default_factory=list[tuple[str, float, int]])
    names: dict[str, str] = field(default_factory=dict[str, str])
    closed: dict[str, float] = field(default_factory=dict[str, float])
    revived: set[str] = field(default_factory=set[str])
    now: float = datetime(2026, 3, 7, 23, 59).timestamp()
    behind: float = 0.0

    @property
    def clock(self) -> float:
        return self.now - self.behind

    def put(self, record: Record) -> None:
        """This is how the row must look from now on."""
        self.rows[record.id] = record
        self.history.setdefault(record.id, []).append(record)

    def remembered(self, pick: int, age: int, *stages: Stage) -> Record | None:
        """Some generation as it was when a process last read it, if that was in one of these stages."""
        versions = list(self.history.values())[pick % len(self.rows)]
        record = versions[max(len(versions) - 1 - age, 0)]
        return record if not stages or record.stage in stages else None

    def changes(self, record: Record, changes: Mapping[str, Any], stages: Collection[Stage]) -> Record | None:
        """What `Ledger.change` must answer: the new row, or None where somebody else has it or it went on."""
        row = self.rows[record.id]
        if row.holder != record.holder or row.stage not in stages:
            return None
        if record.stage is Stage.SUBMITTING and record.submit_token != row.submit_token:
            return None
        if changes.get("stage") is Stage.RUNNING and row.stage is Stage.SUBMITTING:
            changes = {**changes, "submitted_at": self.clock}
        if changes.get("stage", row.stage).terminal and not row.stage.terminal:
            changes = {**changes, "finished_at": max(row.created_at, self.clock)}
        self.put(row.model_copy(update=changes))
        return self.rows[record.id]

    def cancel(self, name: str) -> Record:
        """What `Ledger.cancel` must answer: at once where it waits, remembered while its POST is under way."""
        row = self.rows[name]
        if row.stage in {Stage.ACCEPTED, Stage.SUBMITTING}:
            self.put(row.model_copy(update={"cancel_wished": True}))
        return self.as_wished(name)

    def as_wished(self, name: str) -> Record:
        """The row, cancelled if it waits though that was wished."""
        row = self.rows[name]
        if row.stage is Stage.ACCEPTED and row.cancel_wished:
            ended = {"stage": Stage.CANCELLED, "finished_at": max(row.created_at, self.clock)}
            self.put(row.model_copy(update=ended))
        return self.rows[name]

    def put_back(self, post: Post, refused_since: float | None) -> Record | None:
        """What `Ledger.unsend` and `Ledger.unclaim` must answer."""
        changed = self.changes(post.record, post.back(refused_since), (Stage.SUBMITTING,))
        return changed and self.as_wished(changed.id)

    def late(self, record: Record, job_id: str) -> Record | None:
        """What `Ledger.record_late` must answer."""
        row = self.rows[record.id]
        if row.submit_token != record.submit_token or row.job_id is not None:
            return None
        assert row.stage is Stage.SUBMITTING or row.failure == LOST
        self.revived.add(row.id)
        self.put(
            row.model_copy(update={"stage": Stage.RUNNING, "job_id": job_id, "failure": None, "finished_at": None})
        )
        return self.rows[record.id]

    def waiting(self, account: str) -> list[str]:
        """The accepted rows of this account, oldest first."""
        return [row.id for row in self.rows.values() if row.account == account and row.stage is Stage.ACCEPTED]

    def active(self, account: str) -> set[str]:
        """The rows that the account's provider works on, or may."""
        return {row.id for row in self.rows.values() if row.account == account and row.stage in ACTIVE}

    def room(self, limit: int | Money | None) -> Room | None:
        """A budget, for which beta is free."""
        if isinstance(limit, Money):
            return Room(money=limit, free=("beta",))
        return None if limit is None else Room(limit, free=("beta",))

    def has(self, room: Room | None, call: Record) -> bool:
        """Whether a new row is within the budget of the day."""
        paid = [row for row in self.rows.values() if row.request.provider != "beta" and perhaps_paid(row)]
        today = date.fromtimestamp(self.clock)
        begun = [row for row in paid if date.fromtimestamp(row.created_at) == today]
        if room is not None and room.money is not None:
            spent = sum(row.cost_micros or 0 for row in begun if row.cost_unit == room.money.unit)
            return call.cost_unit == room.money.unit and spent + (call.cost_micros or 0) <= room.money.micros
        return room is None or room.limit is None or len(begun) < room.limit

    def gone(self, dead: Process) -> None:
        """What a dead process sent has arrived by now, or never will."""
        for post in self.posts:
            if post.process is dead:
                post.over_at = min(post.over_at, self.now)

    def permit(self, post: Post) -> None:
        """Checks that this POST breaks no promise to the provider, then counts it."""
        record, account = post.record, post.record.account
        limits = LIMITS[record.request.provider]
        for earlier in self.posts:
            assert earlier.record.submit_token != record.submit_token
            assert earlier.record.id != record.id or earlier.taken_back, "a second POST for one generation"
        assert self.clock >= self.closed.get(account, 0.0), "the provider said: later"
        assert limits.active is None or len(self.active(account)) < limits.active, "too many at a time"
        self.posts.append(post)
        for window in limits.submit:
            reached = [p for p in self.posts if p.record.account == account and p.said not in UNCOUNTED]
            # Each may have arrived as late as that, and this one may arrive at once.
            recent = [p for p in reached if min(p.over_at, self.now) > self.now - window.seconds]
            assert len(recent) <= window.limit, f"{len(recent)} submissions within {window}"
        self.check_requests(account, limits)

    def check_requests(self, account: str, limits: Limits) -> None:
        """Every submission and every poll that was granted is a request."""
        for window in limits.requests:
            since = self.now - window.seconds
            used = sum(count for whose, at, count in self.polls if whose == account and at > since)
            used += sum(post.record.account == account and post.at > since for post in self.posts)
            assert used <= window.limit, f"{used} requests within {window}"


def asked(name: str, provider: str, prompt: str, key: str | None, holder: str, now: float) -> Record:
    """What a process commits for a call of `generate`."""
    price = PRICES[prompt] if provider == "alpha" else None
    return Record(
        id=name,
        owner="local",
        request=GenerationRequest(provider=provider, prompt=prompt, model="m", count=2),
        account=ACCOUNTS[provider],
        stage=Stage.ACCEPTED,
        created_at=now,
        request_key=key,
        holder=holder,
        answering=holder,
        cost_micros=price,
        cost_unit=None if price is None else "USD",
    )


def perhaps_paid(row: Record) -> bool:
    """Whether its provider may have charged for it, or may yet."""
    return row.stage is not Stage.CANCELLED and (row.failure is None or row.failure.charged is not Charged.NO)


def may_follow(before: Record, after: Record) -> bool:
    """Whether a row may have gone from one to the other, however many steps that took."""
    if before.stage not in TERMINAL or before.stage is after.stage:
        return True
    if before.stage is Stage.FAILED and before.failure == LOST and before.job_id is None:
        return after.stage is Stage.RUNNING and after.job_id is not None
    collected = before.stage in {Stage.PARTIAL, Stage.FAILED} and before.job_id is not None
    return collected and after.stage in {Stage.PARTIAL, Stage.SUCCEEDED}
