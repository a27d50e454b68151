"""Small versions of saved pictures, for the conversation."""

import io
from collections.abc import Callable, Sequence
from math import ceil
from statistics import median
from typing import IO, TYPE_CHECKING

from darkroom.generations.pictures.decoding import Patience, TooMuch, opened, whole
from darkroom.generations.pictures.formats.appearance import seen
from darkroom.generations.pictures.formats.stretch import Stretch
from darkroom.transport.egress import MAX_PICTURE

if TYPE_CHECKING:
    import PIL.Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

MAX_SIDE = 512
SHEET_SIDE = 768
MAX_BYTES = 150_000
MOST_ON_SHEET = 25
MIME_TYPE = "image/jpeg"
SMALL = "small"
"""The name under which the small version of a picture is kept, beside its key and its stamp."""
Content = Callable[[], IO[bytes]]
"""Opens a picture's file; may raise anything, since the file is the user's now."""
_QUALITIES = (82, 70, 55, 40, 25)
_GAP = 6
_NUMBERS = (24, 44)
"""The least and the greatest size of numbers, in px: never too small to read, never larger than needed."""


def preview(content: Content, max_bytes: int = MAX_BYTES, max_side: int = MAX_SIDE) -> bytes | None:
    """The picture as a JPEG of at most `max_side` px and `max_bytes`, or None.

    Blocking: call it on a worker thread.
    """
    small = _small(content, max_side)
    return None if small is None else _encoded(small, max_bytes)


def contact_sheet(pictures: Sequence[tuple[int, Content]], max_bytes: int = MAX_BYTES) -> bytes | None:
    """The pictures side by side, each with its number, at most `SHEET_SIDE` px; None where fewer than two can be read.

    Blocking: call it on a worker thread.
    """
    import PIL.Image  # noqa: PLC0415 - heavy, and needed only where pictures are shown
    import PIL.ImageDraw  # noqa: PLC0415
    import PIL.ImageFont  # noqa: PLC0415

    found = [(number, small) for number, content in pictures if (small := _small(content, SHEET_SIDE)) is not None]
    if len(found) < 2:
        return None
    columns, width, height = _grid(len(found), median(small.width / small.height for _, small in found))
    rows = ceil(len(found) / columns)
    sheet = PIL.Image.new("RGB", (_GAP + columns * (width + _GAP), _GAP + rows * (height + _GAP)), "#202020")
    pen = PIL.ImageDraw.Draw(sheet)
    font = PIL.ImageFont.load_default(min(max(_NUMBERS[0], min(width, height) // 4), _NUMBERS[1]))
    for place, (number, small) in enumerate(found):
        left, top = _GAP + place % columns * (width + _GAP), _GAP + place // columns * (height + _GAP)
        small.thumbnail((width, height))
        sheet.paste(small, (left + (width - small.width) // 2, top + (height - small.height) // 2))
        _draw_number(pen, str(number), left, top, font)
    return _encoded(sheet, max_bytes)


def _grid(pictures: int, shape: float) -> tuple[int, int, int]:
    """The columns, and the width and height of a cell, for the largest cells of about this shape (width by height)."""
    shape = min(max(shape, 1 / 3), 3.0)

    def widest(columns: int) -> int:
        rows = ceil(pictures / columns)
        return min((SHEET_SIDE - _GAP) // columns - _GAP, int(((SHEET_SIDE - _GAP) // rows - _GAP) * shape))

    columns = max(range(1, pictures + 1), key=widest)
    return columns, widest(columns), int(widest(columns) / shape)


def _draw_number(pen: "ImageDraw", text: str, left: int, top: int, font: "FreeTypeFont | ImageFont") -> None:
    """White on a black plate with a white edge, which stands out from any picture."""
    _, _, width, height = pen.textbbox((0, 0), text, font)
    right, lower = left + max(width, height) + height // 2, top + round(height * 1.4)
    pen.rectangle((left, top, right, lower), fill="black", outline="white", width=2)
    middle = ((left + right) / 2, (top + lower) / 2)
    pen.text(middle, text, fill="white", font=font, anchor="mm", stroke_width=1, stroke_fill="white")


def _small(content: Content, max_side: int) -> "PIL.Image.Image | None":
    patience = Patience()
    try:
        with content() as file:
            size = file.seek(0, io.SEEK_END)
            if size > MAX_PICTURE:
                raise TooMuch("is larger than any picture that is saved")
            found = whole(Stretch(file, 0, size), patience)
            with opened(found.kind, found.data, patience) as picture:
                return seen(picture, max_side, found.profile, found.orientation)
    except Exception:  # the file is the user's now: gone, replaced, or anything else
        return None


def _encoded(picture: "PIL.Image.Image", max_bytes: int) -> bytes | None:
    for quality in _QUALITIES:
        encoded = io.BytesIO()
        picture.save(encoded, "JPEG", quality=quality, optimize=True)
        if encoded.tell() <= max_bytes:
            return encoded.getvalue()
    return None
