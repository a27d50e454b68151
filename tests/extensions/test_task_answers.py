"""A handle stands for its answer: lost with it, read with it, and no wait as a task does less than a plain one."""

import json
import sqlite3
import time
from contextlib import closing

from tests.extensions.task_client import tasks_of
from tests.hosts import PATIENCE_S, Home, eventually
from tests.services.fatthumb import FatThumb
from tests.services.faults import Redirect

UNHURRIED = """
from darkroom.generations import desk
import runpy
desk.ANSWER_WITHIN_S = 2.0
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""
"""A server whose answer leaves a slow machine the time to lock the ledger before it."""


def how_answered(home: Home) -> list[str]:
    """What the ledger has of the answers to `generate`, oldest first."""
    return [answered for (answered,) in home.select("SELECT answered FROM generations ORDER BY seq")]


def test_a_handle_that_was_cancelled_before_it_was_sent_is_given_to_the_next_identical_call(
    home: Home, fatthumb: FatThumb
) -> None:
    fatthumb.slow_submit = 5.0
    user = home.with_(fatthumb)
    with tasks_of(user, python=("-c", UNHURRIED)) as client:
        sent = client.send("tools/call", name="generate", arguments={"prompt": "a fox"})
        fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S)
        with closing(sqlite3.connect(user.ledger, timeout=PATIENCE_S, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")  # so that the task's row has to wait
            time.sleep(3)  # and the tool has given its answer by then; nothing outside of the server shows that
            cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": sent}}
            assert client.server.process.stdin is not None
            client.server.process.stdin.write(json.dumps(cancelled) + "\n")
            client.ask("tools/list")  # answered behind the cancellation
            db.execute("ROLLBACK")
        eventually(lambda: how_answered(user) == ["lost"])
        client.ended(client.task("generate", prompt="a fox"))
    assert len(fatthumb.posts) == 1


def test_a_task_that_is_asked_for_has_been_read_so_the_next_identical_call_is_a_new_one(
    home: Home, fatthumb: FatThumb
) -> None:
    user = home.with_(fatthumb)
    with tasks_of(user, killed=True) as client:
        task = client.task("generate", prompt="a fox")
        eventually(lambda: user.taken() == 1)
    with tasks_of(user) as client:
        first = client.result(task)["id"]
        assert client.result(client.task("generate", prompt="a fox"))["id"] != first
    assert len(fatthumb.posts) == 2


def test_a_wait_as_a_task_fetches_again_what_is_missing(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.always("picture", Redirect("https://10.0.0.1/x.png"))
    with tasks_of(home.with_(fatthumb)) as client:
        made = client.result(client.task("generate", prompt="a fox"))
        assert (made["status"], made["images"][0]["error"]["code"]) == ("failed", "result_unavailable")
        fatthumb.always("picture", None)
        (again,) = client.result(client.task("wait", generation_ids=[made["id"]]))["generations"]
    assert (again["id"], again["status"]) == (made["id"], "succeeded")
    assert len(fatthumb.posts) == 1
