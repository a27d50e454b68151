"""`provider add` and `provider list`: a person makes a declaration a provider, having seen who is sent the key."""

import stat
from pathlib import Path

import pytest

from darkroom.providers.language.files import SHIPPED
from tests.cli.test_provider_check import DONE, FAILED, SOUND, WRONG_USE, written
from tests.cli.test_terminal import on_a_terminal
from tests.hosts import Finished, Home, darkroom
from tests.services.declared import DeclaredService


def place(home: Home, name: str = "brush") -> Path:
    """Where the file of an added provider lies."""
    return home.path / "home" / "providers" / f"{name}.toml"


def added(home: Home, text: str = SOUND, *words: str) -> Finished:
    """What the command prints that adds this file, without asking."""
    return darkroom(home, "provider", "add", str(written(home, text)), "--yes", *words)


def test_a_person_sees_who_is_sent_the_key_before_the_file_is_added(home: Home) -> None:
    file = written(home, SOUND.replace("\n[limits]", 'hosts = ["eu.brush.example"]\n[limits]', 1))
    with on_a_terminal(home, "provider", "add", str(file)) as terminal:
        seen = terminal.until(r"Add it\? \[y/N\] ")
        assert "Brush (brush)" in seen
        assert "requests go to: https://api.brush.example/v1" in seen
        assert "read from: DARKROOM_BRUSH_KEY" in seen
        assert "sent to: api.brush.example, eu.brush.example" in seen
        assert "limits: 2 active at a time, 10 submissions per 60 s" in seen
        assert not place(home).exists()
        terminal.type("y\n")
        status, seen = terminal.end()
    assert status == DONE
    assert "Now set DARKROOM_BRUSH_KEY" in seen
    assert "restart" in seen
    assert place(home).read_bytes() == file.read_bytes()
    assert stat.S_IMODE(place(home).stat().st_mode) == 0o600
    assert list(place(home).parent.iterdir()) == [place(home)]


@pytest.mark.parametrize("typed", ["\n", "n\n", "yellow\n"])
def test_whatever_is_not_yes_adds_nothing(home: Home, typed: str) -> None:
    with on_a_terminal(home, "provider", "add", str(written(home))) as terminal:
        terminal.until(r"Add it\? \[y/N\] ")
        terminal.type(typed)
        status, seen = terminal.end()
    assert status == FAILED
    assert "It was not added." in seen
    assert not place(home).exists()


def test_where_nobody_can_be_asked_nothing_is_added_without_yes(home: Home) -> None:
    file = written(home)
    refused = darkroom(home, "provider", "add", str(file), stdin="y\n")
    assert refused.status == WRONG_USE
    assert "--yes" in refused.err
    assert not place(home).exists()
    done = added(home, SOUND, "--json")
    assert done.status == DONE
    assert done.json == {"name": "brush", "file": str(place(home)), "variable": "DARKROOM_BRUSH_KEY"}


def test_a_file_that_fails_the_check_is_not_added(home: Home) -> None:
    done = added(home, SOUND.replace('done = ["ready"]', 'done = ["redy"]'))
    assert done.status == FAILED
    assert "none of read.words: write it into done" in done.err
    assert not place(home).exists()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('name = "brush"', 'name = "sketch"', "sketch is a provider that comes with Darkroom"),
        ('name = "brush"', 'name = "bfl"', "bfl is a provider that comes with Darkroom"),
        ("\n[limits]", 'key = "OPENAI_API_KEY"\n[limits]', "read from DARKROOM_BRUSH_KEY"),
    ],
)
def test_a_name_or_a_key_of_others_is_not_taken(home: Home, before: str, after: str, said: str) -> None:
    done = added(home, SOUND.replace(before, after, 1), "--replace")
    assert done.status == WRONG_USE
    assert said in done.err
    assert not place(home).parent.exists()


def test_a_file_is_replaced_only_where_that_is_asked_for(home: Home) -> None:
    assert added(home).status == DONE
    newer = SOUND.replace("active = 2", "active = 3")
    refused = added(home, newer)
    assert refused.status == WRONG_USE
    assert "brush was added before" in refused.err
    assert place(home).read_text("utf-8") == SOUND
    assert added(home, newer, "--replace").status == DONE
    assert place(home).read_text("utf-8") == newer


def test_an_added_service_makes_pictures_once_its_variable_is_set(home: Home) -> None:
    with DeclaredService.shipped("bfl").like(submit="submit", read=["ready"]) as service:
        user = service.home(home)
        place(home, service.name).unlink()
        assert darkroom(user, "generate", "a cat", "--provider", service.name).status == WRONG_USE
        assert added(user, service.text).status == DONE
        done = darkroom(user, "generate", "a cat", "--provider", service.name, "--json")
        assert done.status == DONE, done
        assert len(service.posts) == 1


def test_list_names_each_provider_with_its_variable_and_never_a_key(home: Home) -> None:
    assert added(home).status == DONE
    place(home, "spoilt").write_text("language = 2", "utf-8")
    key = "k_0123456789abcdef"
    user = home.with_(DARKROOM_BRUSH_KEY=key, FAL_KEY=key)
    done = darkroom(user, "provider", "list", "--json")
    assert done.status == DONE
    listed = {each["name"]: each for each in done.json["providers"]}
    assert {"fatthumb", "betterwaifu", "sketch", "brush", *(file.stem for file in SHIPPED.glob("*.toml"))} < set(listed)
    assert listed["brush"] == {
        "name": "brush", "title": "Brush", "origin": "added", "variables": ["DARKROOM_BRUSH_KEY"], "is_set": True,
        "docs": "https://brush.example/docs",
    }  # fmt: skip
    assert listed["fal"]["variables"] == ["DARKROOM_FAL_KEY", "FAL_KEY"]
    assert (listed["fal"]["origin"], listed["fal"]["is_set"]) == ("shipped", True)
    assert (listed["bfl"]["is_set"], listed["fatthumb"]["origin"]) == (False, "built in")
    assert listed["sdcpp"]["variables"] == ["DARKROOM_SDCPP_BASE_URL"]
    assert "provider check" in listed["spoilt"]["error"]
    lines = darkroom(user, "provider", "list")
    assert key not in done.out + done.err + lines.out + lines.err
    assert any(line.split()[0] == "brush" and "DARKROOM_BRUSH_KEY is set" in line for line in lines.out.splitlines())
