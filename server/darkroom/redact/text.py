"""Text that others wrote, without what its reader would obey or cannot see, and capped."""

import re

# Control, format, bidirectional and zero-width characters, blanks that are no spaces, variation selectors and tags (in
# which text can be hidden), half characters, private ones, and those that Unicode says are none.
UNSEEN = (
    "\x00-\x1a\x1c-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ud800-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U0001fffe\U0001ffff\U0002fffe\U0002ffff\U0003fffe\U0003ffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff"
)
UNSAFE = re.compile(f"[\x1b{UNSEEN}]+")


def clean(text: str, limit: int = 300) -> str:
    """`text` on one line, without control, bidirectional and zero-width characters, at most `limit` long."""
    line = " ".join(UNSAFE.sub(" ", text[: limit * 8]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def quote(text: str, limit: int = 300) -> str:
    """`text` cleaned, as somebody's words: between marks that it cannot end, and neither Markdown links nor HTML."""
    words = re.sub('["“”„‟«»″＂]', "'", clean(text, limit))
    return '"' + re.sub(r"<(?=[A-Za-z/!?])", "‹", re.sub(r"\](?=[(\[])", "] ", words)) + '"'


def for_terminals(json_text: str) -> str:
    """JSON that says the same, with what a terminal might obey or hide written as escapes."""
    return UNSAFE.sub(lambda found: "".join(map(_escaped, found[0])), json_text)


def _escaped(character: str) -> str:
    halves = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{halves[at : at + 4]}" for at in range(0, len(halves), 4))
