"""The ledger as its operator is shown it, in both databases."""

import time
from typing import Any

from darkroom.models import Charged, Failure, GenerationRequest, Record, Stage
from darkroom.money import Money
from darkroom.store.opening import open_store
from darkroom.store.survey import MOST_SHOWN
from tests.hosts import Home, on_both_databases

REQUEST = GenerationRequest(provider="fatthumb", prompt="never shown", model="m")
PAID = {"cost_micros": 500_000, "cost_unit": "USD"}


def failure(charged: Charged) -> Failure:
    return Failure(code="provider_error", message="never shown", charged=charged, next_step="never shown")


@on_both_databases
async def test_it_counts_what_waits_runs_failed_and_was_spent(home: Home) -> None:
    async with open_store(home.path / "home", home.extra.get("DARKROOM_DATABASE_URL"), time.time) as store:
        ledger, me = store.ledger, store.presence.id

        async def begun(name: str, owner: str = "ann", stage: Stage = Stage.ACCEPTED, **fields: Any) -> None:
            row = Record(id=name, owner=owner, request=REQUEST, account="fatthumb:0f", stage=stage, holder=me, **fields)
            await ledger.begin(row, adopt_within_s=0.0)

        empty = await ledger.look()
        assert (empty.queues, empty.under_way, empty.failed, empty.all_counted) == ((), (), (), True)
        for number in range(MOST_SHOWN + 2):
            await begun(f"gen_w{number}")
        await begun("gen_r", "bob", Stage.RUNNING, submitted_at=ledger.now(), provider_queued=True)
        await begun("gen_paid", "bob", Stage.SUCCEEDED, finished_at=ledger.now(), **PAID)
        for name, charged, cost in (
            ("no", Charged.NO, PAID),
            ("maybe", Charged.MAYBE, PAID),
            ("bare", Charged.YES, {}),
        ):
            over = {"finished_at": ledger.now(), "failure": failure(charged), **cost}
            await begun(f"gen_{name}", "bob", Stage.FAILED, **over)
        look = await ledger.look()
        (queue,) = look.queues
        assert (queue.provider, queue.waiting, queue.under_way) == ("fatthumb", MOST_SHOWN + 2, 1)
        assert queue.oldest_at is not None
        assert queue.oldest_at <= look.at
        assert queue.closed_until is None
        (under_way,) = look.under_way
        assert (under_way.id, under_way.owner, under_way.stage) == ("gen_r", "bob", Stage.RUNNING)
        assert under_way.provider_queued
        assert [(each.id, each.charged) for each in look.failed] == [
            ("gen_bare", "yes"), ("gen_maybe", "maybe"), ("gen_no", "no"),
        ]  # fmt: skip
        assert "never shown" not in repr(look)
        assert look.held == {me: MOST_SHOWN + 3}
        used = await ledger.used("bob", ("sketch",))
        assert (used.submissions, used.money, used.stored) == (4, (Money(1_000_000, "USD"),), 0)
        assert (await ledger.used("bob", ("fatthumb",))).submissions == 0
        processes = await ledger.processes()
        assert [(name, sign.silent) for name, sign in processes.items()] == [(me, False)]
