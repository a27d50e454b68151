"""Which generation a command means, and how it is taken back."""

import sqlite3
from contextlib import closing

import pytest

from tests.cli.test_commands import DONE, FAILED, STILL_RUNNING, WRONG_USE
from tests.hosts import PATIENCE_S, Home, darkroom
from tests.services.fatthumb import FatThumb


def renamed(home: Home, *ids: str) -> None:
    """The ledger's generations, oldest first, get these ids."""
    with closing(sqlite3.connect(home.ledger, timeout=PATIENCE_S)) as db, db:
        olds = [old for (old,) in db.execute("SELECT id FROM generations ORDER BY seq")]
        for old, new in zip(olds, ids, strict=True):
            db.execute("UPDATE generations SET id = ? WHERE id = ?", (new, old))


def test_an_id_is_named_by_any_beginning_that_no_other_has(home: Home) -> None:
    first, second = f"gen_abc{'d' * 23}", f"gen_abe{'d' * 23}"
    assert darkroom(home, "generate", "one").status == DONE
    for nobody in ("", "gen_"):  # a variable that a script left empty names nothing, also where there is one alone
        assert darkroom(home, "status", nobody).status == FAILED
    assert darkroom(home, "generate", "two").status == DONE
    renamed(home, first, second)
    for name in ("gen_abc", "abe", "GEN_ABC", "abeddd", second):
        meant = first if "c" in name.lower() else second
        assert darkroom(home, "status", name, "--json").json["id"] == meant
    waited = darkroom(home, "wait", "abc", "abe", "--json")
    assert [generation["id"] for generation in waited.json["generations"]] == [first, second]
    several = darkroom(home, "status", "ab")
    assert several.status == WRONG_USE
    assert first in several.err
    assert second in several.err
    refused = darkroom(home, "cancel", "abx")
    assert refused.status in {FAILED, WRONG_USE}
    assert "Traceback" not in refused.err


@pytest.mark.parametrize("as_json", [False, True])
def test_what_no_provider_has_is_cancelled_and_what_one_has_goes_on(
    home: Home, fatthumb: FatThumb, as_json: bool
) -> None:
    fatthumb.later_jobs(duration=1000.0)
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1/1000")
    json = ["--json"] if as_json else []
    begun = darkroom(user, "generate", "sent", "--timeout", "0.5", "--json")
    assert begun.status == STILL_RUNNING
    while not fatthumb.posts:  # a slow machine does not come to it in that time
        assert darkroom(user, "wait", begun.json["id"], "--timeout", "0.5").status == STILL_RUNNING
    assert darkroom(user, "generate", "waits", "--timeout", "0.5").status == STILL_RUNNING
    waits, sent = (g["id"] for g in darkroom(user, "list", "--json").json["generations"])
    done = darkroom(user, "cancel", waits, *json)
    assert done.status == DONE
    assert "ancelled" in done.out
    again = darkroom(user, "cancel", waits, *json)
    assert again.status in {DONE, FAILED}
    goes_on = darkroom(user, "cancel", sent, *json)
    assert goes_on.status == STILL_RUNNING
    assert (f'wait with ["{sent}"]' in goes_on.json["next_step"]) if as_json else f"mcp wait {sent}" in goes_on.out
    assert len(fatthumb.posts) == 1
