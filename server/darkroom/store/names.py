"""Names of saved pictures, which a person recognises and every file system takes."""

import os
import unicodedata

from darkroom.models import Record, moment
from darkroom.redact.text import clean

MAX_STEM_BYTES = 80
MOST_MARKS = 4
"""On one letter; no script needs more."""
_JOINERS = "\u200c\u200d"
"""They shape letters, and are not seen themselves."""


def picture_stem(prompt: str, generation_id: str, index: int) -> str:
    """A file name (without suffix) that a person recognises: words of the prompt, a short id, the number."""
    stem = _prompt_stem(prompt)
    try:
        os.fsencode(stem)
    except UnicodeEncodeError:  # the user's locale has no such letters
        stem = "picture"
    return f"{stem}-{generation_id.removeprefix('gen_')[:8]}-{index}"


def object_name(record: Record, index: int, suffix: str) -> str:
    """The name of a picture of this row in an object store: the same for every process on any machine, and no other's.

    What a day is, and which letters there are, does not depend on the machine, and the id is whole.
    """
    stem = f"{_prompt_stem(record.request.prompt)}-{record.id.removeprefix('gen_')}-{index}"
    return f"{moment(record.created_at):%Y-%m-%d}/{stem}{suffix}"


def _prompt_stem(prompt: str) -> str:
    stem = ""
    for word in _words(prompt[:400]):
        longer = f"{stem}-{word}" if stem else word
        if len(longer.encode("utf-8", "ignore")) > MAX_STEM_BYTES:
            stem = stem or _beginning(word)
            break
        stem = longer
    return stem or "picture"


def _words(text: str) -> list[str]:
    """Letters and figures in small, with the marks that belong to them, which many scripts write vowels with."""
    words = [""]
    marks = 0
    for letter in unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).lower()):
        if letter.isalnum():
            words[-1], marks = words[-1] + letter, 0
        elif words[-1] and unicodedata.category(letter) in {"Mn", "Mc"} and clean(letter):
            marks += 1
            words[-1] += letter if marks <= MOST_MARKS else ""
        elif letter not in _JOINERS:
            words.append("")
    return [word for word in words if word]


def _beginning(word: str) -> str:
    """As much of a long word as fits, no letter without its marks."""
    cut = word.encode("utf-8", "ignore")[:MAX_STEM_BYTES].decode("utf-8", "ignore")
    while len(cut) < len(word) and unicodedata.category(word[len(cut)])[0] == "M":
        cut = cut[:-1]
    return cut
