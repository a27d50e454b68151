"""A canvas twice as large as the picture, and the few marks that every composition is made of."""

import math
from collections.abc import Sequence
from functools import cache
from random import Random

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from darkroom.providers.drawing.colour import Colour, Palette, mix

Point = tuple[float, float]
Spot = tuple[float, float, float]
"""The place of a figure's point 0 0, and the length of its unit."""
OVERSAMPLING = 2


class Canvas:
    """Lengths are canvas pixels, the origin is the upper left corner.

    `w` and `h` are the canvas' size, `u` a hundredth of its shorter side, and `focus` is how far from the left
    the eye is led: away from the title.
    """

    def __init__(self, width: int, height: int, palette: Palette, rng: Random) -> None:
        """For a picture of `width` × `height` pixels."""
        self.w, self.h = width * OVERSAMPLING, height * OVERSAMPLING
        self.u = min(self.w, self.h) / 100
        self.palette, self.rng = palette, rng
        self.focus = self.w * (0.66 if self.w > self.h else 0.56) + self.w * rng.uniform(-0.04, 0.08)
        self.sky(*palette.sky)

    def sky(self, *colours: Colour) -> None:
        """Covers the whole canvas with a gradient from top to bottom."""
        self.image = vertical(self.w, self.h, colours)
        self.draw = ImageDraw.Draw(self.image, "RGBA")  # so that a colour may have an alpha

    def shape(self, points: Sequence[Point], top: Colour, bottom: Colour | None = None, alpha: float = 1.0) -> None:
        """Fills a polygon with a gradient over its own height, or with one colour."""
        across, down = [x for x, _ in points], [y for _, y in points]
        left, upper = max(0, math.floor(min(across))), max(0, math.floor(min(down)))
        right, lower = min(self.w, math.ceil(max(across)) + 1), min(self.h, math.ceil(max(down)) + 1)
        if bottom is None:
            self.draw.polygon(points, fill=(*top, round(255 * alpha)))
        elif left < right and upper < lower:
            mask = Image.new("L", (right - left, lower - upper))
            ImageDraw.Draw(mask).polygon([(x - left, y - upper) for x, y in points], fill=round(255 * alpha))
            self.image.paste(vertical(right - left, lower - upper, (top, bottom)), (left, upper), mask)

    def trace(self, spot: Spot, text: str, top: Colour, bottom: Colour | None = None, alpha: float = 1.0) -> None:
        """Fills the `curve` of a text at a spot."""
        x, y, size = spot
        self.shape([(x + size * across, y - size * up) for across, up in curve(text)], top, bottom, alpha)

    def strip(self, top: float, low: float, first: Colour, last: Colour) -> None:
        """Fills the whole width between two heights."""
        self.shape([(-2, top), (self.w + 2, top), (self.w + 2, low), (-2, low)], first, last)

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
        """Light that fades from `strength` (0 to 1) at its centre to nothing at `radius`."""
        side = max(2, round(2 * radius))
        fade = [round(255 * strength * max(0.0, 1 - distance / 180) ** 2) for distance in range(256)]
        mask = scaled(toned(Image.radial_gradient("L"), fade), side, side)
        self.image.paste(colour, (round(x - radius), round(y - radius)), mask)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A filled circle."""
        self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)

    def sun(self, x: float, y: float, radius: float) -> None:
        """The palette's sun with its light around it, or its moon."""
        self.glow(x, y, radius * 5.5, self.palette.sun, 0.62)
        self.glow(x, y, radius * 2.2, self.palette.sun, 0.55)
        self.disc(x, y, radius, self.palette.sun)
        if self.palette.night:
            for across, up, size in ((-0.3, 0.25, 0.26), (0.35, 0.1, 0.18), (0.02, -0.45, 0.2)):
                grey = mix(self.palette.sun, self.palette.far, 0.13)
                self.disc(x + radius * across, y - radius * up, radius * size, grey)

    def dots(self, colour: Colour, count: int, lowest: float, sizes: Sequence[float]) -> None:
        """Scatters discs (sizes in u) down to the height `lowest`, thinning out towards it."""
        for _ in range(count):
            x, y = self.rng.uniform(0, self.w), lowest * self.rng.random() ** 1.3
            r = self.u * self.rng.choice(sizes)
            self.draw.ellipse((x - r, y - r, x + r, y + r), fill=(*colour, self.rng.randint(90, 255)))

    def haze(self, y: float, half: float, colour: Colour, strength: float) -> None:
        """A soft band of mist or light across the canvas, centred on the height `y`."""
        levels = bytes(round(255 * strength * math.sin(math.pi * (at + 0.5) / 64) ** 2) for at in range(64))
        mask = scaled(Image.frombytes("L", (1, 64), levels), self.w, max(2, round(2 * half)))
        self.image.paste(colour, (0, round(y - half)), mask)

    def ray(self, x: float, y: float, angle: float, spread: float, colour: Colour, strength: float) -> None:
        """A cone of light that leaves (x, y) at an angle (radians, 0 to the right) and fades out on its way."""
        small, reach = 8, max(self.w * 0.75, self.h)  # a soft edge has no detail worth computing at full size
        mask = Image.new("L", (self.w // small + 1, self.h // small + 1))
        for step in range(24, 0, -1):
            ends = [
                (reach * step / 24 * math.cos(a), reach * step / 24 * math.sin(a))
                for a in (angle - spread, angle + spread)
            ]
            cone = [((x + dx) / small, (y + dy) / small) for dx, dy in ((0, 0), *ends)]
            ImageDraw.Draw(mask).polygon(cone, fill=round(255 * strength * (1 - step / 25) ** 1.2))
        mask = scaled(mask.filter(ImageFilter.GaussianBlur(2.5 * self.u / small)), self.w, self.h)
        self.image.paste(colour, (0, 0), mask)

    def mirror(self, shore: float, tint: Colour) -> None:
        """Lays still water below `shore`: what is above it upside down, shortened and tinted."""
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

    def depth(self, share: float) -> Colour:
        """The colour of land at a distance: 0 melts into the sky, 1 stands right here."""
        p = self.palette
        return mix(mix(p.sky[2], p.far, 0.55), p.near, share**1.2)


def vertical(width: int, height: int, colours: Sequence[Colour]) -> Image.Image:
    """An image of a gradient through those colours (two or more), from top to bottom."""
    column, steps = bytearray(), min(height, 128)
    for row in range(steps):
        place = row / max(1, steps - 1) * (len(colours) - 1)
        at = min(int(place), len(colours) - 2)
        column += bytes(mix(colours[at], colours[at + 1], place - at))
    return scaled(Image.frombytes("RGB", (1, steps), bytes(column)), width, height)


def scaled(image: Image.Image, width: int, height: int) -> Image.Image:
    """The image at another size in pixels, with smooth edges."""
    how = Image.Resampling.BILINEAR
    if image.width == 1:  # each row has one colour: once they are mixed, they are only drawn out
        image, how = image.resize((1, height), how), Image.Resampling.NEAREST  # pyright: ignore[reportUnknownMemberType]
    return image.resize((width, height), how)  # pyright: ignore[reportUnknownMemberType] - numpy is not here


def toned(image: Image.Image, table: Sequence[int]) -> Image.Image:
    """A one-channel image with each of its 256 levels replaced by the table's."""
    return image.point(table)  # pyright: ignore[reportUnknownMemberType] - numpy is not here


@cache
def curve(text: str) -> list[Point]:
    """A closed curve through the points of a text, "across up, across up, …", which bends sharply where one has a !."""
    corners = [(*map(float, pair.rstrip("!").split()), pair[-1] == "!") for pair in text.split(", ")]
    points: list[Point] = []
    for at, (x, y, sharp) in enumerate(corners):  # as Catmull and Rom did it
        before, after, beyond = (corners[(at + step) % len(corners)] for step in (-1, 1, 2))
        first, last = (x, y) if sharp else before, after if after[2] else beyond
        for t in (step / 8 for step in range(8)):
            shares = (-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2)
            along = list(zip(shares, (first, (x, y), after, last), strict=True))
            points.append((sum(s * p[0] for s, p in along) / 2, sum(s * p[1] for s, p in along) / 2))
    return points
