"""Pictures for the services to serve: real files, another one for every name, made once."""

import hashlib
import io
import random
from functools import lru_cache
from typing import Literal

from PIL import Image, ImageOps


@lru_cache(maxsize=128)
def picture(name: str, width: int, height: int, kind: Literal["PNG", "WEBP"], *, heavy: bool = False) -> bytes:
    """A gradient in two colours drawn from `name`; `heavy` adds grain, for a file as large as a real one."""
    colours = hashlib.sha256(name.encode()).digest()
    grey = ImageOps.fit(Image.linear_gradient("L"), (width, height))
    if heavy:
        grey = Image.blend(grey, _grain(name, width, height), 0.25)
    dark, light = (colours[0], colours[1], colours[2]), (colours[3], colours[4], colours[5])
    file = io.BytesIO()
    options = {"compress_level": 1} if kind == "PNG" else {"quality": 70, "method": 0}
    ImageOps.colorize(grey, dark, light).save(file, kind, **options)
    return file.getvalue()


@lru_cache(maxsize=8)
def noise(name: str, width: int, height: int) -> bytes:
    """A PNG of three bytes a pixel, of which no codec makes anything small: scaled down to half, it is noise still."""
    file = io.BytesIO()
    grain = random.Random(name).randbytes(width // 2 * (height // 2) * 3)
    small = Image.frombytes("RGB", (width // 2, height // 2), grain)
    ImageOps.scale(small, 2, Image.Resampling.NEAREST).save(file, "PNG", compress_level=0)
    return file.getvalue()


def _grain(name: str, width: int, height: int) -> Image.Image:
    noise = random.Random(name).randbytes(width * height)
    return Image.frombytes("L", (width, height), noise)
