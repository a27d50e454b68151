"""Secrets that no other text looks like, ways to spell them, and the search for them, without Darkroom's own code."""

import base64
import html
import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import quote

from tests.faults.scene import everything_under

FATTHUMB_KEY = r"""nsk_cAnary$.*+?[x](y)|^{2}\d\q"<t&u>'%41/-0123456789abc"""
BETTERWAIFU_KEY = "bw_cAnary-zYxWvUtSrQpOnMlKjIhG9876543210"
PASSWORD = "p@ss:w0rd/0f the%41gateway"
SECRETS = (FATTHUMB_KEY, BETTERWAIFU_KEY, PASSWORD)


def _each_byte(form: str) -> Callable[[str], str]:
    return lambda secret: "".join(map(form.format, secret.encode()))


def _each_letter(form: str) -> Callable[[str], str]:
    return lambda secret: "".join(form.format(ord(letter)) for letter in secret)


def _base64(secret: str) -> str:
    """As much of its Base64 as nothing that follows can change."""
    data = secret.encode()
    return base64.b64encode(data).decode()[: len(data) * 8 // 6]


SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "in capitals": str.upper,
    "in small letters": str.lower,
    "percent-encoded": lambda secret: quote(secret, safe=""),
    "percent-encoded twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "percent-encoded to the last letter": _each_byte("%{0:02X}"),
    "as JSON": lambda secret: json.dumps(secret)[1:-1],
    "as JSON within JSON": lambda secret: json.dumps(json.dumps(secret))[3:-3],
    "in JSON escapes": _each_letter("\\u{0:04x}"),
    "as a Python literal": lambda secret: repr(secret.encode())[2:-1],
    "in Python escapes": _each_byte("\\x{0:02x}"),
    "as HTML": html.escape,
    "in HTML's decimals": _each_letter("&#{0};"),
    "in HTML's hexadecimals": _each_letter("&#x{0:X};"),
    "hexadecimal": lambda secret: secret.encode().hex(),
    "in Base64": _base64,
    "in Base64 for URLs": lambda secret: _base64(secret).replace("+", "-").replace("/", "_"),
}
"""As others do by accident or to be clever."""


@cache
def _wanted(secret: str) -> Mapping[bytes, str]:
    """What to look for, in small letters, with its spelling; what holds another of them is found with that one."""
    wanted = {
        spelled.encode(): name
        for name, spell in SPELLINGS.items()
        for part in (secret, secret[: len(secret) // 2 + 4])
        for written in (spell(part).lower(),)
        for spelled in (written, written.replace(" ", ""))
    }
    return {one: name for one, name in wanted.items() if not any(other in one for other in wanted if other != one)}


def found_in(data: bytes | str, *secrets: str) -> list[str]:
    """Which of the secrets can be read in this, and how spelled; a secret's longer half counts as all of it."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    dense = re.sub(
        rb"\x1b\[[0-9;]*m|[\x00-\x20\x7f]|\xc2[\x80-\xa0\xad]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xf3[\x80-\xbf]{3}", b"", raw
    )
    lowered = {raw.lower(), dense.lower(), raw.replace(b"\0", b"").lower()}
    return [
        f"{secret[:12]} {name}"
        for secret in secrets
        for wanted, name in _wanted(secret).items()
        if any(wanted in text for text in lowered)
    ]


Marks = dict[Path, tuple[int, ...]]


def files_that_hold(path: Path, *secrets: str, searched: Marks | None = None) -> dict[str, list[str]]:
    """The files below the folder that a secret can be read in, or in the name of.

    `searched` remembers what was searched, and a file that is as it was then is not read again.
    """
    found: dict[str, list[str]] = {}
    for file in everything_under(path):
        state = file.lstat()
        mark = (state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
        if searched is not None:
            if searched.get(file) == mark:
                continue
            searched[file] = mark
        found[str(file)] = found_in(str(file), *secrets) + (
            found_in(file.read_bytes(), *secrets) if file.is_file() else []
        )
    return {file: spellings for file, spellings in found.items() if spellings}
