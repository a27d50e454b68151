"""Processes on one real ledger: they start, die, stop and run again, and others go on with what they left."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from darkroom.models import Answered, Record, Stage
from darkroom.store.signs import Life
from tests.store.callers import Callers
from tests.store.ledger_files import Ledgers
from tests.store.ledger_model import ACCOUNTS, LOST, Model, Process, picks


class ProcessesMachine(RuleBasedStateMachine):
    """The rules of life and death, on the ledger that the factory makes over this clock."""

    def __init__(self, ledgers_under: Callable[[Callable[[], float]], Ledgers]) -> None:
        super().__init__()
        self.ledgers = ledgers_under(lambda: self.model.clock)
        self.model = Model(Callers(lambda name: self.ledgers.seen.life(name) is Life.RUNNING))
        self.processes: list[Process] = []
        self.seen: dict[str, Record] = {}
        self.count = 0
        self.observer = self.ledgers.connect()
        for _ in range(2):
            self.a_process_starts()

    def teardown(self) -> None:
        assert self.ledgers.close() == "ok"

    def fresh(self, what: str) -> str:
        self.count += 1
        return f"{what}-{self.count}"

    def having(self, *lives: Life) -> list[Process]:
        return [process for process in self.processes if process.life in lives]

    def running(self, pick: int) -> Process:
        running = self.having(Life.RUNNING)
        return running[pick % len(running)]

    @precondition(lambda self: len(self.having(Life.RUNNING, Life.SILENT)) < 4)
    @rule()
    def a_process_starts(self) -> None:
        self.processes.append(Process(self.fresh("process"), self.ledgers.connect(), self.ledgers.seen))

    @precondition(lambda self: len(self.having(Life.RUNNING)) > 1)
    @rule(pick=picks, which=picks, life=st.sampled_from([Life.DEAD, Life.SILENT]), succeeded=st.booleans())
    def a_process_runs_no_more(self, pick: int, which: int, life: Life, succeeded: bool) -> None:
        """Rather in the middle of a POST than not."""
        posting = [post.process for post in self.model.posts if post.said is None and post.process.life is Life.RUNNING]
        (posting[pick % len(posting)] if posting else self.running(pick)).life = life
        if succeeded:
            self.others_go_on(pick, ("alpha", "beta"))

    @precondition(lambda self: self.having(Life.SILENT))
    @rule(pick=picks)
    def a_stopped_process_runs_again(self, pick: int) -> None:
        stopped = self.having(Life.SILENT)
        stopped[pick % len(stopped)].life = Life.RUNNING

    @rule(pick=picks, known=st.sampled_from([("alpha", "beta"), ("alpha", "beta"), ("alpha",), ()]))
    def others_go_on(self, pick: int, known: tuple[str, ...]) -> None:
        heir, now = self.running(pick), self.model.clock
        accounts = {"local": {provider: ACCOUNTS[provider] for provider in known}}
        others = self.ledgers.ask(heir.ledger.others, heir.name, known)
        adopted = self.ledgers.ask(heir.ledger.adopt, others, heir.name, accounts, lost=LOST)
        due: set[str] = set()
        for row in list(self.model.rows.values()):
            holder = self.named(row.holder)
            changes: dict[str, Any] = {}
            if row.stage is Stage.SUBMITTING and holder.life is Life.DEAD:
                changes = {"stage": Stage.FAILED, "failure": LOST, "finished_at": max(row.created_at, now)}
            elif row.stage in self.INHERITED[holder.life] and row.request.provider in known:
                changes = {"holder": heir.name, "trouble": None}
                due.add(row.id)
            self.model.put(row.model_copy(update=changes))
        for dead in self.having(Life.DEAD):
            self.model.gone(dead)
        assert {record.id: bare(record) for record in adopted} == {name: bare(self.model.rows[name]) for name in due}

    INHERITED: Mapping[Life, Collection[Stage]] = {
        Life.RUNNING: (),
        Life.SILENT: (Stage.RUNNING, Stage.COLLECTING),
        Life.DEAD: (Stage.ACCEPTED, Stage.RUNNING, Stage.COLLECTING),
    }

    def named(self, name: str) -> Process:
        return next(process for process in self.processes if process.name == name)


# What the ledger notes of answers and of providers that take nothing: what callers are given, and when, is what counts.
_NOTES: dict[str, Any] = {
    "answered": Answered.PENDING, "answering": None, "turn": 1, "refused_since": None, "limited_since": None,
    "refusals": 0,
}  # fmt: skip


def bare(row: Record | None) -> Record | None:
    """The row without the ledger's own notes."""
    return row and row.model_copy(update=_NOTES)
