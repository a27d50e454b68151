"""Records docs/demo.gif: two commands on a terminal, as they really run, with the picture that they make.

    .venv/bin/python -m docs.record

The commands run on a pseudo-terminal that shows pictures by iTerm2's protocol. Nothing of what they print is changed
but the name of the folder; waits of more than a second are shortened. It takes the font DejaVu Sans Mono.
"""

import base64
import fcntl
import io
import os
import pty
import re
import select
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

PLACE = Path(__file__).parent / "demo.gif"
COMMANDS = (
    ("generate", "An island under a full moon", "--provider", "sketch", "--seed", "11"),
    ("show", "ID"),
)
COLUMNS, ROWS, MARGIN = 98, 32, 14
FONT = ImageFont.truetype("DejaVuSansMono.ttf", 15)
BOLD = ImageFont.truetype("DejaVuSansMono-Bold.ttf", 15)
CELL = (9, 19)
GROUND, PLAIN = (28, 28, 30), (222, 222, 220)
COLOURS = {31: (224, 108, 117), 32: (152, 195, 121), 33: (229, 192, 123), 34: (97, 175, 239), 90: (140, 140, 145)}
REPLY = b"\x1bP>|iTerm2 3.5\x1b\\\x1b[?62;c"
"""The response of the terminal to the question what it is."""
LONGEST_WAIT_S, TYPED_S, READ_S = 1.0, 0.05, 2.0
PATIENCE_S = 120.0
TOKEN = re.compile(
    r"\x1b\]1337;File=[^:]*:(?P<file>[^\x07]*)\x07|\x1b\[(?P<numbers>[\d;?>]*)(?P<end>[A-Za-z])"
    r"|\x1b[P_].*?\x1b\\|(?P<letter>.)",
    re.DOTALL,
)


@dataclass
class Look:
    """The look of what is printed next."""

    colour: tuple[int, ...] = PLAIN
    bold: bool = False


@dataclass
class Screen:
    """Lines of letters with their looks; a line may be a picture instead."""

    lines: list[list[tuple[str, Look]]] = field(default_factory=lambda: [[]])
    pictures: dict[int, Image.Image] = field(default_factory=dict[int, Image.Image])
    look: Look = field(default_factory=Look)
    at: int = 0

    def feed(self, text: str) -> None:
        """Shows what a command printed."""
        for token in TOKEN.finditer(text):
            if token["file"]:
                self._place(Image.open(io.BytesIO(base64.b64decode(token["file"]))).convert("RGB"))
            elif token["end"] == "K":
                del self.lines[-1][0 if token["numbers"] == "2" else self.at :]
            elif token["end"] == "m":
                self._change(token["numbers"])
            elif token["letter"]:
                self._put(token["letter"])

    def _put(self, letter: str) -> None:
        if letter == "\r":
            self.at = 0
            return
        if letter == "\n" or self.at == COLUMNS:
            self.lines.append([])
            self.at = 0
        if letter != "\n":
            self.lines[-1][self.at : self.at + 1] = [(letter, self.look)]
            self.at += 1

    def _place(self, picture: Image.Image) -> None:
        self.pictures[len(self.lines) - 1] = picture
        self.lines += [[] for _ in range(picture.height // CELL[1])]

    def _change(self, numbers: str) -> None:
        for number in map(int, (numbers or "0").split(";")):
            bold = number == 1 or (number != 0 and self.look.bold)
            self.look = Look(COLOURS.get(number, PLAIN if number == 0 else self.look.colour), bold)

    def drawn(self) -> Image.Image:
        """The terminal as it looks now, scrolled to its end."""
        size = COLUMNS * CELL[0] + 2 * MARGIN, ROWS * CELL[1] + 2 * MARGIN
        image = Image.new("RGB", size, GROUND)
        draw = ImageDraw.Draw(image)
        first = max(0, len(self.lines) - ROWS)
        for number, line in enumerate(self.lines[first:], first):
            y = MARGIN + (number - first) * CELL[1]
            if number in self.pictures:
                image.paste(self.pictures[number], (MARGIN, y))
            for column, (letter, look) in enumerate(line):
                font = BOLD if look.bold else FONT
                draw.text((MARGIN + column * CELL[0], y), letter, fill=look.colour, font=font)
        return image


def main() -> int:
    """Runs the commands and writes the picture."""
    screen, frames = Screen(), list[tuple[Image.Image, float]]()
    with tempfile.TemporaryDirectory() as folder:
        known = ""
        for command in COMMANDS:
            words = [known if word == "ID" else word for word in command]
            frames += typed(screen, words)
            frames += ran(screen, words, Path(folder))
            frames.append((screen.drawn(), READ_S))
            said = "".join(letter for line in screen.lines for letter, _ in line)
            known = next(iter(re.findall(r"gen_(\w{8})", said)), "")
    frames.append((screen.drawn(), 2 * READ_S))
    save(frames)
    return 0


def typed(screen: Screen, words: Sequence[str]) -> Iterator[tuple[Image.Image, float]]:
    """Somebody types the command."""
    screen.feed("\x1b[32m$\x1b[0m ")
    command = " ".join(f'"{word}"' if " " in word else word for word in ("darkroom-mcp", *words))
    for start in range(0, len(command), 2):
        screen.feed(command[start : start + 2])
        yield screen.drawn(), TYPED_S
    screen.feed("\r\n")


def ran(screen: Screen, words: Sequence[str], folder: Path) -> Iterator[tuple[Image.Image, float]]:
    """The command runs, and prints."""
    moments = [(time.monotonic(), ""), *printed(words, folder), (time.monotonic(), "")]
    for (before, text), (after, _) in pairwise(moments):
        screen.feed(text)
        yield screen.drawn(), min(after - before, LONGEST_WAIT_S)


def printed(words: Sequence[str], folder: Path) -> list[tuple[float, str]]:
    """Each piece that the command prints on its terminal, with its time."""
    child, terminal = pty.fork()
    if child == 0:
        command = [sys.executable, "-m", "darkroom", *words]
        os.execve(sys.executable, command, environ(folder))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, COLUMNS * CELL[0], ROWS * CELL[1]))
    pieces, until = list[tuple[float, str]](), time.monotonic() + PATIENCE_S
    while (piece := heard(terminal)) and time.monotonic() < until:
        if b"\x1b[>q" in piece:
            os.write(terminal, REPLY)
        pieces.append((time.monotonic(), piece.decode().replace(str(folder), "/home/you")))
    os.waitpid(child, 0)
    os.close(terminal)
    return pieces


def heard(terminal: int) -> bytes:
    """What comes next, up to a short pause; empty: the command is over."""
    found = b""
    with_pause = None
    while select.select([terminal], [], [], with_pause)[0]:
        try:
            more = os.read(terminal, 65_536)
        except OSError:  # Linux's way of saying that nobody has the terminal open any more
            break
        if not more:
            break
        found, with_pause = found + more, 0.03
    return found


def environ(folder: Path) -> dict[str, str]:
    """The variables of somebody who has just installed Darkroom."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "DARKROOM_HOME": str(folder / "home"),
        "DARKROOM_PICTURES": str(folder / "Pictures" / "Darkroom"),
    }


def save(frames: Sequence[tuple[Image.Image, float]]) -> None:
    """Writes the frames in the colours of the last one and of letters, each for so many seconds."""
    letters = [each for colour in (GROUND, PLAIN, *COLOURS.values()) for each in colour]
    palette = Image.new("P", (1, 1))
    palette.putpalette((frames[-1][0].quantize(240).getpalette() or [])[:720] + letters)
    shown = [(image.quantize(palette=palette, dither=Image.Dither.NONE), seconds) for image, seconds in frames]
    first, *others = [image for image, _ in shown]
    durations = [max(20, round(seconds * 1000)) for _, seconds in shown]
    first.save(PLACE, save_all=True, append_images=others, duration=durations, loop=0, optimize=True)
    print(f"{PLACE}: {PLACE.stat().st_size:,} bytes, {len(frames)} frames, {sum(durations) / 1000:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
