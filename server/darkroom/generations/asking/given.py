"""Pictures that callers give: found by their names, verified, and cleaned before any of them can leave."""

import base64
import binascii
import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import unquote_to_bytes

from anyio import to_thread

from darkroom.declaration import Traits
from darkroom.errors import DarkroomError, InvalidRequest, NotFound, StorageError
from darkroom.generations.pictures.decoding import NoPicture, Unfit, decoding
from darkroom.generations.pictures.formats.stretch import Stretch
from darkroom.generations.pictures.outgoing import Outgoing, outgoing
from darkroom.generations.pictures.recognising import recognise
from darkroom.models import MASK, InputImage, Record
from darkroom.providers import inputs as kept
from darkroom.providers.inputs import Attached
from darkroom.redact.secrets import Redactor
from darkroom.store.folders import Outside, found_in, read
from darkroom.store.ledger import Ledger

MAX_INPUT = 20 * 2**20
"""Bytes of one picture that is given."""
MAX_INPUTS = 40 * 2**20
"""Bytes of all pictures of one call."""
_SAVED = re.compile(r"(?:darkroom://generations/)?(gen_[a-z2-7]{26})(?:/images)?/([1-9]\d?)")
_DATA = re.compile(r"data:[^,]{0,200};base64,", re.IGNORECASE)

Saved = Callable[[str, int], Awaitable[bytes]]
"""Reads a saved picture of the caller's by its generation and index. Raises DarkroomError: there is none."""


@dataclass(frozen=True)
class Inputs:
    """The pictures that callers give. `folders`: files below these may be sent. `kept`: the place until they are."""

    ledger: Ledger
    folders: tuple[Path, ...] = ()
    kept: Path = Path()

    async def keep(self, record: Record, images: Sequence[Attached]) -> None:
        """Puts the pictures of a new row on the disk, before it is committed. Raises StorageError."""
        if images:
            await self.sweep()
            await to_thread.run_sync(kept.keep, self.kept, record.id, images)

    async def forget(self, record: Record) -> None:
        """Removes the pictures of a row that will not be sent."""
        if record.request.images:
            await to_thread.run_sync(kept.forget, self.kept, record.id)

    async def sweep(self) -> None:
        """Removes what was left by processes that were killed, and of rows that ended unsent."""
        if ids := await to_thread.run_sync(kept.kept_for, self.kept):
            with suppress(StorageError):  # the next one does
                await to_thread.run_sync(kept.sweep, self.kept, await self.ledger.unsent(ids))


def named(texts: Sequence[str]) -> tuple[InputImage, ...]:
    """The pictures that these texts name, none of which has been looked at."""
    return tuple(
        InputImage(role="mask" if text.startswith(MASK) else "image", source=_source(text.removeprefix(MASK)))
        for text in texts
    )


async def given(
    texts: Sequence[str], folders: Sequence[Path], saved: Saved, traits: Traits, redact: Redactor
) -> list[Attached]:
    """The pictures with their bytes as they may be sent.

    Raises:
        InvalidRequest, NotFound: one cannot be had, is none that the provider takes, or must not leave.
    """
    found: list[Attached] = []
    for number, (text, image) in enumerate(zip(texts, named(texts), strict=True), 1):
        label = f"Picture {number} ({image.name})"
        data = await _bytes(text.removeprefix(MASK), label, folders, saved)
        sent = await _sound(data, label)
        _check(sent, label, traits, redact)
        hashed = hashlib.sha256(sent.data).hexdigest()
        found.append(Attached(image.model_copy(update={"sha256": hashed, "mime_type": sent.mime_type}), sent.data))
        if sum(len(each.data) for each in found) > MAX_INPUTS:
            raise refusal(
                f"The pictures have more than {MAX_INPUTS // 2**20} MiB together", "Give fewer or smaller ones"
            )
    return found


def check_seen(seen: Sequence[str] | None, found: Sequence[Attached]) -> None:
    """Raises InvalidRequest: one of the pictures is not what the user was asked about. `seen`: see `Wish`."""
    for number, (hashed, each) in enumerate(zip(seen or (), found, strict=seen is not None), 1):
        if hashed != each.image.sha256:
            raise refusal(
                f"Picture {number} ({each.image.name}) was changed after the user had been asked about it",
                "Call again, so that the user is asked about the one that is there now",
            )


def refusal(why: str, next_step: str) -> InvalidRequest:
    """The error for a picture that cannot be sent."""
    return InvalidRequest(f"{why}.", next_step=f"{next_step}. Nothing was sent.")


def _source(text: str) -> str:
    return "data:" if text[:5].lower() == "data:" else text


async def _bytes(text: str, label: str, folders: Sequence[Path], saved: Saved) -> bytes:
    if found := _SAVED.fullmatch(text):
        try:
            return await saved(found[1], int(found[2]))
        except (NotFound, StorageError):
            raise
        except DarkroomError as error:
            raise InvalidRequest(
                f"{label}: {error.message}", next_step=f"{error.next_step} Nothing was sent."
            ) from error
    if text.startswith(("gen_", "darkroom:")):
        raise refusal(f"{label} names no picture", "Write gen_…/1 for the first picture of a generation")
    if text[:5].lower() == "data:":
        return _decoded(text, label)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", text):
        raise refusal(f"{label} is a link, and none is followed", _WAYS)
    return await to_thread.run_sync(_file, text, label, folders, abandon_on_cancel=True)


_WAYS = "Give an earlier result as gen_…/1, a file's whole path, or a data: URL"


def _decoded(text: str, label: str) -> bytes:
    start = _DATA.match(text)
    if start is None or len(text) > MAX_INPUT * 4 // 3 + 300:
        raise refusal(
            f"{label} is not in base64, or too large", "Write data:image/png;base64, and the base64 behind it"
        )
    try:
        return base64.b64decode(unquote_to_bytes(text[start.end() :]), validate=True)
    except (binascii.Error, ValueError) as error:
        raise refusal(f"{label} is broken: no base64", "Encode the picture again") from error


def _file(text: str, label: str, folders: Sequence[Path]) -> bytes:
    if not folders:
        raise refusal(
            f"{label} is not sent: files are taken from folders that the user named, and there is none",
            "Ask the user to set DARKROOM_INPUTS to a folder and restart this server, or give an earlier result "
            "(gen_…/1) or a data: URL",
        )
    try:
        path = Path(text).expanduser()
        if not path.is_absolute():
            raise refusal(f"{label} is no whole path", _WAYS)
        data = read(found_in(folders, path), MAX_INPUT + 1)
    except (Outside, OSError, ValueError, RuntimeError) as error:  # the last: the home of a user who does not exist
        named = ", ".join(map(str, folders))
        raise refusal(
            f"{label} is not sent: no file at that path in the folders that the user named ({named}) can be read",
            "Put it into one of them, or give an earlier result (gen_…/1) or a data: URL",
        ) from error
    if len(data) > MAX_INPUT:
        raise refusal(f"{label} is larger than {MAX_INPUT // 2**20} MiB", "Make it smaller")
    return data


async def _sound(data: bytes, label: str) -> Outgoing:
    try:
        return await decoding(partial(outgoing, data))
    except Unfit as error:
        came = f", but {recognise(Stretch.of(data)).what}" if isinstance(error, NoPicture) else ""
        raise refusal(f"{label} {error}{came}", "Give a sound PNG, JPEG or WebP") from error


def _check(sent: Outgoing, label: str, traits: Traits, redact: Redactor) -> None:
    formats = traits.images.formats if traits.images else ()
    kind = sent.mime_type.removeprefix("image/")
    if kind not in formats:
        raise refusal(
            f"{label} is {kind}; {traits.title} takes {', '.join(formats)}", "Give it in one of these formats"
        )
    if redact.within(sent.data):
        raise refusal(f"{label} holds a key of yours in its file", "Take it out")
