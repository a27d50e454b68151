"""Two versions use one ledger for days, since each host brings its own; neither pays twice, loses anything or stops."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from darkroom.accounts import Limits
from darkroom.errors import Outdated
from darkroom.models import GenerationRequest, Record, Stage
from darkroom.store.migrations import MIGRATIONS
from darkroom.store.signs import Life
from tests.hosts import Home, RawServer, eventually, running
from tests.hosts import darkroom as command
from tests.ledgers import ANY_AGE_S, Seen, open_ledger
from tests.services.fatthumb import FatThumb
from tests.store.ledger_model import LOST

NEW_STEP = """
def _m9999_future(db: Connection) -> None:
    db.execute("ALTER TABLE generations ADD COLUMN cost TEXT NOT NULL DEFAULT 'unknown'")


MIGRATIONS: tuple["""
LAST = MIGRATIONS[-1][0]


BUILD = "import hatchling.build, sys; print(hatchling.build.build_wheel(sys.argv[1]))"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> str:
    """This version as its wheel holds it; the folder for PYTHONPATH."""
    uv = shutil.which("uv", path=Path(sys.executable).parent)
    assert uv is not None
    built = tmp_path_factory.mktemp("built")
    subprocess.run(
        [uv, "run", "--locked", "--isolated", "--only-group=build", "python", "-c", BUILD, str(built)],
        cwd=Path(__file__).parents[1], check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    (file,) = built.glob("*.whl")
    with ZipFile(file) as archive:
        archive.extractall(built / "unpacked")
    return str(built / "unpacked")


def newer_version(wheel: str, folder: Path, *, needed: bool) -> str:
    """The wheel's package to which one step is added; the folder for PYTHONPATH."""
    package = Path(shutil.copytree(Path(wheel) / "darkroom", folder / "darkroom"))
    file = package / "store" / "migrations.py"
    text = file.read_text("utf-8").replace("\nMIGRATIONS: tuple[", NEW_STEP, 1)
    taken = f'    ("{LAST}", _m{LAST}),\n'
    assert taken in text
    text = text.replace(taken, f'{taken}    ("9999_future", _m9999_future),\n')
    if not needed:
        text = text.replace("NOT_NEEDED = frozenset({", 'NOT_NEEDED = frozenset({"9999_future", ')
    file.write_text(text, "utf-8")
    return str(folder)


@contextmanager
def serving(home: Home) -> Generator[RawServer]:
    with running(home, "serve") as process:
        server = RawServer(process)
        server.initialize()
        server.call("list_generations")  # the handshake comes before the ledger is open
        yield server


def said(answer: dict[str, Any]) -> str:
    return str(answer["content"][0]["text"])


def test_an_older_server_notices_a_newer_one_starts_nothing_more_and_finishes_what_it_drives(
    home: Home, fatthumb: FatThumb, tmp_path_factory: pytest.TempPathFactory, wheel: str
) -> None:
    fatthumb.later_jobs(duration=3600.0)
    older = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1000/1", PYTHONPATH=wheel)
    newer = older.with_(PYTHONPATH=newer_version(wheel, tmp_path_factory.mktemp("newer"), needed=True))
    with serving(older) as old:
        begun = old.call("generate", prompt="of the older one")["structuredContent"]["id"]
        with serving(newer) as new:
            refusal = old.call("generate", prompt="too late")
            assert refusal["isError"]
            assert "A newer Darkroom uses this ledger as well" in said(refusal)
            assert "Update Darkroom where this host starts it" in said(refusal)
            assert "move" not in said(refusal).lower()
            assert not new.call("generate", prompt="of the newer one").get("isError")
            assert len(old.call("list_generations")["structuredContent"]["generations"]) == 2
            eventually(lambda: newer.taken() == 2)
        fatthumb.advance(3600.0)
        done = old.call("wait", generation_ids=[begun], timeout_s=60)["structuredContent"]["generations"]
        assert [generation["status"] for generation in done] == ["succeeded"]
    with serving(newer):
        eventually(
            lambda: {row["status"] for row in command(newer, "list", "--json").json["generations"]} == {"succeeded"}
        )
    assert sorted(post.body["prompt"] for post in fatthumb.posts) == ["of the newer one", "of the older one"]


def test_what_waits_in_an_older_server_is_said_to_wait_for_one_that_is_up_to_date(
    home: Home, fatthumb: FatThumb
) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1/1000")
    with serving(user) as old:
        old.call("generate", prompt="sent")
        waits = old.call("generate", prompt="waits")["structuredContent"]["id"]
        with closing(sqlite3.connect(home.ledger, isolation_level=None)) as newer:
            newer.execute("INSERT INTO migrations (name, at, needed) VALUES ('9999_future', 1.0, 1)")
        assert old.call("generate", prompt="too late")["isError"]
        progress = old.call("get_status", generation_id=waits)["structuredContent"]["progress"]
        assert "a server that is up to date goes on with this" in progress["trouble"]
        assert progress["trouble"] in progress["message"]


@pytest.mark.parametrize("needed", [True, False])
def test_two_versions_that_are_killed_again_and_again_pay_nothing_twice_and_lose_nothing(
    home: Home, fatthumb: FatThumb, tmp_path_factory: pytest.TempPathFactory, wheel: str, needed: bool
) -> None:
    fatthumb.later_jobs(duration=0.3)
    older = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1000/1", PYTHONPATH=wheel)
    newer = older.with_(PYTHONPATH=newer_version(wheel, tmp_path_factory.mktemp("newer"), needed=needed))
    ids: set[str] = set()
    order = cycle([older, newer, newer, older])
    for number in range(6):
        with ExitStack() as stack:
            process = stack.enter_context(running(next(order), "serve"))
            server = RawServer(process)
            server.initialize()
            for each in range(2):
                answer = server.call("generate", prompt=f"picture {number}.{each}", request_key=f"{number}.{each}")
                ids |= set() if answer.get("isError") else {answer["structuredContent"]["id"]}
            process.kill()
    with serving(newer) as last:
        eventually(lambda: all(row["status"] in ENDS for row in rows(last)))
        found = {row["id"]: row for row in rows(last)}
    assert ids <= found.keys()
    unknown = [row for row in found.values() if row["status"] != "succeeded"]
    assert all(row["error"]["code"] == "outcome_unknown" for row in unknown)
    prompts = [post.body["prompt"] for post in fatthumb.posts]
    assert len(prompts) == len(set(prompts)), "paid for twice"
    assert len(ids) >= (8 if needed else 12)


ENDS = {"succeeded", "failed"}


def rows(server: RawServer) -> list[dict[str, Any]]:
    return server.call("list_generations", limit=50)["structuredContent"]["generations"]


def row(name: str, stage: Stage, holder: str) -> Record:
    request = GenerationRequest(provider="alpha", prompt=name, model="m")
    return Record(
        id=name, owner="local", request=request, account="key", stage=stage, created_at=1.0, holder=holder,
        submit_token=name, job_id=name, request_key=name,
    )  # fmt: skip


@pytest.mark.parametrize("needed", [True, False])
async def test_what_a_process_may_do_beside_a_newer_one_is_what_the_ledger_says(tmp_path: Path, needed: bool) -> None:
    async with open_ledger(tmp_path, Seen({"dead": Life.DEAD}), clock=lambda: 1.0) as ledger:
        await ledger.begin(row("waits", Stage.ACCEPTED, "me"), adopt_within_s=ANY_AGE_S)
        await ledger.begin(row("runs", Stage.RUNNING, "me"), adopt_within_s=ANY_AGE_S)
        await ledger.begin(row("left", Stage.RUNNING, "dead"), adopt_within_s=ANY_AGE_S)
        with closing(sqlite3.connect(tmp_path / "ledger.sqlite3", isolation_level=None)) as newer:
            newer.execute("ALTER TABLE generations ADD COLUMN cost TEXT NOT NULL DEFAULT 'unknown'")
            newer.execute("INSERT INTO migrations (name, at, needed) VALUES ('9999_future', 1.0, ?)", (needed,))
        begin = ledger.begin(row("new", Stage.ACCEPTED, "me"), adopt_within_s=ANY_AGE_S)
        claim = ledger.claim_next("key", Limits(), holder="me", token="t")
        if needed:
            with pytest.raises(Outdated):
                await begin
            with pytest.raises(Outdated):
                await claim
        else:
            await begin
            assert isinstance(await claim, Record)
        assert ledger.outdated is needed
        known = await ledger.begin(row("waits", Stage.ACCEPTED, "me"), adopt_within_s=ANY_AGE_S)
        assert known.id == "waits", "what exists is still given by its key"
        written = await ledger.change(row("runs", Stage.RUNNING, "me"), {"stage": Stage.COLLECTING})
        assert written is not None, "what it drives it finishes"
        adopted = await ledger.adopt(["dead"], "me", {"local": {"alpha": "key"}}, lost=LOST)
        assert [record.id for record in adopted] == ([] if needed else ["left"])
