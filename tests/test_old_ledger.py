"""A ledger that an older Darkroom has left is gone on with: nothing in it is lost, sent by surprise or paid twice."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.hosts import PATIENCE_S, Home, darkroom, eventually, running
from tests.services.clients import client_of, submit
from tests.services.fatthumb import FatThumb

LEFT = (Path(__file__).parent / "store" / "ledgers" / "27a866b.sql").read_text("utf-8")
"""Made by the Darkroom of commit 27a866b, with each kind of row; its job goes on at the service of this test."""
ITS_JOB = "generation_cf207c0d4aaaa4df17aa"
TWO_DAYS_S = 2 * 86_400.0


def left_in(home: Home, job_id: str) -> None:
    home.ledger.parent.mkdir(mode=0o700)
    with closing(sqlite3.connect(home.ledger, isolation_level=None, timeout=PATIENCE_S)) as db:
        db.executescript(LEFT.replace(ITS_JOB, job_id))
        (age,) = db.execute("SELECT unixepoch() - max(created_at) FROM generations").fetchone()
        sets = ", ".join(f"{name} = {name} + ?" for name in ("created_at", "submitted_at", "finished_at"))
        db.execute(f"UPDATE generations SET {sets}", (age - TWO_DAYS_S,) * 3)


def by_prompt(home: Home) -> dict[str, dict[str, Any]]:
    listed = darkroom(home, "list", "--json").json["generations"]
    return {generation["prompt"]: generation for generation in listed}


def test_a_ledger_of_the_first_version_opens_and_goes_on(home: Home, fatthumb: FatThumb) -> None:
    with client_of(fatthumb) as client:
        started = submit(client, prompt="still running")
    left_in(home, started.json()["generationId"])
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1000/1")
    before = by_prompt(user)
    assert {prompt: generation["status"] for prompt, generation in before.items()} == {
        "a saved one": "succeeded",
        "two of FatThumb": "succeeded",
        "refused": "failed",
        "still running": "processing",
        "outcome unknown": "failed",
        "waiting": "queued",
    }
    assert before["outcome unknown"]["error"]["code"] == "outcome_unknown"
    again = darkroom(user, "generate", "a saved one", "--provider", "sketch", "--request-key", "saved", "--json")
    assert again.json["id"] == before["a saved one"]["id"], "its names still name what they named"
    with running(user, "serve"):
        eventually(lambda: by_prompt(user)["still running"]["status"] == "succeeded")
        assert "nothing ran that could have sent it" in by_prompt(user)["waiting"]["progress"]["message"]
        assert darkroom(user, "wait", before["waiting"]["id"], "--timeout", "60").status == 0
    assert [post.body["prompt"] for post in fatthumb.posts] == ["still running", "waiting"]
