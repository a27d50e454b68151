"""The ledger in PostgreSQL: how it is reached, and what becomes of it when it is not."""

import subprocess
import sys
from pathlib import Path

import pytest

from darkroom.errors import StorageError
from tests.hosts import Home, darkroom
from tests.ledgers import open_postgres_ledger
from tests.services.postgres import Cluster, free_port

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


async def test_a_database_that_nobody_serves_is_said_with_its_cure() -> None:
    with pytest.raises(StorageError, match="cannot be reached") as refusal:
        async with open_postgres_ledger(f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"):
            pass
    assert "DARKROOM_DATABASE_URL" in refusal.value.next_step


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
