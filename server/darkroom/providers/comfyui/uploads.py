"""Pictures on their way to ComfyUI, before the job that is made from them: into its folder for temporary files."""

import io
from collections.abc import Mapping, Sequence

import httpx2
from anyio import to_thread
from pydantic import ValidationError

from darkroom.errors import ProviderError
from darkroom.providers.comfyui.answers import is_name
from darkroom.providers.comfyui.workflow import CHANNEL, MASK, PICTURES
from darkroom.providers.inputs import Attached
from darkroom.providers.wire import Wire
from darkroom.transport import failures
from darkroom.transport.client import Api, Call

SUBFOLDER = "darkroom"
"""The folder that they are put in, below that for passing files, which ComfyUI empties at each start."""
_SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


class _Placed(Wire):
    """The place of an upload, by ComfyUI's own report: it renames one whose name another file has."""

    name: str
    subfolder: str
    type: str


async def uploaded(api: Api, images: Sequence[Attached]) -> dict[str, str]:
    """The values of a workflow's inputs for these pictures, each of which ComfyUI has been sent.

    Raises:
        ProviderError: its response does not say where a picture is.
        DarkroomError: as `Api.look`, and what it refused.
    """
    values: dict[str, str] = {}
    pictures = iter(PICTURES)
    for each in images:
        is_mask = each.image.role == "mask"
        values[MASK if is_mask else next(pictures)] = await _sent(api, each)
        if is_mask:
            values[CHANNEL] = await to_thread.run_sync(channel_of, each.data)
    return values


def channel_of(mask: bytes) -> str:
    """The channel of a mask that says what is to change: where it is transparent anywhere, that; else what is white."""
    from PIL import Image  # noqa: PLC0415 - few requests have a mask

    with Image.open(io.BytesIO(mask)) as picture:
        transparent = picture.convert("RGBA").getchannel("A").getextrema()[0] != 255
    return "alpha" if transparent else "red"


async def _sent(api: Api, picture: Attached) -> str:
    call = await to_thread.run_sync(_upload, picture)
    answer = await api.look(call)
    if not answer.ok:
        raise failures.of_look(api.title, api.key_variable, answer, api.redact)
    return _place(api, answer.json_object(api.title, api.redact))


def _upload(picture: Attached) -> Call:
    """The request that puts it there, under the hash of its bytes; the same picture again changes nothing."""
    kind = picture.image.mime_type
    name = f"{picture.image.sha256}.{_SUFFIXES.get(kind, 'png')}"
    fields = {"type": "temp", "subfolder": SUBFOLDER}
    request = httpx2.Request("POST", "http://localhost", files={"image": (name, picture.data, kind)}, data=fields)
    return Call("POST", "/upload/image", request.read(), {"Content-Type": request.headers["content-type"]})


def _place(api: Api, answer: Mapping[str, object]) -> str:
    """The place as a node that loads pictures is given it."""
    try:
        placed = _Placed.model_validate(answer)
    except ValidationError:
        placed = None
    if placed is None or placed.type != "temp" or not (is_name(placed.name) and is_name(placed.subfolder)):
        raise ProviderError(
            f"{api.title} took a picture and does not say where it put it, so nothing was started",
            next_step="Update ComfyUI, or make the picture without one to work from.",
        )
    return f"{placed.subfolder}/{placed.name} [temp]"
