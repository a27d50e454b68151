"""What a file says of the pictures that its service takes, and what each key of it does."""

from typing import Any

import pytest

from darkroom.errors import InvalidRequest
from darkroom.models import InputImage
from darkroom.providers.inputs import Attached
from darkroom.providers.language.examples import misread
from darkroom.providers.language.loading import BadDeclaration
from darkroom.providers.language.offers import traits_of
from darkroom.providers.language.requests import Prepared, names_of, prepare, submission
from darkroom.providers.language.schema import Service
from darkroom.providers.language.signing import call_of
from tests.declarations import asked, service_with

FIRST = 'image = "$image.data_url"'
MODELS = '[accepts]\ndefault_model = "draws"\nmodels = [{ id = "draws" }, { id = "edits" }]\n'
EDIT = '[edit]\npath = "/edit"\nbody = { prompt = "$prompt", image = "$image.base64" }\n'


def taking(images: str = "", *, body: str = FIRST, more: str = "", accepts: str = "", **parts: str) -> Service:
    """A service that takes pictures, as these keys say."""
    return service_with(more, top=f"{accepts}\n[accepts.images]\n{images}", body=body, **parts)


def given(*roles: str) -> tuple[InputImage, ...]:
    return tuple(InputImage.model_validate({"role": role, "mime_type": "image/png"}) for role in roles)


def sent(service: Service, *roles: str, **wishes: Any) -> Prepared:
    """What is sent with pictures of these roles, whose bytes are their numbers."""
    request = asked(service, images=given(*roles), **wishes)
    images = [Attached(each, str(number).encode()) for number, each in enumerate(request.images, 1)]
    return prepare(service, submission(service, request), names_of(service, request, images=images))


def refusal(service: Service, *roles: str, **wishes: Any) -> str:
    with pytest.raises(InvalidRequest) as caught:
        asked(service, images=given(*roles), **wishes)
    return caught.value.message


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("$image.data_url", "data:image/png;base64,MQ=="),
        ("$image.base64", "MQ=="),
        ("$image_2.base64", "Mg=="),
        ("$image_3.base64", None),
        ("$images.base64", ["MQ==", "Mg=="]),
        ("$image.mime_type", "image/png"),
        ("$mask.base64", "Mw=="),
    ],
)
def test_each_name_of_a_picture_becomes_it_in_its_form(template: str, value: object) -> None:
    keys = f'{FIRST}\nlast = "$images.base64"\nseen = "{template}"\nmask = "$mask.data_url"'
    body = sent(taking("max = 3\nmask = true", body=keys), "image", "image", "mask").body
    assert body is not None
    assert body.get("seen") == value


EACH = '{ "$each" = { kind = "$image.mime_type", data = "$image.base64", of = "$prompt" } }'
"""A table for each picture."""


@pytest.mark.parametrize(
    ("template", "before"), [(EACH, []), (f'[{{ text = "$prompt" }}, {EACH}]', [{"text": "a cat"}])]
)
def test_each_is_a_table_for_each_picture_alone_or_among_others(template: str, before: list[Any]) -> None:
    service = taking("max = 3", body=f"parts = {template}")
    tables = [{"kind": "image/png", "data": data, "of": "a cat"} for data in ("MQ==", "Mg==")]
    assert sent(service, "image", "image").body == {"prompt": "a cat", "parts": [*before, *tables]}
    assert sent(service).body == {"prompt": "a cat", **({"parts": before} if before else {})}


def test_without_pictures_a_body_has_none_of_their_keys() -> None:
    assert sent(taking()).body == {"prompt": "a cat"}


def test_a_file_is_a_part_of_its_own_and_several_share_a_name() -> None:
    service = taking("max = 2", body='"image[]" = "$images.file"', submit='encoding = "multipart"')
    prepared = sent(service, "image", "image")
    content = call_of(prepared, prepared.at, service.auth, None).content or b""
    assert content.count(b'name="image[]"; filename="image-') == 2
    assert content.count(b"Content-Type: image/png") == 2
    assert b'name="prompt"\r\n\r\na cat' in content


def test_edit_is_sent_in_place_of_submit_where_there_are_pictures() -> None:
    service = taking(body="", more=EDIT)
    assert (sent(service, "image").at, sent(service, "image").body) == ("/edit", {"prompt": "a cat", "image": "MQ=="})
    assert (sent(service).at, sent(service).body) == ("/make", {"prompt": "a cat"})


def test_what_only_one_of_the_two_requests_sends_is_refused_with_the_other() -> None:
    kinds = 'steps = { type = "integer" }, strength = { type = "number" }'
    options = f"[accepts]\nseed = true\nmax_count = 2\noptions = {{ {kinds} }}"
    body = 'seed = "$seed"\ncount = "$count"\nsteps = "$options.steps"'
    edit = EDIT.replace("image =", 'strength = "$options.strength", image =')
    service = taking(accepts=options, body=body, more=edit)
    assert "takes no count or seed or steps with a picture" in refusal(
        service, "image", seed=1, count=2, options={"steps": 3}
    )
    assert "takes no strength without a picture" in refusal(service, options={"strength": 0.5})
    assert sent(service, "image", options={"strength": 0.5}).body is not None


@pytest.mark.parametrize(
    ("images", "roles", "says"),
    [
        ("", ("image", "image"), "takes 1 picture to work from, not 2"),
        ("max = 2", ("image", "image", "image"), "takes 2 pictures to work from, not 3"),
        ("", ("image", "mask"), "takes no mask"),
        ("mask = true", ("mask",), "a mask belongs to a picture"),
        ("mask = true", ("image", "mask", "mask"), "one mask is taken"),
    ],
)
def test_more_than_it_takes_is_refused(images: str, roles: tuple[str, ...], says: str) -> None:
    body = f'{FIRST}\nimage_2 = "$image_2.data_url"' if "max" in images else FIRST
    body += '\nmask = "$mask.data_url"' if "mask" in images else ""
    assert says in refusal(taking(images, body=body), *roles)


def test_pictures_go_to_the_models_that_take_them_and_to_the_first_of_those_by_default() -> None:
    service = taking('models = ["edits"]', accepts=MODELS)
    assert asked(service, images=given("image")).model == "edits"
    assert asked(service).model == "draws"
    assert "takes no pictures with draws, but with edits" in refusal(service, "image", model="draws")
    assert asked(service, model="edits").model == "edits"


def test_a_model_that_needs_a_picture_is_not_asked_without() -> None:
    service = taking('needed = ["edits"]', accepts=MODELS)
    assert "makes nothing" in refusal(service, model="edits")
    assert asked(service).model == "draws"
    assert "makes nothing without a picture" in refusal(taking('needed = ["default"]'))


def test_the_formats_are_those_that_the_file_names() -> None:
    one = traits_of(taking('formats = ["png"]')).images
    every = traits_of(taking()).images
    assert one is not None
    assert every is not None
    assert (one.formats, every.formats) == (("png",), ("png", "jpeg", "webp"))


def test_an_example_shows_the_pictures_that_are_sent() -> None:
    shown = '[[example]]\nname = "edit"\nrequest = { images = ["image"] }\nbody = { prompt = "a cat", image = "%s" }\n'
    assert not misread(taking(more=shown % "data:image/png;base64,aW1hZ2UgMQ=="))
    assert misread(taking(more=shown % "aW1hZ2UgMQ=="))


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"body": ""}, "a picture is never sent"),
        ({"body": 'image = "$image.mime_type"'}, "a picture is never sent"),
        (
            {"body": f'{FIRST}\nall = {{ "$each" = {{ of = "$prompt" }} }}'},
            "is sent once for each picture, and names none",
        ),
        ({"body": 'all = [{ "$each" = { image = "$image.file" } }]'}, 'a file needs encoding = "multipart"'),
        ({"images": "max = 2"}, "the last is never sent"),
        ({"images": "mask = true"}, 'write "$mask.data_url" or "$mask.file"'),
        ({"images": 'models = ["nobody"]', "accepts": MODELS}, "there is no model nobody"),
        ({"images": 'needed = ["nobody"]', "accepts": MODELS}, "there is no model nobody"),
        ({"body": 'image = "$image.file"'}, 'a file needs encoding = "multipart"'),
        (
            {"body": 'of = { image = "$image.file" }', "submit": 'encoding = "multipart"'},
            "it stands alone as the value of a field",
        ),
        ({"submit": 'query = { image = "$image.base64" }'}, "a picture is sent in the body only"),
        ({"body": f'{FIRST}\nmore = "$image_2.base64"'}, "there is no name image_2.base64"),
        (
            {"body": "", "more": EDIT.replace("path", "url").replace("/edit", "{job}")},
            "write a path in place of the url",
        ),
        ({"body": "", "more": EDIT + 'method = "GET"\n'}, "write POST or PUT"),
        ({"body": "", "more": EDIT.replace('prompt = "$prompt", ', "")}, "the prompt is never sent"),
        ({"body": FIRST, "more": EDIT}, "there is no name image.data_url"),
    ],
)
def test_each_mistake_is_a_sentence_that_says_what_to_write(parts: dict[str, str], says: str) -> None:
    with pytest.raises(BadDeclaration, match=r"[\s\S]*") as caught:
        taking(**parts)
    assert says in str(caught.value)


def test_an_edit_that_nobody_can_give_a_picture_is_a_mistake() -> None:
    with pytest.raises(BadDeclaration, match="nobody can give it a picture"):
        service_with(EDIT)
