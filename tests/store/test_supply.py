"""What is known before a look: the requests that are left, the jobs that want them, and earlier durations."""

from dataclasses import replace

import pytest

from darkroom.accounts import Limits, Window
from darkroom.models import Stage
from darkroom.store.durations import KEPT
from darkroom.store.turns import Took
from tests.generations.accounts import ACCOUNT, account_with


async def test_requests_that_were_reserved_and_not_made_are_given_back() -> None:
    hour = (Window(10, 3600.0),)
    async with account_with(Limits(requests=hour)) as account:
        first = await account.ledger.reserve_requests(ACCOUNT, hour, 9)
        account.now += 60.0
        assert (await account.ledger.reserve_requests(ACCOUNT, hour, 9)).count == 0
        again = await account.ledger.reserve_requests(ACCOUNT, hour, 9, unused=replace(first, count=5))
        assert (first.count, again.count) == (9, 5)


async def test_the_supply_of_an_account_counts_its_jobs_and_the_submissions_of_late() -> None:
    hour = (Window(1000, 3600.0),)
    async with account_with(Limits(requests=hour)) as account:
        assert await account.ledger.supply(ACCOUNT, ()) is None
        await account.accept(30)
        for _ in range(15):
            await account.claim_in_time()
        supply = await account.ledger.supply(ACCOUNT, hour)
        assert supply is not None
        assert (supply.jobs, supply.lately_per_s, supply.nearly_used_up) == (30, pytest.approx(15 / 300), False)
        account.now += 400.0
        later = await account.ledger.supply(ACCOUNT, hour)
        assert later is not None
        assert later.lately_per_s == 0.0


async def test_of_each_kind_the_ledger_remembers_the_newest_durations() -> None:
    async with account_with(Limits()) as account:
        for number in range(KEPT + 20):
            await account.accept()
            running = await account.claim_in_time(answered=False)
            running = await account.ledger.change(running, {"stage": Stage.RUNNING})
            assert running is not None
            account.now += 5.0 + number
            ended = {"stage": Stage.SUCCEEDED}
            assert await account.ledger.change(running, ended, between=(number, number + 1.0)) is not None
        took = await account.ledger.durations(ACCOUNT, "m", 1)
        assert len(took) == KEPT
        assert took[0] == Took(5.0 + KEPT + 19, (KEPT + 19.0, KEPT + 20.0))
        assert await account.ledger.durations(ACCOUNT, "m", 2) == []
