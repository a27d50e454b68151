"""The characters that no text for an agent or a terminal may hold, by their properties, not by Darkroom's list."""

import unicodedata

LINE_END = "\n"
BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"


def unseen_in(text: str) -> str:
    """Those of them that are in the text; our own line ends are none."""
    return "".join(character for character in text if character != LINE_END and _unseen(character))


def _unseen(character: str) -> bool:
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} or character in BLANKS:
        return True
    code = ord(character)
    return 0xFE00 <= code <= 0xFE0F or code >= 0xE0000 or code & 0xFFFE == 0xFFFE or 0x180B <= code <= 0x180F
