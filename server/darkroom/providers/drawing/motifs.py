"""The things that stand, fly and swim in a sketch: firs, birds, towers, boats, worlds, tiles, flowers."""

import math
from collections.abc import Sequence

from darkroom.providers.drawing.canvas import Canvas, Point
from darkroom.providers.drawing.colour import Colour, mix


def lozenge(x: float, y: float, half_width: float, half_height: float) -> list[Point]:
    """A long, pointed glint centred on (x, y)."""
    steps = [math.tau * step / 16 for step in range(16)]
    return [(x + half_width * math.cos(a), y + half_height * math.sin(a) * abs(math.sin(a))) for a in steps]


def birds(c: Canvas) -> None:
    """A few birds in the upper sky."""
    x, y = c.w * c.rng.uniform(0.15, 0.75), c.h * c.rng.uniform(0.12, 0.28)
    for _ in range(c.rng.randint(3, 6)):
        span = c.u * c.rng.uniform(0.9, 1.8)
        at_x, at_y = x + c.u * c.rng.gauss(0, 7), y + c.u * c.rng.gauss(0, 3.5)
        for side in (-1, 1):
            wing = [
                (at_x, at_y),
                (at_x + side * span * 0.5, at_y - span * 0.45),
                (at_x + side * span, at_y - span * 0.2),
            ]
            c.shape([*wing, (at_x + side * span * 0.5, at_y - span * 0.25)], c.palette.near, alpha=0.85)


def firs(c: Canvas, skyline: Sequence[Point], colour: Colour, height: float) -> None:
    """Groups of firs, about `height` tall, along a skyline."""
    x, phase = 0.0, c.rng.uniform(0, math.tau)
    while x < c.w:
        density = 0.5 + 0.5 * math.sin(phase + math.tau * 1.7 * x / c.w)
        x += height * (0.14 + 0.5 * (1 - density) * c.rng.random())
        if c.rng.random() > density + 0.08:
            continue
        foot = skyline[min(len(skyline) - 1, int(x / c.w * (len(skyline) - 1)))][1] + height * 0.08
        _fir(c, x, foot, height * c.rng.uniform(0.5, 1.05), colour)


def _fir(c: Canvas, x: float, foot: float, tall: float, colour: Colour) -> None:
    left: list[Point] = []
    right: list[Point] = []
    for tier in range(4):
        y, half = foot - tall * (1 - (tier + 1) / 4.4), tall * 0.058 * (tier + 1)
        left += [(x - half, y), (x - half * 0.5, y - tall * 0.015)]
        right += [(x + half, y), (x + half * 0.5, y - tall * 0.015)]
    trunk: list[Point] = [(x + tall * 0.03, foot), (x - tall * 0.03, foot)]
    c.draw.polygon([(x, foot - tall), *right, *trunk, *reversed(left)], fill=colour)


def tower(c: Canvas, x: float, top: float, width: float, colour: Colour, depth: float) -> None:
    """A building from `top` down to the canvas' edge; the nearer (depth 1), the more windows show."""
    p, rng = c.palette, c.rng
    c.shape([(x, top), (x + width, top), (x + width, c.h), (x, c.h)], colour, mix(colour, p.sky[2], 0.3 * (1 - depth)))
    roof = rng.choice(("flat", "flat", "step", "mast", "slant"))
    if roof == "step":
        c.draw.rectangle((x + width * 0.2, top - c.u * 3, x + width * 0.8, top), fill=colour)
    elif roof == "mast":
        c.draw.rectangle((x + width * 0.47, top - c.u * 8, x + width * 0.53, top), fill=colour)
        c.disc(x + width / 2, top - c.u * 8, c.u * 0.45, p.accent)
    elif roof == "slant":
        c.draw.polygon([(x, top), (x + width, top - c.u * 5), (x + width, top + 2), (x, top + 2)], fill=colour)
    if depth < 0.3:
        return
    columns, pane = max(2, int(width / c.u / 2.4)), c.u * 1.15
    for row in range(int((c.h - top) / c.u / 3.1)):
        for column in range(columns):
            left, upper = x + width * (column + 0.5) / columns - pane / 2, top + c.u * (2 + 3.1 * row)
            lit = rng.random() < 0.42
            glass = mix(p.accent, p.sun, rng.choice((0.1, 0.45, 0.8))) if lit else mix(colour, p.sky[1], 0.16)
            c.draw.rectangle((left, upper, left + pane, upper + pane * 1.35), fill=glass)


def boat(c: Canvas, x: float, water: float, size: float) -> None:
    """A sailing boat, `size` tall, and its reflection."""
    p = c.palette
    dark = mix(p.near, (0, 0, 0), 0.15)
    for mirror, alpha in ((1, 1.0), (-0.55, 0.3)):

        def at(across: float, up: float, flip: float = mirror) -> Point:
            return x + size * across, water - size * up * flip

        c.shape([at(0.02, 1), at(0.02, 0.16), at(0.48, 0.16), at(0.3, 0.5)], p.accent, alpha=alpha)
        c.shape([at(-0.03, 0.9), at(-0.03, 0.16), at(-0.36, 0.16)], mix(p.sun, p.accent, 0.12), alpha=alpha)
        c.shape([at(-0.5, 0.12), at(0.56, 0.12), at(0.4, -0.06), at(-0.36, -0.06)], dark, alpha=alpha)
    c.draw.line((x, water - size * 1.04, x, water - size * 0.1), fill=dark, width=max(2, round(size * 0.022)))


def globe(c: Canvas, x: float, y: float, radius: float, bands: Sequence[Colour], lean: float) -> None:
    """A banded world, lit from the upper left."""
    from PIL import Image, ImageChops, ImageDraw, ImageFilter  # noqa: PLC0415 - heavy, and only drawing needs it

    side = max(4, round(radius * 2))
    world = Image.new("RGB", (side, side), bands[0])
    pen, rng, at = ImageDraw.Draw(world), c.rng, -0.4
    while at < 1.4:
        thick = rng.uniform(0.05, 0.2)
        edge = [
            (step / 20, at + lean * (step / 20 - 0.5) + 0.012 * math.sin(step * 0.9 + at * 20)) for step in range(21)
        ]
        lower = [(across, down + thick) for across, down in reversed(edge)]
        colour = mix(rng.choice(bands), bands[0], rng.uniform(0, 0.6))
        pen.polygon([(across * side, down * side) for across, down in [*edge, *lower]], fill=colour)
        at += thick
    shade = Image.new("L", (side, side), 225)
    reach = radius * 1.02
    middle = (side * 0.36, side * 0.34)
    box = (middle[0] - reach, middle[1] - reach, middle[0] + reach, middle[1] + reach)
    ImageDraw.Draw(shade).ellipse(box, fill=0)
    shade = shade.filter(ImageFilter.GaussianBlur(radius * 0.24))
    world.paste(mix(c.palette.near, (0, 0, 10), 0.6), (0, 0), shade)
    outline = Image.new("L", (side, side))
    ImageDraw.Draw(outline).ellipse((0, 0, side - 1, side - 1), fill=255)
    c.image.paste(world, (round(x - radius), round(y - radius)), ImageChops.multiply(outline, outline))


def ring(c: Canvas, x: float, y: float, size: float, lean: float, flat: float, span: tuple[float, float]) -> None:
    """The part of a world's ring between two angles (radians): the far half first, then the near one."""
    p = c.palette
    for inner, outer, colour, alpha in (
        (1.35, 1.62, p.sun, 0.85),
        (1.68, 1.86, p.accent, 0.75),
        (1.9, 1.95, p.sun, 0.6),
    ):
        points: list[Point] = []
        for reach, order in ((outer, range(81)), (inner, range(80, -1, -1))):
            for step in order:
                angle = span[0] + (span[1] - span[0]) * step / 80
                across, down = size * reach * math.cos(angle), size * reach * flat * math.sin(angle)
                turned = across * math.sin(lean) + down * math.cos(lean)
                points.append((x + across * math.cos(lean) - down * math.sin(lean), y + turned))
        c.shape(points, colour, alpha=alpha)


def tile(c: Canvas, x: float, y: float, side: float, colours: tuple[Colour, Colour, Colour]) -> None:
    """One patch of a quilt: ground, figure and dot."""
    ground, ink, dot = colours
    pen, kind, turn = c.draw, c.rng.randrange(6), 90 * c.rng.randrange(4)
    left, upper, right, lower = round(x), round(y), round(x + side), round(y + side)
    pen.rectangle((left, upper, right, lower), fill=ground)
    corner_x, corner_y = (left, right)[turn in (90, 180)], (upper, lower)[turn >= 180]
    if kind in (0, 1):
        for reach, fill in ((1.0, ink), (0.66, ground), (0.33, dot))[: 3 if kind else 1]:
            r = side * reach
            pen.pieslice((corner_x - r, corner_y - r, corner_x + r, corner_y + r), turn, turn + 90, fill=fill)
    elif kind == 2:
        c.disc(x + side / 2, y + side / 2, side * 0.36, ink)
        c.disc(x + side / 2, y + side / 2, side * 0.15, dot)
    elif kind == 3:
        steps = [math.pi / 2 * step / 24 for step in range(25)]
        first = [(x + side * math.sin(a), y + side * (1 - math.cos(a))) for a in steps]
        second = [(x + side * (1 - math.cos(a)), y + side * math.sin(a)) for a in reversed(steps)]
        leaf = [*first, *second]
        pen.polygon(leaf if turn < 180 else [(left + right - a, b) for a, b in leaf], fill=ink)
    elif kind == 4:
        r = side / 2
        for middle, fill in ((y, ink), (y + r, dot)):
            pen.pieslice((left, middle, right, middle + side), 180, 360, fill=fill)
    else:
        pen.polygon([(left, upper), (right, upper), (left, lower)] if turn < 180 else
                    [(right, upper), (right, lower), (left, lower)], fill=ink)  # fmt: skip
        c.disc(x + side / 2, y + side / 2, side * 0.14, dot)


def flower(c: Canvas, foot: float, top: float, size: float, leaf: Colour) -> None:
    """A stem that rises from (foot, the lower edge) to `top`, with leaves and a bloom, bud or seed head."""
    p, rng = c.palette, c.rng
    lean, low = c.u * rng.uniform(-8, 8), c.h * 1.02

    def stem(at: float) -> Point:
        return foot + lean * at**2, low + (top - low) * at

    width = size * 0.09
    spine = [stem(step / 24) for step in range(25)]
    c.draw.polygon([*[(x - width, y) for x, y in spine], *[(x + width, y) for x, y in reversed(spine)]], fill=leaf)
    for at in (0.5, 0.62, 0.74, 0.85):
        x, y = stem(at)
        _petal(c, x, y, size * 1.5 * (1.2 - at), -math.pi / 2 + rng.choice((-1, 1)) * rng.uniform(0.7, 1.1), leaf)
    x, y = stem(1)
    bloom = mix(rng.choice((p.accent, p.second, p.sun, p.sky[1])), p.sun, rng.uniform(0, 0.25))
    kind, heart = rng.choice(("daisy", "daisy", "tulip", "seeds")), mix(p.near, p.accent, 0.25)
    if kind == "daisy":
        count, turn = rng.randint(8, 13), rng.random()
        for ring_size, colour in ((1.0, bloom), (0.66, mix(bloom, p.sun, 0.4))):
            for number in range(count):
                _petal(c, x, y, size * ring_size, math.tau * (number + turn) / count, colour)
            turn += 0.5
        c.disc(x, y, size * 0.27, heart)
    elif kind == "tulip":
        for angle, colour in ((-0.42, mix(bloom, p.near, 0.15)), (0.42, mix(bloom, p.near, 0.15)), (0, bloom)):
            _petal(c, x, y + size * 0.4, size * 1.35, -math.pi / 2 + angle, colour)
    else:
        for number in range(17):
            angle = -math.pi * number / 16
            end = (x + size * math.cos(angle), y + size * math.sin(angle))
            c.draw.line((x, y, *end), fill=bloom, width=max(2, round(size * 0.04)))
            c.disc(*end, size * 0.1, bloom)


def _petal(c: Canvas, x: float, y: float, length: float, angle: float, colour: Colour) -> None:
    points: list[Point] = []
    for step in range(17):
        at = step / 16 * math.tau
        along, across = length * (0.5 - 0.5 * math.cos(at)), length * 0.19 * math.sin(at)
        points.append((x + along * math.cos(angle) - across * math.sin(angle),
                       y + along * math.sin(angle) + across * math.cos(angle)))  # fmt: skip
    c.draw.polygon(points, fill=colour)


def arch(c: Canvas, x: float, crown: float, radius: float) -> list[Point]:
    """The outline of a round arch whose outermost band is `radius` wide, down to the lower edge."""
    curve = [(x + radius * math.cos(a), crown - radius * math.sin(a)) for a in (math.pi * k / 60 for k in range(61))]
    return [(x + radius, c.h + 2.0), *curve, (x - radius, c.h + 2.0)]


def balloon(c: Canvas, x: float, y: float, radius: float) -> None:
    """A striped hot-air balloon centred on (x, y), with its basket."""
    p, rng = c.palette, c.rng
    stripes = rng.sample([p.accent, p.second, p.sun, p.sky[0], p.far], 2)
    gores = 7
    for gore in range(gores):
        left, right = math.sin(math.pi * (gore / gores - 0.5)), math.sin(math.pi * ((gore + 1) / gores - 0.5))
        colour = mix(stripes[gore % 2], p.near, 0.05 * gore)
        edge = [_envelope(step / 30) for step in range(31)]
        points = [(x + radius * wide * left, y + radius * down) for wide, down in edge]
        points += [(x + radius * wide * right, y + radius * down) for wide, down in reversed(edge)]
        c.shape(points, mix(colour, p.sun, 0.22), mix(colour, p.near, 0.22))
    basket, dark = y + radius * 1.82, mix(p.near, p.accent, 0.15)
    for side in (-1, 1):
        c.draw.line((x + side * radius * 0.2, y + radius * 1.35, x + side * radius * 0.12, basket), fill=dark,
                    width=max(2, round(radius * 0.02)))  # fmt: skip
    c.draw.rounded_rectangle(
        (x - radius * 0.15, basket, x + radius * 0.15, basket + radius * 0.24), radius * 0.05, fill=dark
    )


def _envelope(at: float) -> Point:
    """Half width and height of a balloon of radius 1, from its crown (0) to its mouth (1)."""
    if at < 0.6:
        angle = at / 0.6 * 2.05
        return math.sin(angle), -math.cos(angle)
    rest = (at - 0.6) / 0.4
    start, end = (math.sin(2.05), -math.cos(2.05)), (0.22, 1.36)
    return start[0] + (end[0] - start[0]) * rest**0.9, start[1] + (end[1] - start[1]) * rest
