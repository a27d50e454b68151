"""`doctor` on variables and services: keys, limits, proxies, clocks, and what responds."""

import json
from email.utils import formatdate

import pytest

from tests.attacks.origins import Origin, redirect, reply
from tests.doctor.reports import PASSWORD, SECRET, Found, examined, failure, holds, warning
from tests.hosts import Home, darkroom
from tests.services.betterwaifu import BetterWaifu
from tests.services.faults import Answer

NO_PORT = "http://127.0.0.1:1"


VARIABLES: tuple[tuple[str, dict[str, str], tuple[Found, ...]], ...] = (
    (
        "keys that are none, and a budget that is none",
        {
            "FATTHUMB_API_KEY": f'"{SECRET}"',
            "BETTERWAIFU_API_KEY": "${BETTERWAIFU_KEY}",
            "OPENAI_API_KEY": " ",
            "TOGETHER_API_KEY": "${user_config.together_key}",
            "DARKROOM_BUDGET": "a lot",
            "DARKROOM_PREVIEWS": "some",
            "DARKROOM_PICTURES": "s3://",
        },
        (
            failure("Darkroom", "FATTHUMB_API_KEY counts as not set: the quotes", "Correct FATTHUMB_API_KEY"),
            failure("Darkroom", "BETTERWAIFU_API_KEY counts as not set: a name in it", "Correct BETTERWAIFU_API_KEY"),
            warning("Darkroom", "OPENAI_API_KEY is there and blank", "Put the key into OPENAI_API_KEY"),
            warning("Darkroom", "TOGETHER_API_KEY is there and blank", "Put the key into TOGETHER_API_KEY"),
            failure("Darkroom", "DARKROOM_BUDGET cannot be read", "Correct DARKROOM_BUDGET"),
            warning("Darkroom", "DARKROOM_PREVIEWS is ignored", "Correct DARKROOM_PREVIEWS"),
            failure("disk", "DARKROOM_PICTURES cannot be read", "Correct DARKROOM_PICTURES"),
        ),
    ),
    (
        "a key with a space, limits that are none, and a database that is none",
        {
            "FATTHUMB_API_KEY": f"{SECRET} {SECRET}",
            "BETTERWAIFU_API_KEY": SECRET,
            "BETTERWAIFU_LIMITS": "many",
            "DARKROOM_DATABASE_URL": f"mysql://me:{PASSWORD}@here/x",
        },
        (
            failure("services", "FATTHUMB_API_KEY cannot be read: a key is printable", "Correct FATTHUMB_API_KEY"),
            failure("services", "BETTERWAIFU_LIMITS cannot be read", "Correct BETTERWAIFU_LIMITS"),
            failure("ledger", "DARKROOM_DATABASE_URL cannot be read", "Correct DARKROOM_DATABASE_URL"),
        ),
    ),
    (
        "a service that nobody reaches",
        {"BETTERWAIFU_API_KEY": SECRET, "BETTERWAIFU_BASE_URL": f"{NO_PORT}/api/v1"},
        (failure("services", "BetterWaifu could not be reached", "base URL"),),
    ),
    (
        "a proxy that nobody reaches, and a key that would travel unencrypted",
        {
            "BETTERWAIFU_API_KEY": SECRET,
            "BETTERWAIFU_BASE_URL": "http://waifu.example/api/v1",
            "HTTP_PROXY": f"http://me:{PASSWORD}@127.0.0.1:1",
        },
        (
            failure("services", "BetterWaifu could not be reached", "the proxy that HTTP_PROXY names"),
            warning("services", "the key travels unencrypted", "Write https in BETTERWAIFU_BASE_URL"),
        ),
    ),
)


@pytest.mark.parametrize(("extra", "expected"), [each[1:] for each in VARIABLES], ids=[each[0] for each in VARIABLES])
def test_a_variable_that_cannot_be_meant_as_it_is_written_is_found(
    home: Home, extra: dict[str, str], expected: tuple[Found, ...]
) -> None:
    holds(examined(home, **extra).json, *expected)


def test_a_key_that_its_service_refuses_is_found_and_never_shown(home: Home, betterwaifu: BetterWaifu) -> None:
    user = home.with_(betterwaifu, BETTERWAIFU_API_KEY=SECRET)
    betterwaifu.always("models", Answer(401, json={"error": f"no such key {SECRET}"}))
    holds(examined(user).json, failure("services", "BetterWaifu returned 401", "valid key into BETTERWAIFU_API_KEY"))
    assert betterwaifu.posts == []


def test_a_clock_that_is_wrong_and_a_web_page_in_an_api_s_place_are_found(home: Home) -> None:
    page = reply(b"<!doctype html><p>Welcome", "Content-Type: text/html", f"Date: {formatdate(0, usegmt=True)}")
    with Origin(page) as origin:
        url = f"http://127.0.0.1:{origin.port}/api/v1"
        report = examined(home, BETTERWAIFU_API_KEY=SECRET, BETTERWAIFU_BASE_URL=url).json
        first = origin.requests[0].lower()
    holds(
        report,
        warning("services", "clock is [0-9]+ days ahead of BetterWaifu's", "Set this machine's clock"),
        warning("services", "responds with a web page", "Check BETTERWAIFU_BASE_URL: there may be no API at it"),
        failure("services", "BetterWaifu returned 200 with a web page", "."),
    )
    assert b"authorization" not in first


def test_a_base_url_that_redirects_is_no_service_that_works(home: Home) -> None:
    onward = redirect(f"https://me:{PASSWORD}@elsewhere.example/api?key={PASSWORD}", status="308 Permanent Redirect")
    with Origin(onward) as origin:
        url = f"http://127.0.0.1:{origin.port}/api/v1"
        report = examined(home, FATTHUMB_API_KEY=SECRET, FATTHUMB_BASE_URL=url).json
        made = darkroom(home, "generate", "a fox", FATTHUMB_API_KEY=SECRET, FATTHUMB_BASE_URL=url)
    there = '"https://elsewhere.example/api"'
    holds(report, warning("services", f"FatThumb responds with a redirect to {there} .status 308", "no redirect is"))
    assert made.status == 1
    assert f"its API is not there but at {there}" in made.err


def test_a_key_that_is_refused_under_a_status_of_success_is_not_taken(home: Home) -> None:
    said = reply(json.dumps({"detail": f"No such key {SECRET}"}).encode(), "Content-Type: application/json")
    with Origin(said) as origin:
        extra = {"DARKROOM_BFL_KEY": SECRET, "DARKROOM_BFL_BASE_URL": f"http://127.0.0.1:{origin.port}"}
        report = examined(home, **extra).json
    holds(report, failure("services", 'says: "No such key', "Check DARKROOM_BFL_KEY"))
    assert not [each for each in report["findings"] if "is taken" in each["message"]]


def test_a_page_beside_an_api_that_answered_is_as_it_should_be(home: Home) -> None:
    page = reply(b"<!doctype html><p>The web UI", "Content-Type: text/html")
    models = reply(b'[{"model_name": "dreamy", "title": "Dreamy"}]', "Content-Type: application/json")
    with Origin(page, models) as origin:
        report = examined(home, DARKROOM_AUTOMATIC1111_BASE_URL=f"http://127.0.0.1:{origin.port}").json
    assert (report["failures"], report["warnings"]) == (0, 0), report
    assert "responds with a web page (status 200)" in str(report)
