"""Asks the terminal which pictures it can show: no variable says so reliably, least of all through ssh or tmux."""

import os
import re
import select
import sys
from enum import Enum, auto
from time import monotonic
from typing import NamedTuple

PATIENCE_S = 1.0
"""Seconds for which a terminal is listened to; one over a slow line is shown half blocks."""
LONGEST = 4096
QUESTIONS = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[>q\x1b[c"
"""Three: does it take a picture by kitty's protocol, what is it called, and which attributes has it (all say those)."""
ERASE = b"\r\x1b[2K"
"""Removes what a terminal has shown of them that does not know them."""
_ATTRIBUTES = re.compile(rb"\x1b\[\?([\d;]*)c")
_NAME = re.compile(rb"\x1bP>\|([^\x1b]*)\x1b\\")
_TAKES = re.compile(rb"\x1b_Gi=31;OK\x1b\\")
_SIXEL = b"4"
_OWN_PROTOCOL = (b"iTerm2", b"WezTerm")
CELL = (10, 20)
"""Pixels of a character where the terminal does not say."""


class Protocol(Enum):
    """A way in which a terminal takes pictures."""

    KITTY = auto()
    ITERM2 = auto()
    SIXEL = auto()
    BLOCKS = auto()
    """None: only characters, with a colour for each half."""


class Abilities(NamedTuple):
    """A terminal's protocol, and the pixels of one of its characters: width and height."""

    protocol: Protocol = Protocol.BLOCKS
    cell: tuple[int, int] = CELL


def abilities() -> Abilities:
    """Those of the terminal behind stdin and stdout. Blocking, for `PATIENCE_S` at most: call it on a worker thread."""
    if sys.platform == "win32" or not (sys.stdin.isatty() and sys.stdout.isatty() and _in_front()):
        return Abilities()
    return Abilities(_protocol(_asked()), _cell())


def _in_front() -> bool:
    """False for a job in the background, which its terminal would stop for asking."""
    assert sys.platform != "win32"  # which is asked nothing
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:  # a terminal that is not this process's own stops nobody
        return True


def _protocol(said: bytes) -> Protocol:
    name = _NAME.search(said)
    if name is not None and name[1].startswith(_OWN_PROTOCOL):
        return Protocol.ITERM2
    if _TAKES.search(said):
        return Protocol.KITTY
    attributes = _ATTRIBUTES.search(said)
    return Protocol.SIXEL if attributes and _SIXEL in attributes[1].split(b";")[1:] else Protocol.BLOCKS


def _asked() -> bytes:
    """Its responses; nothing of them is left to be read, or shown, as if somebody had typed it."""
    assert sys.platform != "win32"
    import termios  # noqa: PLC0415 - Windows has neither
    import tty  # noqa: PLC0415

    terminal = sys.stdin.fileno()
    try:
        before = termios.tcgetattr(terminal)
        tty.setcbreak(terminal, termios.TCSANOW)
    except termios.error:  # not ours to change: it is another's foreground
        return b""
    try:
        os.write(sys.stdout.fileno(), QUESTIONS)
        return _heard(terminal)
    finally:
        os.write(sys.stdout.fileno(), ERASE)
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


def _heard(terminal: int) -> bytes:
    said, until = b"", monotonic() + PATIENCE_S
    while len(said) < LONGEST and not _ATTRIBUTES.search(said):
        readable, _, _ = select.select([terminal], [], [], max(until - monotonic(), 0))
        if not readable or not (more := os.read(terminal, LONGEST)):
            break
        said += more
    return said


def _cell() -> tuple[int, int]:
    assert sys.platform != "win32"
    import fcntl  # noqa: PLC0415 - Windows has neither
    import struct  # noqa: PLC0415
    import termios  # noqa: PLC0415

    try:
        size = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8))
    except OSError:
        return CELL
    rows, columns, width, height = struct.unpack("HHHH", size)
    cell = (width // columns, height // rows) if rows and columns else (0, 0)
    return cell if all(4 <= side <= 200 for side in cell) else CELL
