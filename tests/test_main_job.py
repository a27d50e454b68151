"""The main job, as a host does it: generate, wait, pictures on the disk."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from tests.hosts import ERAS, Era, Home, call, connected, sheet_of, text_of
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb


@pytest.mark.parametrize("era", ERAS)
async def test_two_thumbnails_are_generated_awaited_and_saved(home: Home, fatthumb: FatThumb, era: Era) -> None:
    fatthumb.later_jobs(duration=2.0)
    seen: list[tuple[float, float | None, str | None]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total, message))

    async with connected(home.with_(fatthumb), era) as client:
        started = await call(client, "generate", prompt="A fox reading a map", count=2)
        assert started["status"] in {"queued", "processing"}
        result = await client.call_tool("wait", {"generation_ids": [started["id"]]}, progress_callback=on_progress)
    assert not result.is_error
    (generation,) = result.structured_content["generations"]
    assert generation["status"] == "succeeded"
    assert sheet_of(result) is not None
    for image in generation["images"]:
        with PIL.Image.open(image["path"]) as picture:
            assert (picture.format, picture.size) == ("PNG", (1280, 720))
        assert image["path"] in text_of(result)
        assert Path(image["path"]).is_relative_to(home.pictures)
    steps = [progress for progress, _, _ in seen]
    assert len(steps) >= 2
    assert all(earlier < later for earlier, later in pairwise(steps))
    assert len(fatthumb.posts) == 1


@pytest.mark.parametrize("era", ERAS)
async def test_an_illustration_waits_in_its_provider_s_queue_and_is_saved_with_its_seed(
    home: Home, betterwaifu: BetterWaifu, era: Era
) -> None:
    betterwaifu.later_jobs(queue=1000.0, queue_positions=(3, 2, 1), duration=0.5)
    messages: list[str] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        messages.append(message or "")
        if "position" in messages[-1]:
            betterwaifu.advance(1000)

    async with connected(home.with_(betterwaifu), era) as client:
        started = await call(client, "generate", prompt="A lighthouse keeper", seed=77, negative_prompt="text")
        result = await client.call_tool("wait", {"generation_ids": [started["id"]]}, progress_callback=on_progress)
    (generation,) = result.structured_content["generations"]
    assert generation["status"] == "succeeded", generation
    assert generation["seed"] == 77
    (image,) = generation["images"]
    with PIL.Image.open(image["path"]) as picture:
        assert (picture.format, picture.size) == ("WEBP", (832, 1216))
    assert any("position" in message for message in messages), messages


def files_of(waited: dict[str, Any]) -> list[bytes]:
    """The saved files of the one generation that was waited for."""
    (generation,) = waited["generations"]
    return [Path(image["path"]).read_bytes() for image in generation["images"]]


async def test_without_any_key_sketch_draws_and_says_that_it_is_a_placeholder(home: Home) -> None:
    async with connected(home) as client:
        started = await call(client, "generate", prompt="A lighthouse at dusk", count=2, seed=5, aspect_ratio="1:1")
        assert started["provider"] == "sketch"
        result = await client.call_tool("wait", {"generation_ids": [started["id"]]})
        again = await call(client, "generate", prompt="A lighthouse at dusk", count=2, seed=5, aspect_ratio="1:1")
        waited = await call(client, "wait", generation_ids=[again["id"]])
    assert "not a picture by an AI model" in text_of(result)
    assert "not a picture by an AI model" in result.structured_content["generations"][0]["progress"]["message"]
    first, second = files_of(result.structured_content), files_of(waited)
    assert first == second, "the same prompt and seed give the same pixels"
    assert first[0] != first[1]
    with PIL.Image.open(home.saved()[0]) as picture:
        assert (picture.format, picture.size) == ("PNG", (1024, 1024))
