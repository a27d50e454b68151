"""The places a sketch may show, each painted from what its canvas' random numbers choose."""

import math
from collections.abc import Callable

from darkroom.providers.drawing.canvas import Canvas, Point
from darkroom.providers.drawing.colour import mix
from darkroom.providers.drawing.motifs import birds, clouds, ellipse, fir, flower, globe, ring, tower, trees

WHITE = (255, 255, 255)
CACTUS = (
    "-.06 0!, -.06 .3, -.2 .3, -.31 .38, -.31 .65, -.26 .7, -.2 .65, -.19 .44, -.06 .43, -.06 .93, 0 1, .06 .93, "
    ".06 .56, .17 .57, .18 .8, .24 .85, .29 .8, .29 .53, .2 .44, .06 .43, .06 0!"
)


def _above(c: Canvas, lowest: float, radius: tuple[float, float] = (8, 13), sun: Point | None = None) -> None:
    """Stars or clouds, birds, and a sun or moon (at `sun`) above the height `lowest` (a share of the canvas)."""
    if c.palette.night:
        c.dots(mix(c.palette.sun, WHITE, 0.5), 170, c.h * lowest, (0.1, 0.13, 0.16, 0.26))
    x = c.w * c.rng.uniform(0.2, 0.4) if c.rng.random() < 0.4 else c.focus - c.u * c.rng.uniform(8, 16)
    c.sun(*(sun or (x, c.h * c.rng.uniform(0.24, 0.36))), c.u * c.rng.uniform(*radius))
    clouds(c, lowest * 0.7)
    birds(c)


def hills(c: Canvas) -> None:
    """Ridges that fade into the distance, with firs on the nearest."""
    _above(c, 0.55)
    count, rough = c.rng.randint(5, 6), c.rng.choice((0.32, 0.4, 0.5))
    for layer in range(count):
        depth = layer / (count - 1)
        skyline = c.ridge(c.h * (0.46 + 0.4 * depth), c.h * (0.22 - 0.1 * depth), rough)
        colour = c.depth(depth)
        c.shape(skyline, colour, mix(colour, c.palette.sky[2], 0.42 * (1 - depth)))
        if layer >= count - 3:
            trees(c, skyline[1:-1], mix(colour, c.palette.near, 0.35), c.u * (2 + 7 * depth**2))


def city(c: Canvas) -> None:
    """A skyline with lights in its windows."""
    _above(c, 0.5, (12, 19), (c.focus - c.u * c.rng.uniform(-12, 20), c.h * c.rng.uniform(0.3, 0.42)))
    for depth in (0.0, 0.45, 1.0):
        c.haze(c.h * 0.7, c.h * 0.35, c.palette.sky[2], 0.3)
        x = -c.u * c.rng.uniform(0, 8)
        while x < c.w:
            width = c.u * c.rng.uniform(7, 15)
            tower(c, x, c.h * (c.rng.uniform(0.28, 0.6) + 0.14 * depth), width, depth)
            x += width + c.u * c.rng.choice((0, 0, 1.2, 4))


def sea(c: Canvas) -> None:
    """Open water that glitters below the light."""
    p, rng = c.palette, c.rng
    horizon, x = c.h * rng.uniform(0.52, 0.57), c.focus - c.w * rng.uniform(0.22, 0.34)
    _above(c, 0.52, (9, 13), (x, horizon - c.u * rng.uniform(4, 22)))
    c.shape(c.ridge(horizon, c.h * 0.09, 0.45), mix(p.far, p.sky[2], 0.25), mix(p.far, p.near, 0.4))
    c.strip(horizon, c.h, mix(p.sky[2], p.far, 0.55), mix(p.sky[0], p.near, 0.55))
    for _ in range(230):
        depth = rng.random() ** 1.6
        y, half = horizon + c.u * 0.7 + depth * (c.h - horizon), c.u * rng.uniform(1, 4 + 9 * depth)
        glint = ellipse(x + rng.gauss(0, 1) * c.u * (5 + 26 * depth), y, half, c.u * (0.1 + 0.32 * depth))
        c.shape(glint, p.sun, alpha=rng.uniform(0.15, 0.65))


def forest(c: Canvas) -> None:
    """Trees behind trees, with light and mist between them."""
    p = c.palette
    c.sky(mix(p.sky[0], p.far, 0.4), mix(p.sky[1], p.sky[2], 0.5), p.sky[2])
    _above(c, 0.4, (9, 13))
    leaves = (p.accent, p.second, mix(p.accent, p.sun, 0.3)) if c.rng.random() < 0.5 else ()
    for layer in range(5):
        depth = layer / 4
        skyline, colour = c.ridge(c.h * (0.56 + 0.34 * depth), c.h * 0.05, 0.35), c.depth(0.15 + 0.85 * depth)
        tinted = [mix(mix(leaf, p.sky[2], 0.5 * (1 - depth)), p.near, 0.45 * depth) for leaf in leaves]
        trees(c, skyline[1:-1], colour, c.u * (22 + 20 * depth), tinted)
        c.shape(skyline, colour, mix(colour, p.sky[2], 0.3 * (1 - depth)))
        if layer < 4:
            c.haze(c.h * (0.58 + 0.3 * depth), c.h * 0.2, p.sky[2], 0.5 - 0.3 * depth)
    for turn in (1.15, 1.45, 1.8):
        c.ray(c.focus - c.u * 12, c.h * 0.1, turn, 0.07, p.sun, 0.3)


def desert(c: Canvas) -> None:
    """Dunes with a lit and a shaded side, and cactuses."""
    p, rng = c.palette, c.rng
    _above(c, 0.5, (11, 17))
    sand = mix(p.accent, (236, 190, 120), 0.75)
    c.shape(c.ridge(c.h * 0.52, c.h * 0.1, 0.62), mix(p.far, p.sky[2], 0.4), p.sky[2])
    for layer in range(5):
        depth = layer / 4
        colour = mix(mix(sand, p.sky[2], 0.6 * (1 - depth)), p.near, 0.5 * depth**2 + (0.35 if p.night else 0.0))
        skyline = c.ridge(c.h * (0.55 + 0.3 * depth), c.h * 0.09, 0.2)
        c.shape(skyline, mix(colour, p.sun, 0.3), colour)
        fold = [(x, max(y, c.h * (0.57 + 0.3 * depth) + 0.3 * (x - c.focus) * (-1) ** layer)) for x, y in skyline]
        c.shape(fold, mix(colour, p.near, 0.28), colour, alpha=0.8)
    for x, foot, tall in ((0.12, 0.8, 20), (0.3, 0.69, 11), (0.92, 0.76, 15)):
        if rng.random() < 0.75:
            c.trace((c.w * x, c.h * foot, c.u * tall), CACTUS, mix(p.near, (20, 60, 40), 0.5))


def space(c: Canvas) -> None:
    """A ringed world, its moons, and the dust between the stars."""
    p, rng = c.palette, c.rng
    dark = mix(p.near, (4, 5, 16), 0.75)
    c.sky(dark, mix(dark, p.sky[0], 0.22), mix(dark, p.sky[1], 0.12))
    for _ in range(6):
        dust = mix(rng.choice((p.sky[1], p.accent, p.far)), dark, 0.3)
        c.glow(rng.uniform(0, c.w), c.h * rng.random(), c.u * rng.uniform(35, 70), dust, rng.uniform(0.15, 0.34))
    c.dots(mix(p.sun, WHITE, 0.5), 260, c.h, (0.1, 0.13, 0.16, 0.28))
    x, y, size = c.w * rng.uniform(0.28, 0.4), c.h * rng.uniform(0.3, 0.38), c.u * rng.uniform(16, 21)
    lean, flat = rng.uniform(-0.5, 0.5), rng.uniform(0.2, 0.34)
    c.glow(x, y, size * 2.3, p.sky[2], 0.5)
    ring(c, x, y, size, lean, flat, math.pi)
    globe(c, x, y, size, (p.sky[2], p.accent, p.far, p.sky[1]), lean)
    ring(c, x, y, size, lean, flat, 0)
    for _ in range(rng.randint(2, 3)):
        angle, away = rng.uniform(0, math.tau), size * rng.uniform(2.1, 2.8)
        moon = (x + away * math.cos(angle), y + away * 0.6 * math.sin(angle))
        globe(c, *moon, c.u * rng.uniform(2, 5), (p.sun, p.second), lean)


def garden(c: Canvas) -> None:
    """Flowers and grasses standing against the light."""
    p, rng = c.palette, c.rng
    _above(c, 0.3, (13, 18))
    for depth in (0.1, 0.5, 1.0):
        c.shape(c.ridge(c.h * (0.66 + 0.16 * depth), c.h * 0.06, 0.35), mix(p.far, p.near, depth), p.near)
        leaf = mix(mix(p.far, p.sky[2], 0.25), p.near, 0.25 + 0.6 * depth)
        stems = round((5 + 5 * depth) * c.w / min(c.w, c.h))
        for stem in range(stems):
            top = c.h * (rng.uniform(0.38, 0.64) + 0.06 * depth)
            flower(c, c.w * (stem + rng.uniform(0.1, 0.9)) / stems, top, c.u * (3 + 4.5 * depth), leaf)


def table(c: Canvas) -> None:
    """A table by a wall, on which a window throws its light."""
    p = c.palette
    wall, wood = mix(p.far, p.near, 0.35), mix(mix(p.accent, p.near, 0.55), (120, 76, 40), 0.5)
    c.sky(mix(wall, p.near, 0.55), wall, mix(wall, p.sky[2], 0.25))
    c.glow(c.focus, c.h * 0.36, c.u * 62, p.sun, 0.5)
    for column in range(2):
        for row in range(2):
            x, y = c.focus - c.u * 33 + c.u * 24 * column, c.h * 0.1 + c.u * (21 * row + 5 * column)
            pane = [(x, y), (x + c.u * 22, y + c.u * 5), (x + c.u * 22, y + c.u * 24), (x, y + c.u * 19)]
            c.shape(pane, p.sun, mix(p.sun, p.accent, 0.2), alpha=0.42)
    top = c.h * 0.62
    c.strip(top, c.h, mix(wood, p.sun, 0.35), mix(wood, p.near, 0.7))
    c.strip(top, top + c.u, mix(wood, p.sun, 0.6), mix(wood, p.sun, 0.5))
    c.shape(ellipse(c.focus, c.h * 0.7, c.u * 30, c.u * 4.5), mix(wood, p.near, 0.8), alpha=0.55)


def road(c: Canvas) -> None:
    """A road that passes by, with fields and trees behind it."""
    p, rng = c.palette, c.rng
    _above(c, 0.5)
    for depth in (0.0, 0.3, 0.6):
        skyline, colour = c.ridge(c.h * (0.5 + 0.22 * depth), c.h * (0.16 - 0.14 * depth), 0.4), c.depth(depth)
        c.shape(skyline, mix(colour, p.second, 0.25 * depth), mix(colour, p.sky[2], 0.4 * (1 - depth)))
        if depth:
            leaves = [mix(mix(leaf, p.near, 0.3), p.sky[2], 0.4 - depth / 2) for leaf in (p.accent, p.second, p.far)]
            trees(c, skyline[1:-1], c.depth(0.8), c.u * (5 + 22 * depth), leaves)
    asphalt, dash = mix(p.near, p.sky[1], 0.2), c.u * 9
    c.strip(c.h * 0.64, c.h, mix(c.depth(0.8), p.sky[2], 0.15), c.depth(0.8))
    c.strip(c.h * 0.665, c.h * 0.82, mix(p.sun, p.near, 0.25), mix(p.sun, p.near, 0.4))
    c.strip(c.h * 0.67, c.h * 0.815, mix(asphalt, p.sky[2], 0.15), asphalt)
    for step in range(math.ceil(c.w / dash / 2) + 1):
        c.draw.rectangle((dash * 2 * step, c.h * 0.735, dash * (2 * step + 1), c.h * 0.745), fill=p.sun)
    for _ in range(5):
        fir(c, c.w * rng.random(), c.h * 0.665, c.u * rng.uniform(8, 20), c.depth(0.95))


def lake(c: Canvas) -> None:
    """Mountains and firs, and all of it again in still water."""
    p = c.palette
    _above(c, 0.5)
    shore = c.h * c.rng.uniform(0.58, 0.63)
    for depth, rough in ((0.0, 0.6), (0.3, 0.5), (0.6, 0.4)):
        skyline = c.ridge(shore - c.h * (0.13 - 0.16 * depth), c.h * (0.24 - 0.25 * depth), rough)
        c.shape(skyline, c.depth(depth), mix(c.depth(depth), p.sky[2], 0.4 * (1 - depth)))
    trees(c, skyline[1:-1], c.depth(0.85), c.u * 9)
    c.mirror(shore, mix(p.far, p.near, 0.35))
    c.haze(shore, c.u * 3, p.sky[2], 0.5)


def deep(c: Canvas) -> None:
    """Under water: shafts of light, bubbles, weed and rocks."""
    p, rng = c.palette, c.rng
    water = mix(p.sky[1], (16, 130, 170), 0.75)
    c.sky(mix(water, p.sun, 0.5), water, mix(water, p.near, 0.75))
    for turn in (1.1, 1.35, 1.6, 1.9):
        c.ray(c.focus + c.u * rng.uniform(-20, 10), -c.u * 8, turn, rng.uniform(0.05, 0.1), WHITE, 0.4)
    for layer in range(3):
        depth = layer / 2
        colour = mix(mix(water, p.near, 0.45), mix(p.near, (0, 10, 20), 0.4), depth)
        c.shape(c.ridge(c.h * (0.68 + 0.14 * depth), c.h * 0.09, 0.55), colour)
        for _ in range(round(9 * c.w / c.h) + 3):
            x, tall, sway = rng.uniform(0, c.w), c.h * rng.uniform(0.1, 0.3), rng.uniform(0, math.tau)
            low, green = c.h * (0.78 + 0.14 * depth), mix(colour, (60, 170, 120), 0.25 + 0.1 * depth)
            weed = [(x + c.u * 1.6 * math.sin(sway + k / 3), low - tall * k / 16) for k in range(17)]
            c.draw.line(weed, fill=green, width=round(c.u * (0.6 + 0.6 * depth)), joint="curve")
    c.dots(mix(water, WHITE, 0.75), 60, c.h * 0.7, (0.25, 0.4, 0.7))


def portrait(c: Canvas) -> None:
    """Somebody's head and shoulders against a halo of light."""
    p, rng = c.palette, c.rng
    at = x, y, r = c.focus, c.h * 0.38, min(c.u * 15, c.h * 0.14)

    for size, share in ((3.1, 0.15), (2.5, 0.35), (1.9, 0.65)):
        c.disc(x, y, r * size, mix(p.sky[1], p.sun, share))
    hair, cloth = mix(p.near, p.accent, rng.choice((0.0, 0.15, 0.4))), mix(p.accent, p.second, rng.random())
    skin, long = mix(rng.choice((p.accent, p.far, p.near)), (214, 156, 120), 0.7), rng.choice((0.3, 1.1, 1.9))
    back = f"-.75 1.2, .75 1.2, 1.15 .3, 1.2 {-long}, .7 {-long - 0.2}, -.7 {-long - 0.2}, -1.2 {-long}, -1.15 .3"
    c.trace(at, back, hair)
    body = "-.5 -1.3, .5 -1.3, 1.5 -1.6, 2.15 -2.2, 2.4 -4.5, 2.4 -9, -2.4 -9, -2.4 -4.5, -2.15 -2.2, -1.5 -1.6"
    c.trace(at, body, mix(cloth, p.sun, 0.2), mix(cloth, p.near, 0.85))
    c.trace(at, "-.4 -.6, .4 -.6, .45 -1.3, 0 -1.75, -.45 -1.3", mix(skin, p.near, 0.45), skin)
    face = "0 1.05, .72 .5, .76 -.1, .55 -.8, 0 -1.2, -.55 -.8, -.76 -.1, -.72 .5"
    c.trace(at, face, mix(skin, p.sun, 0.3), skin)
    c.trace(at, "0 1.05!, .72 .5, .76 -.1, .55 -.8, 0 -1.2!, .14 -.3", mix(skin, p.near, 0.6), alpha=0.35)
    fringe = "-.9 -.1!, -1 .7, 0 1.36, 1 .7, .9 -.2!, .7 .35, .25 .72, -.45 .5"
    c.trace(at, fringe, hair, mix(hair, p.accent, 0.1))


SCENES: dict[str, Callable[[Canvas], None]] = {
    "hills": hills, "city": city, "sea": sea, "forest": forest, "desert": desert, "space": space, "garden": garden,
    "table": table, "road": road, "lake": lake, "deep": deep, "portrait": portrait,
}  # fmt: skip
WIDE = ("hills", "sea", "lake", "desert", "forest", "road")
"""Places for a prompt that names none."""
