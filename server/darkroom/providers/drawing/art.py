"""The picture that the built-in provider makes: a composition, its light, and the prompt set in type."""

import hashlib
import io
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageChops, ImageDraw

from darkroom.providers.drawing.canvas import OVERSAMPLING, Canvas, scaled, toned
from darkroom.providers.drawing.colour import LIGHTS, Colour, Palette, contrast, mix
from darkroom.providers.drawing.figures import show
from darkroom.providers.drawing.scenes import SCENES, WIDE
from darkroom.providers.drawing.typesetting import FOOTER_FONT, Box, draw_title, fit, font, title_text
from darkroom.providers.drawing.words import understood

FOOTER = "Darkroom sketch · placeholder, not an AI picture"
_READABLE = 5.0  # above the 4.5:1 of WCAG 2.2, so that rounding does not matter


@dataclass(frozen=True)
class Sketch:
    """A finished picture and what can be measured about its type."""

    picture: Image.Image
    backdrop: Image.Image
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
    idea, rng, choice = understood(prompt), _random(prompt, seed, index), _random(prompt, seed, "choice")
    palettes = [palette for light, row in LIGHTS.items() if idea.light in (light, "") for palette in row]
    palette = choice.sample(palettes, len(palettes))[index % len(palettes)]
    places = idea.place.split() or WIDE
    place = choice.sample(places, len(places))[index % len(places)]
    canvas = Canvas(width, height, palette, rng)
    SCENES[place](canvas)
    show(canvas, idea, place)
    return lettered(_developed(canvas, width, height), prompt, palette)


def _random(prompt: str, seed: int, part: object) -> Random:
    digest = hashlib.sha256(f"{seed}\0{part}\0{prompt}".encode("utf-8", "surrogatepass")).digest()
    return Random(int.from_bytes(digest))  # noqa: S311 - a picture, not a secret


def _developed(canvas: Canvas, width: int, height: int) -> Image.Image:
    """The canvas at the picture's size, with darker corners and a little grain."""
    picture = canvas.image.reduce(OVERSAMPLING)
    corners = toned(Image.radial_gradient("L"), [round(max(0, level - 120) ** 1.5 / 26) for level in range(256)])
    picture.paste(mix(canvas.palette.near, (0, 0, 0), 0.4), (0, 0), scaled(corners, width, height))
    noise = Image.frombytes("L", (width, height), canvas.rng.randbytes(width * height))
    grain = toned(noise, [0 if level < 50 else 2 if level < 206 else 4 for level in range(256)])
    return ImageChops.add(picture, Image.merge("RGB", [grain] * 3), offset=-2)


def lettered(picture: Image.Image, prompt: str, palette: Palette) -> Sketch:
    """The picture with what the prompt says, where that can be set, and what it is itself."""
    width, height = picture.size
    short = min(width, height)
    margin, small = round(short * 0.055), round(short * 0.022)
    base = height - margin - round(small * 0.35)
    # A glyph may reach a little over its own box, so the type stands somewhat inside the margin.
    left, right = round(margin * 1.15), round(width - margin * 1.15)
    footer_box = title_box = (left, base - small, right, base + small // 3)
    title = None
    if text := title_text(prompt):
        column = round(min(width - 2.4 * margin, short * 1.32))
        title = fit(text, column, largest=round(short * 0.1), smallest=round(short * 0.045), lines=4)
        lower = base - round(small * 1.75)
        title_box = (left, lower - title.height - title.size // 4, right, lower)  # with room for accents
    backdrop, ink = _shaded(picture, (left, title_box[1], right, footer_box[3]), palette)
    finished = backdrop.copy()
    pen = ImageDraw.Draw(finished)
    if title:
        draw_title(pen, title, title_box, ink)
    pen.text((left, base), FOOTER, fill=ink, font=font(FOOTER_FONT, small), anchor="ls")
    return Sketch(finished, backdrop, ink, " ".join(title.lines) if title else "", title_box, footer_box, margin)


def _shaded(picture: Image.Image, box: Box, palette: Palette) -> tuple[Image.Image, Colour]:
    """The picture under the weakest veil that lets type be read in that box, and the type's colour.

    The veil begins softly above the box and covers all below. It multiplies, as a filter before a lens does:
    colours stay rich and what is dark stays dark.
    """
    dark, light = mix(palette.near, (0, 0, 0), 0.35), mix(palette.sun, (255, 255, 255), 0.8)
    lightest = picture.crop(box).getextrema()
    red, green, blue = (int(channel[1]) for channel in lightest if isinstance(channel, tuple))
    tint, strength = (255, 255, 255), 0.5
    while strength < 1:
        tint, strength = mix((255, 255, 255), dark, strength), strength + 0.07
        if contrast(light, (red * tint[0] // 255, green * tint[1] // 255, blue * tint[2] // 255)) >= _READABLE:
            break
    soft = max(min(picture.size) // 4, (box[3] - box[1]) * 3 // 5)
    column = bytearray()
    for row in range(picture.height):
        share = min(1.0, max(0.0, (row - box[1] + soft) / soft))
        column += bytes(mix((255, 255, 255), tint, share * share * (3 - 2 * share)))
    veil = scaled(Image.frombytes("RGB", (1, picture.height), bytes(column)), *picture.size)
    return ImageChops.multiply(picture, veil), light
