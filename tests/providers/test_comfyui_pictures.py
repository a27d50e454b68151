"""Pictures that ComfyUI works from: uploaded under names of ours, and loaded by the workflow that is meant."""

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image
from starlette.responses import JSONResponse, Response

from darkroom.providers.comfyui.uploads import channel_of
from tests.hosts import Home, call, connected, darkroom, refused
from tests.services.comfyui import CHECKPOINTS, ComfyUI

TWO_PICTURES: dict[str, Any] = {
    "1": {"class_type": "PrimitiveString", "inputs": {"value": ""}, "_meta": {"title": "darkroom: prompt=value"}},
    "2": {"class_type": "LoadImage", "inputs": {"image": "a.png"}, "_meta": {"title": "darkroom: image"}},
    "3": {"class_type": "LoadImage", "inputs": {"image": "b.png"}, "_meta": {"title": "darkroom: image_2=image"}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "mine", "images": ["2", 0]}, "_meta": {}},
}


def png(colour: tuple[int, ...], mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (16, 16), colour).save(file, "PNG")
    return file.getvalue()


BLUE, RED, WHITE = png((0, 0, 255)), png((255, 0, 0)), png((255, 255, 255))


def url(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def inputs(post: dict[str, Any], kind: str) -> dict[str, Any]:
    """The inputs of the one node of this class."""
    (node,) = (node for node in post["prompt"].values() if node["class_type"] == kind)
    return node["inputs"]


def holder(home: Home) -> Home:
    """A user with a workflow that takes two pictures."""
    folder = home.path / "workflows"
    folder.mkdir(exist_ok=True)
    (folder / "both.json").write_text(json.dumps(TWO_PICTURES), "utf-8")
    return home.with_(DARKROOM_COMFYUI_WORKFLOWS=str(folder))


async def test_a_picture_is_worked_from_and_a_mask_says_what_is_to_change(home: Home) -> None:
    with ComfyUI() as service:
        async with connected(service.home(home)) as client:
            for images, options in (([url(BLUE)], {"strength": 0.3}), ([url(BLUE), f"mask={url(WHITE)}"], {})):
                wished: dict[str, Any] = {"prompt": "a cat", "provider": "comfyui", "count": 2, "options": options}
                started = await call(client, "generate", images=images, **wished)
                ended = (await call(client, "wait", generation_ids=[started["id"]]))["generations"][0]
                assert (ended["status"], len(ended["made_from"])) == ("succeeded", len(images)), ended
        plain, masked = service.posts
    assert inputs(plain, "CheckpointLoaderSimple")["ckpt_name"] == CHECKPOINTS[0]
    assert {service.given(inputs(post, "LoadImage")["image"]) for post in (plain, masked)} == {BLUE}
    assert (inputs(plain, "KSampler")["denoise"], inputs(plain, "RepeatLatentBatch")["amount"]) == (0.3, 2)
    assert service.given(inputs(masked, "LoadImageMask")["image"]) == WHITE
    assert inputs(masked, "LoadImageMask")["channel"] == "red"
    assert not list((home.path / "home").glob("providers/inputs/*"))


def test_a_workflow_takes_as_many_pictures_as_its_titles_name(home: Home) -> None:
    with ComfyUI() as service:
        there = holder(service.home(home))
        command = ("generate", "a cat", "--provider", "comfyui", "--model", "both", "--json")
        for pictures in ([BLUE, RED], [RED]):
            given = [word for picture in pictures for word in ("--image", url(picture))]
            assert darkroom(there, *command, *given).json["status"] == "succeeded"
        both, one = service.posts
    values = [both["prompt"][node]["inputs"]["image"] for node in ("2", "3")]
    assert [service.given(value) for value in values] == [BLUE, RED]
    assert one["prompt"]["3"]["inputs"]["image"] == "b.png"


IMPOSSIBLE: tuple[tuple[dict[str, Any], str], ...] = (
    ({"images": [url(BLUE), url(RED)]}, "takes 1 picture to work from, not 2"),
    ({"images": [f"mask={url(WHITE)}"]}, "a mask belongs to a picture"),
    ({"images": [url(BLUE)], "aspect_ratio": "16:9"}, "no other aspect ratio"),
    ({"images": [url(BLUE)], "options": {"width": 512}}, "has no option 'width'"),
    ({"options": {"strength": 0.5}}, "has no option 'strength'"),
    ({"model": "both", "images": [url(BLUE), f"mask={url(WHITE)}"]}, "takes no mask"),
    ({"model": "both", "images": [url(BLUE)] * 3}, "takes 2 pictures to work from, not 3"),
)


async def test_what_cannot_be_made_of_pictures_is_refused_before_anything_is_sent(home: Home) -> None:
    with ComfyUI() as service:
        async with connected(holder(service.home(home))) as client:
            for arguments, says in IMPOSSIBLE:
                assert says in await refused(client, "generate", prompt="a cat", provider="comfyui", **arguments)
            assert service.asked == []
            told = (await call(client, "list_models", provider="comfyui"))["providers"][0]
    assert (told["accepts"]["images"], told["accepts"]["mask"]) == (1, True)
    assert [model["note"] for model in told["models"] if model["id"] == "both"] == [
        "workflow; options: none; images up to 2"
    ]


ODD: dict[str, tuple[Response, str]] = {
    "an error": (Response(status_code=500), "provider_error"),
    "too large": (Response(status_code=413), "invalid_request"),
    "a page": (Response("<html>", media_type="text/html"), "provider_error"),
    "no place": (JSONResponse({"subfolder": "", "type": "temp"}), "provider_error"),
    "elsewhere": (JSONResponse({"name": "a.png", "subfolder": "", "type": "output"}), "provider_error"),
    "strange names": (JSONResponse({"name": "a\n.png", "subfolder": "x", "type": "temp"}), "provider_error"),
    "other types": (JSONResponse({"name": ["a"], "subfolder": 7, "type": "temp"}), "provider_error"),
}


async def test_where_an_upload_fails_nothing_is_started_and_the_error_says_so(home: Home) -> None:
    with ComfyUI() as service:
        async with connected(service.home(home)) as client:
            for name, (response, code) in ODD.items():
                service.uploaded = response
                started = await call(client, "generate", prompt=name, provider="comfyui", images=[url(BLUE)])
                ended = (await call(client, "wait", generation_ids=[started["id"]]))["generations"][0]
                assert (name, ended["error"]["code"], ended["error"]["charged"]) == (name, code, "no")
        assert service.posts == []


@pytest.mark.parametrize(
    ("mask", "channel"),
    [
        (WHITE, "red"),
        (png((255, 255, 255, 255), "RGBA"), "red"),
        (png((255, 255, 255, 0), "RGBA"), "alpha"),
        (png((255, 128), "LA"), "alpha"),
    ],
)
def test_a_mask_is_what_is_transparent_and_where_nothing_is_what_is_white(mask: bytes, channel: str) -> None:
    assert channel_of(mask) == channel
