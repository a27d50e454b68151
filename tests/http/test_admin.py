"""The operator's page: who may see it, what it shows, and everything that it must not."""

import hashlib
import html
import re
import signal
import time

import pytest
from starlette.datastructures import Headers
from starlette.types import Message, Scope

from darkroom import errors
from darkroom.errors import DarkroomError, StorageError
from darkroom.http.admin.door import UNREADABLE, Admin
from darkroom.http.admin.operators import LASTS_S, Operators
from darkroom.http.admin.overview import TENANTS_AT_ONCE, Overview
from darkroom.http.admin.page import REASONS, duration
from darkroom.http.refusals import Refusal
from darkroom.http.throttle import FREE_TRIES
from tests.hosts import Home, darkroom, eventually, on_both_databases
from tests.http.hosting import ANN, BOB, got, hosted, posted, tenants_file
from tests.http.operating import ADMIN, LINK, OPERATOR, PROMPT, WORDS, Visitor, at_work
from tests.ledgers import Clock
from tests.services.fatthumb import FatThumb
from tests.test_many_processes import serving
from tests.test_stopped_processes import IMPATIENT


@on_both_databases
async def test_it_shows_tenants_queues_what_runs_and_what_failed_and_quotes_nobody(
    home: Home,
) -> None:
    async with at_work(home) as (server, visitor, fatthumb):
        seen = visitor.overview()
        (queue,) = seen["queues"]
        assert (queue["provider"], queue["waiting"], queue["under_way"]) == ("fatthumb", 2, 1)
        assert queue["oldest_wait_s"] >= 0
        (running,) = seen["under_way"]
        assert (running["tenant"], running["provider"]) == ("ann", "fatthumb")
        (failed,) = seen["failed"]
        assert (failed["tenant"], failed["code"], failed["charged"]) == ("ann", "payment_required", "no")
        ann, bob, local = seen["tenants"]
        assert (ann["name"], ann["active"], ann["submissions_today"], ann["submissions_per_day"]) == ("ann", 4, 3, 100)
        assert (ann["stored_bytes"], ann["stored_bytes_at_most"]) == (0, 500_000_000)
        assert (bob["name"], bob["money_per_day"], bob["submissions_today"]) == ("bob", "20 USD", 0)
        assert bob["stored_bytes"] > 0
        assert (local["name"], local["submissions_today"]) == ("local", 0)
        assert [(each["state"], each["drives"], each["this_one"]) for each in seen["processes"]] == [
            ("running", 3, True)
        ]
        assert [each["name"] for each in visitor.overview("?after=bob")["tenants"]] == ["local"]
        page = visitor.ask(authorization=OPERATOR)
        shown = html.unescape(re.sub(r"<[^>]*>", " ", page.text.partition("</style>")[2]))
        for word in (running["id"], failed["id"], "payment_required", "3 of 100", "0.0 MB of 500.0 MB", "(this one)"):
            assert word in shown
        keys = [fatthumb.key, *(fatthumb.key[at : at + 10] for at in range(len(fatthumb.key) - 9))]
        for text in (page.text, repr(seen), repr(page.headers)):
            assert [word for word in (PROMPT, LINK, fatthumb.origin, ADMIN, ANN, BOB, *keys) if word in text] == []
        log = server.log.read_text()
        assert [word for word in (ADMIN, ANN, fatthumb.key) if word in log] == []


@on_both_databases
def test_what_a_frozen_process_drives_and_what_a_dead_one_left_is_shown_so(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(duration=1000.0)
    keyless = home.with_(DARKROOM_ADMIN_TOKEN=ADMIN)  # which cannot go on with it
    with (
        serving(home.with_(fatthumb)) as other,
        hosted(keyless, python=("-c", IMPATIENT)) as server,
        Visitor(server) as visitor,
    ):
        other.call("generate", prompt=PROMPT)

        def is_seen(process: str | None) -> bool:
            look = visitor.overview()
            rows = [(row["state"], row.get("process")) for row in look["under_way"]]
            drives = [each["state"] for each in look["processes"] if each["drives"] == 1]
            return rows == [("running", process)] and drives == [process or "running"]

        eventually(lambda: is_seen(None))
        # Where it runs late it is silent for a moment.
        eventually(lambda: "its process is" not in visitor.ask(authorization=OPERATOR).text)
        other.process.send_signal(signal.SIGSTOP)
        eventually(lambda: is_seen("silent"))
        assert "its process is silent" in visitor.ask(authorization=OPERATOR).text
        other.process.kill()
        eventually(lambda: is_seen("gone"))
        assert "its process is gone" in visitor.ask(authorization=OPERATOR).text


@on_both_databases
def test_of_many_tenants_it_shows_a_part_and_says_of_how_many(home: Home) -> None:
    names = sorted(f"team-{number}" for number in range(2 * TENANTS_AT_ONCE + 40))
    file = home.path / "tenants.toml"
    file.write_text(
        "\n".join(
            f'[tenants.{name}]\ntokens = ["sha256:{hashlib.sha256(name.encode()).hexdigest()}"]' for name in names
        )
    )
    file.chmod(0o600)
    with hosted(home.with_(DARKROOM_ADMIN_TOKEN=ADMIN), *WORDS, str(file)) as server, Visitor(server) as visitor:
        page = visitor.ask(authorization=OPERATOR)
        assert f"{TENANTS_AT_ONCE} of {len(names) + 1}, by name." in page.text
        assert f'href="/admin?after={visitor.overview()["more_tenants_after"]}"' in page.text
        assert len(page.content) < 200_000
        seen: list[str] = []
        query = ""
        while True:
            look = visitor.overview(query)
            assert len(look["tenants"]) <= TENANTS_AT_ONCE
            seen += [each["name"] for each in look["tenants"]]
            if "more_tenants_after" not in look:
                break
            query = f"?after={look['more_tenants_after']}"
        assert seen == sorted([*names, "local"])


def test_only_the_operators_own_token_opens_it(home: Home) -> None:
    file = str(tenants_file(home.path))
    with (
        hosted(home.with_(DARKROOM_ADMIN_TOKEN=ADMIN, DARKROOM_LOG="info"), *WORDS, file) as server,
        Visitor(server) as visitor,
    ):
        form = visitor.ask()
        assert form.status_code == 401
        assert "<form" in form.text
        assert "local" not in form.text
        assert visitor.ask(accept="application/json").json()["error"] == "invalid_token"
        for token in (ANN, "wrong", ADMIN[:-1], f"{ADMIN}x", "ü"):
            refused = visitor.ask(authorization=f"Bearer {token}")
            assert refused.status_code == 401
            assert "bob" not in refused.text
        assert posted(server, "tools/list", token=ADMIN).status_code == 401
        page = visitor.ask(authorization=OPERATOR)
        assert page.status_code == 200
        assert page.headers["cache-control"] == "no-store"
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
        assert "<script" not in page.text
        assert visitor.ask(authorization=OPERATOR, host="evil.example").status_code == 421
        assert visitor.ask(authorization=OPERATOR, origin="https://evil.example").status_code == 403
        assert visitor.ask("DELETE").status_code == 405
        assert visitor.ask("HEAD", authorization=OPERATOR).text == ""
        assert got(server, "/admin/").status_code == 404
        log = server.log.read_text()
        assert re.search(r"GET /admin: 200 in \d+ ms", log)
        assert [word for word in (ADMIN, ADMIN[:-1], ANN) if word in log] == []


def test_a_browser_gets_a_cookie_that_is_not_the_token_and_that_nobody_else_can_make(home: Home) -> None:
    with (
        hosted(home.with_(DARKROOM_ADMIN_TOKEN=ADMIN), "--trust-proxy", "127.0.0.1") as server,
        Visitor(server) as visitor,
    ):
        wrong = visitor.ask("POST", data={"token": ANN})
        assert wrong.status_code == 401
        assert "This is not the operators&#39; token." in wrong.text.replace("'", "&#39;")
        assert visitor.ask("POST", data={"token": "x" * 5_000}).status_code == 413
        assert visitor.ask("POST", data={"token": ADMIN}, origin="https://evil.example").status_code == 403
        entered = visitor.ask("POST", data={"token": ADMIN}, x_forwarded_proto="https")
        assert (entered.status_code, entered.headers["location"]) == (303, "/admin")
        set_cookie = entered.headers["set-cookie"]
        assert {"httponly", "samesite=strict", "secure", "path=/admin", f"max-age={LASTS_S}"} <= {
            part.strip().lower() for part in set_cookie.split(";")
        }
        cookie = set_cookie.partition(";")[0]
        assert ADMIN not in set_cookie
        assert visitor.ask(cookie=cookie).status_code == 200
        assert "secure" not in visitor.ask("POST", data={"token": ADMIN}).headers["set-cookie"].lower()
        name, _, value = cookie.partition("=")
        end, _, seal = value.partition(".")
        past = Operators(ADMIN, lambda: time.time() - LASTS_S - 1).cookie()
        later, other = f"{int(end) + 9}.{seal}", Operators("another-token-of-operators").cookie()
        for forged in (past, later, other, end, f"{end}.", f"{end}.{seal[:-1]}", "", ".", f"²{value}", ADMIN):
            assert visitor.ask(cookie=f"{name}={forged}").status_code == 401
        left = visitor.ask("POST", data={"leave": "yes"}, cookie=cookie)
        assert left.status_code == 303
        assert "max-age=0" in left.headers["set-cookie"].lower()
        there = "192.0.2.7"
        for _ in range(FREE_TRIES):
            assert visitor.ask("POST", data={"token": "wrong"}, x_forwarded_for=there).status_code == 401
        throttled = visitor.ask("POST", data={"token": "another"}, x_forwarded_for=there)
        assert throttled.status_code == 429
        assert int(throttled.headers["retry-after"]) >= 1
        assert visitor.ask(cookie=cookie, x_forwarded_for=there).status_code == 200


def test_without_a_token_that_is_long_enough_there_is_no_such_page(home: Home) -> None:
    with hosted(home.with_(DARKROOM_ADMIN_TOKEN="too-short-15-ch")) as server:
        assert got(server, "/admin", authorization="Bearer too-short-15-ch").status_code == 404
        log = server.log.read_text()
        assert "DARKROOM_ADMIN_TOKEN is ignored, so there is no /admin" in log
        assert "too-short-15-ch" not in log


def test_a_token_that_is_a_tenants_as_well_starts_no_server(home: Home) -> None:
    file = str(tenants_file(home.path))
    ended = darkroom(home, "serve", "--http", "--port", "0", "--tenants", file, DARKROOM_ADMIN_TOKEN=ANN)
    assert ended.status == 2
    assert "DARKROOM_ADMIN_TOKEN is a token of the tenant ann too." in ended.err
    assert ANN not in ended.err


async def test_a_ledger_that_cannot_be_read_is_said_in_words() -> None:
    async def fails(_: str) -> Overview:
        raise StorageError("The disk at /secret/path is away.", next_step="Wait.")

    async def nothing() -> Message:
        return {"type": "http.request"}

    admin = Admin(Operators(ADMIN))
    scope: Scope = {"type": "http", "method": "GET", "query_string": b"", "scheme": "http"}
    page, json = (Headers({"authorization": OPERATOR, "accept": kind}) for kind in ("*/*", "application/json"))
    with pytest.raises(Refusal, match="starting, or about to end"):
        await admin.respond(page, "127.0.0.1", scope, nothing)
    admin.open(fails)
    response = await admin.respond(page, "127.0.0.1", scope, nothing)
    assert response.status_code == 503
    assert UNREADABLE.encode() in response.body
    assert b"/secret" not in response.body
    with pytest.raises(Refusal, match=UNREADABLE):
        await admin.respond(json, "127.0.0.1", scope, nothing)


def test_a_cookie_ends_and_a_code_has_words() -> None:
    clock = Clock(1_000.0)
    operators = Operators(ADMIN, clock)
    cookie = operators.cookie()
    clock.now += LASTS_S - 1
    assert operators.knows(cookie)
    clock.now += 1
    assert not operators.knows(cookie)
    clock.now -= 2 * LASTS_S
    assert not operators.knows(cookie)  # of a clock that was set back
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DarkroomError)]
    assert {kind.code for kind in kinds} == set(REASONS)
    assert [duration(each) for each in (-1, 0, 119, 120, 7_200, 200_000)] == [
        "0 s",
        "0 s",
        "119 s",
        "2 min",
        "2 h",
        "2 d",
    ]
