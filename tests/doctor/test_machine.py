"""`doctor` on this machine: the ledger, the disk, the processes beside it, and what is under way."""

import fcntl
import os
import random
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager

import pytest

from tests.doctor.reports import Found, examined, failure, holds, noise, pictures_are_a_file, warning
from tests.hosts import PATIENCE_S, Home, connected, darkroom
from tests.services.fatthumb import FatThumb

ROOM = 1_000_000
"""Bytes: less than a picture may need."""
SMALL_DISK = f"""
from darkroom.__main__ import main
import shutil, sys
shutil.disk_usage = lambda path: shutil._ntuple_diskusage(10**9, 10**9 - {ROOM}, {ROOM})
sys.exit(main())
"""


def used_before(home: Home) -> None:
    assert darkroom(home, "list").status == 0


def edit(home: Home, sql: str) -> None:
    used_before(home)
    with closing(sqlite3.connect(home.ledger, timeout=PATIENCE_S)) as db, db:
        db.execute(sql)


def a_newer_one_s(home: Home) -> None:
    edit(home, "UPDATE migrations SET name = '9999_teleportation' WHERE name = '0008_indexes'")


def used_by_a_newer_one(home: Home) -> None:
    edit(home, "INSERT INTO migrations (name, at, needed) VALUES ('9999_teleportation', 0, 1)")


def damaged_further_on(home: Home) -> None:
    used_before(home)
    content = bytearray(home.ledger.read_bytes())
    content[-4096:] = random.Random(7).randbytes(4096)
    home.ledger.write_bytes(content)


def a_folder(home: Home) -> None:
    home.ledger.mkdir(parents=True)


def a_pipe(home: Home) -> None:
    home.ledger.parent.mkdir(parents=True)
    os.mkfifo(home.ledger)


LEDGERS: tuple[tuple[str, Callable[[Home], None], Found], ...] = (
    ("a newer version's", a_newer_one_s, failure("ledger", "written by a newer Darkroom", "Update this Darkroom")),
    (
        "one that a newer version uses",
        used_by_a_newer_one,
        warning("ledger", "A newer Darkroom uses", "Update Darkroom"),
    ),
    ("no database", noise, failure("ledger", "not a database|damaged", "Move that file away")),
    ("damaged", damaged_further_on, failure("ledger", "is damaged", "Move that file away")),
    ("a folder", a_folder, failure("ledger", "cannot be opened|cannot be used", "readable and writable|Move")),
    *([("a pipe", a_pipe, failure("ledger", "cannot be opened .it is no file", "Move"))] if os.name == "posix" else ()),
)


@pytest.mark.parametrize(("make", "expected"), [each[1:] for each in LEDGERS], ids=[each[0] for each in LEDGERS])
def test_a_ledger_that_cannot_be_used_as_it_is_meant_is_found(
    home: Home, make: Callable[[Home], None], expected: Found
) -> None:
    make(home)
    report = examined(home).json
    holds(report, expected)
    # The other sections are there nevertheless.
    assert {"Darkroom", "ledger", "disk", "services"} <= {each["section"] for each in report["findings"]}


def test_a_disk_without_room_and_a_folder_that_takes_no_picture_are_found(home: Home) -> None:
    pictures_are_a_file(home)
    holds(examined(home).json, failure("disk", "Pictures cannot be saved under", "DARKROOM_PICTURES"))
    home.pictures.unlink()
    done = subprocess.run(
        [sys.executable, "-c", SMALL_DISK, "doctor"],
        env=home.environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert re.search(r"failure +Pictures cannot be saved under .*only 1,000,000 bytes are free", done.stdout)
    assert re.search(r"warning +The ledger's disk has 1 MB free", done.stdout)


@contextmanager
def older_process(home: Home) -> Generator[str]:
    """The sign of life of a process that does not write its version into it."""
    path = home.ledger.parent / "processes" / "4711-0123456789abcdef.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield "4711"


@pytest.fixture
def slow() -> Generator[FatThumb]:
    """A service whose jobs take longer than any test."""
    with FatThumb(duration=100 * PATIENCE_S) as service:
        yield service


async def test_processes_are_listed_with_their_versions_and_what_is_under_way_is_counted(
    home: Home, slow: FatThumb
) -> None:
    user = home.with_(slow)
    async with connected(user) as client:
        await client.call_tool("generate", {"prompt": "A fox"})
        with older_process(user) as pid:
            report = examined(user).json
        said = [each["message"] for each in report["findings"]]
        assert any(re.search(r"Other processes of this version: \d+\.$", each) for each in said), said
        assert any(re.search(r"Under way: 1 ", each) for each in said), said
        assert any("of 1000 requests in 3600 s" in each for each in said), said
        assert any("not tried yet: this service has no free request" in each for each in said), said
        holds(report, warning("processes", f"Process {pid} .*older", "Update Darkroom where that process's host"))
    holds(examined(user).json, warning("generations", "no process runs", "darkroom-mcp wait"))
    assert len(slow.posts) <= 1
