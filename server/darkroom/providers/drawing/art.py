"""The picture that the built-in provider makes: a composition, its light, and the prompt set in type."""

import hashlib
import io
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from darkroom.providers.drawing.canvas import Canvas, scaled, toned
from darkroom.providers.drawing.colour import PALETTES, Colour, Palette, contrast, mix
from darkroom.providers.drawing.scenes import SCENES
from darkroom.providers.drawing.typesetting import Box, draw_footer, draw_title, fit, title_text

if TYPE_CHECKING:
    from PIL.Image import Image

FOOTER = "Darkroom sketch · placeholder, not an AI picture"
_READABLE = 5.0  # above the 4.5:1 of WCAG 2.2, so that rounding does not matter


@dataclass(frozen=True)
class Sketch:
    """A finished picture and what can be measured about its type."""

    picture: "Image"
    backdrop: "Image"
    """The same picture before anything was set on it."""
    ink: Colour
    title: str
    title_box: Box
    footer_box: Box
    margin: int
    """In pixels; all type keeps this far away from every edge."""


def paint(prompt: str, *, seed: int, index: int, width: int, height: int) -> bytes:
    """A PNG of `width` × `height` pixels; the same arguments give the same pixels everywhere.

    `index` counts the pictures of one generation: each has another composition and other colours.
    """
    file = io.BytesIO()
    compose(prompt, seed=seed, index=index, width=width, height=height).picture.save(file, "PNG", compress_level=4)
    return file.getvalue()


def compose(prompt: str, *, seed: int, index: int, width: int, height: int) -> Sketch:
    """The picture of `paint` before it is a file, with the places of its type."""
    rng, choice = _random(prompt, seed, index), _random(prompt, seed, "choice")
    palettes, scenes = choice.sample(PALETTES, len(PALETTES)), choice.sample(SCENES, len(SCENES))
    palette = palettes[index % len(palettes)]
    canvas = Canvas(width, height, palette, rng)
    scenes[index % len(scenes)](canvas)
    return _lettered(_developed(canvas, width, height), prompt, palette)


def _random(prompt: str, seed: int, part: object) -> Random:
    digest = hashlib.sha256(f"{seed}\0{part}\0{prompt}".encode("utf-8", "surrogatepass")).digest()
    return Random(int.from_bytes(digest))  # noqa: S311 - a picture, not a secret


def _developed(canvas: Canvas, width: int, height: int) -> "Image":
    """The canvas at the picture's size, with darker corners and a little grain."""
    from PIL import Image, ImageChops  # noqa: PLC0415 - heavy, and only drawing needs it

    picture = scaled(canvas.image, width, height)
    corners = toned(Image.radial_gradient("L"), [round(max(0, level - 120) ** 1.5 / 26) for level in range(256)])
    picture.paste(mix(canvas.palette.near, (0, 0, 0), 0.4), (0, 0), scaled(corners, width, height))
    noise = Image.frombytes("L", (width, height), canvas.rng.randbytes(width * height))
    lighter = toned(noise, [2 if level > 205 else 0 for level in range(256)])
    darker = toned(noise, [2 if level < 50 else 0 for level in range(256)])
    picture = ImageChops.add(picture, Image.merge("RGB", [lighter] * 3))
    return ImageChops.subtract(picture, Image.merge("RGB", [darker] * 3))


def _lettered(picture: "Image", prompt: str, palette: Palette) -> Sketch:
    from PIL import ImageDraw  # noqa: PLC0415

    width, height = picture.size
    short = min(width, height)
    margin = round(short * 0.055)
    text = title_text(prompt) or "Untitled sketch"
    small = round(short * 0.022)
    column = round(min(width - 2.4 * margin, short * 1.32))
    title = fit(text, column, largest=round(short * 0.125), smallest=round(short * 0.047), lines=4)
    base = height - margin - round(small * 0.35)
    lower = base - round(small * 1.75)
    # A glyph may reach a little over its own box, so the type stands somewhat inside the margin.
    left, right = round(margin * 1.15), round(width - margin * 1.15)
    box = (left, lower - title.height - title.size // 4, right, lower)  # with room for accents
    backdrop, ink = _shaded(picture, (left, box[1], right, base + small // 3), palette)
    lettered = backdrop.copy()
    pen = ImageDraw.Draw(lettered)
    draw_title(pen, title, box, ink)
    draw_footer(pen, FOOTER, small, (left, base), ink)
    footer_box = (left, base - small, right, base + small // 3)
    return Sketch(lettered, backdrop, ink, " ".join(title.lines), box, footer_box, margin)


def _shaded(picture: "Image", box: Box, palette: Palette) -> tuple["Image", Colour]:
    """The picture under the weakest veil that lets type be read in that box, and the type's colour."""
    dark, light = mix(palette.near, (0, 0, 0), 0.35), mix(palette.sun, (255, 255, 255), 0.8)
    for strength in (0.5, 0.6, 0.7, 0.78, 0.85, 0.91, 0.96):
        veiled = _veiled(picture, box, dark, strength)
        lightest = veiled.crop(box).getextrema()
        red, green, blue = (int(channel[1]) for channel in lightest if isinstance(channel, tuple))
        if contrast(light, (red, green, blue)) >= _READABLE:
            return veiled, light
    return _veiled(picture, box, dark, 1.0), light


def _veiled(picture: "Image", box: Box, colour: Colour, strength: float) -> "Image":
    """Tints what is at the height of the box and below, beginning softly above it.

    It multiplies, as a filter before a lens does: colours stay rich and what is dark stays dark.
    """
    from PIL import Image, ImageChops  # noqa: PLC0415

    width, height = picture.size
    soft = max(min(width, height) // 4, (box[3] - box[1]) * 3 // 5)
    column = bytearray()
    for row in range(height):
        column += bytes(mix((255, 255, 255), colour, strength * _eased((row - box[1] + soft) / soft)))
    tint = scaled(Image.frombytes("RGB", (1, height), bytes(column)), width, height)
    return ImageChops.multiply(picture, tint)


def _eased(share: float) -> float:
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)
