"""What can go wrong with the ledger: where it cannot be trusted with a generation, none is begun."""

import time
from collections.abc import Callable

import pytest

from tests.faults.homes import UNUSABLE, a_row_that_cannot_be_read, link_leads_nowhere_still
from tests.faults.runs import (
    OVER,
    at_the_terminal,
    generation_of,
    interrupted,
    looked_at,
    meanwhile,
    nothing,
    polled,
    posted,
    status_of,
)
from tests.faults.scene import Command, Outcome, Scene
from tests.faults.table import Fault, name_of, prove, refused, succeeds
from tests.hosts import Home, eventually, on_both_databases
from tests.services.faults import Answer, Delay

ADVICE = "DARKROOM_HOME"
DAY_S = 86_400
STRUGGLING = "Trying again"


def every_tool_refuses(scene: Scene) -> Outcome:
    """A server starts all the same, and all its tools give the same reason."""
    one = {"generation_id": "gen_x"}
    with scene.server() as server:
        outcomes = [
            server.ask("generate", prompt=scene.prompt),
            server.ask("get_status", **one),
            server.ask("wait", generation_ids=["gen_x"]),
            server.ask("cancel", **one),
            server.ask("list_generations"),
            server.ask("list_models"),
            server.ask("gallery", **one, index=1, action="view"),
        ]
    assert len(set(outcomes)) == 1
    return outcomes[0]


def listed_at_the_terminal(scene: Scene) -> Outcome:
    return scene.run("list", "--json")


def listed_by_a_server(scene: Scene) -> Outcome:
    with scene.server() as server:
        return server.ask("list_generations")


def used_before(scene: Scene) -> None:
    """The ledger exists and has nothing in it."""
    scene.run("list", "--json")


def full_disk(scene: Scene) -> None:
    used_before(scene)
    scene.fill_disk()


def locked_at_a_call(scene: Scene) -> Outcome:
    """A server is told to generate while somebody else holds its ledger, for longer than it waits."""
    with scene.server() as server:
        server.ask("list_generations")  # the handshake comes before the ledger is open
        with scene.ledger.locked():
            return server.ask("generate", prompt=scene.prompt)


def locked_at_the_start(scene: Scene) -> Outcome:
    used_before(scene)
    with scene.ledger.locked():
        return at_the_terminal(scene)


def locked_for_a_moment(scene: Scene) -> Outcome:
    used_before(scene)
    with scene.ledger.locked():
        command = scene.generate()
        # Whether it has come to the lock by then or not: the outcome is the same.
        time.sleep(1)
    return command.outcome()


def locked_when_the_answer_comes(scene: Scene) -> Outcome:
    """A server's POST has been accepted, and what it was answered cannot be written down for a while."""
    with scene.server() as server:
        generation_id = generation_of(scene, server)
        posted(scene)
        with scene.ledger.locked():
            eventually(lambda: STRUGGLING in "".join(server.err))
        return looked_at(scene, server, generation_id, lambda seen: status_of(seen) in OVER)


def locked_while_a_command_waits(scene: Scene, command: Command) -> None:
    """The same, at the terminal."""
    posted(scene)
    with scene.ledger.locked():
        eventually(lambda: command.over or command.says(STRUGGLING))


def disk_full_when_the_answer_comes(scene: Scene, command: Command) -> None:
    posted(scene)
    scene.fill_disk()
    command.until_it_says(STRUGGLING)
    assert scene.files_with_the_key() == []
    scene.make_room()


def slow_answer(scene: Scene) -> None:
    scene.service.script("submit", Delay(2))


def clock_set_back(scene: Scene) -> None:
    """A day ago by the clock of now, a generation was made, told to wait, and its account closed."""
    scene.service.script("submit", Answer(429, headers={"Retry-After": "1"}))
    assert status_of(scene.generate(f"{scene.prompt} before").outcome()) == "succeeded"
    for table, times in (
        ("submissions", ("at",)),
        ("requests", ("at",)),
        ("accounts", ("closed_until", "narrowed_until")),
        ("generations", ("created_at", "submitted_at", "finished_at")),
    ):
        assert scene.edit(f"UPDATE {table} SET {', '.join(f'{time} = {time} + {DAY_S}' for time in times)}")


def clock_jumps(seconds: int) -> Callable[[Scene], object]:
    """The clock is set while a job runs: what was written before is that much further back."""
    back = ", ".join(f"{name} = {name} - {seconds}" for name in ("created_at", "submitted_at"))
    return lambda scene: scene.edit(f"UPDATE generations SET {back}")


def deleted_while_it_runs(scene: Scene) -> Outcome:
    """A second process leaves the job to the first, which is alive."""
    scene.service.later_jobs(duration=3.0)
    with scene.server() as server:
        generation_id = generation_of(scene, server)
        polled(scene)
        scene.ledger.lose_signs()
        outcome = scene.waited()
        assert looked_at(scene, server, generation_id, lambda seen: status_of(seen) in OVER).generation is not None
    return outcome


def deleted_while_it_posts(scene: Scene) -> Outcome:
    """A second process does not take a POST without a sign of life for lost; the first one brings its answer home."""
    scene.service.script("submit", Delay(2))
    with scene.server() as first, scene.server() as second:
        first.send("tools/call", {"name": "generate", "arguments": {"prompt": scene.prompt}})
        posted(scene)
        holder = scene.look("SELECT holder FROM generations")
        scene.ledger.lose_signs()
        eventually(lambda: scene.look("SELECT job_id IS NOT NULL AND stage = 'succeeded' FROM generations") == [(1,)])
        outcome = second.ask("list_generations")
        assert scene.look("SELECT holder FROM generations") == holder
    return outcome


def empty_file(scene: Scene) -> None:
    scene.home.ledger.parent.mkdir()
    scene.home.ledger.touch()


def one_file(scene: Scene) -> None:
    assert len(scene.home.saved()) == 1


UNOPENED = tuple(
    Fault(f"{name}, {how}", prepare, refused(says, ADVICE), run=run, unopened=True, also=link_leads_nowhere_still)
    for name, prepare, says in UNUSABLE
    for how, run in (("at the terminal", at_the_terminal), ("under a server", every_tool_refuses))
)

REFUSED = (
    Fault(
        "a disk that is full before the submission",
        full_disk,
        refused("could not be used", "the disk"),
        mended=Scene.make_room,
    ),
    Fault("a ledger that is locked when a server is called", nothing, refused("locked", "again"), run=locked_at_a_call),
    Fault(
        "a ledger that is locked when a command starts", nothing, refused("locked", "again"), run=locked_at_the_start
    ),
    *(
        Fault(
            f"a ledger with a row in stage {stage} that cannot be read, {how}",
            a_row_that_cannot_be_read(stage),
            refused("holds a row that cannot be read", "Check the"),
            run=run,
        )
        for stage in ("succeeded", "accepted")
        for how, run in (("at the terminal", listed_at_the_terminal), ("under a server", listed_by_a_server))
    ),
)

SURVIVED = (
    Fault("a ledger that is locked for a moment", nothing, succeeds(), run=locked_for_a_moment),
    Fault(
        "a ledger that is locked when the job's id comes",
        slow_answer,
        succeeds(),
        run=locked_when_the_answer_comes,
    ),
    Fault(
        "a ledger that is locked when the job's id comes, at the terminal",
        slow_answer,
        succeeds(),
        run=meanwhile(locked_while_a_command_waits),
    ),
    Fault(
        "a disk that is full when the job's id comes",
        slow_answer,
        succeeds(),
        run=meanwhile(disk_full_when_the_answer_comes),
    ),
    Fault("signs of life deleted while a job runs", nothing, succeeds(), run=deleted_while_it_runs, also=one_file),
    Fault("signs of life deleted during a submission", nothing, succeeds(), run=deleted_while_it_posts, also=one_file),
    Fault(
        "a clock set on by a day while a job runs",
        nothing,
        succeeds(),
        run=interrupted(polled, then=clock_jumps(DAY_S)),
    ),
    Fault(
        "a clock set back by a day while a job runs",
        nothing,
        succeeds(),
        run=interrupted(polled, then=clock_jumps(-DAY_S)),
    ),
    Fault("a clock set back by a day between two runs", clock_set_back, succeeds(accepted=2, sent=3)),
)

IN_FILES = (*UNOPENED, Fault("a ledger that is empty", empty_file, succeeds()))


@pytest.mark.parametrize("fault", IN_FILES, ids=name_of)
def test_a_ledger_s_file_is_never_harmed_and_nothing_is_sent_without_one(fault: Fault, home: Home) -> None:
    prove(fault, home)


@on_both_databases
@pytest.mark.parametrize("fault", [*REFUSED, *SURVIVED], ids=name_of)
def test_a_ledger_is_never_harmed_and_nothing_is_sent_without_one(fault: Fault, home: Home) -> None:
    prove(fault, home)
