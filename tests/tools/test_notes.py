"""What becomes of the notes in a picture, as an agent is told of it."""

from pathlib import Path
from typing import Any

import pytest

from tests.attacks.crafted import encoded
from tests.generations.pictures_made import comfy, held
from tests.hosts import Home, call, connected, text_of
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer


def content(image: dict[str, Any]) -> bytes:
    """What was saved of it."""
    return Path(image["path"]).read_bytes()


@pytest.mark.parametrize("notes", ["keep", "strip"])
async def test_the_notes_of_a_picture_are_kept_or_removed_as_the_user_wants(
    home: Home, fatthumb: FatThumb, notes: str
) -> None:
    fatthumb.script("picture", Answer(200, content=comfy()), Answer(200, content=held("JPEG", 6)))
    user = home.with_(fatthumb, DARKROOM_NOTES=notes, FATTHUMB_LIMITS="submit=1000/1")
    async with connected(user) as client:
        ids = [(await call(client, "generate", prompt=prompt))["id"] for prompt in ("A fox", "An owl")]
        found = [await client.call_tool("wait", {"generation_ids": [each], "timeout_s": 50}) for each in ids]
    pictures = sorted(
        (result.structured_content["generations"][0]["images"][0] for result in found),
        key=lambda image: image["mime_type"],
    )
    jpeg, png = pictures
    assert (jpeg["width"], jpeg["height"]) == (64, 32), "as people see it"
    saved = content(png)
    assert png["bytes"] == len(saved)
    if notes == "keep":
        assert (saved, png.get("removed")) == (comfy(), None)
        assert content(jpeg) == held("JPEG", 6)
        return
    assert saved == encoded("PNG")
    assert (png["removed"], jpeg["removed"]) == ('the text "prompt", the text "workflow"', "EXIF")
    text = "\n".join(map(text_of, found))
    assert 'Removed from it: the text "prompt", the text "workflow".' in text
