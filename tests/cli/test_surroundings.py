"""Places, outputs and zones that a command cannot use: each is told in a sentence, before anything is paid for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_commands import WRONG_USE
from tests.hosts import PATIENCE_S, Home, darkroom
from tests.services.fatthumb import FatThumb


@pytest.mark.parametrize("place", ["", " ", "~no-such-user/pictures"])
def test_a_place_that_cannot_be_meant_is_refused_before_anything_is_done(home: Home, place: str) -> None:
    for words in (("export", "gen_a", "--to", place), ("generate", "A fox", "--image", f"mask={place}")):
        refused = darkroom(home, *words)
        assert refused.status == 2
        assert "Traceback" not in refused.err
    assert not home.pictures.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each name of a file is a text")
@pytest.mark.parametrize("variable", ["DARKROOM_HOME", "DARKROOM_PICTURES"])
def test_a_folder_whose_name_is_no_text_is_refused_before_anything_is_paid_for(
    home: Home, fatthumb: FatThumb, variable: str
) -> None:
    named = {variable: os.fsdecode(bytes(home.path) + b"/by\xfftes")}
    refused = darkroom(home.with_(fatthumb, **named), "generate", "a fox")
    assert refused.status == WRONG_USE, refused
    assert f"{variable} cannot be read: its name is no text in UTF-8" in refused.err
    assert fatthumb.posts == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("words", [("list",), ("list", "--json"), ("doctor", "--json"), ("--help",)], ids=" ".join)
def test_output_that_finds_no_room_is_told_in_a_sentence(home: Home, words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "darkroom", *words],
            env=home.environ, stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "Not everything was written: No space left on device. Make room, and run it again.\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize(
    ("words", "status"), [(("generate", "a fox"), 0), (("show", "gen_none"), 1), (("list", "--limit", "x"), 2)], ids=str
)
def test_remarks_that_nobody_can_be_shown_change_no_result(home: Home, words: tuple[str, ...], status: int) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "darkroom", *words],
            env=home.environ, stdout=subprocess.PIPE, stderr=full, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    assert done.returncode == status
    assert [Path(line) for line in done.stdout.splitlines()] == home.saved()


def test_a_time_zone_that_cannot_be_is_warned_of_and_stops_nothing(home: Home) -> None:
    user = home.with_(TZ="NOWHERE99")
    assert darkroom(user, "generate", "a fox").status == 0
    listed = darkroom(user, "list")
    assert listed.status == 0
    assert "+0000  succeeded" in listed.out
    assert "times are in UTC" in listed.err
