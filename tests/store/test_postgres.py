"""The ledger in PostgreSQL: how it is reached, and what becomes of it when it is not."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from darkroom.errors import StorageError, Unstorable, Unwritten
from darkroom.models import GenerationRequest, Record, Stage
from darkroom.store.postgres import database
from darkroom.store.postgres.connection import PostgresConnection
from tests.faults.ledgers import InPostgres
from tests.hosts import Home, darkroom, eventually
from tests.ledgers import open_postgres_ledger
from tests.services.postgres import Cluster, cluster_folder, free_port

LOADED = """
import sys, anyio, time
from pathlib import Path
from darkroom.store.opening import open_store
async def main():
    async with open_store(Path(sys.argv[1]), None, time.time):
        pass
anyio.run(main)
import darkroom.cli.serve
print([name for name in sys.modules if name.startswith(("psycopg", "darkroom.store.postgres"))])
"""
WITHOUT = "import sys; sys.modules['psycopg'] = None; import runpy; runpy.run_module('darkroom', run_name='__main__')"

DONE = Record(
    id="gen_1", owner="local", request=GenerationRequest(provider="fatthumb", prompt="a fox", model="m"), account="key",
    stage=Stage.SUCCEEDED, created_at=0.0, holder="me", answering="me",
)  # fmt: skip


def test_a_ledger_in_a_file_loads_nothing_of_postgresql(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LOADED, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_missing_driver_is_named_with_what_brings_it(home: Home) -> None:
    user = home.with_(DARKROOM_DATABASE_URL="postgresql://nobody@127.0.0.1/x")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "list"], env=user.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "storage_error" in done.stderr
    assert "darkroom-mcp[postgres]" in done.stderr


@pytest.mark.parametrize("words", ["password=hunter22hunter22&port=none", "no_such_parameter=hunter22hunter22"])
def test_a_url_that_the_driver_cannot_read_is_refused_and_not_repeated(home: Home, words: str) -> None:
    done = darkroom(home.with_(DARKROOM_DATABASE_URL=f"postgresql://me@127.0.0.1/x?{words}"), "list")
    assert done.status == 1
    assert "DARKROOM_DATABASE_URL" in done.err
    assert "hunter22" not in done.err + done.out


STRANGE = ["hunter22@hunter33", "hunter22/hunter33", "hunter22?hunter33", "hunter22#hunter33", "hunter22%hunter33"]
"""Passwords that cannot stand in a URL as they are."""


@pytest.mark.parametrize("password", STRANGE)
def test_a_password_that_would_be_taken_for_a_host_is_refused_before_anybody_is_asked_for_it(
    home: Home, password: str
) -> None:
    done = darkroom(home.with_(DARKROOM_DATABASE_URL=f"postgresql://me:{password}@127.0.0.1:1/x"), "list")
    assert done.status == 2
    assert "%40" in done.err
    assert [part for part in ("hunter22", "hunter33") if part in done.err + done.out] == []


@pytest.mark.hosting
def test_a_password_of_any_characters_is_read_once_they_are_escaped_and_a_socket_s_folder_as_well(
    home: Home, postgres: Cluster
) -> None:
    password, role = "".join(STRANGE), "strange"
    postgres.say(f"CREATE ROLE {role} LOGIN SUPERUSER PASSWORD '{password}'")
    escaped, folder = quote(password, safe=""), quote(str(postgres.folder), safe="")
    schema = postgres.fresh().partition("?")[2]
    for host in (f"127.0.0.1:{postgres.port}", f"{folder}:{postgres.port}"):
        url = f"postgresql://{role}:{escaped}@{host}/postgres?{schema}"
        done = darkroom(home.with_(DARKROOM_DATABASE_URL=url), "list")
        assert done.status == 0, done.err
    wrong = f"postgresql://nobody:{escaped}@127.0.0.1:{postgres.port}/postgres"
    done = darkroom(home.with_(DARKROOM_DATABASE_URL=wrong), "list")
    assert done.status == 1
    assert "hunter22" not in done.err + done.out


@pytest.mark.hosting
@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_pooler_is_refused_where_it_lends_sessions_out_and_used_where_it_does_not(
    home: Home, postgres: Cluster, mode: str
) -> None:
    with cluster_folder() as folder, pooled(postgres, folder, mode) as url:
        done = darkroom(home.with_(DARKROOM_DATABASE_URL=url), "list")
    assert done.status == (1 if mode == "transaction" else 0), done.err
    assert ("pool_mode=session" in done.err) is (mode == "transaction")


@contextmanager
def pooled(server: Cluster, folder: Path, mode: str) -> Generator[str]:
    """A URL of that server through PgBouncer, in this mode."""
    port, ini = free_port(), folder / "pgbouncer.ini"
    ini.write_text(
        f"[databases]\npostgres = host=127.0.0.1 port={server.port} user=postgres\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\nunix_socket_dir =\npool_mode = {mode}\n"
    )
    user: dict[str, Any] = {"user": "postgres"} if os.geteuid() == 0 else {}
    found = shutil.which("pgbouncer", path=f"/usr/sbin:{os.environ['PATH']}")
    assert found, "these tests need PgBouncer: python3 dev.py install brings it where apt can"
    with subprocess.Popen([found, str(ini)], stderr=subprocess.DEVNULL, **user) as process:
        try:
            eventually(lambda: is_open(port))
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()


def is_open(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


async def test_a_database_that_nobody_serves_is_said_with_its_cure() -> None:
    with pytest.raises(StorageError, match="cannot be reached") as refusal:
        async with open_postgres_ledger(f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"):
            pass
    assert "DARKROOM_DATABASE_URL" in refusal.value.next_step


def end_sessions(postgres: Cluster) -> None:
    postgres.say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'darkroom'")


async def test_a_call_connects_again_where_the_database_was_restarted(postgres: Cluster) -> None:
    async with open_postgres_ledger(postgres.fresh()) as ledger:
        end_sessions(postgres)
        assert await ledger.get("gen_1", "local") is None
        end_sessions(postgres)
        await ledger.note_trouble("me", {})
        assert ledger.trouble is None


async def test_work_whose_connection_is_lost_before_its_commit_is_done_anew(postgres: Cluster) -> None:
    async with open_postgres_ledger(postgres.fresh()) as ledger:
        tries: list[int] = []

        def ended_at_first(record: Record) -> dict[str, Any]:
            tries.append(1)
            if len(tries) == 1:
                end_sessions(postgres)
            return {"cost_micros": 5}

        record = await ledger.begin(DONE, adopt_within_s=0.0)
        assert (await ledger.revise(record, ended_at_first)) is not None
        assert len(tries) == 2


async def test_a_lost_commit_says_that_nobody_knows_and_is_not_done_anew(
    postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = PostgresConnection.commit

    def deaf(self: PostgresConnection) -> None:
        commit(self)
        end_sessions(postgres)
        self.set_clock()

    async with open_postgres_ledger(postgres.fresh()) as ledger:
        monkeypatch.setattr(PostgresConnection, "commit", deaf)
        with pytest.raises(StorageError) as refusal:
            await ledger.begin(DONE, adopt_within_s=0.0)
        assert not isinstance(refusal.value, Unwritten)
        monkeypatch.undo()
        assert (await ledger.begin(DONE, adopt_within_s=0.0, again=True)).id == DONE.id


async def test_a_generation_is_accepted_in_five_round_trips_and_each_step_of_it_written_in_two(
    postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips: list[str] = []
    execute = PostgresConnection.execute

    def counted(self: PostgresConnection, sql: str, *values: Any) -> Any:
        trips.append(sql)
        return execute(self, sql, *values)

    async with open_postgres_ledger(postgres.fresh()) as ledger:
        await ledger.get("gen_1", "local")
        monkeypatch.setattr(PostgresConnection, "execute", counted)
        record = await ledger.begin(DONE.model_copy(update={"stage": Stage.RUNNING}), adopt_within_s=600.0)
        assert len(trips) == 5, trips
        trips.clear()
        changed = await ledger.change(record, {"queue_position": 3})
        assert len(trips) == 2, trips
    assert changed is not None
    assert changed.queue_position == 3


async def test_what_queues_up_behind_a_lock_that_stays_is_answered_soon_and_told_why(
    postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_TIMEOUT_S", 2.0)
    monkeypatch.setattr(database, "IMPATIENT_S", 0.001)
    url = postgres.fresh()
    async with open_postgres_ledger(url) as ledger:
        with InPostgres(url).locked():
            began = time.monotonic()
            for _ in range(20):
                with pytest.raises(StorageError, match="locked by other processes") as caught:
                    await ledger.get("gen_1", "local")
                assert "goes on by itself" in caught.value.next_step
            assert time.monotonic() - began < 20 * 2.0, "each waited as long as the first"
        assert await ledger.get("gen_1", "local") is None


async def test_a_value_that_the_database_cannot_hold_is_no_outage(postgres: Cluster) -> None:
    async with open_postgres_ledger(postgres.fresh()) as ledger:
        record = await ledger.begin(DONE, adopt_within_s=0.0)
        for unfit in ({"job_id": "a\0b"}, {"job_id": "\ud800"}, {"queue_position": 10**30}):
            with pytest.raises(Unstorable):
                await ledger.change(record, unfit)
        assert ledger.trouble is None


async def test_a_database_in_another_encoding_is_refused(postgres: Cluster) -> None:
    postgres.say("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    with pytest.raises(StorageError, match="LATIN1"):
        async with open_postgres_ledger(postgres.url().replace("/postgres?", "/latin?")):
            pass


async def test_a_ledger_of_a_newer_version_is_left_as_it_is(postgres: Cluster) -> None:
    url = postgres.fresh()
    async with open_postgres_ledger(url):
        pass
    schema = url.rpartition("%3D")[2]
    postgres.say(f"UPDATE {schema}.migrations SET name = '9999_teleportation' WHERE name = '0008_indexes'")
    with pytest.raises(StorageError, match="newer Darkroom"):
        async with open_postgres_ledger(url):
            pass
