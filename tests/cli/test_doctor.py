"""`doctor` finds what keeps Darkroom from working, says the cure, shows no secret, and leaves nothing behind."""

import fcntl
import json
import random
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import pytest

from tests.attacks.origins import Origin, reply
from tests.cli.test_terminal import on_a_terminal
from tests.hosts import PATIENCE_S, Finished, Home, connected, darkroom, on_both_databases, refused
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer

SECRET = "bw_live_4f9aSECRETc2e81b7d03"
PASSWORD = "hunterPASSWORD22x"
NO_PORT = "http://127.0.0.1:1"
ROOM = 1_000_000
"""Bytes: less than a picture may need."""
SMALL_DISK = f"""
from darkroom.__main__ import main
import shutil, sys
shutil.disk_usage = lambda path: shutil._ntuple_diskusage(10**9, 10**9 - {ROOM}, {ROOM})
sys.exit(main())
"""


@dataclass(frozen=True)
class Found:
    """What is to be among the findings."""

    section: str
    level: str
    said: str
    cure: str


def failure(section: str, said: str, cure: str) -> Found:
    return Found(section, "failure", said, cure)


def warning(section: str, said: str, cure: str) -> Found:
    return Found(section, "warning", said, cure)


def used_before(home: Home) -> None:
    assert darkroom(home, "list").status == 0


def edit(home: Home, sql: str) -> None:
    used_before(home)
    with closing(sqlite3.connect(home.ledger)) as db, db:
        db.execute(sql)


def a_newer_one_s(home: Home) -> None:
    edit(home, "UPDATE migrations SET name = '9999_teleportation' WHERE name = '0008_indexes'")


def used_by_a_newer_one(home: Home) -> None:
    edit(home, "INSERT INTO migrations (name, at, needed) VALUES ('9999_teleportation', 0, 1)")


def noise(home: Home) -> None:
    home.ledger.parent.mkdir()
    home.ledger.write_bytes(random.Random(7).randbytes(20_000))


def damaged_further_on(home: Home) -> None:
    used_before(home)
    content = bytearray(home.ledger.read_bytes())
    content[-4096:] = random.Random(7).randbytes(4096)
    home.ledger.write_bytes(content)


def a_folder(home: Home) -> None:
    home.ledger.mkdir(parents=True)


def pictures_are_a_file(home: Home) -> None:
    home.pictures.write_bytes(b"my own notes")


def nothing(_: Home) -> None:
    """It is in the variables."""


def examined(home: Home, **extra: str) -> Finished:
    """The report as JSON, which has no secret in it, nor has what is said beside it."""
    done = darkroom(home, "doctor", "--json", **extra)
    assert done.status == (1 if done.json["failures"] else 0), done.err
    levels = [each["level"] for each in done.json["findings"]]
    assert (levels.count("failure"), levels.count("warning")) == (done.json["failures"], done.json["warnings"])
    assert all(each["level"] == "ok" or each["cure"] for each in done.json["findings"])
    for text in (SECRET, PASSWORD):
        assert text not in done.out + done.err
    assert "Traceback" not in done.err
    return done


def holds(report: Any, *expected: Found) -> None:
    for each in expected:
        alike = [
            found for found in report["findings"] if (found["section"], found["level"]) == (each.section, each.level)
        ]
        assert any(re.search(each.said, found["message"]) and re.search(each.cure, found["cure"]) for found in alike), (
            each,
            report,
        )


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


VARIABLES: tuple[tuple[str, dict[str, str], tuple[Found, ...]], ...] = (
    (
        "keys that are none, and a budget that is none",
        {
            "FATTHUMB_API_KEY": f'"{SECRET}"',
            "BETTERWAIFU_API_KEY": "${BETTERWAIFU_KEY}",
            "OPENAI_API_KEY": " ",
            "DARKROOM_BUDGET": "a lot",
            "DARKROOM_PREVIEWS": "some",
            "DARKROOM_PICTURES": "s3://",
        },
        (
            failure("Darkroom", "FATTHUMB_API_KEY counts as not set: the quotes", "Correct FATTHUMB_API_KEY"),
            failure("Darkroom", "BETTERWAIFU_API_KEY counts as not set: a name in it", "Correct BETTERWAIFU_API_KEY"),
            warning("Darkroom", "OPENAI_API_KEY is there and blank", "Put the key into OPENAI_API_KEY"),
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
        warning("services", "responds .* but with a web page", "Check BETTERWAIFU_BASE_URL"),
        failure("services", "BetterWaifu returned 200 with a web page", "."),
    )
    assert b"authorization" not in first


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


SETTINGS = {
    ".cursor/mcp.json": '{"mcpServers": {',
    ".config/Claude/claude_desktop_config.json": json.dumps(
        {
            "mcpServers": {
                "pictures": {
                    "command": "/nowhere/darkroom-mcp",
                    "env": {"FATTHUMB_API_KEY": "your-key-here", "BETTERWAIFU_API_KEY": "${MY_KEY}"},
                }
            }
        }
    ),
    ".codex/config.toml": f"""
        [mcp_servers.darkroom]
        command = "{sys.executable}"
        args = ["-m", "darkroom"]
        env = {{ BETTERWAIFU_API_KEY = "", FATTHUMB_API_KEY = "{SECRET}", DARKROOM_BUDGET = "a lot" }}
    """,
    ".config/Code/User/mcp.json": json.dumps(
        {
            "servers": {
                "darkroom": {
                    "command": sys.executable,
                    "args": ["-m", "darkroom"],
                    "env": {"FATTHUMB_API_KEY": "${input:key}", "BETTERWAIFU_API_KEY": SECRET},
                }
            }
        }
    ),
    ".config/zed/settings.json": "{}",
}


def test_what_is_wrong_in_the_settings_of_hosts_is_found(home: Home) -> None:
    for name, content in SETTINGS.items():
        (home.path / name).parent.mkdir(parents=True)
        (home.path / name).write_text(content)
    report = examined(home).json
    holds(
        report,
        failure("hosts", "Cursor: .*mcp.json cannot be used", "by hand, then restart Cursor"),
        failure("hosts", "Claude Desktop: the command that it names does not exist", "claude_desktop_config.json"),
        failure("hosts", "Claude Desktop: FATTHUMB_API_KEY counts as not set: .* an example", "restart Claude Desktop"),
        failure("hosts", "Claude Desktop: BETTERWAIFU_API_KEY counts as not set: a name in it", "restart Claude"),
        warning("hosts", "Codex: BETTERWAIFU_API_KEY is there and blank", "restart Codex"),
        failure("hosts", "Codex: DARKROOM_BUDGET cannot be read", "restart Codex"),
        warning("hosts", "Codex: it goes on without", "required = true below .mcp_servers.darkroom."),
    )
    of_hosts = [each for each in report["findings"] if each["section"] == "hosts"]
    assert [each["level"] for each in of_hosts if "VS Code" in each["message"]] == ["ok"]
    assert any(each["message"] == "Zed is here, without Darkroom." for each in of_hosts)
    assert {name: (home.path / name).read_text() for name in SETTINGS} == SETTINGS


@on_both_databases
def test_where_nothing_is_wrong_it_says_so_and_leaves_nothing_behind(home: Home, betterwaifu: BetterWaifu) -> None:
    user = home.with_(betterwaifu)
    done = darkroom(user, "doctor")
    assert (done.status, done.err, done.out.splitlines()[-1]) == (0, "", "Nothing is wrong."), done.out
    assert "the key was tried and is taken; credits left" in done.out
    assert "A picture was saved" in done.out
    assert betterwaifu.key not in done.out
    assert not home.pictures.exists()
    assert betterwaifu.posts == []


def test_on_a_terminal_it_has_colour_and_fits_and_without_colour_says_the_same(home: Home) -> None:
    said: list[str] = []
    for extra in ({"NO_COLOR": "1"}, {}):
        with on_a_terminal(home, "doctor", FATTHUMB_API_KEY="${KEY}", COLUMNS="60", **extra) as terminal:
            status, seen = terminal.end()
        said.append(re.sub(r"\x1b\[[0-9;]*m", "", seen))
        assert status == 1
        assert max(map(len, said[-1].splitlines())) <= 60
        assert ("\x1b[1;31m" in seen) is not bool(extra)
    assert "failure  FATTHUMB_API_KEY counts as not set" in said[0]
    assert [line.split() for line in said[0].splitlines()][:4] == [line.split() for line in said[1].splitlines()][:4]


async def test_a_server_that_could_not_open_tells_an_agent_all_that_is_wrong_here(home: Home) -> None:
    noise(home)
    pictures_are_a_file(home)
    async with connected(Home(home.path, {"FATTHUMB_API_KEY": f'"{SECRET}"'})) as client:
        text = await refused(client, "list_generations")
    assert "Move that file away" in text
    assert "Pictures cannot be saved under" in text
    assert "FATTHUMB_API_KEY counts as not set" in text
    assert "darkroom-mcp doctor" in text
    assert SECRET not in text
