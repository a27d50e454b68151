"""Files in folders that the user named, while somebody swaps what leads to them."""

from pathlib import Path

import pytest

from darkroom.store.folders import Outside, found_in, read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that the user named, beside a private one that is like it."""
    for name in ("named", "private"):
        (tmp_path / name / "below").mkdir(parents=True)
        (tmp_path / name / "below" / "a.png").write_bytes(name.encode())
    return tmp_path / "named"


@pytest.mark.parametrize("swapped", ["below", "below/a.png"])
def test_a_link_that_takes_the_place_of_something_that_was_looked_at_is_not_followed(
    folder: Path, swapped: str
) -> None:
    found = found_in([folder], folder / "below" / "a.png")
    assert read(found, 10) == b"named"
    (folder / swapped).rename(folder / "away")
    (folder / swapped).symlink_to(folder.parent / "private" / swapped)
    with pytest.raises(OSError, match=r"\[Errno"):
        read(found, 10)


@pytest.mark.parametrize("path", [".", "../private/below/a.png", "../named-too/a.png", "link/a.png", ""])
def test_a_path_that_leads_out_is_outside_whether_anything_is_there_or_not(folder: Path, path: str) -> None:
    (folder / "link").symlink_to(folder.parent / "private" / "below")
    with pytest.raises(Outside):
        found_in([folder], folder / path)


def test_a_link_within_the_folder_is_followed(folder: Path) -> None:
    (folder / "link.png").symlink_to(folder / "below" / "a.png")
    assert read(found_in([folder.parent / "nowhere", folder], folder / "link.png"), 3) == b"nam"
