"""Small pictures as what a terminal is sent to show them."""

import base64
import io
from typing import TYPE_CHECKING

from darkroom.cli.pictures.asking import Abilities, Protocol
from darkroom.cli.pictures.sixel import sixels

if TYPE_CHECKING:
    import PIL.Image
    from rich.text import Text

_CHUNK = 4096
"""Characters that kitty takes at once."""


def fitted(jpeg: bytes, box: tuple[int, int], can: Abilities) -> "PIL.Image.Image":
    """The picture in pixels for a box of so many columns and rows; blocks have two pixels a character.

    `jpeg`: one of our own making. Blocking: for a worker thread.
    """
    import PIL.Image  # noqa: PLC0415 - heavy, and needed only where pictures are shown

    width, height = (1, 2) if can.protocol is Protocol.BLOCKS else can.cell
    with PIL.Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as opened:
        picture = opened.convert("RGB")
    most = box[0] * width, box[1] * height
    scale = min(most[0] / picture.width, most[1] / picture.height)
    if can.protocol is not Protocol.BLOCKS:
        scale = min(scale, 1.0)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size)  # pyright: ignore[reportUnknownMemberType]


def codes(picture: "PIL.Image.Image", can: Abilities) -> str:
    """The escape codes that show it, with the cursor in the next line behind them; not for `BLOCKS`."""
    columns = max(1, round(picture.width / can.cell[0]))
    match can.protocol:
        case Protocol.KITTY:
            return f"{_kitty(picture, columns)}\n"
        case Protocol.ITERM2:
            file = _file(picture)
            named = f"inline=1;size={len(file)};width={columns};preserveAspectRatio=1"
            return f"\x1b]1337;File={named}:{base64.b64encode(file).decode()}\x07\n"
        case _:
            return f"{sixels(picture)}\n"


def _kitty(picture: "PIL.Image.Image", columns: int) -> str:
    content = base64.b64encode(_file(picture)).decode()
    parts = [content[at : at + _CHUNK] for at in range(0, len(content), _CHUNK)]
    # q=2: it does not reply, which would look as if somebody had typed it.
    first = f"a=T,f=100,q=2,c={columns},"
    return "".join(
        f"\x1b_G{first if number == 0 else ''}m={int(number + 1 < len(parts))};{part}\x1b\\"
        for number, part in enumerate(parts)
    )


def _file(picture: "PIL.Image.Image") -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def blocks(picture: "PIL.Image.Image") -> "Text":
    """The picture in characters: each is the upper half of two pixels, on the colour of the lower one."""
    from rich.style import Style  # noqa: PLC0415 - see `console`
    from rich.text import Text  # noqa: PLC0415

    def style(x: int, y: int) -> Style:
        upper, lower = picture.getpixel((x, y)), picture.getpixel((x, min(y + 1, picture.height - 1)))
        return Style.parse("rgb({},{},{}) on rgb({},{},{})".format(*upper, *lower))  # pyright: ignore

    lines = [
        Text.assemble(*(("▀", style(x, y)) for x in range(picture.width)), end="") for y in range(0, picture.height, 2)
    ]
    return Text("\n").join(lines)
