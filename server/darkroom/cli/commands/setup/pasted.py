"""Keys as people paste them: with quotes, a variable's name or a header's words around them."""

import re
import unicodedata

from darkroom.environment import QUOTES

_BEFORE = re.compile(
    r"(?:export\s+|set\s+|\$env:)?[A-Z][A-Z0-9_]*(?:KEY|TOKEN|SECRET)\s*=\s*(?=[^\s=])"
    r"|(?:Authorization\s*:\s*)?(?:Bearer|Key|Token)\s+(?=\S)|X-API-Key\s*:\s*",
    re.I,
)
_BRACKETS = re.compile(r"\x1b\[20[01]~")
"""The marks that some terminals put around a paste."""


def bare(text: str) -> str:
    """The key in this text: without what stands around it, and without characters that nobody sees."""
    text = _BRACKETS.sub("", text)
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    before = None
    while text != before:
        before = text
        text = text.strip().rstrip(",;")
        text = text[1:-1] if len(text) > 2 and text[0] in QUOTES and text[-1] in QUOTES else text
        found = _BEFORE.match(text)
        text = text[found.end() :] if found else text
    return text
