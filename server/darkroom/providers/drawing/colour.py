"""The sketch's colours: palettes that were chosen by eye, mixing, and contrast as WCAG counts it."""

from dataclasses import dataclass

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255 each."""


@dataclass(frozen=True)
class Palette:
    """Six roles that every composition can be painted with."""

    sky: tuple[Colour, Colour, Colour]
    """From the zenith to the horizon."""
    sun: Colour
    far: Colour
    near: Colour
    accent: Colour
    second: Colour
    night: bool = False
    """Whether stars would be out."""


def rgb(text: str) -> Colour:
    """The colour of six hexadecimal digits."""
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`first` at share 0, `second` at 1; mixed as light is, so that the middle does not go muddy."""
    share = min(1.0, max(0.0, share))
    blended = (round((a**1.7 * (1 - share) + b**1.7 * share) ** (1 / 1.7)) for a, b in zip(first, second, strict=True))
    red, green, blue = blended
    return red, green, blue


def luminance(colour: Colour) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""

    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(channel) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: Colour, second: Colour) -> float:
    """Contrast ratio, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _palette(colours: str, *, night: bool = False) -> Palette:
    zenith, middle, horizon, sun, far, near, accent, second = (rgb(colour) for colour in colours.split())
    return Palette((zenith, middle, horizon), sun, far, near, accent, second, night)


#                zenith middle horizon sun   far    near   accent second
PALETTES = (
    _palette("2b2d5b c0687c ffd6a0 fff1cf b9788c 1f1d3d ff8a5b 5fb7b0"),  # dawn
    _palette("1b6f8a 63b9b5 f6e9c4 fff7dd 8fc1b0 12343b f2694b f4b942"),  # lagoon
    _palette("070b24 1d2a63 6a58a8 f6f0d8 4a4d92 060818 ffcf6b e8739b", night=True),  # midnight
    _palette("3a0f2b a8323e ffb35c ffe9b0 b9504a 240a1c ffd166 3f8f8b"),  # ember
    _palette("a9dccb d9f0dc fff3d6 ffb38a a3cfb8 1f5a4e f2785c f5c453"),  # spring
    _palette("5e50a4 c08fd2 ffdfe3 fff4e3 b394cc 2a1f50 ff7fa1 ffc46b"),  # lavender
    _palette("0c2b4a 2f7fb0 dff3f6 fffdf4 9cc9de 0b2239 ff9e6d ffd98a"),  # arctic
    _palette("e4ad66 f1d095 fbeed0 d8503a d99e5f 54271b 2a7f78 c8452f"),  # desert
    _palette("04121f 0b3a47 2b8c78 e9fff0 19606a 030c14 7df5b0 b18cff", night=True),  # aurora
    _palette("16213e 55407a e9a9a1 ffe8d6 8d6a9e 111a33 f6c177 7fc8c2"),  # rose
    _palette("ffd166 ffb45c ff8660 fff6d5 f2714f 5f1a3c 1f9e94 b83b5e"),  # citrus
    _palette("e6dfce ded2ba f3e6cd c8452f b3b5a6 20262e c8452f 3b6b7a"),  # woodcut
)
