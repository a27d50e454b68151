"""Limits and keys of each tenant over HTTP: what is beyond them is refused with the reason, or waits."""

import base64
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from darkroom.http.bounds import MAX_BODY, MAX_HELD, MAX_HELD_OF_ONE, Bounds
from darkroom.http.refusals import Refusal
from tests.hosts import PATIENCE_S, Home, call, eventually, over, refused
from tests.http.hosting import Hosted, client_of, hosted
from tests.services.declared import DeclaredService
from tests.services.priced import PricedService
from tests.tenancy import token_of, write_tenants

SERVERS_OWN = "the-key-that-the-server-has-for-its-own-user"


async def test_each_limit_of_a_tenant_refuses_or_delays_with_its_reason_and_sends_nothing(home: Home) -> None:
    limits = {
        "ann": "submissions_per_day = 1", "bob": 'money_per_day = "0.30 USD"', "carol": "stored_mb = 1",
        "dave": "active = 1",
    }  # fmt: skip
    asked = {"prompt": "a fox", "provider": "priced", "count": 2}
    with PricedService() as service:
        file = write_tenants(home.path / "tenants.toml", dict.fromkeys(limits, service.environ), **limits)
        with hosted(service.home(home), "--tenants", str(file)) as server:
            for name, reason in {
                "ann": "The budget of 1 generation a day (set for this tenant) is used up",
                "bob": "of the budget of 0.30 USD a day (set for this tenant) 0.20 USD is spent or reserved",
                "carol": "2.0 MB together; 1.0 MB are allowed (stored_mb, set for this tenant)",
            }.items():
                async with client_of(server.url, token=token_of(name)) as client:
                    await over(client, (await call(client, "generate", **asked))["id"])
                    with closing(sqlite3.connect(home.ledger, timeout=PATIENCE_S, isolation_level=None)) as ledger:
                        ledger.execute("UPDATE generations SET saved_bytes = 2000000 WHERE owner = 'carol'")
                    text = await refused(client, "generate", **{**asked, "prompt": "a hen"})
                    assert reason in text
                    assert "othing was sent" in text
            assert len(service.posts) == 3
            service.says["read"] = [(200, {"status": "busy"})]
            async with client_of(server.url, token=token_of("dave")) as client:
                first = (await call(client, "generate", **asked))["id"]
                eventually(lambda: len(service.posts) == 4)
                second = (await call(client, "generate", **{**asked, "prompt": "a hen"}))["id"]
                assert (await call(client, "get_status", generation_id=second))["status"] == "queued"
                assert len(service.posts) == 4
                service.says["read"] = [(200, {"status": "failed", "error": "no"})]
                await over(client, first, second)
            assert len(service.posts) == 5


async def test_a_post_by_a_process_of_its_own_is_paid_for_with_the_tenant_s_key(home: Home) -> None:
    with DeclaredService.shipped("openai") as service:
        encoded = [{"b64_json": base64.b64encode(service.picture(1)).decode()}]
        service.says["submit"] = [(200, {"created": 1, "data": encoded})]
        service.may_answer.clear()
        file = write_tenants(home.path / "tenants.toml", {"ann": service.environ})
        key = next(name for name, value in service.environ.items() if value == service.key)
        with hosted(service.home(home).with_(**{key: SERVERS_OWN}), "--tenants", str(file)) as server:
            async with client_of(server.url, token=token_of("ann")) as client:
                made = (await call(client, "generate", prompt="a cat", provider=service.name))["id"]
                eventually(lambda: len(service.posts) == 1)
                poster = poster_of(server)
                service.may_answer.set()
                (generation,) = await over(client, made)
    (post,) = service.posts
    assert (generation["status"], post.shows(service.key), post.shows(SERVERS_OWN)) == ("succeeded", True, False)
    for secret in (service.key, SERVERS_OWN):
        assert secret not in poster


def poster_of(server: Hosted) -> str:
    """The words and the environment of the process that makes the POST, for everybody of this user to read."""
    ((holder,),) = server.home.select("SELECT holder FROM generations")
    process = int(holder.partition("-")[0])
    assert process != server.process.pid
    return "".join(Path(f"/proc/{process}/{what}").read_text() for what in ("cmdline", "environ"))


def test_what_all_bodies_that_are_held_have_together_is_bounded_for_one_caller_and_for_all() -> None:
    bounds, held = Bounds(), MAX_BODY // 5
    of_ann = [bounds.admit("ann") for _ in range(MAX_HELD_OF_ONE // held)]
    for each in of_ann:
        each.__enter__().hold(held)
    with pytest.raises(Refusal) as too_many, bounds.admit("ann") as one_more:
        one_more.hold(held)
    assert too_many.value.response.status_code == 429
    others = [bounds.admit(f"tenant {number}") for number in range((MAX_HELD - MAX_HELD_OF_ONE) // held)]
    for each in others:
        each.__enter__().hold(held)
    with pytest.raises(Refusal) as full, bounds.admit("bob") as another:
        another.hold(held)
    assert full.value.response.status_code == 503
    of_ann[0].__exit__()
    with bounds.admit("bob") as another:
        another.hold(held)
