"""`list`, `show` and `open`: what a person sees of generations, in terminals of all kinds."""

import base64
import io
import re
import sys
from datetime import datetime, timedelta, timezone

import PIL.Image
import pytest

from darkroom.cli.pictures.sixel import sixels
from darkroom.cli.terminal import columns_of
from darkroom.cli.times import ago, lasted, short_time
from tests.cli.test_commands import DONE, FAILED, WRONG_USE
from tests.cli.test_terminal import on_a_terminal
from tests.hosts import Home, darkroom, eventually, on_both_databases
from tests.services.fatthumb import FatThumb

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="a terminal is a pty here")
CODES = re.compile(r"\x1b\[[\d;]*m")
ASKED = r"\x1b\[c"
ATTRIBUTES = "\x1b[?62;{}c"
PATIENT = """
from darkroom.cli.pictures import asking
import runpy
asking.PATIENCE_S = 100.0
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""
"""A command that waits for the terminal's reply, however slow a machine types it."""


def shown(home: Home, *words: str, says: str = "", **environment: str) -> str:
    """All that a terminal is sent by the command; it replies with `says` once it is asked what it can."""
    python = ("-c", PATIENT) if says else ("-m", "darkroom")
    with on_a_terminal(home, *words, python=python, **environment) as terminal:
        if says:
            terminal.until(ASKED)
            terminal.type(says)
        status, seen = terminal.end()
    assert status == DONE, seen
    return seen.replace("\r\n", "\n")


@on_posix
def test_a_list_fits_every_terminal_and_says_its_status_without_colour_too(home: Home) -> None:
    assert darkroom(home, "generate", "狐が地図を読んでいる\x1b[31m" * 6).status == DONE
    (generation,) = darkroom(home, "list", "--json").json["generations"]
    for width in (120, 80, 40, 20):
        seen = shown(home, "list", COLUMNS=str(width), TZ="XST-5:30")
        assert "\x1b[32m✓" in seen
        *heads, row = CODES.sub("", seen).splitlines()
        assert columns_of(row) <= width
        assert len(heads) == (width > 40)
        assert "狐" in row
        assert ("just now" in row) == (width > 20)
        made = datetime.fromisoformat(generation["created_at"]).astimezone(timezone(timedelta(hours=5.5)))
        assert (f"{made:%H:%M}" in row) == (width > 40)
        known = row.split()[0]
        assert generation["id"].removeprefix("gen_").startswith(known)
    assert darkroom(home, "show", known, "--json").json["id"] == generation["id"]
    for without in ({"TERM": "dumb"}, {"NO_COLOR": "1"}):
        seen = shown(home, "list", COLUMNS="60", **without)
        assert not re.search(r"\x1b\[[\d;]*3\dm", seen)
        assert "✓ succeeded" in seen
        assert max(columns_of(CODES.sub("", line)) for line in seen.splitlines()) <= 60
    assert "\x1b[32m" in darkroom(home, "list", FORCE_COLOR="1").out
    ascii_only = shown(home, "list", COLUMNS="60", PYTHONIOENCODING="ascii")
    assert "+ succeeded" in ascii_only
    assert ascii_only.isascii()


@on_both_databases
def test_a_search_finds_all_words_in_any_case_and_takes_none_of_them_for_a_pattern(
    home: Home, fatthumb: FatThumb
) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1000/1")
    prompts = ("A fox reading a map", "ÉCOLE in the Straße, 100%_off", "狐と地図")
    ids = [darkroom(user, "generate", prompt, "--json").json["id"] for prompt in prompts]

    def found(*words: str) -> list[int]:
        return [ids.index(each["id"]) for each in darkroom(home, "list", "--json", *words).json["generations"]]

    assert found("--search", "MAP fox") == [0]
    assert found("--search", "école STRASSE") == [1]
    assert found("--search", "0%_o") == [1]
    assert found("--search", "f_x") == []
    assert found("--search", "図") == [2]
    assert found("--search", "a", "--provider", "fatthumb") == [1, 0]
    first = darkroom(home, "list", "--json", "--search", "a", "--limit", "1").json
    assert found("--search", "a", "--cursor", first["next_cursor"]) == [0]
    assert darkroom(home, "list", "--search", "badger").out == "No generation is like that.\n"
    assert darkroom(home, "list", "--search", "x" * 201).status == WRONG_USE


@on_posix
def test_a_picture_is_shown_by_the_protocol_that_the_terminal_says_it_has(home: Home) -> None:
    made = darkroom(home, "generate", "A fox", "--aspect-ratio", "1:1", "--json").json
    path = made["images"][0]["path"]
    kitty = shown(home, "show", made["id"], says="\x1b_Gi=31;OK\x1b\\" + ATTRIBUTES.format("4"))
    parts = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b", kitty.split("\x1b[2K")[1])
    assert parts[0][0].startswith("a=T,f=100,q=2,")
    with PIL.Image.open(io.BytesIO(base64.b64decode("".join(part for _, part in parts)))) as picture:
        assert picture.width == picture.height <= 14 * 20
    iterm = shown(home, "show", made["id"], says="\x1bP>|iTerm2 3.5.0\x1b\\" + ATTRIBUTES.format("4"))
    assert re.search(r"\x1b]1337;File=inline=1;size=\d+;width=\d+;preserveAspectRatio=1:[\w+/=]+\x07", iterm)
    sixel = shown(home, "show", made["id"], says=ATTRIBUTES.format("4;22"))
    assert re.search(r'\x1bP0;1q"1;1;(\d+);\1#0;2;[^\x1b]+\x1b\\', sixel)
    blocks = shown(home, "list", "--thumbnails", says=ATTRIBUTES.format("22"), TERM="xterm-256color")
    assert {line.count("▀") for line in blocks.splitlines()} == {0, 14}
    for seen in (kitty, iterm, sixel):
        assert path in seen, "whole, so that it can be copied"
        assert "\x1b[?" not in seen, "a reply is not shown"
    plain = shown(home, "show", made["id"], TERM="dumb")
    assert "\x1b" not in plain
    assert path in darkroom(home, "show", made["id"]).out


def test_a_sixel_has_the_colour_of_every_pixel() -> None:
    drawn = PIL.Image.new("RGB", (9, 8), (255, 255, 255))
    for x, y, colour in ((0, 0, (255, 0, 0)), (8, 7, (0, 0, 255)), (4, 6, (0, 255, 0)), (3, 5, (0, 0, 0))):
        drawn.putpixel((x, y), colour)
    parts = re.fullmatch(r'\x1bP0;1q"1;1;9;8((?:#\d+;2;\d+;\d+;\d+)+)(.*)\x1b\\', sixels(drawn))
    assert parts is not None
    head, rest = parts.groups()
    colours = {number: colour for number, *colour in re.findall(r"#(\d+);2;(\d+);(\d+);(\d+)", head)}
    found: dict[tuple[int, int], tuple[int, ...]] = {}
    for band, lines in enumerate(rest.split("-")):
        for number, line in re.findall(r"#(\d+)([^#$]*)", lines):
            whole = re.sub(r"!(\d+)(.)", lambda run: run[2] * int(run[1]), line)
            for x, character in enumerate(whole):
                for bit in range(6):
                    if ord(character) - 63 >> bit & 1:
                        found[x, band * 6 + bit] = tuple(int(part) * 255 // 100 for part in colours[number])
    assert found == {(x, y): drawn.getpixel((x, y)) for x in range(9) for y in range(8)}


def test_all_that_was_asked_for_is_shown_and_opening_needs_a_desktop(home: Home) -> None:
    made = darkroom(home, "generate", "A fox\x1b[2J", "--aspect-ratio", "1:1", "--seed", "7", "--json").json
    said = darkroom(home, "show", made["id"]).out
    for fact in (made["id"], "aspect ratio: 1:1", "seed: 7", "status: succeeded", "1024 × 1024 PNG"):
        assert fact in said
    assert "\x1b" not in said
    assert darkroom(home, "show", made["id"], "--json").json == {**made, "aspect_ratio": "1:1"}
    refused = darkroom(home, "open", made["id"])
    assert (refused.status, refused.out) == (FAILED, "")
    assert made["images"][0]["path"] in refused.err
    opener = home.path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > {home.path}/opened\n')
    opener.chmod(0o755)
    desktop = {"DISPLAY": ":0", "PATH": f"{opener.parent}:{home.environ['PATH']}"}
    if sys.platform == "linux":
        opened = darkroom(home, "open", made["id"], "1", **desktop)
        assert (opened.status, opened.out.strip()) == (DONE, made["images"][0]["path"])
        note = home.path / "opened"
        eventually(
            lambda: note.exists() and note.read_text() == made["images"][0]["path"]
        )  # a slow one is not waited for
    assert darkroom(home, "open", made["id"], "2", **desktop).status == FAILED


def test_times_are_said_as_people_say_them() -> None:
    day = 86_400.0
    ages = {-5: "just now", 59: "just now", 61: "1 min ago", 7200: "2 h ago", 3 * day: "3 days ago"}
    ages |= {100 * day: "3 months ago", 800 * day: "2 years ago"}
    assert {seconds: ago(seconds) for seconds in ages} == ages
    now = datetime(2026, 11, 29, 14, 30).astimezone()
    times = [short_time(now - timedelta(days=days), now) for days in (0, 1, 400)]
    assert times == ["14:30", "28 Nov 14:30", "2025-10-25"]
    assert [lasted(seconds) for seconds in (2.25, 74, 720, 9000)] == ["2.2 s", "74 s", "12 min", "2.5 h"]
