"""Setting a title: whether its letters can be set at all, where lines break, how large they may be."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

Box = tuple[int, int, int, int]
"""Left, upper, right, lower; in pixels, the last two outside."""

_FONTS = Path(__file__).with_name("fonts")
_LATIN, SYMBOLS, _CJK = "InterDisplay-ExtraBold-subset.otf", "Symbola-subset.ttf", "DroidSansFallback-subset.ttf"
_TITLE_FONTS = (_LATIN, "DejaVuSans-Bold-subset.ttf", SYMBOLS, _CJK)
FOOTER_FONT = "Inter-Medium-subset.otf"
_THICKENED = {_CJK: 0.015, SYMBOLS: 0.006}  # em: they come in one weight only
_LINE_HEIGHT = 1.16  # em
_ELLIPSIS = "…"
_WIDE = "\u2e80-\u9fff\uac00-\ud7a3\U0001f300-\U0010ffff"  # a line may end after each of these
_PIECE = re.compile(rf" ?(?:[{_WIDE}]|[^ {_WIDE}]+)[、。，．！？）」』】〉》・ー…!?,.;:)\]}}%]*")
_READ_AT_MOST = 2_000
# Variation selectors, the box around a keycap and skin tones only change what stands before them.
_UNSEEN = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\u20e3\U0001f3fb-\U0001f3ff]")
_ZWJ_GENDER = re.compile("\u200d[\u2640\u2642]\ufe0f?")


@dataclass(frozen=True)
class Title:
    """Lines at the largest size (pixels) that fits."""

    lines: tuple[str, ...]
    size: int

    @property
    def height(self) -> int:
        """Of all lines, in pixels."""
        return round(self.size * _LINE_HEIGHT * len(self.lines))


def title_text(prompt: str) -> str:
    """The prompt on one line, or nothing if one of its letters cannot be set as it is written.

    That is so where no font has it, and in scripts that are read from the right: their letters would have
    to be ordered and joined; and where a mark has no letter composed with it. Symbols without a font are left out.
    """
    text = unicodedata.normalize("NFC", _ZWJ_GENDER.sub("", prompt[:_READ_AT_MOST]))
    parts = [_settable(char) for char in text]
    line = " ".join("".join(part or "" for part in parts).split())
    worded = None not in parts and any(unicodedata.category(char)[0] in "LNS" for char in line)
    return line if worded else ""


def _settable(char: str) -> str | None:
    """The characters that are set for this one; None for a letter that cannot be."""
    category = unicodedata.category(char)
    if category == "Cc" or category[0] == "Z":
        return " "
    if _UNSEEN.match(char) or category[0] == "C":
        return ""
    if category[0] == "M" or unicodedata.bidirectional(char) in {"R", "AL", "AN"}:
        return None
    if "\U0001f1e6" <= char <= "\U0001f1ff":  # a flag is written as its two letters
        return chr(ord(char) - 0x1F1E6 + ord("A"))
    if _font_for(char):
        return char
    plain = unicodedata.normalize("NFKC", char)
    if plain != char:
        parts = [_settable(part) for part in plain]
        return None if None in parts else "".join(part or "" for part in parts)
    return None if category[0] in "LN" else ""


def fit(text: str, width: int, *, largest: int, smallest: int, lines: int) -> Title:
    """Breaks a text into at most that many lines of `width` pixels, and ends it with … if it is too long."""
    sizes = [largest]
    while sizes[-1] > smallest:
        sizes.append(max(smallest, round(sizes[-1] * 0.93) - 1))
    short, long = text[: 120 * lines], len(text) > 120 * lines  # more cannot fit, and measuring is not free
    for may_split in (False, True):
        for size in sizes:
            allowed = lines if size < 0.7 * largest else min(2, lines)  # a tall block would hide the picture
            broken = _break(short, width / size, may_split=may_split)
            if broken is not None and len(broken) <= allowed and not long:
                # Lines that are about equally long, as a typesetter would have them.
                tries = (_break(text, width / size * share / 100, may_split=False) for share in range(50, 100, 2))
                even = next((tried for tried in tries if tried and len(tried) <= len(broken)), broken)
                return Title(tuple(even), size)
    kept = (_break(short, width / smallest, may_split=True) or [""])[:lines]
    return Title((*kept[:-1], _shortened(kept[-1], width / smallest)), smallest)


def draw_title(pen: ImageDraw.ImageDraw, title: Title, box: Box, colour: tuple[int, int, int]) -> None:
    """Sets the lines at the bottom and the left of a box."""
    left, _, _, lower = box
    for number, line in enumerate(title.lines):
        x, baseline = left, lower - title.height + round(title.size * (_LINE_HEIGHT * number + 0.93))
        for first, (name, piece) in enumerate(_runs(line)):
            typeface, stroke = font(name, title.size), _THICKENED.get(name, 0) * title.size
            if first == 0:  # an accent may hang over the letter that carries it
                x -= round(typeface.getbbox(piece, anchor="ls", stroke_width=stroke)[0])
            pen.text((x, baseline), piece, fill=colour, font=typeface, anchor="ls", stroke_width=stroke)
            x += round(typeface.getlength(piece))


def _shortened(line: str, width: float) -> str:
    while line and _width(line.rstrip() + _ELLIPSIS) > width:
        space = line.rfind(" ")
        # Between words, where that does not cost half of the line.
        line = line[:space] if space > len(line) / 2 else line[:-1]
    return line.rstrip(" ,;:.-–") + _ELLIPSIS


def _break(text: str, width: float, *, may_split: bool) -> list[str] | None:
    """Greedy lines of `width` em, or None where a piece is wider than a line and may not be split."""
    lines, used = [""], 0.0
    for piece in _PIECE.findall(text):
        whole = _width(piece.strip()) <= width
        if not whole and not may_split:
            return None
        for part in (piece,) if whole else piece:
            if lines[-1] and used + _width(part) > width:
                lines.append("")
                used = 0.0
            lines[-1] += part if lines[-1] else part.lstrip()
            used += _width(part)
    return lines


@lru_cache(maxsize=4096)
def _width(text: str) -> float:
    """In em, with a little room for rounding and for ink that hangs over."""
    return 1.02 * sum(font(name, 100).getlength(piece) for name, piece in _runs(text)) / 100


def _runs(line: str) -> Iterator[tuple[str, str]]:
    """The line cut where the font changes: font file and text of each part."""
    for name, chars in groupby(line, lambda char: _font_for(char) or _LATIN):
        yield name, "".join(chars)


@lru_cache(maxsize=4096)
def _font_for(char: str) -> str | None:
    """The first font that has a glyph of its own for a character, not the one that stands for every missing one."""
    for name in _TITLE_FONTS:
        missing, drawn = Image.new("L", (48, 48)), Image.new("L", (48, 48))
        for image, text in ((missing, "\U0010ffff"), (drawn, char)):
            ImageDraw.Draw(image).text((12, 36), text, fill=255, font=font(name, 24), anchor="ls")
        if char == " " or (drawn.getbbox() and drawn.tobytes() != missing.tobytes()):
            return name
    return None


@lru_cache(maxsize=64)
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """One of the bundled fonts, at a size in pixels."""
    # The basic layout: the other one needs a library from the operating system, which may be missing.
    return ImageFont.truetype(_FONTS / name, size, layout_engine=ImageFont.Layout.BASIC)
