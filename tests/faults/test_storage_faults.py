"""What can go wrong where pictures are saved: found before anything is paid for, or else mended at no cost."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial as with_

import pytest

from tests.faults.scene import Scene
from tests.faults.table import Ending, Fault, failed, name_of, prove, succeeds
from tests.hosts import Home, on_both_databases
from tests.services.fatthumb import FatThumb

TOO_SMALL = 500_000
"""Bytes: more than a ledger needs, less than a picture."""
UNSAVED = failed("storage_error", "yes", "could not be saved", "get_status")
NOT_SENT = Ending("failed", "storage_error", "no", "nothing was sent", "DARKROOM_PICTURES", accepted=0, sent=0)
"""The place was tried first, so that nothing is owed."""


def pictures_is_a_file(scene: Scene) -> None:
    scene.keep(scene.home.pictures, b"my own notes")


def pictures_at(place: str) -> Callable[[Scene], None]:
    return lambda scene: scene.extra.update(DARKROOM_PICTURES=place)


def pictures_link_to_nothing(scene: Scene) -> None:
    scene.home.pictures.symlink_to(scene.path / "an unplugged disk")


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


def nothing_written_elsewhere(scene: Scene) -> None:
    assert [path.name for path in (scene.path / "elsewhere").iterdir()] == ["notes.txt"]


def small_disk(scene: Scene) -> None:
    scene.file_limit = TOO_SMALL


def larger_disk(scene: Scene) -> None:
    scene.file_limit = None


FAULTS = (
    Fault("a pictures folder that is a file", pictures_is_a_file, NOT_SENT),
    Fault("a pictures folder below a device", pictures_at(f"{os.devnull}/x"), NOT_SENT),
    Fault("a pictures folder where none can be made", pictures_at("/proc/x"), NOT_SENT),
    Fault("a pictures folder on a disk that is not there", pictures_link_to_nothing, NOT_SENT),
    Fault("a day's folder that is a link to elsewhere", day_is_a_link, NOT_SENT, also=nothing_written_elsewhere),
    Fault("a day's folder that is a file", day_is_a_file, NOT_SENT),
    Fault(
        "a disk that is too small for a picture",
        small_disk,
        UNSAVED,
        service=with_(FatThumb, heavy_pictures=True),
        mended=larger_disk,
        at_last=succeeds(),
    ),
)


@on_both_databases
@pytest.mark.parametrize("fault", FAULTS, ids=name_of)
def test_a_picture_that_cannot_be_saved_is_not_paid_for_or_fetched_again_when_it_can(fault: Fault, home: Home) -> None:
    prove(fault, home)
