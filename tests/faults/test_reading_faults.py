"""What can go wrong while a job is looked at."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.runs import (
    OVER,
    at_the_terminal,
    generation_of,
    interrupted,
    looked_at,
    nothing,
    polled,
    posted,
    status_of,
    through_a_server,
)
from tests.faults.scene import Outcome, Scene
from tests.faults.table import Fault, failed, name_of, partial, prove, succeeds
from tests.hosts import Home, on_both_databases
from tests.services import faults
from tests.services.betterwaifu import BetterWaifu
from tests.services.faults import Alter, Answer, CutBody, CutJson, Delay, Flood, Html, Raw, Redirect, Reset

REWORD = "Reword the prompt"
NO_LINK = {"id": "thumb_1", "status": "succeeded", "url": None}


def meets(*met: faults.Fault) -> Callable[[Scene], None]:
    """The next looks meet these."""
    return lambda scene: scene.service.script("read", *met)


def always(fault: faults.Fault | None) -> Callable[[Scene], None]:
    return lambda scene: scene.service.always("read", fault)


def says(**changes: object) -> Alter:
    """The true answer with these fields otherwise."""

    def change(job: dict[str, Any]) -> dict[str, Any]:
        return job | changes

    return Alter(change)


def fate(**changes: Any) -> Callable[[Scene], None]:
    """How the job goes at the provider."""
    return lambda scene: scene.service.later_jobs(**changes)


def down_for_a_while(scene: Scene) -> Outcome:
    """The provider goes away after the POST, is missed, and comes back."""
    with scene.server() as server:
        generation_id = generation_of(scene, server)
        posted(scene)
        scene.service.stop()
        looked_at(scene, server, generation_id, lambda outcome: "could not be reached" in outcome.text)
        the_job_ends(scene)
        scene.service.start()
        return looked_at(scene, server, generation_id, lambda outcome: status_of(outcome) in OVER)


def and_then_it_goes_back(scene: Scene) -> Outcome:
    """The provider takes its word back after the end."""
    assert status_of(at_the_terminal(scene)) == "succeeded"
    always(says(status="processing", thumbnails=[]))(scene)
    return scene.waited()


def an_hour_passes(scene: Scene) -> None:
    """By our clock, not by the provider's; all the while it was looked at."""
    scene.edit("UPDATE generations SET looked_s = 3600")


def an_hour_passes_asleep(scene: Scene) -> None:
    """Nobody looked meanwhile, and the first look fails; then the job is at its end."""
    scene.edit("UPDATE generations SET submitted_at = submitted_at - 3600, created_at = created_at - 3600")
    scene.service.script("read", *[Answer(500)] * 2)
    the_job_ends(scene)


def the_job_ends(scene: Scene) -> None:
    scene.service.advance(2000)


def looks(*met: faults.Fault) -> dict[str, Any]:
    """A row whose looks meet these, and which succeeds all the same."""
    return {"prepare": meets(*met), "ends": succeeds(), "run": through_a_server}


TROUBLE = (
    Fault("looks that are answered by a 500 a few times", **looks(*[Answer(500)] * 3)),
    Fault("a look that is answered by a 503 and a time", **looks(Answer(503, headers={"Retry-After": "1"}))),
    Fault(
        "looks that are answered by web pages, of whatever status",
        **looks(Html(200), Html(404), Html(422)),
    ),
    Fault("a look with half of the JSON", **looks(CutJson())),
    Fault("a look with a body cut short", **looks(CutBody())),
    Fault("a look without an end", **looks(Flood(5_000_000, b"{", content_type="application/json"))),
    Fault("looks that are reset", **looks(Reset(), Reset(before_body=False))),
    Fault("a look that ends without an answer", **looks(Reset(rst=False))),
    Fault("a look that is not answered in HTTP", **looks(Raw())),
    Fault("a look that is answered late", **looks(Delay(2))),
    Fault("a look that is told to come later", **looks(Answer(429, headers={"Retry-After": "1"}))),
    Fault("a look that is redirected is not followed", **looks(Redirect("/api/v1/generations/of-somebody"))),
    Fault("a look without a body", **looks(Answer(204))),
    Fault("a look that is refused for its key for a moment", **looks(Answer(401), Answer(403))),
    Fault("a look at a job that is not known yet", **looks(*[Answer(404)] * 2)),
    Fault("looks at nothing but arrays and nothing at all", **looks(Answer(200, json=[]), Answer(200, json=None))),
    Fault("a provider that is down for a while", fate(duration=1000.0), succeeds(), run=down_for_a_while),
)

STRANGE = (
    Fault("a status that nobody documented", **looks(says(status="reticulating"))),
    Fault("a status that is null", **looks(says(status=None))),
    Fault("a status that is a list", **looks(says(status=["succeeded"]))),
    Fault("pictures that are a string", **looks(says(thumbnails="soon"))),
    Fault("pictures that are numbers", **looks(says(thumbnails=[1, 2]))),
    Fault("an answer with fields that nobody documented", always(faults.UnknownFields()), succeeds()),
    Fault(
        "a status that goes back from processing to queued",
        meets(says(status="processing", output=None), says(status="queued", queue_position=2, output=None)),
        succeeds(),
        run=through_a_server,
        service=BetterWaifu,
    ),
    Fault("a job that goes back to processing after its end", nothing, succeeds(), run=and_then_it_goes_back),
    Fault(
        "a picture that is gone from the list after it was saved",
        meets(says(status="processing"), says(status="processing", thumbnails=[])),
        succeeds(),
        run=through_a_server,
        count=2,
    ),
)

ENDS = (
    Fault(
        "a job that the provider does not know any more",
        always(Answer(404, json={"error": "Generation not found"})),
        failed("expired", "maybe", "no longer has this job", "gallery"),
        run=through_a_server,
    ),
    Fault(
        "a job of which one picture failed",
        fate(failing={1: "Out of memory"}),
        partial("provider_error", "maybe", '"Out of memory"', REWORD),
        count=2,
    ),
    Fault(
        "a job that failed with a reason",
        fate(failing={0: "Flagged by our safety review"}),
        failed("moderated", "maybe", '"Flagged by our safety review"', REWORD),
    ),
    Fault(
        "a job that failed with a reason that is not fit to print",
        fate(failing={0: "no\x1b[2J\u202esuch\nluck" + " at all" * 1000}),
        failed("provider_error", "maybe", '"no [2J such luck at all', REWORD),
    ),
    Fault(
        "an illustration that failed with a reason",
        fate(failing="CUDA error"),
        failed("provider_error", "maybe", '"CUDA error"', REWORD),
        service=BetterWaifu,
    ),
    Fault(
        "a job whose only picture is hidden",
        fate(hidden=frozenset({0})),
        failed("result_unavailable", "maybe", "safety review", "another prompt"),
    ),
    Fault(
        "a job that succeeded, but without a picture at first", **looks(*[says(status="succeeded", thumbnails=[])] * 3)
    ),
    Fault("a job whose picture has no link at first", **looks(*[says(status="succeeded", thumbnails=[NO_LINK])] * 2)),
    Fault(
        "a job that may not be looked at any more",
        always(Answer(422, json={"error": "No such view"})),
        failed("invalid_request", "maybe", "No such view", "get_status"),
        mended=always(None),
        at_last=succeeds(),
    ),
    Fault(
        "a job that is gone",
        always(Answer(410, json={"error": "Gone"})),
        failed("expired", "maybe", "no longer has this job", "gallery"),
        run=through_a_server,
    ),
    Fault(
        "a job that is not done by its deadline is given up, and looked at again when it is asked for",
        fate(duration=1000.0),
        failed("timed_out", "maybe", "15 minutes", "get_status"),
        run=interrupted(polled, then=an_hour_passes),
        mended=the_job_ends,
        at_last=succeeds(),
    ),
    Fault(
        "a job that was done while this machine slept",
        fate(duration=1000.0),
        succeeds(),
        run=interrupted(polled, then=an_hour_passes_asleep),
    ),
)

INTERRUPTIONS = tuple(
    Fault(
        f"a process that {what} while its job is worked on",
        fate(duration=2.0),
        succeeds(),
        run=interrupted(polled, how=how),
    )
    for what, how in (
        ("is killed", signal.SIGKILL),
        ("is asked to end", signal.SIGTERM),
        ("is stopped by its user", signal.SIGINT),
    )
)

FAULTS = (*TROUBLE, *STRANGE, *ENDS, *INTERRUPTIONS)


@on_both_databases
@pytest.mark.parametrize("fault", FAULTS, ids=name_of)
def test_a_job_is_followed_to_its_end_whatever_a_look_at_it_brings(fault: Fault, home: Home) -> None:
    prove(fault, home)
