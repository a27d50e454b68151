"""What can go wrong around the one POST."""

import time
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate

import pytest

from tests.faults.runs import interrupted, meanwhile, through_a_server, until_it_says
from tests.faults.scene import Command, Scene
from tests.faults.table import Fault, failed, name_of, prove, queued, refused_by_provider, succeeds, unknown
from tests.hosts import Home, eventually, on_both_databases
from tests.services import faults
from tests.services.betterwaifu import BetterWaifu
from tests.services.faults import Answer, CutBody, CutJson, Delay, Flood, Html, Raw, Redirect, Reset

UNREACHABLE = "could not be reached"


def meets(*met: faults.Fault) -> Callable[[Scene], None]:
    """The next POSTs meet these."""
    return lambda scene: scene.service.script("submit", *met)


def down(scene: Scene) -> None:
    """Nobody listens on the provider's port."""
    scene.service.stop()


def back_once_it_was_missed(scene: Scene, command: Command) -> None:
    command.until_it_says(UNREACHABLE)
    scene.service.start()


def unreachable_and_put_off(scene: Scene) -> None:
    """A try has been made and taken back, and the next one is far away: nothing is under way now."""

    def put_off() -> bool:
        waiting = "SELECT 1 FROM generations WHERE refused_since IS NOT NULL AND stage = 'accepted'"
        return scene.edit(f"UPDATE accounts SET closed_until = closed_until + 1000 WHERE EXISTS ({waiting})") == 1

    eventually(put_off)


def back(scene: Scene) -> None:
    scene.edit("UPDATE accounts SET closed_until = 0")
    scene.service.start()


def ten_minutes_later(scene: Scene) -> None:
    scene.edit("UPDATE accounts SET closed_until = 0")
    scene.edit("UPDATE generations SET refused_since = refused_since - 700, created_at = created_at - 700")


def by_tls(scene: Scene) -> None:
    scene.extra[scene.variable] = scene.service.url.replace("http://", "https://")


def without(secret: str, text: str) -> None:
    assert secret not in text


def another_key(scene: Scene) -> None:
    """The provider knows another customer only."""
    scene.service.keys[:] = [scene.service.add_key()]


def later(retry_after: dict[str, str]) -> Callable[[Scene], None]:
    return meets(Answer(429, json={"error": "Rate limit exceeded"}, headers=retry_after))


def waits(seconds: float) -> Callable[[Scene], None]:
    """The second POST came that long after the refusal of the first, at least."""

    def also(scene: Scene) -> None:
        refused, accepted = scene.service.requests(route="submit")
        assert (refused.status, accepted.status) == (429, 200)
        assert accepted.at - refused.answered_at >= seconds

    return also


def at_a_date(scene: Scene) -> None:
    later({"Retry-After": formatdate(time.time() + 2, usegmt=True)})(scene)


REACHING = (
    Fault(
        "a provider that is down is reached when it is back", down, succeeds(), run=meanwhile(back_once_it_was_missed)
    ),
    Fault(
        "a provider that stays down is tried again and again",
        down,
        queued(UNREACHABLE),
        run=until_it_says(UNREACHABLE),
    ),
    Fault(
        "a provider that stays down for ten minutes is given up",
        down,
        replace(failed("provider_unreachable", "no", UNREACHABLE, "network"), accepted=0, sent=0),
        run=interrupted(unreachable_and_put_off, then=ten_minutes_later),
    ),
    Fault(
        "what a killed process could not send is sent by the next one",
        down,
        succeeds(),
        run=interrupted(unreachable_and_put_off, then=back),
    ),
    Fault(
        "a provider's name that nobody knows is asked for again",
        lambda scene: scene.extra.update({scene.variable: "http://nonexistent.invalid/api/v1"}),
        queued(UNREACHABLE),
        run=until_it_says(UNREACHABLE),
    ),
    Fault(
        "a proxy that no client can be made of is named, without its password",
        lambda scene: scene.extra.update(ALL_PROXY="foo://me:hunter22@127.0.0.1:1"),
        queued("ALL_PROXY is no proxy"),
        run=until_it_says(UNREACHABLE),
        also=lambda scene: without("hunter22", scene.everything_printed()),
    ),
    Fault("a port that does not speak TLS is no provider", by_tls, queued(UNREACHABLE), run=until_it_says(UNREACHABLE)),
)

REFUSALS = (
    Fault(
        "a prompt that the provider's own moderation refuses",
        lambda scene: setattr(scene, "prompt", f"forbidden {scene.prompt}"),
        refused_by_provider("moderated", "flagged by moderation", "Reword"),
        service=BetterWaifu,
    ),
    Fault("a key that the provider does not know", another_key, refused_by_provider("unauthorized", "401", "API_KEY")),
    Fault(
        "an account without credits",
        lambda scene: setattr(scene.service, "credits", 0),
        refused_by_provider("payment_required", "Insufficient credits", "credits"),
    ),
    *(
        Fault(
            f"a submission refused with {status}",
            meets(answer),
            refused_by_provider(code, f"returned {status}", hint),
        )
        for status, answer, code, hint in (
            (400, Answer(400, json={"error": "aspectRatio is unknown"}), "invalid_request", "generate again"),
            (401, Html(401), "unauthorized", "FATTHUMB_API_KEY"),
            (402, Answer(402), "payment_required", "credits"),
            (403, Answer(403, json={"error": "paid plan only"}), "plan_required", "plan"),
            (404, Answer(404, json={"error": "No such person"}), "not_found", "ids"),
            (409, Answer(409, json={"error": "Conflict"}), "invalid_request", "generate again"),
            (422, Answer(422, json={"detail": "blocked by our safety review"}), "moderated", "Reword"),
        )
    ),
    *(
        Fault(f"a submission refused with {what}", meets(answer), refused_by_provider(code, says, advice))
        for what, answer, code, says, advice in (
            (
                "a list of problems",
                Answer(422, json={"detail": [{"loc": ["body", "count"], "msg": "must be at most 2"}]}),
                "invalid_request",
                '"body.count: must be at most 2"',
                "Correct",
            ),
            (
                "a problem document",
                Answer(409, json={"type": "about:blank", "title": "Too many jobs", "status": 409}),
                "invalid_request",
                '"Too many jobs"',
                "Correct",
            ),
            (
                "a page that tests for browsers",
                Answer(
                    403,
                    text="<!DOCTYPE html><title>Just a moment...</title>",
                    headers={"content-type": "text/html", "cf-mitigated": "challenge"},
                ),
                "provider_error",
                "does not let this machine through",
                "FATTHUMB_BASE_URL",
            ),
            ("a web page that knows no such place", Html(404), "not_found", "returned 404", "FATTHUMB_BASE_URL may be"),
            (
                "a redirect",
                Redirect("https://elsewhere.example/v2/generate?key=x"),
                "provider_error",
                'not there but at "https://elsewhere.example/v2/generate"',
                "FATTHUMB_BASE_URL",
            ),
        )
    ),
)

PAUSES = (
    Fault("a 429 that names a second", later({"Retry-After": "1"}), succeeds(sent=2), also=waits(1)),
    Fault("a 429 that names a date", at_a_date, succeeds(sent=2), also=waits(0)),
    Fault("a 429 that names milliseconds", later({"retry-after-ms": "400"}), succeeds(sent=2), also=waits(0.4)),
    Fault("a 429 that names no time", later({}), succeeds(sent=2), also=waits(5)),
    Fault("a 429 that names nonsense", later({"Retry-After": "-1e9 soon"}), succeeds(sent=2), also=waits(5)),
    Fault(
        "a 429 that names an hour is told as an hour",
        later({"Retry-After": "3600"}),
        queued("returned 429", sent=1),
        run=until_it_says("returned 429"),
        also=lambda scene: scene.service.until(lambda: len(scene.service.log) == 1, 1),
    ),
)

LOST: tuple[tuple[str, faults.Fault, int], ...] = (
    ("a 500", Answer(500), 0),
    ("a 500 after the job was made", Answer(500, json={"error": "Internal error"}, accepts=True), 1),
    ("a 502 as a web page", Html(502), 0),
    ("a 503 as a web page", Html(503), 0),
    ("a 503 as a web page after the job was made", Html(503, accepts=True), 1),
    ("a web page where the job's id is due", Html(200), 0),
    ("a web page where the job's id is due, after the job was made", Html(200, accepts=True), 1),
    ("half of the JSON", CutJson(), 1),
    ("a JSON array", Answer(200, json=[{"generationId": "x"}], accepts=True), 1),
    ("JSON that is nested beyond all reason", Answer(200, text="[" * 200_000, accepts=True), 1),
    ("JSON without an id", Answer(200, json={"status": "processing"}, accepts=True), 1),
    ("an id that is none", Answer(200, json={"generationId": True}, accepts=True), 1),
    ("an id that is empty", Answer(200, json={"generationId": ""}, accepts=True), 1),
    ("an id that is longer than any id", Answer(200, json={"generationId": "x" * 10_000}, accepts=True), 1),
    ("a body cut short", CutBody(), 1),
    ("a body cut short, without a job", CutBody({"generationId": "x" * 50}, accepts=False), 0),
    ("a body without end", Flood(5_000_000, b'{"generationId": "', content_type="application/json"), 0),
    ("a reset before the answer", Reset(), 0),
    ("a reset before the answer, after the job was made", Reset(accepts=True), 1),
    ("an end without an answer", Reset(rst=False), 0),
    ("an end without an answer, after the job was made", Reset(accepts=True, rst=False), 1),
    ("a reset after the answer's head", Reset(accepts=True, before_body=False), 1),
    ("an answer that is not HTTP", Raw(accepts=True), 1),
    ("a 408, which a gateway may say", Answer(408), 0),
    ("a 425, which a gateway may say", Answer(425, json={"error": "too early"}, accepts=True), 1),
    ("a 499, which a gateway may say", Answer(499, accepts=True), 1),
    ("a redirect after the job was made", Redirect("/api/v1/generate", 303, accepts=True), 1),
    ("a 204 without a body", Answer(204, accepts=True), 1),
)

DOUBTS = (
    *(
        Fault(f"a submission answered by {name}", meets(fault), unknown(accepted=accepted))
        for name, fault, accepted in LOST
    ),
    Fault(
        "a submission answered by an error under a good status",
        meets(Answer(200, json={"error": "the GPU is gone"})),
        unknown(accepted=0, says='"the GPU is gone"'),
    ),
)

BETTERWAIFU = (
    Fault(
        "an illustration's submission answered by a 500 after the job was made",
        meets(Answer(500, accepts=True)),
        unknown(accepted=1, says="BetterWaifu"),
        service=BetterWaifu,
    ),
    Fault(
        "an illustration's submission answered without an id",
        meets(Answer(201, json={"id": None, "status": "queued"}, accepts=True)),
        unknown(accepted=1, says="names no job"),
        service=BetterWaifu,
    ),
)


SLOW = (
    Fault("a submission that is accepted at once and answered late", meets(Delay(3)), succeeds()),
    Fault("a submission that is accepted late", meets(Delay(2, accept_first=False)), succeeds(), run=through_a_server),
    Fault("a submission's answer with fields that nobody documented", meets(faults.UnknownFields()), succeeds()),
)

FAULTS = (*REACHING, *REFUSALS, *PAUSES, *DOUBTS, *BETTERWAIFU, *SLOW)


@on_both_databases
@pytest.mark.parametrize("fault", FAULTS, ids=name_of)
def test_a_submission_is_sent_once_whatever_becomes_of_it(fault: Fault, home: Home) -> None:
    prove(fault, home)
