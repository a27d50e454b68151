"""Small versions of saved pictures, for the conversation."""

import base64
import io
from pathlib import Path

MAX_SIDE = 512
MAX_BYTES = 150_000
MIME_TYPE = "image/jpeg"
_QUALITIES = (82, 70, 55, 40, 25)


def preview(path: Path, max_bytes: int = MAX_BYTES, max_side: int = MAX_SIDE) -> str | None:
    """The picture as a base64 JPEG of at most `max_side` px and `max_bytes` (before base64), or None.

    Blocking: call it on a worker thread.
    """
    import PIL.Image  # noqa: PLC0415 - heavy, and needed only where pictures are shown

    try:
        with PIL.Image.open(path, formats=("PNG", "JPEG", "WEBP")) as picture:
            picture.draft("RGB", (max_side, max_side))
            picture.thumbnail((max_side, max_side))
            flat = PIL.Image.new("RGB", picture.size, "white")
            with picture.convert("RGBA") as layered:
                flat.paste(layered, mask=layered.getchannel("A"))
    except Exception:  # the file is the user's now: gone, replaced, or anything else
        return None
    for quality in _QUALITIES:
        encoded = io.BytesIO()
        flat.save(encoded, "JPEG", quality=quality, optimize=True)
        if encoded.tell() <= max_bytes:
            return base64.b64encode(encoded.getvalue()).decode("ascii")
    return None
