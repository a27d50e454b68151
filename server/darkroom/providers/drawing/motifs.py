"""Things that a landscape is furnished with: firs, round trees, birds, towers, flowers, worlds."""

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFilter

from darkroom.providers.drawing.canvas import Canvas, Point
from darkroom.providers.drawing.colour import Colour, mix

_CLOUD = (
    "-.5 0!, -.47 .04, -.42 .05!, -.38 .12, -.3 .14, -.24 .12!, -.2 .18, -.08 .22, .04 .18, .07 .14!, .13 .17, "
    ".22 .16, .3 .12, .34 .05!, .44 .05, .5 0!"
)
_TIERS = [(half * tier / 5, up - tier * 0.185) for tier in range(1, 6) for half, up in ((0.24, 1), (0.125, 1.02))]


def ellipse(x: float, y: float, half_width: float, half_height: float) -> list[Point]:
    """The outline of an ellipse centred on (x, y)."""
    turns = [math.tau * step / 40 for step in range(40)]
    return [(x + half_width * math.cos(a), y + half_height * math.sin(a)) for a in turns]


def birds(c: Canvas) -> None:
    """A few birds in the upper sky."""
    x, y = c.w * c.rng.uniform(0.15, 0.75), c.h * c.rng.uniform(0.12, 0.28)
    for _ in range(c.rng.randint(3, 6)):
        spot = (x + c.u * c.rng.gauss(0, 7), y + c.u * c.rng.gauss(0, 3.5), c.u * c.rng.uniform(0.9, 1.8))
        c.trace(spot, "0 0!, .5 .45!, 1 .2!, .5 .25!, 0 0!, -.5 .25!, -1 .2!, -.5 .45!", c.palette.near, alpha=0.85)


def clouds(c: Canvas, lowest: float) -> None:
    """Some clouds above the height `lowest` (a share of the canvas)."""
    colour = c.palette.sky[2]
    for _ in range(c.rng.randint(3, 5)):
        spot = (c.w * c.rng.random(), c.h * c.rng.uniform(0.08, lowest), c.u * c.rng.uniform(20, 46))
        c.trace(spot, _CLOUD, mix(colour, (255, 255, 255), 0.25), colour, c.rng.uniform(0.3, 0.6))


def trees(c: Canvas, skyline: Sequence[Point], colour: Colour, height: float, leaves: Sequence[Colour] = ()) -> None:
    """Groups of firs, or of round trees where there are colours of `leaves`, about `height` tall on a skyline."""
    x, phase = 0.0, c.rng.uniform(0, math.tau)
    while x < c.w:
        density = 0.5 + 0.5 * math.sin(phase + math.tau * 1.7 * x / c.w)
        x += height * (0.14 + 0.5 * (1 - density) * c.rng.random()) * (2.2 if leaves else 1)
        if c.rng.random() < density + 0.08:
            foot = skyline[min(len(skyline) - 1, int(x / c.w * (len(skyline) - 1)))][1] + height * 0.08
            tall = height * c.rng.uniform(0.5, 1.05)
            if leaves:
                round_tree(c, x, foot, tall, colour, c.rng.choice(leaves))
            else:
                fir(c, x, foot, tall, colour)


def fir(c: Canvas, x: float, foot: float, tall: float, colour: Colour) -> None:
    """A fir whose trunk stands at (x, foot)."""
    edge = [(0.0, 1.0), *_TIERS, (0.025, 0.0)]
    both = [*edge, *[(-across, up) for across, up in reversed(edge)]]
    c.draw.polygon([(x + tall * across, foot - tall * up) for across, up in both], fill=colour)


def round_tree(c: Canvas, x: float, foot: float, tall: float, trunk: Colour, leaf: Colour) -> None:
    """A tree with a crown of several rounds, lighter where the light comes from."""
    c.draw.polygon([(x - tall * 0.03, foot), (x, foot - tall * 0.6), (x + tall * 0.03, foot)], fill=trunk)
    light = -1 if c.focus < x else 1
    for shade, shift in ((0.35, 0.0), (0.0, 0.03)):
        for dx, up, size in ((-0.13, 0.5, 0.17), (0.14, 0.52, 0.16), (0.02, 0.68, 0.21), (-0.06, 0.8, 0.14)):
            radius = tall * size * (1 - 3 * shift)
            c.disc(x + tall * (dx + light * shift), foot - tall * (up + shift), radius, mix(leaf, trunk, shade))


def tower(c: Canvas, x: float, top: float, width: float, depth: float) -> None:
    """A building from `top` down to the canvas' edge; the nearer (depth 1), the more windows show."""
    p, rng = c.palette, c.rng
    colour = mix(mix(p.far, p.sky[2], 0.3), p.near, depth)
    c.shape([(x, top), (x + width, top), (x + width, c.h), (x, c.h)], colour, mix(colour, p.sky[2], 0.3 * (1 - depth)))
    roof = rng.choice(("flat", "mast", "slant"))
    if roof == "mast":
        c.draw.rectangle((x + width * 0.47, top - c.u * 8, x + width * 0.53, top), fill=colour)
        c.disc(x + width / 2, top - c.u * 8, c.u * 0.45, p.accent)
    elif roof == "slant":
        c.draw.polygon([(x, top + 2), (x + width, top - c.u * 5), (x + width, top + 2)], fill=colour)
    columns, pane = max(2, int(width / c.u / 2.4)), c.u * 1.15
    for row in range(int((c.h - top) / c.u / 3.1) if depth > 0.3 else 0):
        for column in range(columns):
            left, upper = x + width * (column + 0.5) / columns - pane / 2, top + c.u * (2 + 3.1 * row)
            lit = mix(p.accent, p.sun, rng.choice((0.1, 0.45, 0.8)))
            glass = lit if rng.random() < 0.42 else mix(colour, p.sky[1], 0.16)
            c.draw.rectangle((left, upper, left + pane, upper + pane * 1.35), fill=glass)


def flower(c: Canvas, foot: float, top: float, size: float, leaf: Colour) -> None:
    """A stem that rises from (foot, the lower edge) to `top`, with leaves and a daisy or a tulip."""
    p, rng = c.palette, c.rng
    lean, low = c.u * rng.uniform(-8, 8), c.h * 1.02
    spine = [(foot + lean * (step / 24) ** 2, low + (top - low) * step / 24) for step in range(25)]
    c.draw.line(spine, fill=leaf, width=max(2, round(size * 0.17)), joint="curve")
    for step in (12, 15, 18, 20):
        turn = rng.choice((-1, 1)) * rng.uniform(0.7, 1.1) - math.pi / 2
        _petal(c, *spine[step], size * 1.5 * (1.2 - step / 24), turn, leaf)
    x, y = spine[-1]
    bloom = mix(rng.choice((p.accent, p.second, p.sun, p.sky[1])), p.sun, rng.uniform(0, 0.25))
    if rng.random() < 0.6:
        count, turn = rng.randint(8, 13), rng.random()
        for ring_size, colour, shift in ((1.0, bloom, 0.0), (0.66, mix(bloom, p.sun, 0.4), 0.5)):
            for number in range(count):
                _petal(c, x, y, size * ring_size, math.tau * (number + turn + shift) / count, colour)
        c.disc(x, y, size * 0.27, mix(p.near, p.accent, 0.25))
    else:
        for angle, shade in ((-0.42, 0.15), (0.42, 0.15), (0, 0)):
            _petal(c, x, y + size * 0.4, size * 1.35, angle - math.pi / 2, mix(bloom, p.near, shade))


def _petal(c: Canvas, x: float, y: float, length: float, angle: float, colour: Colour) -> None:
    cos, sin = math.cos(angle), math.sin(angle)
    outline = ellipse(length / 2, 0, length / 2, length * 0.19)
    c.draw.polygon([(x + dx * cos - dy * sin, y + dx * sin + dy * cos) for dx, dy in outline], fill=colour)


def globe(c: Canvas, x: float, y: float, radius: float, bands: Sequence[Colour], lean: float) -> None:
    """A banded world, lit from the upper left."""
    side = max(4, round(radius * 2))
    world = Image.new("RGB", (side, side), bands[0])
    pen, rng, at = ImageDraw.Draw(world), c.rng, -0.4
    while at < 1.4:
        thick = rng.uniform(0.05, 0.2)
        edge = [(k / 20, at + lean * (k / 20 - 0.5) + 0.012 * math.sin(k * 0.9 + at * 20)) for k in range(21)]
        lower = [(across, down + thick) for across, down in reversed(edge)]
        colour = mix(rng.choice(bands), bands[0], rng.uniform(0, 0.6))
        pen.polygon([(across * side, down * side) for across, down in [*edge, *lower]], fill=colour)
        at += thick
    shade, outline = Image.new("L", (side, side), 225), Image.new("L", (side, side))
    ImageDraw.Draw(shade).polygon(ellipse(side * 0.36, side * 0.34, radius * 1.02, radius * 1.02), fill=0)
    world.paste(mix(c.palette.near, (0, 0, 10), 0.6), (0, 0), shade.filter(ImageFilter.GaussianBlur(radius * 0.24)))
    ImageDraw.Draw(outline).ellipse((0, 0, side - 1, side - 1), fill=255)
    c.image.paste(world, (round(x - radius), round(y - radius)), outline)


def ring(c: Canvas, x: float, y: float, size: float, lean: float, flat: float, start: float) -> None:
    """One half of a world's ring, from the angle `start` (radians): the far one first, then the near one."""
    p, cos, sin = c.palette, math.cos(lean), math.sin(lean)
    for inner, outer, colour, alpha in ((1.35, 1.62, p.sun, 0.85), (1.68, 1.86, p.accent, 0.75)):
        there = [(outer, start + math.pi * step / 80) for step in range(81)]
        back = [(inner, angle) for _, angle in reversed(there)]
        flats = [(size * reach * math.cos(a), size * reach * flat * math.sin(a)) for reach, a in (*there, *back)]
        c.shape([(x + dx * cos - dy * sin, y + dx * sin + dy * cos) for dx, dy in flats], colour, alpha=alpha)
