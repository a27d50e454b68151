"""Pictures: each on its own, seen in the conversation, found on the disk, asked for again when one did not come."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from mcp import Client
from mcp.types import CallToolResult, ImageContent, ResourceLink

from tests.hosts import ERAS, Era, Home, call, connected, links_of, previews_of, sheet_of, text_of
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer, Fault, Redirect
from tests.services.pictures import noise

UNHURRIED = {"FATTHUMB_LIMITS": "submit=1000/1"}
ELSEWHERE = Redirect("http://127.0.0.1:1/picture.png")
"""What is not followed, and need not be tried again for a while."""
DAMAGE: list[tuple[Fault, str, int]] = [
    (ELSEWHERE, "result_unavailable", 1),
    (Redirect("https://10.0.0.1/picture.png"), "result_unavailable", 1),
]


async def finished(client: Client, **arguments: Any) -> CallToolResult:
    """What wait answers for a new generation."""
    started = await call(client, "generate", **{"prompt": "A fox reading a map", **arguments})
    result = await client.call_tool("wait", {"generation_ids": [started["id"]], "timeout_s": 60})
    assert not result.is_error
    return result


def the_one(result: CallToolResult) -> dict[str, Any]:
    (generation,) = result.structured_content["generations"]
    return generation


async def test_a_picture_that_does_not_come_says_so_and_comes_when_asked_for_again(
    home: Home, fatthumb: FatThumb, subtests: pytest.Subtests
) -> None:
    async with connected(home.with_(fatthumb, **UNHURRIED)) as client:
        for number, (fault, code, tries) in enumerate(DAMAGE):
            with subtests.test(fault=repr(fault)[:100]):
                saved_before, asked_before = len(home.saved()), len(fatthumb.picture_requests)
                fatthumb.script("picture", None, *[fault] * tries)
                result = await finished(client, prompt=f"damage {number}", count=2)
                generation, text = the_one(result), text_of(result)
                (bad,) = [image for image in generation["images"] if image["status"] == "failed"]
                (good,) = [image for image in generation["images"] if image["status"] == "succeeded"]
                assert generation["status"] == "partial"
                assert "error" not in generation
                assert (bad["error"]["code"], bad["error"]["charged"]) == (code, "yes")
                assert "get_status" in bad["error"]["next_step"]
                assert "path" not in bad
                assert f"{bad['index']}. {code}: {bad['error']['message']}" in text
                assert good["path"] in text
                assert f"get_status with {generation['id']}" in text
                assert (len(previews_of(result)), len(links_of(result))) == (1, 1)
                assert len(home.saved()) == saved_before + 1
                again = await call(client, "get_status", generation_id=generation["id"])
                assert again["status"] == "succeeded"
                assert [image["status"] for image in again["images"]] == ["succeeded"] * 2
                assert not any("error" in image for image in again["images"])
                assert again["images"][good["index"] - 1] == good
                assert len(home.saved()) == saved_before + 2
                # The one that came was fetched once; the other once more than it was refused.
                assert len(fatthumb.picture_requests) - asked_before == 1 + tries + 1
    assert len(fatthumb.requests(route="submit")) == len(DAMAGE)
    assert not any(request.has_key for request in fatthumb.picture_requests)


async def test_a_generation_none_of_whose_pictures_came_failed_until_they_come(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.always("picture", ELSEWHERE)
    async with connected(home.with_(fatthumb)) as client:
        generation = the_one(await finished(client, count=2))
        assert (generation["status"], generation["error"]["code"]) == ("failed", "result_unavailable")
        assert home.saved() == []
        result = await client.call_tool("get_status", {"generation_id": generation["id"]})
        assert not result.is_error
        assert result.structured_content["status"] == "failed"
        fatthumb.always("picture", None)
        # A wait asks again as well.
        answer = await call(client, "wait", generation_ids=[generation["id"]])
    assert answer["generations"][0]["status"] == "succeeded"
    assert "error" not in answer["generations"][0]
    assert len(home.saved()) == 2
    assert len(fatthumb.posts) == 1


async def test_hidden_watermarked_and_failed_pictures_are_told_in_words_and_in_fields(home: Home) -> None:
    with FatThumb(free_tier=True, hidden={1}, failing={2: "Generation failed for safety reasons"}) as fatthumb:
        async with connected(home.with_(fatthumb)) as client:
            result = await finished(client, count=4)
            generation, text = the_one(result), text_of(result)
            asked = len(fatthumb.picture_requests)
            again = await call(client, "get_status", generation_id=generation["id"])
    first, hidden, failed, last = generation["images"]
    assert generation["status"] == "partial"
    assert [image["hidden"] for image in generation["images"]] == [False, True, False, False]
    assert all(image["watermarked"] for image in (first, last))
    assert text.count("It carries the provider's watermark.") == 2
    assert (hidden["status"], hidden["error"]["code"]) == ("failed", "result_unavailable")
    assert "safety review" in hidden["error"]["message"]
    assert "2. The provider hides this picture. result_unavailable: It was taken down" in text
    assert (failed["status"], failed["error"]["code"]) == ("failed", "moderated")
    assert '"Generation failed for safety reasons"' in failed["error"]["message"]
    assert failed["error"]["message"] in text
    assert not {"path", "url"} & (hidden.keys() | failed.keys())
    assert sheet_of(result) is not None
    assert len(home.saved()) == 2
    assert again == generation
    assert len(fatthumb.picture_requests) == asked == 2


async def test_a_next_step_is_not_offered_where_it_cannot_help(home: Home) -> None:
    with FatThumb(hidden={1}) as fatthumb:
        async with connected(home.with_(fatthumb)) as client:
            result = await finished(client, count=2)
    assert the_one(result)["status"] == "partial"
    assert "fetch what is missing again" not in text_of(result), "a hidden picture is never fetched again"


def assert_belong_together(image: dict[str, Any], link: ResourceLink, small: ImageContent, served: bytes) -> None:
    """The picture's entry, its link, its preview, its file, and what the provider served."""
    path = Path(image["path"])
    assert path.read_bytes() == served
    assert image["bytes"] == link.size == len(served)
    assert (link.uri, link.name) == (image["uri"], path.name)
    assert link.mime_type == image["mime_type"] == "image/png"
    data = base64.b64decode(small.data, validate=True)
    assert len(data) <= 150_000
    with PIL.Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (512, 288)
        assert picture.get_format_mimetype() == small.mime_type


@pytest.mark.parametrize("era", ERAS)
async def test_every_saved_picture_has_a_link_to_its_file_and_a_small_preview(
    home: Home, fatthumb: FatThumb, era: Era
) -> None:
    user = Home(home.path / "a user's föłder #1").with_(fatthumb, DARKROOM_PREVIEWS="all")
    fatthumb.heavy_pictures = True
    async with connected(user, era) as client:
        result = await finished(client, prompt="Ein Fuchs / liest: eine „Karte“?", count=4)
    generation, text = the_one(result), text_of(result)
    assert generation["status"] == "succeeded"
    assert len(json.dumps(result.model_dump(mode="json", by_alias=True, exclude_none=True)).encode()) < 600_000
    job = fatthumb.jobs[fatthumb.posts[0].id]
    served = [fatthumb.picture(thumbnail) for thumbnail in job.thumbnail_ids]
    for image, link, small, data in zip(
        generation["images"], links_of(result), previews_of(result), served, strict=True
    ):
        assert_belong_together(image, link, small, data)
        assert image["path"] in text
    assert f"{generation['id']} succeeded" in text
    assert "Next:" not in text


async def test_the_largest_results_stay_under_what_hosts_take(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.always("picture", Answer(200, content=noise("any", 1024, 1024)))
    user = home.with_(fatthumb, DARKROOM_PREVIEWS="all")
    async with connected(user) as client:
        prompt = "ä\N{FOX FACE}\n" * 3_333
        ids = [(await call(client, "generate", prompt=prompt, count=4))["id"] for _ in range(2)]
        result = await client.call_tool("wait", {"generation_ids": ids, "timeout_s": 60})
    async with connected(user) as newcomer:
        alone = await newcomer.call_tool("get_status", {"generation_id": ids[0]})
    for answer in (result, alone):
        assert len(json.dumps(answer.model_dump(mode="json", by_alias=True, exclude_none=True)).encode()) < 600_000
        assert all(len(base64.b64decode(small.data)) <= 150_000 for small in previews_of(answer))
    assert len(links_of(result)) == 8
    assert len(previews_of(alone)) >= 2
    assert alone.structured_content["prompt"] == prompt
    for path in home.saved():
        assert str(path) in text_of(result)
