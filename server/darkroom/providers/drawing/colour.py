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
    """True where stars would be out."""


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`first` at share 0, `second` at 1; mixed as light is, so that the middle does not go muddy."""
    share = min(1.0, max(0.0, share))
    blended = (round((a**1.7 * (1 - share) + b**1.7 * share) ** (1 / 1.7)) for a, b in zip(first, second, strict=True))
    red, green, blue = blended
    return red, green, blue


def contrast(first: Colour, second: Colour) -> float:
    """Contrast ratio, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted(0.2126 * _linear(r) + 0.7152 * _linear(g) + 0.0722 * _linear(b) for r, g, b in (first, second))
    return (light + 0.05) / (dark + 0.05)


def _linear(channel: int) -> float:
    share = channel / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


_TABLE = """
light  zenith middle horizon sun  far    near   accent second
day    1b6f8a 63b9b5 f6e9c4 fff7dd 8fc1b0 12343b f2694b f4b942
day    0c2b4a 2f7fb0 dff3f6 fffdf4 9cc9de 0b2239 ff9e6d ffd98a
day    2f74c0 86bce8 e9f4ee fffbe8 7fb0a8 153a3f e8574e f6c453
day    3b6ea5 9fc3d9 fbe9cf fffaf0 a8b98f 26402f d9603f e8b64c
sunset 2b2d5b c0687c ffd6a0 fff1cf b9788c 1f1d3d ff8a5b 5fb7b0
sunset 3a0f2b a8323e ffb35c ffe9b0 b9504a 240a1c ffd166 3f8f8b
sunset ffd166 ffb45c ff8660 fff6d5 f2714f 5f1a3c 1f9e94 b83b5e
sunset 16213e 55407a e9a9a1 ffe8d6 8d6a9e 111a33 f6c177 7fc8c2
night  070b24 1d2a63 6a58a8 f6f0d8 4a4d92 060818 ffcf6b e8739b
night  04121f 0b3a47 2b8c78 e9fff0 19606a 030c14 7df5b0 b18cff
night  0a1030 20407a 7f9cc9 fdf6e3 3e6296 060b1e ffb86b 7fd6e0
night  150a2b 43235f a85d86 ffe9d6 6d3f78 0d0619 ffb057 6fb8d9
spring a9dccb d9f0dc fff3d6 ffb38a a3cfb8 1f5a4e f2785c f5c453
spring 5e50a4 c08fd2 ffdfe3 fff4e3 b394cc 2a1f50 ff7fa1 ffc46b
spring 8cc7e8 cfe8e6 fdf3dc fff9e3 a9d3a0 2c5a3f f28fb1 fbd15b
autumn e4ad66 f1d095 fbeed0 d8503a d99e5f 54271b b8472f e2a33b
autumn 8a5a44 d99a5b fbe0ac fff3d0 c77b3f 3a1d16 d9532c f0b03f
autumn 6f7f86 c9b79a f7e2b8 fff1cf b9803f 33241c c8452f e8a03a
winter 7f9fc4 bcd1e4 f6efec fffaf0 a9c0d6 2d4664 e0705a f2c879
winter 4a6a99 a6b9d6 fbdcd3 fff1e3 9db0d0 25375c ff8f73 ffcf8f
winter 8fb3bf cfe0e2 faf6ee fffdf6 b3cad0 2b4d59 d9584f eab765
storm  222c3a 4d5f70 a9b5b3 e8ebe0 5d7078 131b24 e8b45a 6fa3a8
storm  1f2b33 44626a 9fb9a9 eef2dc 557a78 0f1a1f f0a05a 9ac0a5
storm  2a2638 5b5672 b5a4ad f4e6dc 6e6680 17131f f2b06a 8fa6c8
"""


def _palettes() -> dict[str, list[Palette]]:
    lights: dict[str, list[Palette]] = {}
    for light, *digits in map(str.split, _TABLE.splitlines()[2:]):
        zenith, middle, horizon, *others = ((int(six[:2], 16), int(six[2:4], 16), int(six[4:], 16)) for six in digits)
        lights.setdefault(light, []).append(Palette((zenith, middle, horizon), *others, night=light == "night"))
    return lights


LIGHTS = _palettes()
"""The kinds of light, with the palettes of each."""
