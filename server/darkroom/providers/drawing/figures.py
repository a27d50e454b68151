"""Figures of a sketch, in front of its place, and the weather in front of both."""

import math

from PIL import Image, ImageDraw, ImageFilter

from darkroom.providers.drawing.canvas import Canvas, Spot, scaled, toned
from darkroom.providers.drawing.colour import Colour, mix
from darkroom.providers.drawing.typesetting import SYMBOLS, font
from darkroom.providers.drawing.words import Idea

# Feet are at height 0: a fox from the nose on, seen from the side, and a cat from its left ear on, seen from behind.
_FOX = (
    "-.62 .7!, -.44 .84, -.41 1!, -.32 .9, -.25 .99!, -.22 .84, -.15 .66, -.02 .47, .07 .24, .2 .1, .36 .2, .42 .42, "
    ".37 .6!, .54 .46, .6 .24, .47 .04, .2 0, -.1 0, -.32 0!, -.33 .05, -.36 0!, -.49 0!, -.48 .05, -.42 .09, -.41 .3, "
    "-.43 .48, -.4 .6, -.48 .65"
)
_TAIL = ".37 .6!, .41 .5, .45 .42!, .5 .44, .54 .46"
_CHEST = "-.41 .6!, -.48 .65, -.62 .7!, -.5 .72, -.36 .66, -.34 .5, -.41 .38"
_CAT = (
    "-.17 1!, -.07 .9, .07 .9, .17 1!, .19 .8, .13 .68, .2 .52, .27 .3, .27 .1, .42 .06, .54 .16, .56 .34, .5 .46, "
    ".56 .49, .64 .34, .61 .12, .44 -.02, .2 0, 0 0, -.22 0, -.28 .12, -.26 .32, -.2 .52, -.13 .68, -.19 .8"
)
_FEET = {"flies": 0.46, "swims": 0.56, "sails": 0.64, "lies": 0.71, "stands": 0.71}  # a share of the canvas' height
_NATIVE = {"table": ("🍎", "lies"), "deep": ("🐟", "swims"), "sea": ("boat", "sails")}  # where a prompt names nobody
_SIZES = {"flies": 27, "swims": 30, "sails": 26, "lies": 30, "stands": 36}  # in u


def show(c: Canvas, idea: Idea, place: str) -> None:
    """Puts an idea's figure where it belongs in a place, and lets its weather fall."""
    drawn = {"lighthouse": _lighthouse, "house": _house, "fox": _fox, "cat": _cat, "boat": _boat, "balloon": _balloon}
    figure, manner = (idea.figure, idea.manner) if idea.figure else _NATIVE.get(place, ("", ""))
    manner = {"space": "flies", "deep": "swims"}.get(place, manner)
    if figure:
        if manner in {"lies", "stands"} and place not in {"table", "road"}:
            _ground(c, snowy=idea.weather == "snow")
        spot = (c.focus, c.h * _FEET[manner], c.u * _SIZES[manner] * (1.2 if c.h > c.w else 1))
        if figure in drawn:
            drawn[figure](c, spot)
        else:
            _symbol(c, spot, figure, coloured=manner in {"lies", "swims"} or place in {"table", "space"})
    if place not in {"table", "space", "deep"}:
        _weather(c, idea.weather)


def _ground(c: Canvas, *, snowy: bool) -> None:
    """A mound with grass or snow on it."""
    soil = mix(c.palette.near, (235, 242, 250) if snowy else (0, 0, 0), 0.75 if snowy else 0.2)
    across = [c.w * step / 160 for step in range(161)]
    edge = [(x, c.h * (0.86 - 0.16 * math.exp(-(((x - c.focus) / (c.u * 42)) ** 2)))) for x in across]
    c.shape([(-2, c.h + 2), *edge, (c.w + 2, c.h + 2)], mix(soil, c.palette.far, 0.16), soil)
    for _ in range(round(150 * c.w / c.h)):
        x, low = c.rng.choice(edge)
        tip = (x + c.u * c.rng.uniform(-0.7, 0.7), low - c.u * c.rng.uniform(0.8, 2.4))
        c.shape([(x - c.u * 0.2, low + c.u), tip, (x + c.u * 0.2, low + c.u)], mix(soil, c.palette.far, 0.14))


def _symbol(c: Canvas, spot: Spot, char: str, *, coloured: bool) -> None:
    """A character of the symbol font as a solid figure: what its outline encloses is filled."""
    x, foot, size = spot
    left, upper, right, lower = font(SYMBOLS, 100).getbbox(char, anchor="ls")
    scale, pad = min(size / (lower - upper), 1.25 * size / (right - left)), 8
    outline = Image.new("L", (round((right - left) * scale) + 2 * pad, round((lower - upper) * scale) + 2 * pad))
    face, place = font(SYMBOLS, round(100 * scale)), (pad - left * scale, pad - upper * scale)
    ImageDraw.Draw(outline).text(place, char, fill=255, font=face, anchor="ls")
    small = scaled(outline, 160, round(160 * outline.height / outline.width))
    small = toned(small, [0] * 70 + [255] * 186)
    ImageDraw.floodfill(small, (0, 0), 128)  # all that is outside
    body = toned(small, [255] * 128 + [0] + [255] * 127).filter(ImageFilter.MinFilter(3))
    filled, p = scaled(body, *outline.size), c.palette
    dark, light = mix(p.near, (0, 0, 0), 0.25), mix(p.sun, p.accent, 0.3)
    inner = mix(p.accent, p.sun, 0.15) if coloured else mix(dark, p.accent, 0.2)
    for mask, colour, shift in ((outline, light, 0.25), (filled, light, 0.25), (filled, inner, 0), (outline, dark, 0)):
        at = (x - outline.width / 2 - c.u * shift, foot + pad - outline.height - c.u * shift)
        c.image.paste(colour, (round(at[0]), round(at[1])), mask)


def _lit(c: Canvas, spot: Spot, text: str, body: Colour) -> None:
    """A figure with an edge of light."""
    x, foot, size = spot
    for shift, colour in ((c.u * 0.4, mix(c.palette.sun, body, 0.2)), (0.0, body)):
        c.trace((x - shift, foot - shift / 2, size), text, colour, mix(colour, c.palette.near, 0.5))


def _fox(c: Canvas, spot: Spot) -> None:
    body = mix(mix(c.palette.near, (214, 96, 30), 0.78), c.palette.accent, 0.15)
    _lit(c, spot, _FOX, body)
    for pale in (_TAIL, _CHEST):
        c.trace(spot, pale, mix(c.palette.sun, body, 0.15))
    c.trace(spot, "-.63 .705, -.615 .72, -.6 .705, -.615 .69", c.palette.near)


def _cat(c: Canvas, spot: Spot) -> None:
    _lit(c, spot, _CAT, mix(c.palette.near, c.palette.accent, 0.12))


def _boat(c: Canvas, spot: Spot) -> None:
    p = c.palette
    dark = mix(p.near, (0, 0, 0), 0.15)
    c.trace(spot, "-.55 -.06, 0 -.03, .6 -.06, 0 -.1", dark, alpha=0.4)
    c.trace(spot, ".02 1!, .02 .16!, .48 .16!, .3 .5", p.accent, mix(p.accent, p.near, 0.2))
    c.trace(spot, "-.03 .9!, -.03 .16!, -.36 .16!, -.2 .5", mix(p.sun, p.accent, 0.12))
    c.trace(spot, "-.5 .12!, .56 .12!, .4 -.06!, -.36 -.06!", dark)
    c.trace(spot, "-.015 1.04!, .01 1.04!, .01 .1!, -.015 .1!", dark)


def _balloon(c: Canvas, spot: Spot) -> None:
    p, dark = c.palette, mix(c.palette.near, c.palette.accent, 0.2)
    for dx, up, scale in ((0, 0.26, 0.42), (-1.5, 0.5, 0.19), (-0.9, 0.05, 0.13)):
        one = (spot[0] + spot[2] * dx, spot[1] - spot[2] * up, spot[2] * scale)
        c.trace(
            one, "-.25 -1.2!, -.15 -1.5!, .15 -1.5!, .25 -1.2!, .2 -1.2!, .12 -1.45!, -.12 -1.45!, -.2 -1.2!", p.near
        )
        c.trace(one, "-.16 -1.45!, -.16 -1.7!, .16 -1.7!, .16 -1.45!", dark)
        for wide, colour in ((1.0, p.accent), (0.72, p.sun), (0.4, p.accent), (0.12, p.sun)):
            xs = [round(wide * across, 3) for across in (0.71, 1, 0.72, 0.25)]
            envelope = "0 1, {0} .71, {1} 0, {2} -.7, {3} -1.25!, -{3} -1.25!, -{2} -.7, -{1} 0, -{0} .71".format(*xs)
            c.trace(one, envelope, mix(colour, p.sun, 0.25), mix(colour, p.near, 0.35))


def _house(c: Canvas, spot: Spot) -> None:
    p, (x, foot, size) = c.palette, spot
    wall, roof, lit = mix(p.sky[2], p.near, 0.25), mix(p.accent, p.near, 0.35), mix(p.sun, (255, 190, 90), 0.5)
    for puff in range(5):
        c.glow(
            x + size * (0.29 + 0.07 * puff),
            foot - size * (0.9 + 0.1 * puff),
            size * (0.08 + 0.04 * puff),
            p.sky[2],
            0.5,
        )
    c.trace(spot, ".22 .4!, .22 .82!, .34 .82!, .34 .4!", mix(roof, p.near, 0.4))
    c.trace(spot, "-.48 0!, -.48 .4!, .48 .4!, .48 0!", wall, mix(wall, p.near, 0.35))
    c.trace(spot, "-.58 .37!, -.32 .74!, .32 .74!, .58 .37!", roof, mix(roof, p.near, 0.4))
    c.trace(spot, "-.08 0!, -.08 .27!, .08 .27!, .08 0!", mix(roof, p.near, 0.55))
    for left in (-0.37, 0.19):
        c.glow(x + size * (left + 0.09), foot - size * 0.22, size * 0.32, lit, 0.6)
        for pane, low in ((left, 0.13), (left + 0.1, 0.13), (left, 0.23), (left + 0.1, 0.23)):
            right, high = pane + 0.08, low + 0.08
            c.trace(spot, f"{pane} {low}!, {pane} {high}!, {right} {high}!, {right} {low}!", lit)


def _lighthouse(c: Canvas, spot: Spot) -> None:
    p, (x, foot, size) = c.palette, (spot[0], spot[1], spot[2] * 1.3)
    white, red = mix(p.sun, (255, 255, 255), 0.5), mix(p.accent, (200, 40, 40), 0.85)
    lit, dark = mix(p.sun, (255, 226, 150), 0.6), mix(p.near, (0, 0, 0), 0.2)
    for angle in (math.pi + 0.12, -0.16):
        c.ray(x, foot - size * 0.885, angle, 0.1, lit, 0.85 if p.night else 0.6)
    for text, colour, alpha in (
        ("-.155 0!, -.08 .825!, .08 .825!, .155 0!", white, 1.0),
        ("-.14 .165!, -.125 .33!, .125 .33!, .14 .165!", red, 1.0),
        ("-.11 .495!, -.095 .66!, .095 .66!, .11 .495!", red, 1.0),
        (".02 0!, .01 .825!, .08 .825!, .155 0!", p.near, 0.4),
        ("-.125 .815!, -.125 .84!, .125 .84!, .125 .815!", dark, 1.0),
        ("-.125 .865!, -.125 .873!, .125 .873!, .125 .865!", dark, 1.0),
        ("-.06 .84!, -.06 .93!, .06 .93!, .06 .84!", lit, 1.0),
        ("-.085 .93!, -.08 .945, -.05 .985, 0 1.02, .05 .985, .08 .945, .085 .93!", red, 1.0),
        ("-.04 .28, -.02 .31, 0 .28, -.02 .25", dark, 1.0),
        ("-.04 .56, -.02 .59, 0 .56, -.02 .53", dark, 1.0),
        ("-.06 0!, -.06 .08, -.02 .115, .02 .08, .02 0!", dark, 1.0),
    ):
        c.trace((x, foot, size), text, colour, alpha=alpha)
    c.glow(x, foot - size * 0.885, size * 0.42, lit, 0.95)


def _weather(c: Canvas, weather: str) -> None:
    if weather == "fog":
        for share in (0.45, 0.62, 0.8):
            c.haze(c.h * share, c.h * 0.22, c.palette.sky[2], 0.55)
    elif weather == "snow":
        c.dots((255, 255, 255), 420, c.h, (0.15, 0.2, 0.3, 0.45, 0.6))
    elif weather == "rain":
        light = mix(c.palette.sky[2], (255, 255, 255), 0.5)
        for _ in range(round(330 * c.w / c.h)):
            x, y, long = c.rng.uniform(0, c.w * 1.2), c.rng.uniform(-0.1, 1) * c.h, c.u * c.rng.uniform(3, 8)
            ends, wide = (x, y, x - long * 0.28, y + long), max(1, round(c.u * 0.16))
            c.draw.line(ends, fill=(*light, c.rng.randint(40, 130)), width=wide)
