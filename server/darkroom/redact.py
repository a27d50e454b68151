"""The one door for text that others wrote: keys are taken out, control characters too, and it is capped."""

import re
from collections.abc import Iterable

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]+"
)


def clean(text: str, limit: int = 300) -> str:
    """`text` on one line, without control, bidirectional and zero-width characters, at most `limit` long."""
    line = " ".join(_UNSAFE.sub(" ", text[: limit * 8]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


class Redactor:
    """Takes the given secrets out of any text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        found = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, found))) if found else None

    def __call__(self, text: str) -> str:
        """`text` with every secret replaced by [redacted]."""
        return self._pattern.sub("[redacted]", text) if self._pattern else text
