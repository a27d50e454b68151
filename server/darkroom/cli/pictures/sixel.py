"""Sixel: a picture in bands of six rows, each drawn colour by colour."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import PIL.Image

COLOURS = 64
_BAND = 6
_RUNS = re.compile(r"(.)\1{3,}", re.DOTALL)


def sixels(picture: "PIL.Image.Image") -> str:
    """The picture as sixel. Blocking: some tenths of a second for one of 300 × 300."""
    few = picture.quantize(COLOURS)
    palette, width, height = few.getpalette() or [], few.width, few.height
    pixels = few.tobytes()
    used = sorted(set(pixels))
    colours = "".join(f"#{each};2;{_percent(palette, each)}" for each in used)
    bands = [_band(pixels[top * width : (top + _BAND) * width], width) for top in range(0, height, _BAND)]
    return f'\x1bP0;1q"1;1;{width};{height}{colours}{"-".join(bands)}\x1b\\'


def _percent(palette: list[int], colour: int) -> str:
    return ";".join(str(round(part * 100 / 255)) for part in palette[colour * 3 : colour * 3 + 3])


def _band(pixels: bytes, width: int) -> str:
    """Six rows or fewer: for each colour in them a line of characters, of which each says where in a column it is."""
    rows = [pixels[at : at + width] for at in range(0, len(pixels), width)]
    lines: dict[int, bytearray] = {}
    for number, row in enumerate(rows):
        for x, colour in enumerate(row):
            lines.setdefault(colour, bytearray(width))[x] |= 1 << number
    return "$".join(f"#{colour}{_short(line)}" for colour, line in sorted(lines.items()))


def _short(line: bytearray) -> str:
    text = bytes(63 + bits for bits in line.rstrip(b"\0")).decode("ascii")
    return _RUNS.sub(lambda run: f"!{len(run[0])}{run[1]}", text)
