"""What a title is made of before it has a typeface: cleaned characters, joined Arabic, visual order."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache

_READ_AT_MOST = 2_000
_ZWNJ = "\u200c"
_ZWJ_GENDER = re.compile("\u200d[\u2640\u2642]\ufe0f?")
_MIRRORED = str.maketrans("()[]{}<>«»‹›≤≥", ")(][}{><»«›‹≥≤")
_STRONG = {"L": "L", "R": "R", "AL": "R", "EN": "R", "AN": "R"}


def clean(text: str, drawable: Callable[[str], bool]) -> str:
    """The text on one line, holding only characters that `drawable` accepts; empty if nothing is left.

    Combining marks that have no composed character are left out (vowel points, skin tones, variation
    selectors), emoji sequences become their members, and a flag its two letters.
    """
    text = unicodedata.normalize("NFC", _ZWJ_GENDER.sub("", text[:_READ_AT_MOST]))
    kept = " ".join("".join(_replacement(char, drawable) for char in text).split())
    kept = kept.lstrip(",;:.)]}،。、 " + _ZWNJ) if not drawable(text[:1]) else kept
    return kept if any(unicodedata.category(char)[0] in "LNS" for char in kept) else ""


def _replacement(char: str, drawable: Callable[[str], bool]) -> str:
    category = unicodedata.category(char)
    if char == _ZWNJ:
        return char
    if category in {"Cc", "Zs", "Zl", "Zp"}:
        return " "
    if category[0] in "CM":
        return ""
    if "\U0001f1e6" <= char <= "\U0001f1ff":
        return chr(ord(char) - 0x1F1E6 + ord("A"))
    wide_letter = "\uff10" <= char <= "\uff5a" and char.isalnum()
    if drawable(char) and not wide_letter:
        return char
    return "".join(
        plain
        for plain in unicodedata.normalize("NFKD", char)
        if unicodedata.category(plain)[0] not in "CM" and drawable(plain)
    )


def is_right_to_left(text: str) -> bool:
    """Whether the first strong character of the text is read from the right."""
    for char in text:
        if (direction := unicodedata.bidirectional(char)) in {"L", "R", "AL"}:
            return direction != "L"
    return False


def visual(text: str, *, right_to_left: bool, drawable: Callable[[str], bool]) -> str:
    """One line as it is drawn from left to right, with Arabic letters in their joined forms."""
    joined = _join(text, drawable)
    if joined.isascii() and not right_to_left:
        return joined
    levels = _levels(joined, 1 if right_to_left else 0)
    chars = [char.translate(_MIRRORED) if level % 2 else char for char, level in zip(joined, levels, strict=True)]
    for level in range(max(levels, default=0), 0, -1):  # rule L2 of Unicode's annex 9
        start = 0
        while start < len(chars):
            end = start
            while end < len(chars) and levels[end] >= level:
                end += 1
            chars[start:end] = reversed(chars[start:end])
            start = end + 1
    return "".join(chars)


def _join(text: str, drawable: Callable[[str], bool]) -> str:
    # Done here rather than by a shaping engine: Pillow's takes one of its parts from the operating
    # system, and a title must not look different where that part is missing.
    forms, ligatures = _arabic()
    if not any(char in forms for char in text):
        return text.replace(_ZWNJ, "")
    for pair, ligature in ligatures.items():
        text = text.replace(pair, ligature)
    drawn: list[str] = []
    for at, char in enumerate(text):
        own = forms.get(char, {})
        from_right = at > 0 and "initial" in forms.get(text[at - 1], {}) and "final" in own
        to_left = at + 1 < len(text) and "initial" in own and "final" in forms.get(text[at + 1], {})
        name = {(True, True): "medial", (True, False): "final", (False, True): "initial"}.get(
            (from_right, to_left), "isolated"
        )
        form = own.get(name, char)
        drawn.append(form if drawable(form) else char)
    return "".join(drawn).replace(_ZWNJ, "")


@cache
def _arabic() -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Each letter's presentation forms by name, and the lam-alef pairs that are written as one letter.

    Unicode holds both in the decompositions of its presentation forms.
    """
    forms: dict[str, dict[str, str]] = {"\u0640": {"initial": "\u0640", "final": "\u0640", "medial": "\u0640"}}
    ligatures: dict[str, str] = {}
    for code in [*range(0xFB50, 0xFC00), *range(0xFE80, 0xFEFD)]:
        name, *letters = unicodedata.decomposition(chr(code)).split() or [""]
        base = "".join(chr(int(letter, 16)) for letter in letters)
        if len(base) == 1:
            forms.setdefault(base, {})[name.strip("<>")] = chr(code)
        elif code >= 0xFEF5 and name == "<isolated>":
            ligatures[base] = chr(code)
            forms[chr(code)] = {"isolated": chr(code), "final": chr(code + 1)}
    return forms, ligatures


def _levels(text: str, base: int) -> list[int]:
    """Embedding levels by the rules W, N and I of Unicode's annex 9, for text without embeddings."""
    kinds = _weak([unicodedata.bidirectional(char) or "ON" for char in text], "R" if base else "L")
    kinds = _neutral(kinds, "R" if base else "L")
    if base:
        return [1 if kind == "R" else 2 for kind in kinds]
    return [{"L": 0, "R": 1}.get(kind, 2) for kind in kinds]


def _weak(kinds: list[str], base: str) -> list[str]:
    strong = base
    for at, kind in enumerate(kinds):  # W2, W3
        strong = kind if kind in {"L", "R", "AL"} else strong
        kinds[at] = "AN" if kind == "EN" and strong == "AL" else kind
    kinds = ["R" if kind == "AL" else kind for kind in kinds]
    for at in range(1, len(kinds) - 1):  # W4
        before, kind, after = kinds[at - 1 : at + 2]
        if before == after and ((kind in {"CS", "ES"} and before == "EN") or (kind == "CS" and before == "AN")):
            kinds[at] = before
    for ats in (range(1, len(kinds)), range(len(kinds) - 2, -1, -1)):  # W5
        step = ats.step
        for at in ats:
            if kinds[at] == "ET" and kinds[at - step] == "EN":
                kinds[at] = "EN"
    strong = base
    for at, kind in enumerate(kinds):  # W7
        strong = kind if kind in {"L", "R"} else strong
        kinds[at] = "L" if kind == "EN" and strong == "L" else kind
    return kinds


def _neutral(kinds: list[str], base: str) -> list[str]:
    before = base
    for at, kind in enumerate(kinds):  # N1, N2
        if kind in _STRONG:
            before = _STRONG[kind]
            continue
        after = next((_STRONG[later] for later in kinds[at:] if later in _STRONG), base)
        kinds[at] = before if before == after else base
    return kinds
