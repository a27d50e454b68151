"""What can go wrong where pictures are saved: the job is paid for, so its pictures are fetched again when it can be."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial as with_
from pathlib import Path

import pytest

from tests.faults.scene import Scene
from tests.faults.table import Fault, failed, name_of, prove, succeeds
from tests.services.fatthumb import FatThumb

TOO_SMALL = 500_000
"""Bytes: more than a ledger needs, less than a picture."""
UNSAVED = failed("storage_error", "yes", "could not be saved", "get_status")


def pictures_is_a_file(scene: Scene) -> None:
    scene.keep(scene.home.pictures, b"my own notes")


def pictures_is_a_folder_again(scene: Scene) -> None:
    scene.home.pictures.unlink()
    scene.kept.clear()


def pictures_at(place: str) -> Callable[[Scene], None]:
    return lambda scene: scene.extra.update(DARKROOM_PICTURES=place)


def pictures_at_home(scene: Scene) -> None:
    del scene.extra["DARKROOM_PICTURES"]


def pictures_link_to_nothing(scene: Scene) -> None:
    scene.home.pictures.symlink_to(scene.path / "an unplugged disk")


def disk_plugged_in(scene: Scene) -> None:
    (scene.path / "an unplugged disk").mkdir()


def days() -> list[str]:
    """Today, and its neighbours: midnight may come in between."""
    return [f"{datetime.now().astimezone() + timedelta(days=offset):%Y-%m-%d}" for offset in (-1, 0, 1)]


def day_is_a_link(scene: Scene) -> None:
    scene.keep(scene.path / "elsewhere" / "notes.txt", b"my own notes")
    scene.home.pictures.mkdir()
    for day in days():
        (scene.home.pictures / day).symlink_to(scene.path / "elsewhere")


def day_is_a_file(scene: Scene) -> None:
    for day in days():
        scene.keep(scene.home.pictures / day, b"my own notes")


def day_is_gone(scene: Scene) -> None:
    for day in days():
        (scene.home.pictures / day).unlink()
    scene.kept = {path: content for path, content in scene.kept.items() if path.exists()}


def nothing_written_elsewhere(scene: Scene) -> None:
    assert [path.name for path in (scene.path / "elsewhere").iterdir()] == ["notes.txt"]


def small_disk(scene: Scene) -> None:
    scene.file_limit = TOO_SMALL


def larger_disk(scene: Scene) -> None:
    scene.file_limit = None


FAULTS = (
    Fault(
        "a pictures folder that is a file",
        pictures_is_a_file,
        UNSAVED,
        mended=pictures_is_a_folder_again,
        at_last=succeeds(),
    ),
    Fault(
        "a pictures folder below a device",
        pictures_at(f"{os.devnull}/x"),
        UNSAVED,
        mended=pictures_at_home,
        at_last=succeeds(),
    ),
    Fault(
        "a pictures folder where none can be made",
        pictures_at("/proc/x"),
        UNSAVED,
        mended=pictures_at_home,
        at_last=succeeds(),
    ),
    Fault(
        "a pictures folder on a disk that is not there",
        pictures_link_to_nothing,
        UNSAVED,
        mended=disk_plugged_in,
        at_last=succeeds(),
    ),
    Fault(
        "a day's folder that is a link to elsewhere",
        day_is_a_link,
        UNSAVED,
        mended=day_is_gone,
        at_last=succeeds(),
        also=nothing_written_elsewhere,
    ),
    Fault("a day's folder that is a file", day_is_a_file, UNSAVED, mended=day_is_gone, at_last=succeeds()),
    Fault(
        "a disk that is too small for a picture",
        small_disk,
        UNSAVED,
        service=with_(FatThumb, heavy_pictures=True),
        mended=larger_disk,
        at_last=succeeds(),
    ),
)


@pytest.mark.parametrize("fault", FAULTS, ids=name_of)
def test_a_picture_that_cannot_be_saved_is_fetched_again_when_it_can(fault: Fault, tmp_path: Path) -> None:
    prove(fault, tmp_path)
