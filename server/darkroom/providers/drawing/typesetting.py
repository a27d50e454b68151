"""Setting a title: which font has which character, where lines break, how large they may be."""

import struct
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import ceil, floor
from pathlib import Path
from typing import TYPE_CHECKING

from darkroom.providers.drawing import script

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

Box = tuple[int, int, int, int]
"""Left, upper, right, lower; in pixels, the last two outside."""

_FONTS = Path(__file__).with_name("fonts")
_TITLE_FONTS = (
    "InterDisplay-ExtraBold-subset.otf",
    "DejaVuSans-Bold-subset.ttf",
    "Symbola-subset.ttf",
    "DroidSansFallback-subset.ttf",
)
_FOOTER_FONT = "Inter-Medium-subset.otf"
_THICKENED = {"DroidSansFallback-subset.ttf": 0.015, "Symbola-subset.ttf": 0.006}  # em: they come in one weight only
_LINE_HEIGHT = 1.16  # em
_ELLIPSIS = "…"
_CLOSING = frozenset("、。，．！？）」』】〉》・ー…!?,.;:)]}%")


@dataclass(frozen=True)
class Title:
    """Lines in reading order, at the largest size (pixels) that fits."""

    lines: tuple[str, ...]
    size: int
    right_to_left: bool

    @property
    def height(self) -> int:
        """Of all lines, in pixels."""
        return round(self.size * _LINE_HEIGHT * len(self.lines))


def title_text(prompt: str) -> str:
    """What of a prompt can be set in type, on one line; empty if nothing can."""
    return script.clean(prompt, _drawable)


def fit(text: str, width: int, *, largest: int, smallest: int, lines: int) -> Title:
    """Breaks a text into at most that many lines of `width` pixels, and ends it with … if it is too long."""
    rtl = script.is_right_to_left(text)
    if len(text) > 120 * lines:  # more cannot fit, and measuring is not free
        text = text[: 120 * lines].rstrip() + _ELLIPSIS
    sizes = [largest]
    while sizes[-1] > smallest:
        sizes.append(max(smallest, round(sizes[-1] * 0.93) - 1))
    whole = 0.97 * _width(text, smallest) / smallest  # em; a little less, as rounding differs between sizes
    for may_split in (False, True):
        for size in sizes:
            allowed = lines if size < 0.7 * largest else min(2, lines)  # a tall block would hide the picture
            if whole * size > width * allowed:
                continue
            broken = _break(text, size, width, may_split=may_split)
            if broken is not None and len(broken) <= allowed:
                return Title(_balanced(text, size, width, broken), size, rtl)
    kept = (_break(text, smallest, width, may_split=True) or [""])[:lines]
    return Title((*kept[:-1], _shortened(kept[-1], smallest, width)), smallest, rtl)


def draw_title(pen: "ImageDraw", title: Title, box: Box, colour: tuple[int, int, int]) -> None:
    """Sets the lines at the bottom of a box, at the side where its script begins."""
    left, _, right, lower = box
    for number, line in enumerate(title.lines):
        runs = _runs(line, right_to_left=title.right_to_left)
        first, last = _extent(runs, title.size)
        x = right - last if title.right_to_left else left - first
        baseline = lower - title.height + round(title.size * (_LINE_HEIGHT * number + 0.93))
        for name, piece in runs:
            font, stroke = _font(name, title.size), _THICKENED.get(name, 0) * title.size
            pen.text((x, baseline), piece, fill=colour, font=font, anchor="ls", stroke_width=stroke)
            x += round(font.getlength(piece))


def draw_footer(pen: "ImageDraw", text: str, size: int, place: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """Sets small type (ASCII and the middle dot) with its baseline's left end at `place`."""
    pen.text(place, text, fill=colour, font=_font(_FOOTER_FONT, size), anchor="ls")


def _balanced(text: str, size: int, width: int, broken: list[str]) -> tuple[str, ...]:
    """The same number of lines, but about equally long, as a typesetter would have them."""
    best, low, high = broken, width // 2, width
    while high - low > 8:
        middle = (low + high) // 2
        tried = _break(text, size, middle, may_split=False)
        if tried is not None and len(tried) <= len(broken):
            best, high = tried, middle
        else:
            low = middle
    return tuple(best)


def _shortened(line: str, size: int, width: int) -> str:
    while line and _width(line.rstrip() + _ELLIPSIS, size) > width:
        space = line.rfind(" ")
        # Between words, where that does not cost half of the line.
        line = line[:space] if space > len(line) / 2 else line[:-1]
    return line.rstrip(" ,;:.-–") + _ELLIPSIS


def _break(text: str, size: int, width: int, *, may_split: bool) -> list[str] | None:
    """Greedy lines, or None where a word is wider than a line and may not be split."""
    lines: list[str] = []
    line = ""
    for piece, spaced in _pieces(text):
        joined = f"{line} {piece}" if line and spaced else line + piece
        if _width(joined, size) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        line = piece
        if _width(piece, size) > width:
            if not may_split:
                return None
            *full, line = _split(piece, size, width)
            lines += full
    return [*lines, line] if line else lines


def _split(word: str, size: int, width: int) -> list[str]:
    parts = [""]
    for char in word:
        if parts[-1] and _width(parts[-1] + char, size) > width:
            parts.append("")
        parts[-1] += char
    return parts


def _pieces(text: str) -> list[tuple[str, bool]]:
    """What may stand on a line of its own, and whether a space comes before it."""
    pieces: list[tuple[str, bool]] = []
    for word in text.split():
        start = True
        for char in word:
            alone = _breaks_anywhere(char) or (not start and _breaks_anywhere(pieces[-1][0][-1]))
            if start or (alone and char not in _CLOSING):
                pieces.append((char, start))
            else:
                pieces[-1] = (pieces[-1][0] + char, pieces[-1][1])
            start = False
    return pieces


def _breaks_anywhere(char: str) -> bool:
    return "\u2e80" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7a3" or char >= "\U0001f300"


def _width(line: str, size: int) -> int:
    # The direction of the line moves its characters about, but hardly changes how wide they are.
    first, last = _extent(_runs(line, right_to_left=script.is_right_to_left(line)), size)
    return last - first


def _extent(runs: Sequence[tuple[str, str]], size: int) -> tuple[int, int]:
    """Where the ink of a line begins and ends, in pixels from where its pen starts.

    An accent may hang over the letter that carries it, so the pen's own way is not enough to know.
    """
    first, last, pen = 0, 0, 0
    for number, (name, piece) in enumerate(runs):
        font, stroke = _font(name, size), _THICKENED.get(name, 0) * size
        left, _, right, _ = font.getbbox(piece, anchor="ls", stroke_width=stroke)
        first = min(first, pen + floor(left)) if number else floor(left)
        last = max(last, pen + ceil(right))
        pen += round(font.getlength(piece))
    return first, last


def _runs(line: str, *, right_to_left: bool) -> list[tuple[str, str]]:
    """The line in visual order, cut where the font changes: font file and text of each part."""
    runs: list[tuple[str, str]] = []
    for char in script.visual(line, right_to_left=right_to_left, drawable=_drawable):
        name = _font_for(char) or _TITLE_FONTS[0]
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1] + char)
        else:
            runs.append((name, char))
    return runs


def _drawable(char: str) -> bool:
    return _font_for(char) is not None


@lru_cache(maxsize=4096)
def _font_for(char: str) -> str | None:
    return next((name for name in _TITLE_FONTS if _has(name, char)), None) if char else None


def _has(name: str, char: str) -> bool:
    starts, ends = _coverage(name)
    at = bisect_right(starts, ord(char)) - 1
    return at >= 0 and ord(char) <= ends[at]


@cache
def _coverage(name: str) -> tuple[list[int], list[int]]:
    """First and last characters of the ranges a font has: Pillow cannot tell, so its `cmap` is read here.

    The bundled fonts have one subtable, of format 12 (OpenType specification, "cmap").
    """
    content = (_FONTS / name).read_bytes()
    tables: int = struct.unpack_from(">H", content, 4)[0]
    for number in range(tables):
        tag, _, offset, _ = struct.unpack_from(">4sIII", content, 12 + 16 * number)
        if tag == b"cmap":
            subtable = offset + struct.unpack_from(">I", content, offset + 8)[0]
            count = struct.unpack_from(">I", content, subtable + 12)[0]
            groups = [struct.unpack_from(">III", content, subtable + 16 + 12 * group) for group in range(count)]
            return [first for first, _, _ in groups], [last for _, last, _ in groups]
    raise ValueError(f"{name} has no cmap table")


@lru_cache(maxsize=64)
def _font(name: str, size: int) -> "FreeTypeFont":
    # The basic layout: the other one needs a library from the operating system, which may be missing.
    from PIL import ImageFont  # noqa: PLC0415 - heavy, and only drawing needs it

    return ImageFont.truetype(_FONTS / name, size, layout_engine=ImageFont.Layout.BASIC)
