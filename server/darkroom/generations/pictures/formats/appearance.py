"""A picture as people see it: upright, in the colours that are meant, on white."""

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import PIL.Image

MAX_PROFILE = 4 * 2**20
"""Bytes of a colour profile that is applied."""
_MODES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
"""The modes of colours that a profile of this kind is for."""
SMALL_SIDE, SMALL_QUALITY = 768, 90
"""Of the small version from which those that are shown are made: px, and as JPEG measures it."""
SIDEWAYS = {5, 6, 7, 8}
"""Orientations in which a picture's width is seen as its height."""


def seen(picture: "PIL.Image.Image", max_side: int, profile: bytes, orientation: int) -> "PIL.Image.Image":
    """The picture as RGB, within `max_side` px. Blocking: for a worker thread."""
    import PIL.Image  # noqa: PLC0415 - heavy, and needed only where pictures are shown

    picture.draft("RGB", (max_side, max_side))
    picture.thumbnail((max_side, max_side), PIL.Image.Resampling.HAMMING)  # as good for this, in half of bicubic's time
    if picture.mode.startswith(("I", "F")):  # greys of 16 bits, which a plain conversion would cut at 255
        picture = _scaled(picture)
    layered = picture.convert("RGBA") if picture.has_transparency_data else picture
    flat = _in_true_colours(picture, layered, profile)
    if layered.mode == "RGBA":
        coloured, flat = flat, PIL.Image.new("RGB", picture.size, "white")
        flat.paste(coloured, mask=layered.getchannel("A"))
    turns = PIL.Image.Transpose
    turn = {
        2: turns.FLIP_LEFT_RIGHT, 3: turns.ROTATE_180, 4: turns.FLIP_TOP_BOTTOM, 5: turns.TRANSPOSE,
        6: turns.ROTATE_270, 7: turns.TRANSVERSE, 8: turns.ROTATE_90,
    }.get(orientation)  # fmt: skip
    return flat if turn is None else flat.transpose(turn)


def small(picture: "PIL.Image.Image", profile: bytes, orientation: int) -> bytes | None:
    """A JPEG of the picture within `SMALL_SIDE` px; None where none can be made. Blocking: for a worker thread."""
    encoded = io.BytesIO()
    try:
        seen(picture, SMALL_SIDE, profile, orientation).save(encoded, "JPEG", quality=SMALL_QUALITY)
    except Exception:  # what it is made for can be done without it
        return None
    return encoded.getvalue()


def _in_true_colours(picture: "PIL.Image.Image", layered: "PIL.Image.Image", profile: bytes) -> "PIL.Image.Image":
    """The picture in sRGB; as it is where the profile is of no use."""
    plain = layered.convert("RGB")
    mode = _MODES.get(profile[16:20])
    if mode is None or len(profile) > MAX_PROFILE or (picture.mode == "CMYK") != (mode == "CMYK"):
        return plain
    import PIL.ImageCms  # noqa: PLC0415 - as above

    make: Any = getattr(PIL.ImageCms, "createProfile")  # noqa: B009 - it has no complete types
    source = picture if mode == "CMYK" else plain.convert(mode)
    try:
        meant = PIL.ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return PIL.ImageCms.profileToProfile(source, meant, make("sRGB"), outputMode="RGB") or plain
    except (PIL.ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return plain


def _scaled(picture: "PIL.Image.Image") -> "PIL.Image.Image":
    def scale(grey: Any) -> Any:
        return grey * (255 / 65_535)

    wide: Any = picture.convert("I")
    return wide.point(scale).convert("L")
