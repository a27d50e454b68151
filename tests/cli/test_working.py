"""What a person does with generations: again, many from a file, copies of them, their cost, and their end."""

import json
import re
import shlex
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_commands import DONE, FAILED, STILL_RUNNING, WRONG_USE
from tests.cli.test_terminal import on_a_terminal
from tests.hosts import PATIENCE_S, Home, darkroom
from tests.providers.test_comfyui_pictures import BLUE, RED, inputs, url
from tests.services.betterwaifu import BetterWaifu
from tests.services.comfyui import ComfyUI
from tests.services.fatthumb import FatThumb
from tests.services.priced import PricedService

DAY_S = 86_400


def test_every_command_that_the_page_about_the_terminal_names_is_understood(home: Home, fatthumb: FatThumb) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1000/1")
    page = (Path(__file__).parents[2] / "docs" / "terminal.md").read_text("utf-8")
    (home.path / "prompts.txt").write_text("A fox\n", "utf-8")
    made = darkroom(user, "generate", "A fox reading a map", "--json").json["id"]
    lines = re.findall(r"^(?:echo .*\| )?darkroom-mcp (.*?)(?:  +#.*)?$", page.split("```")[1], re.MULTILINE)
    assert len(lines) == 15
    lines.remove("gallery")  # which serves until it is stopped, and has tests of its own
    for line in lines:
        words = [{"ID": made, "FOLDER": "there", "prompts.txt": str(home.path / "prompts.txt")}.get(word, word)
                 for word in shlex.split(line)]  # fmt: skip
        if words[0] == "export":
            words[-1] = str(home.path / "there")
        done = darkroom(user, *words, stdin="A hen in the snow" if "-" in words else "")
        assert done.status == (FAILED if words[0] == "open" else DONE), done.err


def write(home: Home, sql: str, *values: object) -> None:
    """Changes rows of the ledger, as time or another service would have."""
    with closing(sqlite3.connect(home.ledger, timeout=PATIENCE_S)) as db, db:
        db.execute(sql, values)


def test_again_asks_for_the_same_with_another_seed_or_prompt(home: Home, betterwaifu: BetterWaifu) -> None:
    user = home.with_(betterwaifu, BETTERWAIFU_LIMITS="submit=1000/1", DARKROOM_BUDGET="3")
    words = ("--negative-prompt", "text", "--seed", "7", "--aspect-ratio", "1:1", "--option", "steps=30")
    made = darkroom(user, "generate", "A fox", *words, "--json").json
    assert darkroom(user, "again", made["id"][4:12]).status == DONE
    other = darkroom(user, "again", made["id"], "--prompt", "A hen", "--json")
    assert (other.status, other.json["prompt"]) == (DONE, "A hen")
    first, same, hen = (post.body for post in betterwaifu.posts)
    assert same == {**first, "seed": -1}
    assert hen == {**same, "prompt": "A hen"}
    assert "DARKROOM_BUDGET" in darkroom(user, "again", made["id"]).err
    assert darkroom(user, "again", made["id"], "--count", "9").status == WRONG_USE
    assert len(betterwaifu.posts) == 3


def test_again_works_from_the_same_pictures_and_from_no_other(home: Home) -> None:
    photo = home.path / "photo.png"
    photo.write_bytes(BLUE)
    with ComfyUI() as service:
        user = service.home(home)
        command = ("generate", "a cat", "--provider", "comfyui", "--json")
        made = darkroom(user, *command, "--image", str(photo)).json
        assert darkroom(user, "again", made["id"]).status == DONE
        assert [service.given(inputs(post, "LoadImage")["image"]) for post in service.posts] == [BLUE, BLUE]
        photo.write_bytes(RED)
        assert "not the picture any more" in darkroom(user, "again", made["id"]).err
        pasted = darkroom(user, *command, "--image", url(BLUE)).json
        assert "not kept here" in darkroom(user, "again", pasted["id"]).err
        assert len(service.posts) == 3


def test_prompts_come_from_stdin_or_one_from_each_line_of_a_file_and_all_are_checked_first(
    home: Home, fatthumb: FatThumb
) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1000/1")
    assert (
        darkroom(user, "generate", "-", "--json", stdin="A fox\nin the snow\n").json["prompt"] == "A fox\nin the snow"
    )
    prompts = home.path / "prompts.txt"
    prompts.write_text("\ufeffA hen\r\n\r\n  Ein Füchslein \r\n", "utf-8")
    made = darkroom(user, "generate", "--file", str(prompts), "--json")
    assert [each["prompt"] for each in made.json["generations"]] == ["A hen", "Ein Füchslein"]
    assert made.status == DONE
    lines = darkroom(user, "generate", "--file", "-", stdin="One\nTwo\n").out.splitlines()
    assert len(lines) == 2
    assert len(fatthumb.posts) == 5
    for words, stdin, why in (
        (("-",), "", "prompt is empty"),
        (("--file", "-"), "\n\n", "0 prompts"),
        (("--file", "-"), "x\n" * 51, "51 prompts"),
        (("--file", "-"), f"A hen\n{'x' * 10_001}\n", "at most 10,000"),
        (("--file", "-"), "x" * 3_000_000, "more than"),
        (("--file", str(home.path / "missing")), "", "cannot be read"),
        (("--file", str(home.path)), "", "cannot be read"),
        (("--file", str(home.saved()[0])), "", "no text"),
        (("--file", "-", "--request-key", "k"), "A hen", "--request-key"),
        (("A hen", "--file", "-"), "", "not allowed with"),
    ):
        refused = darkroom(user, "generate", *words, stdin=stdin)
        assert refused.status == WRONG_USE
        assert why in refused.err
    assert len(fatthumb.posts) == 5, "nothing is sent where one of them is refused"


def test_a_file_of_more_than_the_budget_says_what_goes_on(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(duration=1000.0)
    user = home.with_(fatthumb, DARKROOM_BUDGET="1")
    done = darkroom(user, "generate", "--file", "-", stdin="One\nTwo\n")
    assert done.status == FAILED
    (running,) = darkroom(user, "list", "--json").json["generations"]
    assert "DARKROOM_BUDGET" in done.err
    assert f"darkroom-mcp wait {running['id']}" in done.err


def test_an_export_has_the_pictures_and_the_facts_and_writes_over_nothing(home: Home, fatthumb: FatThumb) -> None:
    made = darkroom(home, "generate", "A fox", "--count", "2", "--seed", "7", "--aspect-ratio", "1:1", "--json").json
    folder = home.path / "a" / "b"
    done = darkroom(home, "export", made["id"], "--to", str(folder))
    assert done.status == DONE
    files = [Path(line) for line in done.out.splitlines()]
    assert sorted(folder.iterdir()) == sorted(files)
    *pictures, about = files
    assert [picture.read_bytes() for picture in pictures] == [path.read_bytes() for path in home.saved()]
    said: dict[str, Any] = json.loads(about.read_text("utf-8"))
    assert [image["file"] for image in said["images"]] == [picture.name for picture in pictures]
    assert {name: said[name] for name in ("id", "prompt", "seed", "aspect_ratio")} == {
        "id": made["id"], "prompt": "A fox", "seed": 7, "aspect_ratio": "1:1",
    }  # fmt: skip
    assert str(home.path) not in about.read_text("utf-8")
    if sys.platform != "win32":
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    again = darkroom(home, "export", made["id"], "--to", str(folder))
    assert again.out == done.out
    pictures[0].write_bytes(b"mine")
    another = darkroom(home, "export", made["id"], "--to", str(folder), "--json").json["files"]
    assert pictures[0].read_bytes() == b"mine"
    assert Path(another[0]).name == f"{pictures[0].stem}-2.png"
    assert darkroom(home, "export", made["id"], "--to", str(pictures[0])).status == FAILED
    home.saved()[0].unlink()
    lost = darkroom(home, "export", made["id"], "--to", str(home.path / "c"))
    assert len(lost.out.splitlines()) == 2
    assert str(home.pictures) in lost.err
    fatthumb.later_jobs(duration=1000.0)
    user = home.with_(fatthumb)
    runs = darkroom(user, "generate", "A hen", "--timeout", "0.5", "--json").json["id"]
    assert darkroom(user, "export", runs, "--to", str(home.path / "d")).status == STILL_RUNNING
    assert not (home.path / "d").exists()


def test_costs_are_added_up_exactly_with_currencies_and_estimates_apart(home: Home) -> None:
    with PricedService(cents=17.5) as service:
        user = service.home(home)
        made = [darkroom(user, "generate", f"cat {n}", "--provider", "priced", "--json").json for n in range(4)]
    free = darkroom(user, "generate", "A fox", "--json").json
    write(home, "UPDATE generations SET created_at = created_at - ? WHERE id = ?", 400 * DAY_S, made[0]["id"])
    write(home, "UPDATE generations SET cost_estimated = 1, cost_micros = 100001 WHERE id = ?", made[1]["id"])
    write(home, "UPDATE generations SET cost_unit = 'credits' WHERE id = ?", made[2]["id"])
    write(home, "UPDATE generations SET cost_micros = NULL, cost_unit = NULL WHERE id = ?", made[3]["id"])
    found = darkroom(user, "cost", "--by", "service", "--json").json
    priced = {
        "generations": 4,
        "known": {"USD": "0.175", "credits": "0.175"},
        "estimated": {"USD": "0.100001"},
        "without_price": 1,
    }
    nothing: dict[str, Any] = {"generations": 1, "known": {}, "estimated": {}, "without_price": 0}
    assert found["groups"] == [{"service": "priced", **priced}, {"service": "sketch", **nothing}]
    assert found["total"] == {**priced, "generations": 5}
    today = free["created_at"][:10]
    by_day = darkroom(user, "cost", TZ="UTC").out.splitlines()
    assert [line.split("  ")[1:] for line in by_day[:-1]] == [
        ["1", "0.175 USD"], ["4", "0.175 credits, about 0.100001 USD, 1 without a price"],
    ]  # fmt: skip
    assert by_day[-1].startswith("total  5  ")
    since = darkroom(user, "cost", "--since", today, "--by", "model", "--json", TZ="UTC").json
    assert since["total"]["generations"] == 4
    assert darkroom(user, "cost", "--since", "yesterday").status == WRONG_USE
    if sys.platform != "win32":
        with on_a_terminal(user, "cost", COLUMNS="40", TERM="dumb") as terminal:
            _, seen = terminal.end()
        assert max(map(len, seen.splitlines())) <= 40


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal is a pty here")
def test_a_prune_asks_a_person_moves_what_is_old_to_the_trash_and_spares_favourites(
    home: Home, fatthumb: FatThumb
) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1000/1")
    old, kept, changed, new, liked = (
        darkroom(user, "generate", f"fox {n}", "--request-key", f"key {n}", "--json").json for n in range(5)
    )
    write(home, "UPDATE generations SET favourites = 1 WHERE id = ?", liked["id"])
    for each in (old, kept, changed, liked):
        write(home, "UPDATE generations SET finished_at = finished_at - ?, created_at = created_at - ? WHERE id = ?",
              40 * DAY_S, 40 * DAY_S, each["id"])  # fmt: skip
    Path(changed["images"][0]["path"]).write_bytes(b"mine")
    words = ("prune", "--older-than", "30", "--keep", kept["id"][4:12])
    assert darkroom(home, *words).status == WRONG_USE, "nobody can be asked"
    with on_a_terminal(home, *words) as terminal:
        terminal.until(r"\[y/N\]")
        terminal.type("n\n")
        assert terminal.end()[0] == FAILED
    assert len(home.saved()) == 5
    with on_a_terminal(home, *words) as terminal:
        assert "Remove 2 generations with 2 pictures," in " ".join(terminal.until(r"\[y/N\]").split())
        terminal.type("y\n")
        status, seen = terminal.end()
    assert status == DONE
    assert changed["images"][0]["path"] in seen
    assert "Favourites stay: 1 generation of that age." in " ".join(seen.split())
    left = [each["id"] for each in darkroom(home, "list", "--json").json["generations"]]
    assert left == [liked["id"], new["id"], kept["id"]]
    assert home.saved() == sorted(Path(each["images"][0]["path"]) for each in (kept, changed, new, liked))
    assert [file.name for file in home.trashed()] == [Path(old["images"][0]["path"]).name]
    assert not list((home.path / "home" / "previews").glob("*.jpg"))
    assert "it was deleted since. Charged: no. Its pictures, if it had any, were moved to the system's trash." in (
        darkroom(home, "status", old["id"]).err
    )
    assert "was made before" in darkroom(user, "generate", "fox 0", "--request-key", "key 0").err
    assert darkroom(home, *words, "--yes").out == "Nothing is that old.\n"
    assert darkroom(home, "prune", "--older-than", "0", "--keep", "gen_x").status == FAILED
    assert darkroom(home, "prune", "--older-than", "-1").status == WRONG_USE
    write(home, "UPDATE generations SET favourites = 0, finished_at = finished_at - ?", 40 * DAY_S)
    assert darkroom(home, *words, "--for-good", "--yes").out == "2 generations removed.\n"
    assert len(home.trashed()) == 1
    assert "removed for good" in darkroom(home, "status", liked["id"]).err
    assert darkroom(home, "delete", kept["id"]).status == WRONG_USE, "nobody can be asked"
    with on_a_terminal(home, "delete", kept["id"][4:12]) as terminal:
        assert "Remove 1 generation with 1 picture," in " ".join(terminal.until(r"\[y/N\]").split())
        terminal.type("y\n")
        assert terminal.end()[0] == DONE
    assert len(home.trashed()) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal is a pty here")
def test_what_becomes_a_favourite_while_a_prune_asks_stays(home: Home) -> None:
    liked, old = (darkroom(home, "generate", f"fox {n}", "--json").json for n in range(2))
    write(home, "UPDATE generations SET finished_at = finished_at - ?", DAY_S)
    with on_a_terminal(home, "prune", "--older-than", "0") as terminal:
        assert "Remove 2 generations" in " ".join(terminal.until(r"\[y/N\]").split())
        write(home, "UPDATE generations SET favourites = 1 WHERE id = ?", liked["id"])
        terminal.type("y\n")
        status, seen = terminal.end()
    assert (status, "1 generation removed." in seen) == (DONE, True), seen
    assert home.saved() == [Path(liked["images"][0]["path"])]
    assert [file.name for file in home.trashed()] == [Path(old["images"][0]["path"]).name]
