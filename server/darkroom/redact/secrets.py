"""Secrets, taken out of text that others wrote, in whatever way they spelled them."""

import base64
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, cast
from urllib.parse import unquote

REDACTED = "[redacted]"
SHORT, MIXED, LONG, ENCODED = 6, 8, 12, 14
"""A secret, or a part of one, is found in the middle of other text from MIXED characters on with letters and figures
among them, else from LONG on; encoded parts from ENCODED on. A shorter secret is found where it stands alone, and from
SHORT mixed characters on also in what programs read: any word there may be somebody's password."""
PROBE, STRIDE = 5, 4
"""Every fourth place of a text is looked at for five characters of a secret: so no part of MIXED ones is missed."""
LONGEST = 100_000
"""So much of a text is searched; where more of it follows and a secret is found, all of it is taken out."""

_CODE = r"(?:\\|%(?:25)*5c)*(?:u([0-9a-f]{4})|x([0-9a-f]{2}))?"
FEW_SIGNS = 1_000
"""As long as there are no more, each of them is looked for by itself."""
_SIGNS = ("\\", "%", "&")
# How others may spell a character of a secret; each way begins with one of the signs.
_SPELLED = re.compile(
    rf"\\{_CODE}|%(?:25)*5c{_CODE}|%(?:25)*([0-9a-f]{{2}})|&#x0*([0-9a-f]{{1,6}});|&#0*([0-9]{{1,7}});"
    r"|&(amp|lt|gt|quot|apos);",
    re.I,
)
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
# A key of either provider, by its looks: also one that is not ours, or of which its sender left the end out.
_KEY_LIKE = re.compile(r"(?<![A-Za-z0-9])(?:nsk|bw)_[A-Za-z0-9_-]{8,}")
# How every key of a provider begins: no part of a secret, and words of file names ("bw_" is black and white).
_PUBLIC = re.compile(r"(?:(?:nsk|bw)_(?:live_|test_)?)?")


class Indivisible(str):
    """A secret of which no part is one, for others know most of it: a user's name is in it, say."""

    __slots__ = ()


class _Form(NamedTuple):
    """A secret as a folded text may hold it; so many characters at its beginning are no secret."""

    text: str
    public: int
    encoded: bool = False

    def tells(self, first: int, last: int) -> bool:
        """True where these characters of it are all of the secret or enough of it."""
        if last - first == len(self.text):
            return True
        part = self.text[max(first, self.public) : last]
        if self.encoded:
            return len(part) >= ENCODED
        # Behind a provider's prefix even letters are no word.
        return _telling(part) or (first == 0 < self.public and len(part) >= MIXED)

    @property
    def core(self) -> str:
        """The middle, which stands wherever the form stands nearly: one search for it is enough where it does not."""
        own = len(self.text) - self.public
        quarter = -(-own // 4) if own >= 2 * MIXED else 0
        return self.text[self.public + quarter : len(self.text) - quarter] if quarter else self.text

    def is_nearly(self, first: int, last: int) -> bool:
        """True where these characters of it are the secret, or most of a long one: what nobody finds by trying."""
        own, part = len(self.text) - self.public, last - max(first, self.public)
        return last - first == len(self.text) or (own >= 2 * MIXED and part >= 0.75 * own)


class Redactor:
    """Takes the given secrets out of what others wrote, however they spelled them.

    Found are letters in either case, escapes (JSON, percent, HTML, Python), hexadecimal and Base64 of the secret by
    itself, and parts of secrets in all of these.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        secrets = set(secrets)
        long = {secret for secret in secrets if _telling(_plain(secret))}
        forms = {form for secret in long for form in _forms(secret)}
        weak = {form for form in forms if not (form.encoded or _telling(form.text))}
        short = {form.text for form in weak} | {_folded(secret) for secret in secrets - long}
        self._alone = {secret for secret in short if _mixed(secret, SHORT)}
        self._words = {secret for secret in short if secret.strip()}
        self._probes: dict[str, dict[_Form, int]] = {}
        for form in forms - weak:
            for at in range(len(form.text) - PROBE + 1):
                self._probes.setdefault(form.text[at : at + PROBE], {}).setdefault(form, at)
        self._cores = {form.core for form in forms - weak}
        codes = ("utf-8", "utf-16-le", "utf-16-be")
        searched = long | {secret for secret in secrets if _mixed(_plain(secret), SHORT)}
        self._bytes: set[bytes] = {_core(secret).encode(code, "replace") for secret in searched for code in codes}

    def __call__(self, text: str) -> str:
        """Words that somebody reads, with each secret in them replaced by [redacted]."""
        return _KEY_LIKE.sub(REDACTED, self._without(text, self._words))

    def value(self, value: Any) -> Any:
        """JSON that a program reads, without the secrets that cannot be any word in it."""
        if isinstance(value, str):
            return self._without(value, self._alone)
        if isinstance(value, list):
            return [self.value(each) for each in cast("list[Any]", value)]
        if isinstance(value, dict):
            return {self.value(name): self.value(each) for name, each in cast("dict[str, Any]", value).items()}
        return value

    def is_clear(self, json_text: str) -> bool:
        """True where `value` leaves what this JSON says as it is: one look at all of it, in place of one at each text.

        A text without escapes stands in it as it is, and no telling part of a secret lies between two places of a look.
        """
        if "\\" in json_text or len(json_text) > LONGEST:
            return False  # nobody knows, so `value` looks
        folded = _folded(json_text)
        return not self._probed(folded) and not any(secret in folded for secret in self._alone)

    def holds(self, value: Any) -> bool:
        """True where a secret stands in this JSON whole, or most of a long one: so nobody learns it part by part."""
        if isinstance(value, dict):
            return any(map(self.holds, cast("dict[str, Any]", value).values()))
        if isinstance(value, list | tuple):
            return any(map(self.holds, cast("list[Any]", value)))
        text = str(value)[:LONGEST]
        folded = _folded(text)
        if self._may_hold(folded) and any(True for _ in self._parts(folded, _Form.is_nearly)):
            return True
        short = [secret for secret in self._alone if secret in folded]
        return bool(short) and any(True for secret in short for _ in _alone(secret, folded, _places(text)))

    def unechoed(self, text: str) -> str:
        """The text for a reader who may have written it first, without a secret that stands in it whole, or nearly."""
        if not self._cores or not self._may_hold(_folded(text[:LONGEST])):
            return text
        return self._without(text, set(), _Form.is_nearly)

    def _may_hold(self, folded: str) -> bool:
        """False where no long secret can stand whole, or nearly, in the folded text."""
        return any(core in folded for core in self._cores)

    def leaks(self, link: str) -> bool:
        """True where `value` finds a secret in the link, or found one there before."""
        return REDACTED in unquote(self.value(link))

    @property
    def longest(self) -> int:
        """Bytes of the longest secret that `within` looks for."""
        return max(map(len, self._bytes), default=0)

    def within(self, data: bytes) -> bool:
        """True where a secret stands in these bytes as it is, or with less than a quarter cut off at either end."""
        return any(secret in data for secret in self._bytes)

    def _without(self, text: str, short: set[str], tells: "_Tells" = _Form.tells) -> str:
        folded = _folded(text[:LONGEST])
        found = [secret for secret in short if secret in folded]
        spans = list(self._parts(folded, tells))
        if not found and not spans:
            return text
        if len(text) > LONGEST:
            return REDACTED
        places = _places(text)
        spans += [span for secret in found for span in _alone(secret, folded, places)]
        whole, end = "", 0
        for first, last in sorted((places[first][0], places[last - 1][1]) for first, last in spans):
            if first >= end:
                whole += text[end:first] + REDACTED
            end = max(end, last)
        return whole + text[end:]

    def _parts(self, folded: str, tells: "_Tells") -> Iterator[tuple[int, int]]:
        """The places where long secrets, or telling parts of them, begin and end."""
        past: dict[tuple[_Form, int], int] = {}
        for at in self._probed(folded):
            for form, place in self._probes[folded[at : at + PROBE]].items():
                if at < past.get((form, at - place), 0):
                    continue  # the same stretch as before
                before = _alike(folded[max(0, at - place) : at][::-1], form.text[:place][::-1])
                after = _alike(folded[at : at + len(form.text)], form.text[place:])
                past[form, at - place] = at + after
                if tells(form, place - before, place + after):
                    yield at - before, at + after

    def _probed(self, folded: str) -> list[int]:
        """The places that are looked at where a part of a long secret may stand."""
        probes = self._probes
        return [at for at in range(0, len(folded) - PROBE + 1, STRIDE) if folded[at : at + PROBE] in probes]


_Tells = Callable[[_Form, int, int], bool]


def _alike(one: str, other: str) -> int:
    """The number of characters at their beginning that are the same."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if one[least:middle] == other[least:middle] else (least, middle - 1)
    return least


def _mixed(text: str, least: int) -> bool:
    """True where letters and figures are in it: letters alone may be a word, figures alone a number or a date."""
    return len(text) >= least and any(map(str.isalpha, text)) and any(map(str.isdigit, text))


def _telling(part: str) -> bool:
    return len(part) >= LONG or _mixed(part, MIXED)


def _alone(secret: str, folded: str, places: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The places where the secret stands with no letter or figure right before or behind it."""
    for found in re.finditer(f"(?={re.escape(secret)})", folded):
        first, last = found.start(), found.start() + len(secret)
        behind = first > 0 and folded[first - 1].isalnum() and places[first - 1][1] == places[first][0]
        before = folded[last : last + 1].isalnum() and places[last][0] == places[last - 1][1]
        if not behind and not before:
            yield first, last


def _folded(text: str) -> str:
    """The text as a secret is looked for in it: unescaped, in small letters."""
    whole, end = list[str](), 0
    for found in _spelled(text):
        whole += (text[end : found.start()], _letter(found))
        end = found.end()
    return _fold("".join((*whole, text[end:])))


def _spelled(text: str) -> Iterator[re.Match[str]]:
    """The places where a character is spelled in another way: as `finditer`, a hundred times as fast in plain text."""
    if sum(map(text.count, _SIGNS)) > FEW_SIGNS:
        yield from _SPELLED.finditer(text)
        return
    following: dict[str, int] = {sign: text.find(sign) for sign in _SIGNS if sign in text}
    while following:
        at = min(following.values())
        found = _SPELLED.match(text, at)
        if found is not None:
            yield found
        end = at + 1 if found is None else found.end()
        nexts = {sign: place if place >= end else text.find(sign, end) for sign, place in following.items()}
        following = {sign: place for sign, place in nexts.items() if place >= 0}


def _plain(secret: str) -> str:
    return _fold(secret.replace("\\", ""))


def _fold(text: str) -> str:
    """Letters in both cases are the same, and so are the two alphabets of Base64; no character becomes two."""
    data = text.encode("utf-8", "surrogatepass")
    return data.lower().replace(b"-", b"+").replace(b"_", b"/").decode("utf-8", "surrogatepass")


def _places(text: str) -> list[tuple[int, int]]:
    """The places where each character of the folded text begins and ends in the text itself."""
    places: list[tuple[int, int]] = []
    end = 0
    for found in _spelled(text):
        places += [(at, at + 1) for at in range(end, found.start())]
        places += [found.span()] if _letter(found) else []
        end = found.end()
    return [*places, *((at, at + 1) for at in range(end, len(text)))]


def _letter(found: re.Match[str]) -> str:
    digits = next(filter(None, found.group(1, 2, 3, 4, 5, 6)), None)
    if digits is None and found[7] is None:
        return _NAMED.get((found[8] or "").lower(), "")
    code = int(found[7]) if digits is None else int(digits, 16)
    letter = chr(code) if code < 0x110000 else ""
    return letter.replace("\\", "")


def _public(secret: str) -> int:
    found = _PUBLIC.match(secret)
    return len(secret) if isinstance(secret, Indivisible) or found is None else found.end()


def _forms(secret: str) -> Iterator[_Form]:
    """The secret as a folded text may hold it: plain, in hexadecimal, in Base64."""
    data, public = secret.encode("utf-8", "replace"), _public(secret)
    for plain in (secret, data.decode("latin-1")):
        yield _Form(_folded(plain), public)
        # A secret may look escaped itself; a text that escapes each of its characters then holds it as it is.
        yield _Form(_plain(plain), public)
    yield _Form(data.hex(), 2 * public, encoded=True)
    code = base64.b64encode(data).decode()[: len(data) * 8 // 6]
    yield _Form(_fold(code), public * 8 // 6, encoded=True)


def _core(secret: str) -> str:
    """The text to look for in bytes, where only one search is fast enough: the secret with a little cut at each end."""
    own = secret[_public(secret) :]
    quarter = len(own) // 4
    return own[quarter : len(own) - quarter] if len(own) >= 2 * MIXED else secret
