"""Ledgers and folders that cannot be used, made on purpose."""

import os
import random
from collections.abc import Callable

from tests.faults.scene import Scene

HEADER = 100
"""The bytes of an SQLite file's header."""
STILL_RUNNING = 3
LEFT_AS_IT_IS = "left as it is"


def noise(length: int) -> bytes:
    """The same bytes every time, and no sense in them."""
    return random.Random(7).randbytes(length)


def made(scene: Scene) -> bytes:
    """A sound ledger, as a file's bytes; the ledger itself is gone."""
    scene.run("list", "--json")
    content = scene.home.ledger.read_bytes()
    scene.home.ledger.unlink()
    return content


def random_bytes(scene: Scene) -> None:
    scene.keep(scene.home.ledger, noise(20_000))


def sound_header_and_garbage(scene: Scene) -> None:
    content = made(scene)
    scene.keep(scene.home.ledger, content[:HEADER] + noise(len(content) - HEADER))


def garbage_behind_the_schema(scene: Scene) -> None:
    content = made(scene)
    scene.keep(scene.home.ledger, content[:8192] + noise(len(content) - 8192))


def cut_in_half(scene: Scene) -> None:
    content = made(scene)
    scene.keep(scene.home.ledger, content[: len(content) // 2])


def another_program_s(scene: Scene) -> None:
    """A picture in the ledger's place."""
    scene.keep(scene.home.ledger, b"\x89PNG\r\n\x1a\n" + noise(5000))


def from_another_line_of_versions(scene: Scene) -> None:
    content = made(scene)
    scene.home.ledger.write_bytes(content)
    scene.edit("UPDATE migrations SET name = '9999_teleportation' WHERE name = '0008_indexes'")
    scene.keep(scene.home.ledger, scene.home.ledger.read_bytes())


def link_to_a_ledger(scene: Scene) -> None:
    elsewhere = scene.path / "elsewhere" / "ledger.sqlite3"
    scene.keep(elsewhere, made(scene))
    scene.home.ledger.symlink_to(elsewhere)


def link_to_nothing(scene: Scene) -> None:
    scene.home.ledger.parent.mkdir()
    scene.home.ledger.symlink_to(scene.path / "nothing")


def link_leads_nowhere_still(scene: Scene) -> None:
    assert not (scene.path / "nothing").exists()


def folder_in_the_ledger_s_place(scene: Scene) -> None:
    scene.home.ledger.mkdir(parents=True)


def home_is_a_file(scene: Scene) -> None:
    scene.keep(scene.path / "home", b"my own notes")


def home_below_a_device(scene: Scene) -> None:
    scene.extra["DARKROOM_HOME"] = f"{os.devnull}/home"


def processes_is_a_file(scene: Scene) -> None:
    scene.keep(scene.home.ledger.parent / "processes", b"my own notes")


UNUSABLE: tuple[tuple[str, Callable[[Scene], None], str], ...] = (
    ("a ledger of random bytes", random_bytes, LEFT_AS_IT_IS),
    ("a ledger with a sound header and garbage", sound_header_and_garbage, LEFT_AS_IT_IS),
    ("a ledger with garbage behind its schema", garbage_behind_the_schema, LEFT_AS_IT_IS),
    ("a ledger cut in half", cut_in_half, LEFT_AS_IT_IS),
    ("a picture in the ledger's place", another_program_s, LEFT_AS_IT_IS),
    ("a ledger from another line of versions", from_another_line_of_versions, "newer Darkroom"),
    ("a link to another ledger in the ledger's place", link_to_a_ledger, LEFT_AS_IT_IS),
    ("a link to nothing in the ledger's place", link_to_nothing, LEFT_AS_IT_IS),
    ("a folder in the ledger's place", folder_in_the_ledger_s_place, LEFT_AS_IT_IS),
    ("a home that is a file", home_is_a_file, "ledger"),
    ("a home below a device", home_below_a_device, "ledger"),
    ("a home whose folder of processes is a file", processes_is_a_file, "cannot be written to"),
)
"""Name, how it is made, and words of what the user is told."""


def a_row_that_cannot_be_read(stage: str) -> Callable[[Scene], None]:
    """The file is sound, but the JSON of a row in this stage is not."""

    def make(scene: Scene) -> None:
        scene.service.stop()
        assert scene.run("generate", "An older picture", "--json", "--timeout", "1").exit_status == STILL_RUNNING
        scene.service.start()
        assert scene.edit(f"""UPDATE generations SET images = '{{"index": 1', stage = '{stage}'""")

    return make
