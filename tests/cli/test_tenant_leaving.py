"""`tenant export` and `tenant delete`: all of one tenant's, nothing of another's."""

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.hosts import PATIENCE_S, Home, call, darkroom, on_both_databases, over, running
from tests.services.fatthumb import FatThumb
from tests.tenancy import clients_of, house_of, keys_for, write_tenants

PROMPT = "a-fox-that-nobody-else-would-ask-for"
CUT_OFF = """
import os, sys
from darkroom.generations.leaving import exporting
from darkroom.store.sql_removals import SqlRemovals
def cut_off(*_):
    os._exit(137)
exporting._end = SqlRemovals.erase = cut_off
import runpy
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""
"""Is killed before it writes an export's manifest, and between a tenant's pictures and its rows."""
TABLES = ("generations", "removed", "tasks", "served")


@pytest.fixture
def file(home: Home) -> Path:
    return home.path / "tenants.toml"


async def made_by_two(home: Home, file: Path) -> dict[str, list[dict[str, Any]]]:
    """Generations that are over: two of acme's, with three pictures, and one of beta's."""
    write_tenants(file, {"acme": {}, "beta": {}})
    async with house_of(home, file) as app, clients_of(app, "acme", "beta") as (acme, beta):
        one = await call(acme, "generate", prompt=PROMPT, provider="sketch", count=2, request_key="its-own-words")
        two = await call(acme, "generate", prompt="a hen", provider="sketch")
        other = await call(beta, "generate", prompt=PROMPT, provider="sketch")
        return {"acme": await over(acme, one["id"], two["id"]), "beta": await over(beta, other["id"])}


def put_back_without_a_token(file: Path, keys: dict[str, str]) -> None:
    write_tenants(file, {"acme": keys})
    lines = file.read_text().splitlines()
    file.write_text("\n".join(line for line in lines if not line.startswith("tokens")))


def killed(home: Home, *words: str) -> bool:
    """Runs a command that is killed in the middle."""
    with running(home, *words, python=("-c", CUT_OFF)) as process:
        return process.wait(PATIENCE_S) == 137


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "generations.jsonl").read_text().splitlines()]


@on_both_databases
def test_an_export_has_all_of_a_tenant_s_and_a_deletion_leaves_nothing_of_it(home: Home, file: Path) -> None:
    made = anyio.run(made_by_two, home, file)
    folder, again = home.path / "export", home.path / "again"
    exported = darkroom(home, "tenant", "export", "acme", "--to", str(folder), "--json").json
    assert (exported["generations"], exported["pictures"], exported["missing_pictures"]) == (2, 3, 0)
    rows = rows_of(folder)
    assert [(row["id"], row["status"], row["prompt"]) for row in rows] == [
        (made["acme"][0]["id"], "succeeded", PROMPT), (made["acme"][1]["id"], "succeeded", "a hen"),
    ]  # fmt: skip
    pictures = [picture for row in rows for picture in row["pictures"]]
    for picture, image in zip(pictures, [*made["acme"][0]["images"], *made["acme"][1]["images"]], strict=True):
        copy = folder / picture["file"]
        assert copy.read_bytes() == Path(image["path"]).read_bytes()
        assert hashlib.sha256(copy.read_bytes()).hexdigest() == picture["sha256"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["tenant"], manifest["generations"], manifest["pictures"]) == ("acme", 2, 3)
    assert hashlib.sha256((folder / "generations.jsonl").read_bytes()).hexdigest() in manifest["sha256"].values()
    if os.name == "posix":
        modes = {stat.S_IMODE(each.stat().st_mode) for each in folder.rglob("*") if each.is_file()}
        assert (modes, stat.S_IMODE(folder.stat().st_mode)) == ({0o600}, 0o700)

    Path(made["acme"][1]["images"][0]["path"]).unlink()
    lacking = darkroom(home, "tenant", "export", "acme", "--to", str(again))
    assert (lacking.status, rows_of(again)[1]["pictures"][0]["missing"]) == (0, "No such file or directory")
    assert "Missing: 1 picture;" in lacking.err
    refused = darkroom(home, "tenant", "export", "acme", "--to", str(folder))
    assert (refused.status, rows_of(folder)) == (2, rows)
    assert darkroom(home, "tenant", "export", "acne", "--to", str(home.path / "typo")).status == 1

    words = ("tenant", "delete", "acme", "--file", str(file), "--yes")
    kept = darkroom(home, *words)
    assert (kept.status, "its token is still good" in kept.err) == (2, True)
    write_tenants(file, {"beta": {}})
    assert darkroom(home, *words[:-1]).status == 2  # nobody can be asked
    gone = darkroom(home, *words, "--json").json
    assert gone == {
        "tenant": "acme", "generations": 2, "pictures": 2, "missing_pictures": 1, "changed_pictures": 0,
    }  # fmt: skip
    assert [str(path) for path in home.saved()] == [made["beta"][0]["images"][0]["path"]]
    for table in TABLES:
        assert [row for row in home.select(f"SELECT owner FROM {table}") if row == ("acme",)] == []
    if "DARKROOM_DATABASE_URL" not in home.extra:
        assert b"its-own-words" not in home.ledger.read_bytes()
    assert darkroom(home, *words, "--json").json["generations"] == 0
    assert darkroom(home, "tenant", "audit", "acme").out == "Nothing yet.\n"


def test_what_was_interrupted_can_be_seen_and_a_deletion_is_finished_by_the_next_one(home: Home, file: Path) -> None:
    made = anyio.run(made_by_two, home, file)
    write_tenants(file, {})
    half = home.path / "half"
    assert killed(home, "tenant", "export", "acme", "--to", str(half))
    assert not (half / "manifest.json").exists()
    assert darkroom(home, "tenant", "export", "acme", "--to", str(half)).status == 2
    picture = Path(made["acme"][1]["images"][0]["path"])
    picture.unlink()
    picture.mkdir()  # which no deletion of files removes
    words = ("tenant", "delete", "acme", "--file", str(file), "--yes")
    interrupted = darkroom(home, *words)
    assert (interrupted.status, str(picture) in interrupted.err) == (1, True)
    assert len(home.select("SELECT 1 FROM generations WHERE owner = 'acme'")) == 2
    picture.rmdir()
    assert killed(home, *words)
    assert [str(path) for path in home.saved()] == [made["beta"][0]["images"][0]["path"]]
    assert len(home.select("SELECT 1 FROM generations WHERE owner = 'acme'")) == 2
    assert darkroom(home, *words).status == 0
    assert home.select("SELECT DISTINCT owner FROM generations") == [("beta",)]


async def test_what_is_at_a_provider_stays_until_it_is_over_and_what_waits_is_withdrawn(
    home: Home, file: Path, fatthumb: FatThumb
) -> None:
    fatthumb.later_jobs(duration=1000.0)
    keys = keys_for(fatthumb, FATTHUMB_LIMITS="submit=1/3600")
    write_tenants(file, {"acme": keys})
    async with house_of(home, file) as app, clients_of(app, "acme") as (acme,):
        ids = [(await call(acme, "generate", prompt=f"fox {n}"))["id"] for n in range(2)]
        while (await call(acme, "get_status", generation_id=ids[0]))["status"] == "queued":
            pass
    words = ("tenant", "delete", "acme", "--file", str(write_tenants(file, {})), "--yes")
    early = darkroom(home, *words)
    assert early.status == 3
    assert "so staying: 1 generation of acme." in early.err
    assert len(home.select("SELECT id FROM generations")) == 2
    fatthumb.advance(2000)
    put_back_without_a_token(file, keys)
    async with house_of(home, file) as app:
        while (await app.service.ledger.several(ids[:1], "acme"))[ids[0]].finished_at is None:  # noqa: ASYNC110
            await anyio.sleep(0.05)
    write_tenants(file, {})
    assert darkroom(home, *words).status == 0
    assert home.select("SELECT id FROM generations") == []
    assert home.saved() == []


@pytest.mark.skipif(os.name != "posix", reason="a terminal of POSIX")
def test_a_person_is_asked_for_the_name(home: Home, file: Path) -> None:
    import pty

    write_tenants(file, {})
    for said, status in ((b"y\n", 1), (b"acme\n", 0)):
        terminal, end = pty.openpty()
        os.write(terminal, said)
        words = [sys.executable, "-m", "darkroom", "tenant", "delete", "acme", "--file", str(file)]
        done = subprocess.run(words, env=home.environ, stdin=end, capture_output=True, timeout=PATIENCE_S, check=False)
        os.close(terminal)
        os.close(end)
        assert (done.returncode, b"Type acme" in done.stderr) == (status, True)
