"""Pictures to work from in the body of a request, in the form that each shipped service documents."""

import base64
import io

import pytest
from PIL import Image

from tests.attacks.crafted import encoded
from tests.hosts import Home, call, connected, over, refused
from tests.services.declared import DeclaredService


def data_url(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


async def test_gemini_is_given_each_picture_as_a_part_of_its_own_beside_the_text(home: Home) -> None:
    pictures = {kind: encoded(kind.upper()) for kind in ("png", "webp", "jpeg")}
    with DeclaredService.shipped("gemini").ready() as service:
        async with connected(service.home(home)) as client:
            images = [data_url(data, kind) for kind, data in pictures.items()]
            asked = await call(client, "generate", prompt="in a hat", provider=service.name, images=images)
            (done,) = await over(client, asked["id"])
            told = await call(client, "list_models", provider=service.name)
        (post,) = service.posts
    text, *parts = post.json["contents"][0]["parts"]
    assert (done["status"], text) == ("succeeded", {"text": "in a hat"})
    assert [each["inlineData"]["mimeType"] for each in parts] == [f"image/{kind}" for kind in pictures]
    for part, kind in zip(parts, pictures, strict=True):
        sent = base64.b64decode(part["inlineData"]["data"], validate=True)
        assert Image.open(io.BytesIO(sent)).format == kind.upper()
    assert told["providers"][0]["accepts"]["images"] == 8


async def test_gemini_is_sent_its_text_alone_where_there_is_no_picture(home: Home) -> None:
    with DeclaredService.shipped("gemini").ready() as service:
        async with connected(service.home(home)) as client:
            asked = await call(client, "generate", prompt="a cat", provider=service.name)
            await over(client, asked["id"])
        (post,) = service.posts
    assert post.json["contents"] == [{"parts": [{"text": "a cat"}]}]


async def test_midjourney_proxy_is_given_the_pictures_as_data_urls(home: Home) -> None:
    first, second = encoded("PNG"), encoded("PNG", 32, 32)
    with DeclaredService.shipped("midjourney-proxy").like(submit="submit", read="success") as service:
        async with connected(service.home(home)) as client:
            images = [data_url(first, "png"), data_url(second, "png")]
            asked = await call(client, "generate", prompt="a cat", provider=service.name, images=images)
            (done,) = await over(client, asked["id"])
        (post,) = service.posts
    assert done["status"] == "succeeded"
    assert post.json["base64Array"] == images


@pytest.mark.parametrize("name", ["gemini", "midjourney-proxy"])
async def test_nothing_is_sent_with_a_picture_that_is_not_sound(home: Home, name: str) -> None:
    with DeclaredService.shipped(name).ready() as service:
        async with connected(service.home(home)) as client:
            images = [data_url(encoded("JPEG")[:200], "jpeg")]
            refusal = await refused(client, "generate", prompt="a cat", provider=service.name, images=images)
        assert "cut off" in refusal
        assert not service.posts
