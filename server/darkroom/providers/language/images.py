"""Pictures in a request: the names that its body has for them, and the forms that they take there."""

import base64
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from darkroom.models import GenerationRequest, InputImage
from darkroom.providers.inputs import Attached

_SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


class File(NamedTuple):
    """A picture as a part of its own in a body of several."""

    name: str
    mime_type: str
    data: bytes


def _as_data_url(image: Attached, name: str) -> str:
    return f"data:{image.image.mime_type};base64,{_as_base64(image, name)}"


def _as_base64(image: Attached, name: str) -> str:
    return base64.b64encode(image.data).decode()


def _as_mime_type(image: Attached, name: str) -> str:
    return image.image.mime_type


def _as_file(image: Attached, name: str) -> File:
    kind = image.image.mime_type
    return File(f"{name}.{_SUFFIXES.get(kind, 'png')}", kind, image.data)


_FORMS: Mapping[str, Callable[[Attached, str], Any]] = {
    "data_url": _as_data_url,
    "base64": _as_base64,
    "mime_type": _as_mime_type,
    "file": _as_file,
}


def image_names(most: int, *, mask: bool) -> frozenset[str]:
    """The names of so many pictures, each in every form: `image` is the first, `images` are all in a list."""
    roles = ["images", *(_numbered(number) for number in range(1, most + 1)), *(["mask"] if mask else [])]
    return frozenset(f"{role}.{form}" for role in roles for form in _FORMS if most)


def image_values(images: Sequence[Attached], wanted: Collection[str]) -> dict[str, Any]:
    """The values of those names that are wanted and have one."""
    found = dict(_values(images, wanted))
    for form in _FORMS:
        if images and f"images.{form}" in wanted:
            found[f"images.{form}"] = [_FORMS[form](each, name) for name, each in _pictures(images)]
    return found


def sample(request: GenerationRequest) -> list[Attached]:
    """Pictures for an example, whose bytes are the words `image 1`, `image 2`, …, `mask`."""
    masks = [each for each in request.images if each.role == "mask"]
    pictures = [each for each in request.images if each.role != "mask"]
    words = [(f"image {number}", each) for number, each in enumerate(pictures, 1)] + [("mask", each) for each in masks]
    return [Attached(InputImage(role=each.role, mime_type="image/png"), word.encode()) for word, each in words]


def is_file(name: str) -> bool:
    """True where the name has the form of a file."""
    return name.endswith(".file")


def is_picture(name: str) -> bool:
    """True where the name has a picture in it, and not only its type."""
    return not name.endswith(".mime_type")


def _values(images: Sequence[Attached], wanted: Collection[str]) -> Iterator[tuple[str, Any]]:
    roles = [(_numbered(number), name, each) for number, (name, each) in enumerate(_pictures(images), 1)]
    roles += [("mask", "mask", each) for each in images if each.image.role == "mask"]
    for role, name, each in roles:
        yield from ((f"{role}.{form}", _FORMS[form](each, name)) for form in _FORMS if f"{role}.{form}" in wanted)


def _pictures(images: Sequence[Attached]) -> list[tuple[str, Attached]]:
    pictures = (each for each in images if each.image.role != "mask")
    return [(f"image-{number}", each) for number, each in enumerate(pictures, 1)]


def _numbered(number: int) -> str:
    return "image" if number == 1 else f"image_{number}"
