"""Variables as they were meant: what a host left unexpanded, or a person copied from a README, is no value."""

import base64
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from darkroom.errors import NotConfigured
from darkroom.redact.secrets import Indivisible

RESULT_PARTS = ("text", "structured", "links", "images")
Previews = Literal["all", "sheet", "none"]
"""`sheet`: a contact sheet where there are several pictures, else the one; `all`: the sheet, and each picture too."""

REFERENCE = re.compile(
    r"\$\{[^{}]*\}|\{(?:env|file|input):[^{}]*\}|\{\{.*?\}\}|\$\([^()]*\)|%[A-Z_][A-Z0-9_]*%|\$(?:env:)?[A-Z_]\w*", re.I
)
"""A reference that a shell, host or bundle should have replaced: `${VAR}`, `{env:VAR}`, `{{VAR}}`, `%VAR%`."""
_NOTHING = re.compile(
    r"undefined|null|none|nil|nan|n/a|todo|\[object object\]|<[^<>]*>|(?:change|replace)[ _-]?me|placeholder"
    r"|your[ _-].*",
    re.I,
)
"""Texts that programs write where there is no value, and that examples have where yours belongs."""
_EXAMPLE_KEY = re.compile(
    r".*(?:…|\.\.\.).*"
    r"|(?:nsk_|bw_)?(?:live_|test_)?(?:[x*•●]{3,}|<[^<>]*>|\$?\{+[^{}]*\}*|your.*|(?:insert|paste|enter)[ _-].*)"
    r"|(?:nsk|bw)_|.*_api_key|(?:my|the|an?)?[ _-]?(?:api)?[ _-]?key(?:[ _-]?here)?|(?:op|vault|keychain)://.*"
    r"|!secret .*|#\{.*\}|@\w+@|__\w+__|process\.env\.\w+|[-_.0]+|false|true|tbd|tba|string"
    r"|(?:nsk_|bw_)?\[?(?:example|dummy|redacted|removed)\]?",
    re.I,
)
_PROXIES = {"http_proxy", "https_proxy", "all_proxy"}
QUOTES = "\"'`“”„‘’«»"


def proxies_of(environ: Mapping[str, str]) -> dict[str, str]:
    """The proxies that the HTTP client takes from its environment: URLs by the names of their variables."""
    return {name: url for name, url in environ.items() if url and name.lower() in _PROXIES}


class Environment:
    """The values of the variables.

    `warnings` fills with a sentence for each value that was passed over, `spoilt` with keys that were.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._read: set[str] = set()
        self.warnings: list[str] = []
        self.spoilt: list[str] = []

    def given(self, name: str) -> str:
        """The value as it is written, without the space around it."""
        self._read.add(name)
        return self._environ.get(name, "").strip()

    def text(self, name: str) -> str:
        """The value; empty where there is none, or only something in its place."""
        text = self.given(name)
        return self._unless(name, text, _no_value(text))

    def key(self, name: str) -> str:
        """The same of a key, which may be an example's."""
        text = self.text(name)
        if not text and not REFERENCE.search(quoted := self.given(name)) and not _NOTHING.fullmatch(quoted):
            self.spoilt.append(quoted.strip(QUOTES))
        return self._unless(name, text, "it is an example, not a key" if _EXAMPLE_KEY.fullmatch(text) else "")

    def url(self, name: str) -> str:
        """The same of a URL: with a part of it missing it is no URL, but it is not left out either."""
        text = self.given(name)
        if "://" in text:
            self.spoilt.append(text.strip(QUOTES))
        partly = REFERENCE.search(text) and not REFERENCE.fullmatch(text)
        return text if partly else self._unless(name, text, _no_value(text))

    def strangers(self, *prefixes: str) -> dict[str, str]:
        """Variables under these prefixes that nobody has read, each with the one that was probably meant."""
        own = [name for name in self._environ if name.upper().startswith(prefixes) and name not in self._read]
        near = [name for name in self._environ if name.upper().startswith("DARK") and name not in {*own, *self._read}]
        if not own + near:
            return {}
        from difflib import get_close_matches  # noqa: PLC0415 - few environments need it

        meant = {name: next(iter(get_close_matches(name.upper(), self._read, 1, 0.75)), "") for name in own}
        # Somebody else's, unless it is nearly one of ours: DARKROM_BUDGET, DARK_ROOM_BUDGET.
        closest = {name: get_close_matches(name.upper(), self._read, 1, 0.9) for name in near}
        return meant | {name: found[0] for name, found in closest.items() if found}

    def _unless(self, name: str, text: str, why: str) -> str:
        if text and why:
            self.warnings.append(f"{name} counts as not set: {why}.")
            return ""
        return text


def _no_value(text: str) -> str:
    """The reason why nobody wrote this as a value; empty where it may be one."""
    if REFERENCE.search(text):
        return "a name in it was to be replaced by a value, and was not"
    if _NOTHING.fullmatch(text):
        return "it holds the word for no value, or an example"
    if text[:1] in QUOTES and text[-1:] in QUOTES and text:
        return "the quotes around it belong to a shell or to JSON, not to the value"
    return ""


def is_origin(url: str) -> bool:
    """True where requests can be sent below it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    named = "%" not in (parts.hostname or "") or ":" in (parts.hostname or "")
    return usable and named and not parts.query and not parts.fragment and not re.search(r"[\s?#{}]", url)


def passwords(url: str) -> tuple[str, ...]:
    """The URL's password as it is written, as it is meant, and as it travels; a user without one is a token."""
    authority = re.split(r"[/?#]", url.rpartition("://")[2])[0]
    user, _, password = authority.rpartition("@")[0].partition(":")
    written = password or user
    if not written:
        return ()
    sent = f"{unquote(user)}:{unquote(password)}".encode(errors="replace")
    return written, unquote(written), Indivisible(base64.b64encode(sent).decode())


def database_passwords(url: str) -> tuple[str, ...]:
    """The passwords in a database's URL, where a user alone is none; they may also be among its parameters."""
    authority, _, query = re.split(r"://", url, maxsplit=1)[-1].partition("?")
    told = [value for name in ("password", "sslpassword") for value in parse_qs(query).get(name, [])]
    return (*told, *(passwords(url) if ":" in authority.rpartition("@")[0] else ()))


def folder_of(env: Environment, variable: str, in_any_folder: bool) -> Path | NotConfigured | None:
    """The folder that the variable names; None where it names none, an error where it cannot be meant."""
    text = env.text(variable)
    return _folder(text, variable, in_any_folder) if text else None


def _folder(text: str, variable: str, in_any_folder: bool) -> Path | NotConfigured:
    if "\0" in text:
        return misset(variable, "it is a folder's path")
    try:
        folder = Path(text).expanduser()
    except RuntimeError:  # "~somebody" who does not exist
        return misset(variable, "there is no such home folder")
    if any("\ud800" <= character <= "\udfff" for character in str(folder)):  # no ledger and no result can name it
        return misset(variable, "its name is no text in UTF-8")
    if in_any_folder and not folder.is_absolute():
        return misset(variable, "the host chooses what a relative path is relative to, so write the whole path")
    return folder.absolute()


_DATABASE = re.compile(r"postgres(?:ql)?://(?=\S)(?:[^@/?#\s]*@)?[^@?#\s]*(?:\?[^=@\s]+=\S*)?")
"""One that can be read in one way. In any other, part of a password is taken for a host, asked for and named."""


def database_of(env: Environment) -> str | NotConfigured | None:
    """The URL of the PostgreSQL that is to have the ledger; None where there is none.

    What cannot be meant is an error: a ledger that is elsewhere than it was knows nothing of what was paid for.
    """
    url = env.given("DARKROOM_DATABASE_URL")
    if not url or (_DATABASE.fullmatch(url) and not re.search("%(?![0-9A-Fa-f]{2})", url)):
        return url or None
    env.spoilt.append(url.strip(QUOTES))
    escapes = "of a password, @ / ? # and % are written %40 %2F %3F %23 and %25"
    return misset("DARKROOM_DATABASE_URL", f"it begins with postgresql:// and has no spaces; {escapes}")


def data_folder() -> Path | NotConfigured:
    """The platform's folder for a program's own data; an error where this user has no home folder."""
    import platformdirs  # noqa: PLC0415 - only needed where DARKROOM_HOME is not set

    return _at_home("DARKROOM_HOME", lambda: Path(platformdirs.user_data_dir("darkroom", appauthor=False)))


def pictures_folder() -> Path | NotConfigured:
    """The platform's folder for pictures, and ours in it; an error where this user has no home folder."""
    import platformdirs  # noqa: PLC0415 - only needed where DARKROOM_PICTURES is not set

    return _at_home("DARKROOM_PICTURES", lambda: Path(platformdirs.user_pictures_dir()) / "Darkroom")


def _at_home(variable: str, folder: Callable[[], Path]) -> Path | NotConfigured:
    try:
        return folder()
    except RuntimeError:  # no HOME, and a user whom the system does not list, as in a container
        return NotConfigured(
            f"{variable} is not set, and this user has no home folder.",
            next_step=f"Set {variable} to a folder and start again. Nothing was sent.",
        )


def inputs_of(env: Environment, in_any_folder: bool) -> tuple[Path, ...]:
    """The folders whose files may be sent to providers; none where one of them cannot be meant."""
    texts = [text.strip() for text in env.text("DARKROOM_INPUTS").split(os.pathsep) if text.strip()]
    folders = [_folder(text, "DARKROOM_INPUTS", in_any_folder) for text in texts]
    for error in (each for each in folders if isinstance(each, NotConfigured)):
        env.warnings.append(f"{error.message} No file is sent.")
        return ()
    return tuple(each for each in folders if isinstance(each, Path))


def results_of(env: Environment) -> frozenset[str] | None:
    """The parts of a result that the user wants; None where they want none in particular."""
    parts = frozenset(re.split(r"[\s,]+", env.text("DARKROOM_RESULTS").lower())) - {""}
    if parts and not (parts <= {*RESULT_PARTS} and parts & {"text", "structured"}):
        env.warnings.append(
            f"DARKROOM_RESULTS is ignored: it lists some of {', '.join(RESULT_PARTS)}; text or structured is needed."
        )
        return None
    return parts or None


def previews_of(env: Environment) -> Previews:
    """The previews that the user wants."""
    match env.given("DARKROOM_PREVIEWS").lower():
        case "all" | "none" | "sheet" as known:
            return known
        case "":
            return "sheet"
        case _:
            env.warnings.append("DARKROOM_PREVIEWS is ignored: it is all, sheet or none.")
            return "sheet"


def admin_token_of(env: Environment) -> str | None:
    """The token of those who may see the operator's page; None: nobody may."""
    token = env.key("DARKROOM_ADMIN_TOKEN")
    if not token or re.fullmatch(r"[!-~]{16,512}", token):
        return token or None
    env.spoilt.append(token)
    rule = "it has 16 to 512 characters of ASCII and no space, as from openssl rand -hex 32"
    env.warnings.append(f"DARKROOM_ADMIN_TOKEN is ignored, so there is no /admin: {rule}.")
    return None


def keep_days_of(env: Environment) -> int | None:
    """The days for which the ledger keeps a generation once it is over; None: it stays."""
    text = env.text("DARKROOM_KEEP_DAYS")
    if not text or re.fullmatch(r"[1-9][0-9]{0,4}", text):
        return int(text) if text else None
    env.warnings.append("DARKROOM_KEEP_DAYS is ignored, so nothing is removed: it is a number of days, 1 or more.")
    return None


def strips_notes(env: Environment) -> bool:
    """True where the user wants the notes taken out of pictures."""
    match env.given("DARKROOM_NOTES").lower():
        case "keep" | "strip" | "" as known:
            return known == "strip"
        case _:
            env.warnings.append("DARKROOM_NOTES is ignored, so notes are kept: it is keep or strip.")
            return False


def misset(variable: str, rule: str, *, stops: str = "") -> NotConfigured:
    """The error for a variable that cannot be meant as it is written; it never repeats what that is."""
    return NotConfigured(
        f"{variable} cannot be read: {rule}.{stops}", next_step=f"Correct {variable} and start again. Nothing was sent."
    )
