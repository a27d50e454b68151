"""What can go wrong with a PostgreSQL, and with no file: nothing is sent without the ledger, and nothing is lost."""

import os
import signal
import threading
from collections.abc import Callable

import pytest

from tests.faults.runs import OVER, Run, generation_of, looked_at, nothing, posted, status_of
from tests.faults.scene import Outcome, Scene
from tests.faults.table import Fault, name_of, prove, refused, succeeds
from tests.faults.test_ledger_faults import STRUGGLING, every_tool_refuses, slow_answer, used_before
from tests.hosts import ON_POSTGRESQL, Home, eventually
from tests.services.postgres import Cluster, free_port

URL = "DARKROOM_DATABASE_URL"
ALLOW = "in which it may create tables"
CUT_EVERY_S = 0.3

on_postgresql = pytest.mark.parametrize("home", [ON_POSTGRESQL], indirect=True)


def with_url(old: str, new: str) -> Callable[[Scene], None]:
    """The user's URL has this in that one's place."""
    return lambda scene: scene.extra.update({URL: scene.extra[URL].replace(old, new)})


def port_of_nobody(scene: Scene) -> None:
    host, _, rest = scene.extra[URL].rpartition(":")
    scene.extra[URL] = f"{host}:{free_port()}/{rest.partition('/')[2]}"


def guest(rights: str) -> Callable[[Scene], None]:
    """The user's role, called like the schema, has these rights to a ledger that was made by another."""

    def prepare(scene: Scene) -> None:
        used_before(scene)
        schema = scene.extra[URL].rpartition("%3D")[2]
        scene.database.say(f"CREATE ROLE {schema} LOGIN; {rights.format(schema)}")
        with_url("postgres@", f"{schema}@")(scene)

    return prepare


def another_program_s(scene: Scene) -> None:
    """Tables of another program, one of which has a name of ours."""
    scene.database.say("CREATE TABLE generations (year INTEGER)")


def from_another_line_of_versions(scene: Scene) -> None:
    used_before(scene)
    assert scene.edit("UPDATE migrations SET name = '9999_teleportation' WHERE name = '0008_indexes'") == 1


def cut_again_and_again(scene: Scene) -> Outcome:
    """Every connection is ended, a few times a second, from the call to the end of the job."""
    over = threading.Event()

    def cut() -> None:
        while not over.wait(CUT_EVERY_S):
            scene.database.cut()

    with scene.server() as server:
        server.ask("list_generations")
        cutter = threading.Thread(target=cut)
        cutter.start()
        try:
            generation_id = generation_of(scene, server)
            return looked_at(scene, server, generation_id, lambda seen: status_of(seen) in OVER)
        finally:
            over.set()
            cutter.join()


def stopped_at_a_call(postgres: Cluster) -> Run:
    """A server is told to generate while its database does not run."""

    def run(scene: Scene) -> Outcome:
        with scene.server() as server:
            server.ask("list_generations")
            postgres.stop()
            try:
                return server.ask("generate", prompt=scene.prompt)
            finally:
                postgres.start()

    return run


def stopped_when_the_answer_comes(postgres: Cluster) -> Run:
    """The database crashes during the POST, and is back once it was missed."""

    def run(scene: Scene) -> Outcome:
        with scene.server() as server:
            generation_id = generation_of(scene, server)
            posted(scene)
            postgres.stop()
            try:
                eventually(lambda: STRUGGLING in "".join(server.err))
            finally:
                postgres.start()
            return looked_at(scene, server, generation_id, lambda seen: status_of(seen) in OVER)

    return run


def frozen_at_a_call(postgres: Cluster) -> Run:
    """A server is told to generate while its database takes connections and says nothing."""

    def run(scene: Scene) -> Outcome:
        with scene.server() as server:
            server.ask("list_generations")
            frozen = postgres.processes()
            for pid in frozen:
                os.kill(pid, signal.SIGSTOP)
            try:
                return server.ask("generate", prompt=scene.prompt)
            finally:
                for pid in frozen:
                    os.kill(pid, signal.SIGCONT)

    return run


REFUSED = (
    Fault("a database that nobody serves", port_of_nobody, refused("cannot be reached", URL), unopened=True),
    Fault(
        "a database that nobody serves, under a server",
        port_of_nobody,
        refused("cannot be reached", URL),
        run=every_tool_refuses,
        unopened=True,
    ),
    Fault(
        "a database that takes no writes",
        with_url("options=", "options=-cdefault_transaction_read_only%3Don%20"),
        refused("read-only", "takes writes"),
        unopened=True,
    ),
    Fault(
        "a schema that is not there",
        with_url("search_path%3D", "search_path%3Dno"),
        refused("schema", ALLOW),
        unopened=True,
    ),
    Fault("a role that may not use the ledger's schema", guest(""), refused("refused", ALLOW)),
    Fault(
        "a role that may only read the ledger",
        guest("GRANT USAGE ON SCHEMA {0} TO {0}; GRANT SELECT ON ALL TABLES IN SCHEMA {0} TO {0}"),
        refused("permission denied", ALLOW),
    ),
    Fault(
        "a database that lets no statement run for long enough",
        with_url("options=", "options=-cstatement_timeout%3D1ms%20"),
        refused("statement timeout", "Check the ledger's database"),
        unopened=True,
    ),
    Fault("a schema with another program's tables", another_program_s, refused("refused", "database"), unopened=True),
    Fault("a ledger from another line of versions", from_another_line_of_versions, refused("newer Darkroom", URL)),
)


@on_postgresql
@pytest.mark.parametrize("fault", REFUSED, ids=name_of)
def test_a_database_that_cannot_be_used_is_named_with_its_cure_and_nothing_is_sent(fault: Fault, home: Home) -> None:
    prove(fault, home)


@on_postgresql
def test_connections_that_are_cut_again_and_again_lose_nothing(home: Home) -> None:
    prove(Fault("cut connections", slow_answer, succeeds(), run=cut_again_and_again), home)


@on_postgresql
@pytest.mark.parametrize("happens", [stopped_at_a_call, frozen_at_a_call])
def test_a_call_to_a_database_that_gives_no_answer_is_refused_and_nothing_is_sent(
    home: Home, postgres: Cluster, happens: Callable[[Cluster], Run]
) -> None:
    prove(
        Fault(happens.__name__, nothing, refused("cannot be reached", "again by itself"), run=happens(postgres)), home
    )


@on_postgresql
def test_what_came_while_a_database_was_down_is_written_down_when_it_is_back(home: Home, postgres: Cluster) -> None:
    prove(Fault("a crash", slow_answer, succeeds(), run=stopped_when_the_answer_comes(postgres)), home)
