"""Draws the icon as `sketch` draws its pictures, without type (`python -m release.icon`)."""

from random import Random

from PIL import Image, ImageDraw

from darkroom.providers.drawing.canvas import OVERSAMPLING, Canvas
from darkroom.providers.drawing.colour import LIGHTS
from darkroom.providers.drawing.scenes import SCENES
from release.described import ICON

SIDE = 512
"""Pixels; each corner is round by a fifth of it."""
LIGHT, PALETTE, SCENE, CHANCE = "sunset", 1, "hills", 2


def draw() -> Image.Image:
    """The icon, with an alpha channel; few colours, dithered, since hosts want small files."""
    canvas = Canvas(SIDE, SIDE, LIGHTS[LIGHT][PALETTE], Random(CHANCE))
    SCENES[SCENE](canvas)
    mask = Image.new("L", canvas.image.size)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, canvas.w - 1, canvas.h - 1), radius=canvas.w // 5, fill=255)
    picture = canvas.image.reduce(OVERSAMPLING).quantize(254, Image.Quantize.MEDIANCUT).convert("RGBA")
    picture.putalpha(mask.reduce(OVERSAMPLING))
    return picture


if __name__ == "__main__":
    ICON.parent.mkdir(parents=True, exist_ok=True)
    draw().save(ICON, optimize=True)
