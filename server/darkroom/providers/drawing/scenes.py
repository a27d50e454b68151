"""The compositions a sketch may have, each painted from what its canvas' random numbers choose."""

import math
from collections.abc import Callable

from darkroom.providers.drawing.canvas import Canvas, Point
from darkroom.providers.drawing.colour import mix
from darkroom.providers.drawing.motifs import (
    arch,
    balloon,
    birds,
    boat,
    firs,
    flower,
    globe,
    lozenge,
    ring,
    tile,
    tower,
)

Scene = Callable[[Canvas], None]


def hills(c: Canvas) -> None:
    """Ridges fading into the distance under a sun, with firs on the nearest."""
    p = c.palette
    if p.night:
        c.stars(c.h * 0.55)
    c.sun(c.w * c.rng.choice((0.3, 0.36, 0.64, 0.7)), c.h * c.rng.uniform(0.26, 0.4), c.u * c.rng.uniform(7, 12))
    birds(c)
    count, rough = c.rng.randint(5, 6), c.rng.choice((0.32, 0.4, 0.48))
    for layer in range(count):
        depth = layer / (count - 1)
        skyline = c.ridge(c.h * (0.48 + 0.4 * depth), c.h * (0.2 - 0.08 * depth), rough)
        colour = mix(mix(p.sky[2], p.far, 0.55), p.near, depth**1.2)
        c.shape(skyline, colour, mix(colour, p.sky[2], 0.42 * (1 - depth)))
        if layer >= count - 3:
            firs(c, skyline[1:-1], mix(colour, p.near, 0.35), c.u * (2 + 6 * depth**2))


def city(c: Canvas) -> None:
    """A skyline at dusk, with lights in its windows."""
    p = c.palette
    if p.night:
        c.stars(c.h * 0.5)
    c.sun(c.w * c.rng.uniform(0.25, 0.75), c.h * c.rng.uniform(0.32, 0.46), c.u * c.rng.uniform(12, 20))
    for _ in range(3):
        c.cloud(c.rng.uniform(0, c.w), c.h * c.rng.uniform(0.12, 0.35), c.u * c.rng.uniform(25, 45), p.sky[2], 0.35)
    for depth in (0.0, 0.45, 1.0):
        x = -c.u * c.rng.uniform(0, 8)
        colour = mix(mix(p.far, p.sky[2], 0.3), p.near, depth)
        while x < c.w:
            width = c.u * c.rng.uniform(7, 15)
            top = c.h * (c.rng.uniform(0.3, 0.62) + 0.12 * depth)
            tower(c, x, top, width, colour, depth)
            x += width + c.u * c.rng.choice((0, 0, 1.2, 4))


def sea(c: Canvas) -> None:
    """A low sun over open water, and somebody out sailing."""
    p, rng = c.palette, c.rng
    horizon, x = c.h * rng.uniform(0.5, 0.57), c.w * rng.choice((0.33, 0.5, 0.66))
    if p.night:
        c.stars(horizon)
    c.sun(x, horizon - c.u * rng.uniform(2, 16), c.u * rng.uniform(10, 15))
    for _ in range(rng.randint(3, 5)):
        c.cloud(rng.uniform(0, c.w), c.h * rng.uniform(0.1, 0.38), c.u * rng.uniform(20, 45), p.sky[2], 0.55)
    island = c.ridge(horizon, c.h * 0.09, 0.45)
    c.shape(island, mix(p.far, p.sky[2], 0.25), mix(p.far, p.near, 0.4))
    edges = [(-2.0, horizon), (c.w + 2.0, horizon), (c.w + 2.0, c.h + 2.0), (-2.0, c.h + 2.0)]
    c.shape(edges, mix(p.sky[2], p.far, 0.55), mix(p.sky[0], p.near, 0.55))
    for _ in range(230):
        depth = rng.random() ** 1.6
        y = horizon + c.u * 0.7 + depth * (c.h - horizon)
        half = c.u * rng.uniform(1, 4 + 9 * depth)
        middle = x + rng.gauss(0, 1) * c.u * (5 + 26 * depth)
        c.shape(lozenge(middle, y, half, c.u * (0.16 + 0.5 * depth)), p.sun, alpha=rng.uniform(0.2, 0.75))
    side = -1 if x > c.w / 2 else 1
    boat(c, x + side * c.w * rng.uniform(0.14, 0.26), horizon + c.h * rng.uniform(0.05, 0.09), c.u * 13)
    birds(c)


def ribbons(c: Canvas) -> None:
    """Sheets of cut paper that float above each other in waves."""
    p, rng = c.palette, c.rng
    colours = (p.sky[0], p.second, p.sky[1], p.accent, p.sun, p.far, p.sky[2])
    start, count, tilt = rng.randrange(len(colours)), rng.randint(7, 9), rng.uniform(-0.28, 0.28)
    c.sky(mix(p.sun, p.sky[2], 0.3), p.sky[2])
    for layer in range(count):
        base = c.h * (0.1 + 0.78 * layer / (count - 1))
        swing, turns, phase = c.h * rng.uniform(0.05, 0.11), rng.uniform(0.5, 0.95), rng.uniform(0, math.tau)
        edge: list[Point] = [(-2.0, c.h + 2.0)]
        for step in range(161):
            at = step / 160
            wave = math.sin(math.tau * turns * at + phase) + 0.28 * math.sin(math.tau * turns * 2.3 * at + 2 * phase)
            edge.append((at * c.w, base + tilt * c.h * (at - 0.5) + swing * wave))
        edge.append((c.w + 2.0, c.h + 2.0))
        colour = mix(colours[(start + layer) % len(colours)], p.near, 0.5 * (layer / count) ** 2)
        c.shadow(edge, drop=-c.u * 1.3, blur=c.u * 2.2, alpha=0.5, until=max(y for _, y in edge[1:-1]))
        c.shape(edge, mix(colour, p.sun, 0.16), mix(colour, p.near, 0.3))


def planets(c: Canvas) -> None:
    """A ringed world, its moons, and the dust between the stars."""
    p, rng = c.palette, c.rng
    dark = mix(p.near, (4, 5, 16), 0.75)
    c.sky(dark, mix(dark, p.sky[0], 0.22), mix(dark, p.sky[1], 0.12))
    for _ in range(6):
        colour = rng.choice((p.sky[1], p.accent, p.second, p.far))
        c.glow(
            rng.uniform(0, c.w),
            rng.uniform(0, c.h * 0.8),
            c.u * rng.uniform(35, 70),
            mix(colour, dark, 0.3),
            rng.uniform(0.15, 0.34),
        )
    c.stars(c.h * 1.0)
    x, y, size = c.w * rng.choice((0.34, 0.62, 0.68)), c.h * rng.uniform(0.34, 0.42), c.u * rng.uniform(19, 24)
    lean, flat = rng.uniform(-0.5, 0.5), rng.uniform(0.2, 0.34)
    c.glow(x, y, size * 2.3, p.sky[2], 0.5)
    ring(c, x, y, size, lean, flat, (math.pi, math.tau))
    globe(c, x, y, size, (p.sky[2], p.accent, p.far, p.sky[1]), lean)
    ring(c, x, y, size, lean, flat, (0, math.pi))
    for _ in range(rng.randint(2, 3)):
        angle, away = rng.uniform(0, math.tau), size * rng.uniform(1.9, 2.6)
        moon = c.u * rng.uniform(2, 5)
        globe(c, x + away * math.cos(angle), y + away * 0.6 * math.sin(angle), moon, (p.sun, p.second), lean)


def tiles(c: Canvas) -> None:
    """A quilt of quarter circles, leaves and dots."""
    p, rng = c.palette, c.rng
    paper = mix(p.sun, (255, 255, 255), 0.2) if not p.night else p.near
    inks = [ink for ink in (p.sky[0], p.accent, p.second, p.far, p.near, p.sky[1]) if ink != paper]
    across = max(3, round(c.w / c.u / rng.choice((16.7, 20, 25))))
    side = c.w / across
    for row in range(math.ceil(c.h / side)):
        for column in range(across):
            ground, ink, dot = rng.sample([paper, *inks], 3)
            tile(c, column * side, row * side, side, (ground, ink, dot))


def garden(c: Canvas) -> None:
    """Flowers and grasses standing against the light."""
    p, rng = c.palette, c.rng
    c.sun(c.w * rng.uniform(0.3, 0.7), c.h * rng.uniform(0.26, 0.36), c.u * rng.uniform(15, 22))
    for depth in (0.1, 0.5, 1.0):
        c.shape(c.ridge(c.h * (0.68 + 0.16 * depth), c.h * 0.06, 0.35), mix(p.far, p.near, depth), p.near)
        leaf = mix(mix(p.far, p.sky[2], 0.25), p.near, 0.25 + 0.6 * depth)
        stems = round((5 + 5 * depth) * c.w / min(c.w, c.h))
        for stem in range(stems):
            foot = c.w * (stem + rng.uniform(0.1, 0.9)) / stems
            flower(c, foot, c.h * rng.uniform(0.34, 0.62) + c.h * 0.06 * depth, c.u * (3 + 4.5 * depth), leaf)


def arches(c: Canvas) -> None:
    """Rainbow arches that overlap like paper, with a sun between them."""
    p, rng = c.palette, c.rng
    c.sky(mix(p.sun, p.sky[2], 0.45), mix(p.sky[2], p.sky[1], 0.3), mix(p.sky[2], p.far, 0.5))
    c.disc(c.w * rng.uniform(0.35, 0.65), c.h * rng.uniform(0.18, 0.3), c.u * rng.uniform(9, 14), p.accent)
    colours = (p.near, p.accent, p.sky[0], p.second, p.far, p.sky[1])
    spots = sorted((rng.uniform(0.45, 0.8), (place + rng.uniform(0.2, 0.8)) / 5) for place in range(5))
    for height, x in spots:
        size = c.u * rng.uniform(24, 42)
        bands, start = rng.randint(4, 5), rng.randrange(len(colours))
        c.shadow(arch(c, x * c.w, c.h * height, size), drop=c.u * 0.4, blur=c.u * 2, alpha=0.45, until=c.h)
        for band in range(bands):
            outline = arch(c, x * c.w, c.h * height, size * (1 - band / (bands + 0.6)))
            colour = colours[(start + band) % len(colours)]
            c.shape(outline, colour, mix(colour, p.near, 0.3))


def balloons(c: Canvas) -> None:
    """Hot-air balloons drifting over rolling country."""
    p, rng = c.palette, c.rng
    if p.night:
        c.stars(c.h * 0.6)
    c.sun(c.w * rng.uniform(0.2, 0.8), c.h * rng.uniform(0.4, 0.5), c.u * rng.uniform(6, 9))
    for _ in range(4):
        c.cloud(rng.uniform(0, c.w), c.h * rng.uniform(0.15, 0.5), c.u * rng.uniform(22, 48), p.sky[2], 0.5)
    for layer in range(4):
        depth = layer / 3
        colour = mix(mix(p.far, p.sky[2], 0.35), p.near, depth)
        c.shape(c.ridge(c.h * (0.6 + 0.2 * depth), c.h * 0.07, 0.33), colour, mix(colour, p.sky[2], 0.3 * (1 - depth)))
    count = max(3, round(3.4 * c.w / c.h))
    order = rng.sample(range(count), count)
    for rank, place in enumerate(order):
        size = c.u * (4 + 10.5 * (rank + 1) / count) * rng.uniform(0.9, 1.1)
        x = c.w * (place + rng.uniform(0.35, 0.65)) / count
        balloon(c, x, c.h * rng.uniform(0.2, 0.42), size)


def aurora(c: Canvas) -> None:
    """Curtains of light over a lake with firs on its shore."""
    p, rng = c.palette, c.rng
    night = (3, 6, 20)
    dark = mix(p.near, night, 0.78)
    c.sky(mix(dark, night, 0.7), dark, mix(dark, p.accent, 0.3))
    c.stars(c.h * 0.6)
    for colour in (p.second, p.accent):
        foot, turns, phase = c.h * rng.uniform(0.36, 0.5), rng.uniform(0.5, 0.9), rng.uniform(0, math.tau)
        for step in range(110):
            at = step / 109
            bend = math.sin(math.tau * turns * at + phase) + 0.35 * math.sin(math.tau * 2.7 * turns * at - phase)
            strength = 0.03 + 0.4 * (0.5 + 0.5 * math.sin(math.tau * turns * 1.4 * at + phase * 3)) ** 2
            low, tall = foot + c.h * 0.08 * bend, c.h * (0.3 + 0.1 * math.sin(9 * at + phase))
            c.beam(at * c.w, low, tall, c.w / 60, colour, strength * rng.uniform(0.75, 1.0))
    shore = c.h * rng.uniform(0.62, 0.66)
    c.shape(c.ridge(shore - c.h * 0.04, c.h * 0.1, 0.5), mix(dark, p.far, 0.11), dark)
    skyline = c.ridge(shore, c.h * 0.03, 0.4)
    c.shape(skyline, mix(dark, night, 0.4))
    firs(c, skyline[1:-1], mix(dark, night, 0.5), c.u * 8)
    c.mirror(shore + c.h * 0.03, mix(dark, p.accent, 0.12))


SCENES: tuple[Scene, ...] = (hills, city, sea, ribbons, planets, tiles, garden, arches, balloons, aurora)
