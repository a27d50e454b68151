"""A canvas twice as large as the picture, and the few marks that every composition is made of."""

import math
from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from darkroom.providers.drawing.colour import Colour, Palette, mix

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

Point = tuple[float, float]
OVERSAMPLING = 2


class Canvas:
    """Lengths are canvas pixels, the origin is the upper left corner.

    `w` and `h` are the canvas' size and `u` a hundredth of its shorter side.
    """

    image: "Image"
    draw: "ImageDraw"

    def __init__(self, width: int, height: int, palette: Palette, rng: Random) -> None:
        """For a picture of `width` × `height` pixels."""
        self.w, self.h = width * OVERSAMPLING, height * OVERSAMPLING
        self.u = min(self.w, self.h) / 100
        self.palette, self.rng = palette, rng
        self._take(vertical(self.w, self.h, palette.sky))

    def _take(self, image: "Image") -> None:
        from PIL import ImageDraw  # noqa: PLC0415 - heavy, and only drawing needs it

        self.image, self.draw = image, ImageDraw.Draw(image)

    def sky(self, *colours: Colour) -> None:
        """Covers the whole canvas with a gradient from top to bottom."""
        self._take(vertical(self.w, self.h, colours))

    def shape(self, points: Sequence[Point], top: Colour, bottom: Colour | None = None, *, alpha: float = 1.0) -> None:
        """Fills a polygon with a gradient over its own height, or with one colour."""
        from PIL import Image, ImageDraw  # noqa: PLC0415

        box = self._clip(points)
        if box is None:
            return
        left, upper, right, lower = box
        mask = Image.new("L", (right - left, lower - upper))
        ImageDraw.Draw(mask).polygon([(x - left, y - upper) for x, y in points], fill=round(255 * alpha))
        fill = top if bottom is None else vertical(right - left, lower - upper, (top, bottom))
        self.image.paste(fill, box, mask)

    def shadow(self, points: Sequence[Point], *, drop: float, blur: float, alpha: float, until: float) -> None:
        """Darkens what lies behind a polygon, as if that floated before it; below `until` nothing shows."""
        from PIL import Image, ImageDraw, ImageFilter  # noqa: PLC0415

        reach = 3 * blur + abs(drop)
        box = self._clip([(x + side * reach, y + side * reach) for x, y in points for side in (-1, 1)])
        if box is None:
            return
        left, upper, right, lower = box[0], box[1], box[2], min(box[3], math.ceil(until))
        small = 8  # a blurred edge has no detail worth computing at full size
        mask = Image.new("L", ((right - left) // small + 1, (lower - upper) // small + 1))
        moved = [((x - left) / small, (y - upper + drop) / small) for x, y in points]
        ImageDraw.Draw(mask).polygon(moved, fill=round(255 * alpha))
        mask = mask.filter(ImageFilter.GaussianBlur(blur / small))
        mask = scaled(mask, right - left, lower - upper)
        self.image.paste(mix(self.palette.near, (0, 0, 0), 0.5), (left, upper), mask)

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
        """Light that fades from `strength` (0 to 1) at its centre to nothing at `radius`."""
        from PIL import Image  # noqa: PLC0415

        side = max(2, round(2 * radius))
        fade = [round(255 * strength * max(0.0, 1 - distance / 180) ** 2) for distance in range(256)]
        mask = scaled(toned(Image.radial_gradient("L"), fade), side, side)
        self.image.paste(colour, (round(x - radius), round(y - radius)), mask)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A filled circle."""
        self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)

    def sun(self, x: float, y: float, radius: float) -> None:
        """The palette's sun, with its light around it."""
        self.glow(x, y, radius * 5.5, self.palette.sun, 0.62)
        self.glow(x, y, radius * 2.2, self.palette.sun, 0.55)
        self.disc(x, y, radius, self.palette.sun)

    def stars(self, lowest: float) -> None:
        """Scatters stars down to the height `lowest`, thinning out towards it."""
        light = mix(self.palette.sun, (255, 255, 255), 0.5)
        for _ in range(150):
            x, y = self.rng.uniform(0, self.w), lowest * self.rng.random() ** 1.4
            size = self.u * self.rng.choice((0.1, 0.13, 0.16, 0.28))
            under = self.image.getpixel((min(self.w - 1, int(x)), min(self.h - 1, int(y))))
            assert isinstance(under, tuple)
            red, green, blue = (int(channel) for channel in under)
            self.disc(x, y, size, mix((red, green, blue), light, self.rng.uniform(0.35, 1)))

    def cloud(self, x: float, y: float, length: float, colour: Colour, alpha: float) -> None:
        """A flat-bottomed cloud whose base is centred on (x, y)."""
        puffs = [(x + length * (at - 0.5), length * size) for at, size in ((0.2, 0.13), (0.42, 0.21), (0.68, 0.16))]
        outline: list[Point] = []
        for step in range(61):
            across = x + length * (step / 60 - 0.5)
            heights = [math.sqrt(max(0.0, r * r - (across - cx) ** 2)) for cx, r in puffs]
            end = math.sqrt(max(0.0, 1 - (abs(step / 30 - 1)) ** 6)) * length * 0.05
            outline.append((across, y - max(*heights, end)))
        self.shape(outline, mix(colour, (255, 255, 255), 0.25), colour, alpha=alpha)

    def beam(self, x: float, low: float, tall: float, half: float, colour: Colour, strength: float) -> None:
        """A soft vertical streak of light, brightest at its foot `low`, that fades out `tall` above it."""
        from PIL import Image, ImageChops  # noqa: PLC0415

        width, height = max(2, round(2 * half)), max(2, round(tall))
        fade = [round(255 * strength * (k / 255) ** 1.5 * min(1.0, (255 - k) / 14)) for k in range(256)]
        upright = scaled(toned(Image.linear_gradient("L"), fade), width, height)
        across = [round(255 * math.sin(math.pi * (at + 0.5) / 64) ** 2) for at in range(64)]
        sideways = scaled(Image.frombytes("L", (64, 1), bytes(across)), width, height)
        self.image.paste(colour, (round(x - half), round(low - tall)), ImageChops.multiply(upright, sideways))

    def mirror(self, shore: float, tint: Colour) -> None:
        """Lays still water below `shore`: what is above it upside down, shortened and tinted."""
        from PIL import Image, ImageOps  # noqa: PLC0415

        top, deep = round(shore), self.h - round(shore)
        above = self.image.crop((0, max(0, top - 2 * deep), self.w, top))
        water = scaled(ImageOps.flip(above), self.w, deep)
        self.image.paste(Image.blend(water, Image.new("RGB", water.size, tint), 0.42), (0, top))

    def ridge(self, base: float, height: float, roughness: float) -> list[Point]:
        """A skyline around `base` that swings by about `height`; closed along the canvas' lower edge.

        `roughness` is what each octave keeps of the one before: 0.3 rolls, 0.6 is jagged.
        """
        octaves = [
            (self.rng.uniform(0.55, 1.1) * 2.1**k, self.rng.uniform(0, math.tau), roughness**k) for k in range(6)
        ]
        total = sum(size for _, _, size in octaves)
        points: list[Point] = [(-2.0, self.h + 2.0)]
        for step in range(321):
            along = step / 320 * self.w / self.h
            swing = sum(size * math.sin(math.tau * turns * along + phase) for turns, phase, size in octaves)
            points.append((step / 320 * self.w, base - height * swing / total))
        return [*points, (self.w + 2.0, self.h + 2.0)]

    def _clip(self, points: Sequence[Point]) -> tuple[int, int, int, int] | None:
        across, down = [x for x, _ in points], [y for _, y in points]
        left, upper = max(0, math.floor(min(across))), max(0, math.floor(min(down)))
        right, lower = min(self.w, math.ceil(max(across)) + 1), min(self.h, math.ceil(max(down)) + 1)
        return (left, upper, right, lower) if left < right and upper < lower else None


def vertical(width: int, height: int, colours: Sequence[Colour]) -> "Image":
    """An image of a gradient through those colours (two or more), from top to bottom."""
    from PIL import Image  # noqa: PLC0415

    column = bytearray()
    for row in range(height):
        place = row / max(1, height - 1) * (len(colours) - 1)
        at = min(int(place), len(colours) - 2)
        column += bytes(mix(colours[at], colours[at + 1], place - at))
    return scaled(Image.frombytes("RGB", (1, height), bytes(column)), width, height)


def scaled(image: "Image", width: int, height: int) -> "Image":
    """The image at another size in pixels; made smaller, its edges become smooth."""
    from PIL.Image import Resampling  # noqa: PLC0415

    how = Resampling.HAMMING if width < image.width else Resampling.BICUBIC
    return image.resize((width, height), how)  # pyright: ignore[reportUnknownMemberType] - numpy is not here


def toned(image: "Image", table: Sequence[int]) -> "Image":
    """A one-channel image with each of its 256 levels replaced by the table's."""
    return image.point(table)  # pyright: ignore[reportUnknownMemberType] - numpy is not here
