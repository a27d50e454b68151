"""Many processes on one real ledger, in any order of events that hypothesis thinks of, against a model of it."""

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from darkroom.models import Answered, Receipt, Record, Stage
from darkroom.money import Money
from darkroom.store.signs import Life
from darkroom.store.turns import Later
from tests.ledgers import sqlite
from tests.services.postgres import Cluster
from tests.store.ledger_files import PostgresLedgers, SqliteLedgers
from tests.store.ledger_model import (
    ACCOUNTS,
    ENDS,
    FIGURE,
    LIMITS,
    LOST,
    MEMORY,
    REFUSED,
    Post,
    Process,
    Said,
    ages,
    answers,
    asked,
    budgets,
    keys,
    may_follow,
    perhaps_paid,
    picks,
    prompts,
    providers,
    seconds,
)
from tests.store.processes_machine import ProcessesMachine, bare


class LedgerMachine(ProcessesMachine):
    """Each rule does one thing to the ledger and says what it must answer; the invariants compare every row."""

    def write(
        self, process: Process, record: Record, changes: Mapping[str, Any], stages: Collection[Stage] | None = None
    ) -> Record | None:
        due = self.model.changes(record, changes, (record.stage,) if stages is None else stages)
        assert bare(self.ledgers.ask(process.ledger.change, record, changes, stages=stages)) == bare(due)
        return due

    @initialize(calls=st.lists(st.tuples(picks, providers, prompts, keys), min_size=4, max_size=8))
    def some_callers_asked(self, calls: list[tuple[int, str, str, str | None]]) -> None:
        for pick, provider, prompt, key in calls:
            self.a_caller_asks(pick, provider, prompt, key)

    @rule(pick=picks, provider=providers, prompt=prompts, key=keys, limit=budgets)
    def a_caller_asks(
        self, pick: int, provider: str, prompt: str, key: str | None, limit: int | Money | None = None
    ) -> None:
        process, model = self.running(pick), self.model
        call, room = asked(self.fresh("gen"), provider, prompt, key, process.name, model.clock), model.room(limit)
        owed = model.callers.owed(call, model.rows.values(), perhaps_paid)
        given = self.ledgers.begin(process.ledger, call, room)
        name = given.id if given else ""
        if key in model.names:
            assert name == model.names[key], "one request key, two generations"
        elif owed:
            assert name in owed, "paid for again, or another caller was robbed"
            row = model.rows[name]
            model.put(row.model_copy(update={"request_key": key or row.request_key}))
        elif model.has(room, call):
            assert given == call, "given what another call has, or may still be answered with"
            model.put(call)
        else:
            assert given is None, "more than the budget"
        model.names |= {key: name} if key and name else {}
        if given and given.request == call.request and (given == call or model.callers.unanswered(name)):
            model.callers.ask(process.name, given)

    @precondition(lambda self: self.model.callers.calls)
    @rule(pick=picks, which=picks, answered=st.booleans(), key=keys)
    def it_turns_out_what_became_of_an_answer(self, pick: int, which: int, answered: bool, key: str | None) -> None:
        """Also of one that somebody else owes by now. A caller that lost its answer asks again."""
        calls = [call for call in reversed(self.model.callers.calls) if call.answered is None]
        if not calls or (process := self.named(calls[which % len(calls)].process)).life is Life.DEAD:
            return
        call, process.life = calls[which % len(calls)], Life.RUNNING
        call.answered = answered
        record = call.given
        self.ledgers.ask(process.ledger.answer, record, Answered.DELIVERED if answered else Answered.LOST)
        if not answered:
            self.a_caller_asks(pick, record.request.provider, record.request.prompt, key)

    @rule(pick=picks, provider=providers, patient=st.booleans(), mine=st.none() | st.sets(picks, max_size=3))
    def a_process_claims(self, pick: int, provider: str, patient: bool, mine: set[int] | None) -> None:
        """A server, or a command, which may only send what is its own."""
        rows = list(self.model.rows)
        self.claim(pick, provider, patient, None if mine is None else {rows[i] for i in mine if i < len(rows)})

    def claim(self, pick: int, provider: str, patient: bool, only: set[str] | None = None) -> Post | None:
        """A patient one comes again when it was told to."""
        account, token, now, limits = ACCOUNTS[provider], self.fresh("token"), self.model.clock, LIMITS[provider]
        process = self.running(pick)
        awaited = [
            name
            for name in self.model.waiting(account)
            if only is None or name in only or self.named(self.model.rows[name].holder).life is Life.RUNNING
        ]
        claimed = self.ledgers.ask(
            process.ledger.claim_next, account, limits, holder=process.name, token=token, only=only
        )
        assert (claimed is None) is (not awaited), "it waits for nobody, or passed over somebody"
        if claimed is None:
            return None
        if isinstance(claimed, Later):
            assert claimed.in_s > 0.0
            self.time_passes(claimed.in_s if patient else 0.0)
            return self.claim(pick, provider, patient=False, only=only) if patient else None
        assert claimed.id == awaited[0], "out of turn"
        assert only is None or claimed.id in only, "sent by a command that was not asked to"
        assert self.ledgers.ask(self.observer.newest, [claimed.id]) == [claimed], "a POST without a committed row"
        sent = {"stage": Stage.SUBMITTING, "holder": process.name, "submit_token": token, "submitted_at": now}
        post = Post(process, claimed, self.model.now)
        self.model.permit(post)
        self.model.put(self.model.rows[claimed.id].model_copy(update=sent))
        assert bare(claimed) == bare(self.model.rows[claimed.id])
        return post

    @rule(pick=picks, provider=providers, prompt=prompts, said=st.none() | answers, wait=seconds)
    def a_generation_is_sent(self, pick: int, provider: str, prompt: str, said: Said | None, wait: float) -> None:
        if not self.model.waiting(ACCOUNTS[provider]):
            self.a_caller_asks(pick, provider, prompt, None)
        post = self.claim(pick, provider, patient=True)
        if post and said:
            self.end(post, said, wait)

    @precondition(lambda self: any(post.said is None for post in self.model.posts))
    @rule(pick=picks, said=answers, wait=seconds)
    def a_post_ends(self, pick: int, said: Said, wait: float) -> None:
        """Its process may be dead by then, and may or may not have been succeeded."""
        under_way = [post for post in self.model.posts if post.said is None]
        self.end(under_way[pick % len(under_way)], said, wait)

    def end(self, post: Post, said: Said, wait: float) -> None:
        post.said, post.over_at = said, min(post.over_at, self.model.now)
        if post.process.life is Life.SILENT:
            post.process.life = Life.RUNNING  # else it could not tell
        if post.taken_back:
            written = self.unsend(post, wait)
        elif said is Said.ACCEPTED:
            job_id = self.fresh("job")
            running = {"stage": Stage.RUNNING, "job_id": job_id, **FIGURE}
            if (written := self.write(post.process, post.record, running)) is None:
                self.write_late(post, job_id)
        else:
            end = {"stage": Stage.FAILED, "failure": LOST if said is Said.LOST else REFUSED}
            written = self.write(post.process, post.record, end)
        assert written is not None or post.process.life is Life.DEAD, "the living lost its row"

    def unsend(self, post: Post, wait: float) -> Record | None:
        now, account, too_soon = self.model.clock, post.record.account, post.said is Said.TOO_SOON
        refused_since = None if too_soon else now
        due = self.model.put_back(post, refused_since)
        unsend = partial(post.process.ledger.unsend, closed_s=wait, narrowed_s=wait + 20.0 if too_soon else None)
        back = post.process.ledger.unclaim if post.said is Said.UNSENT else unsend
        assert bare(self.ledgers.ask(back, post.record)) == bare(due)
        if too_soon:
            self.model.closed[account] = max(now + wait, self.model.closed.get(account, 0.0))
        return due

    def write_late(self, post: Post, job_id: str) -> None:
        due = self.model.late(post.record, job_id)
        assert bare(self.ledgers.ask(post.process.ledger.record_late, post.record, Receipt(job_id=job_id))) == bare(due)

    @precondition(lambda self: any(post.said is Said.ACCEPTED for post in self.model.posts))
    @rule(pick=picks)
    def a_late_write_is_repeated(self, pick: int) -> None:
        accepted = [post for post in self.model.posts if post.said is Said.ACCEPTED]
        self.write_late(accepted[pick % len(accepted)], self.fresh("another job"))

    @precondition(lambda self: self.model.rows)
    @rule(pick=picks, which=picks, posting=st.booleans())
    def a_caller_cancels(self, pick: int, which: int, posting: bool) -> None:
        """Rather something whose POST is under way than not: that can only be remembered."""
        names = [post.record.id for post in self.model.posts if posting and post.said is None] or [*self.model.rows]
        name = names[which % len(names)]
        due = self.model.cancel(name)
        assert bare(self.ledgers.ask(self.running(pick).ledger.cancel, name, "local")) == bare(due)

    @precondition(lambda self: self.model.rows)
    @rule(which=picks, age=ages, position=st.sampled_from([None, 1, 2]), done=st.booleans())
    def a_job_is_read(self, which: int, age: int, position: int | None, done: bool) -> None:
        if record := self.model.remembered(which, age, Stage.RUNNING):
            changes: dict[str, Any] = {"provider_queued": position is not None, "queue_position": position}
            self.write(self.driving(record), record, {"stage": Stage.COLLECTING} if done else changes)

    @precondition(lambda self: self.model.rows)
    @rule(which=picks, age=ages, end=st.sampled_from(list(ENDS)))
    def its_pictures_are_settled(self, which: int, age: int, end: Stage) -> None:
        """Once after collecting, and again where pictures were missing."""
        record = self.model.remembered(which, age, Stage.COLLECTING, Stage.PARTIAL, Stage.FAILED)
        if record and record.job_id and (record.stage is Stage.COLLECTING or end is not Stage.FAILED):
            changes = {"stage": end, "images": ENDS[end]}
            self.write(self.driving(record), record, changes)

    def driving(self, record: Record) -> Process:
        return self.named(record.holder)

    @rule(pick=picks, wanted=st.integers(1, 10))
    def polls_are_reserved(self, pick: int, wanted: int) -> None:
        account, limits = ACCOUNTS["alpha"], LIMITS["alpha"]
        grant = self.ledgers.ask(self.running(pick).ledger.reserve_requests, account, limits.requests, wanted)
        assert 0 <= grant.count <= wanted
        self.model.polls.append((account, self.model.now, grant.count))
        self.model.check_requests(account, limits)

    @rule(passed=seconds)
    def time_passes(self, passed: float) -> None:
        self.model.now += passed

    @rule(back=st.sampled_from([0.5, 20.0, 86_400.0]))
    def the_clock_is_set_back(self, back: float) -> None:
        self.model.behind += back
        self.model.closed.clear()

    @invariant()
    def every_row_is_as_it_must_be(self) -> None:
        rows = self.ledgers.ask(self.observer.newest, list(self.model.rows))
        assert list(map(bare, rows)) == list(map(bare, self.model.rows.values()))
        for row in rows:
            assert may_follow(self.seen.get(row.id, row), row)
        self.seen = {row.id: row for row in rows}

    @invariant()
    def no_more_are_active_than_may_be(self) -> None:
        for provider, limits in LIMITS.items():
            ours = self.model.active(ACCOUNTS[provider]) - self.model.revived
            assert limits.active is None or len(ours) <= limits.active

    @invariant()
    def whoever_holds_something_unfinished_is_known(self) -> None:
        me, rows = self.processes[0].name, self.model.rows.values()
        due = {row.holder for row in rows if not row.stage.terminal}
        assert due - {me} <= set(self.ledgers.ask(self.observer.others, me, tuple(ACCOUNTS)))


modest = settings(stateful_step_count=40, deadline=None, derandomize=True)


@pytest.mark.parametrize(("which", "examples"), [("older", 40), ("newer", 20)])
def test_many_processes_never_pay_twice_nor_break_a_limit(which: str, examples: int) -> None:
    with sqlite(which), TemporaryDirectory(dir=MEMORY) as folder, start_blocking_portal() as portal:
        machine: Any = partial(LedgerMachine, partial(SqliteLedgers, portal, Path(folder)))
        run(machine, settings=settings(modest, max_examples=examples))


def test_the_same_holds_on_postgresql(postgres: Cluster) -> None:
    with start_blocking_portal() as portal:
        machine: Any = partial(LedgerMachine, partial(PostgresLedgers, portal, postgres))
        run(machine, settings=settings(modest, max_examples=20))
