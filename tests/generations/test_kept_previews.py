"""Previews are made once and kept beside the ledger; nothing depends on what is kept."""

import base64
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import PIL.Image
import PIL.ImageFile
import pytest

from darkroom.store import previews as module
from darkroom.store.previews import KeptPreviews
from tests.arriving import looked_at
from tests.attacks.crafted import encoded
from tests.hosts import Home, call, connected, sheet_of

JPEG = b"\xff\xd8\xff%d\xff\xd9"


class Decoder:
    """Counts the pictures that are decoded in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.decoded = 0
        real = PIL.ImageFile.ImageFile.load

        def load(picture: PIL.ImageFile.ImageFile) -> Any:
            self.decoded += bool(picture.tile)
            return real(picture)

        monkeypatch.setattr(PIL.ImageFile.ImageFile, "load", load)


async def test_what_was_shown_once_is_shown_again_by_another_server_from_what_was_kept(home: Home) -> None:
    async with connected(home) as client:
        started = await call(client, "generate", prompt="A fox", count=4)
        first = sheet_of(await client.call_tool("wait", {"generation_ids": [started["id"]], "timeout_s": 50}))
    kept = {path: path.stat().st_mtime_ns for path in files(home)}
    assert len(kept) == 4 + 1  # a small version of each picture, and the sheet
    async with connected(home) as client:
        again = sheet_of(await client.call_tool("wait", {"generation_ids": [started["id"]]}))
    assert first is not None
    assert again == first
    assert {path: path.stat().st_mtime_ns for path in files(home)} == kept


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:99])


@pytest.mark.parametrize("spoil", [Path.unlink, cut_off])
async def test_what_was_kept_and_is_lost_or_cut_off_is_made_again(home: Home, spoil: Callable[[Path], object]) -> None:
    async with connected(home) as client:
        started = await call(client, "generate", prompt="A fox", count=2)
        wanted = {"generation_ids": [started["id"]], "timeout_s": 50}
        first = sheet_of(await client.call_tool("wait", wanted))
        for path in files(home):
            spoil(path)
        again = sheet_of(await client.call_tool("wait", wanted))
        assert None not in (first, again)


async def test_where_nothing_can_be_kept_pictures_are_shown_as_ever(home: Home) -> None:
    home.ledger.parent.mkdir(parents=True, exist_ok=True)
    (home.ledger.parent / "previews").write_bytes(b"a file in the folder's place")
    async with connected(home) as client:
        started = await call(client, "generate", prompt="A fox", count=2)
        result = await client.call_tool("wait", {"generation_ids": [started["id"]], "timeout_s": 50})
        assert sheet_of(result) is not None


def test_a_saved_picture_is_decoded_once_for_its_check_and_its_previews(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = Decoder(monkeypatch)
    small = looked_at(encoded("PNG", 1_600, 800)).small
    assert small is not None
    assert decoder.decoded == 1
    with PIL.Image.open(io.BytesIO(small)) as seen:
        assert seen.size == (768, 384)


def test_the_oldest_go_when_they_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEPT", 1_000)
    monkeypatch.setattr(module, "TIDIED_EVERY", 1)
    kept = KeptPreviews(tmp_path / "previews")
    for number in range(300):
        kept.keep(JPEG % number, number)
        newest = max((tmp_path / "previews").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (number, number))
        assert kept.read(number) == JPEG % number
    size = sum(path.stat().st_size for path in (tmp_path / "previews").iterdir())
    assert 500 < size < 1_100
    assert kept.read(0) is None


def test_of_what_is_at_hand_the_oldest_go_and_clearing_leaves_none(tmp_path: Path) -> None:
    kept = KeptPreviews(tmp_path / "previews")
    numbers = range(module.MOST_AT_HAND + 1)
    for number in numbers:
        kept.keep(JPEG % number, number)
        assert kept.text(number) == base64.b64encode(JPEG % number).decode()
    for path in (tmp_path / "previews").iterdir():
        path.unlink()
    assert [number for number in numbers if kept.text(number) is None] == [0]
    kept.clear()
    assert [kept.text(number) for number in numbers] == [None] * len(numbers)


async def test_a_picture_that_somebody_changes_is_shown_as_it_is_now(home: Home) -> None:
    async with connected(home) as client:
        started = await call(client, "generate", prompt="A fox", count=2)
        wanted = {"generation_ids": [started["id"]], "timeout_s": 50}
        shown = [sheet_of(await client.call_tool("wait", wanted)) for _ in range(3)]
        home.saved()[0].write_bytes(encoded("PNG", 640, 360))
        changed = sheet_of(await client.call_tool("wait", wanted))
    assert None not in (*shown, changed)
    assert shown[1:] == shown[:-1]
    assert changed != shown[0]


def files(home: Home) -> list[Path]:
    found = sorted((home.ledger.parent / "previews").iterdir())
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in found)
    return found
