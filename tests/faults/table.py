"""What a fault is, how a row is run, and the four things that are asserted of every row."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from darkroom.cli.words import for_people
from tests.faults.runs import Run, at_the_terminal, nothing
from tests.faults.scene import Outcome, Scene, everything_under
from tests.hosts import Home
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import RouteName

EXIT_STATUS = {"succeeded": 0, "partial": 1, "failed": 1, "refused": 1, "queued": 3, "processing": 3}
RANK = {"queued": 0, "processing": 1}


@dataclass(frozen=True)
class Ending:
    """What the user is told in the end, and what the provider has seen by then.

    `says`: words of what happened. `advice`: words of the next step. `accepted`: POSTs that started a job. `sent`: all
    that arrived.
    """

    status: str
    code: str = ""
    charged: str = ""
    says: str = ""
    advice: str = ""
    accepted: int = 1
    sent: int = 1


def succeeds(*, says: str = "", accepted: int = 1, sent: int = 1) -> Ending:
    return Ending("succeeded", says=says, accepted=accepted, sent=sent)


def queued(says: str, *, sent: int = 0) -> Ending:
    return Ending("queued", says=says, accepted=0, sent=sent)


def refused_by_provider(code: str, says: str, advice: str) -> Ending:
    """The provider answered no: nothing was charged."""
    return Ending("failed", code, "no", says, advice, accepted=0)


def unknown(*, accepted: int, says: str = "") -> Ending:
    """Nobody can say whether the POST started a job."""
    return Ending("failed", "outcome_unknown", "maybe", says, "gallery", accepted=accepted)


def failed(code: str, charged: str, says: str, advice: str) -> Ending:
    return Ending("failed", code, charged, says, advice)


def partial(code: str, charged: str, says: str, advice: str) -> Ending:
    """One picture came, and the other says why it did not."""
    return Ending("partial", code, charged, says, advice)


def refused(says: str, advice: str) -> Ending:
    """Darkroom itself refused it, since it could not have been kept: nothing was sent."""
    return Ending("refused", "storage_error", "no", says, advice, accepted=0, sent=0)


@dataclass(frozen=True)
class Fault:
    """One row: what is wrong, and how it must end.

    `mended` puts right what was wrong, and `at_last` is what `wait` must say then. `unopened`: the ledger is one that
    the test damaged or put out of reach, and so nothing to be read. `also`: what this row asserts besides.
    """

    name: str
    prepare: Callable[[Scene], object]
    ends: Ending
    run: Run = at_the_terminal
    service: Callable[[], FatThumb | BetterWaifu] = FatThumb
    count: int = 1
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    mended: Callable[[Scene], object] = nothing
    at_last: Ending | None = None
    unopened: bool = False
    also: Callable[[Scene], object] = nothing


def name_of(fault: Fault) -> str:
    return fault.name


def prove(fault: Fault, home: Home) -> None:
    """Lets the fault happen to this user, and asserts that it ends as it must."""
    with fault.service() as service, Scene(home.path, service, prompt=fault.name, count=fault.count) as scene:
        scene.extra |= {**home.extra, **fault.environ}
        scene.database_url = home.extra.get("DARKROOM_DATABASE_URL")
        fault.prepare(scene)
        check(scene, fault, fault.run(scene), fault.ends)
        assert {route: service.unplayed(route) for route in get_args(RouteName)} == dict.fromkeys(
            get_args(RouteName), 0
        )
        fault.also(scene)
        if fault.at_last is not None:
            fault.mended(scene)
            check(scene, fault, scene.waited(), fault.at_last)


def check(scene: Scene, fault: Fault, outcome: Outcome, ending: Ending) -> None:
    """The four assertions of every row."""
    assert_paid_for_once(scene, ending)
    assert_kept(scene, fault, outcome)
    assert_told(outcome, ending)
    assert_no_key(scene, outcome)


def assert_paid_for_once(scene: Scene, ending: Ending) -> None:
    posts = scene.service.posts
    assert len({post.body["prompt"] for post in posts}) == len(posts), "a generation was paid for twice"
    assert (len(posts), len(scene.service.requests(route="submit"))) == (ending.accepted, ending.sent)


def assert_kept(scene: Scene, fault: Fault, outcome: Outcome) -> None:
    """The ledger is sound and says what the user was told; what was not ours is as it was."""
    assert {path: path.read_bytes() for path in scene.kept} == scene.kept
    assert scene.statuses == sorted(scene.statuses, key=lambda status: RANK.get(status, 2)), "a status went backwards"
    assert not [path for path in everything_under(scene.path) if path.suffix == ".part"]
    if fault.unopened:
        return
    assert scene.ledger.sound()
    rows = Counter(json.loads(request)["prompt"] for (request,) in scene.look("SELECT request FROM generations"))
    assert Counter(post.body["prompt"] for post in scene.service.posts) <= rows
    told = outcome.generation
    if told is not None and told["status"] not in RANK:
        assert (told["id"], told["status"]) in scene.look("SELECT id, stage FROM generations")


def assert_told(outcome: Outcome, ending: Ending) -> None:
    """The user knows what happened, whether it was charged, and what to do next."""
    generation, text = outcome.generation, outcome.text
    assert (generation["status"] if generation else "refused") == ending.status, text
    assert outcome.exit_status in {None, EXIT_STATUS[ending.status]}, text
    assert "Traceback" not in text
    if generation is None:
        assert f"{ending.code}: " in text
        assert ending.says in text
        assert ending.advice in text
        assert f"Charged: {ending.charged}." in text
        return
    saved = [image for image in generation["images"] if image["status"] == "succeeded"]
    assert all(Path(image["path"]).stat().st_size == image["bytes"] for image in saved)
    errors = errors_of(generation)
    if not ending.code:
        assert errors == []
        assert ending.says in generation["progress"]["message"]
        return
    (error,) = errors
    assert (error["code"], error["charged"]) == (ending.code, ending.charged)
    assert ending.says in error["message"]
    assert error["next_step"]
    assert ending.advice in error["next_step"]
    for words in (
        generation["id"],
        error["message"],
        error["code"],
        f"Charged: {error['charged']}.",
        error["next_step"],
    ):
        assert (words if outcome.exit_status is None else for_people(words)) in text


def errors_of(generation: dict[str, Any]) -> list[dict[str, Any]]:
    """What went wrong: with all of it, or else with some of its pictures."""
    if "error" in generation:
        return [generation["error"]]
    return [image["error"] for image in generation["images"] if "error" in image]


def assert_no_key(scene: Scene, outcome: Outcome) -> None:
    """No file, no file's name, nothing printed and nothing answered holds the key; no picture was fetched with it."""
    key = scene.service.key
    assert key not in scene.everything_printed()
    assert key not in outcome.text
    assert key not in str(outcome.generation)
    assert scene.files_with_the_key() == []
    assert not any(request.has_key for request in scene.service.picture_requests)
