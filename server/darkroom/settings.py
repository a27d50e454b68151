"""The environment, read once and checked: nothing else in the house looks at it."""

import base64
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from darkroom.errors import NotConfigured
from darkroom.redact import Indivisible

PROVIDERS = ("fatthumb", "betterwaifu", "sketch")


@dataclass(frozen=True)
class Window:
    """At most `limit` of something in any `seconds`."""

    limit: int
    seconds: float


@dataclass(frozen=True)
class Limits:
    """What one key may do: jobs at a time, submissions per window, requests (polls included) per window."""

    active: int | None = None
    submit: tuple[Window, ...] = ()
    requests: tuple[Window, ...] = ()

    def described(self) -> list[str]:
        """The limits in words, one each."""
        words = [] if self.active is None else [f"{self.active} active at a time"]
        words += [f"{w.limit} submissions per {w.seconds:g} s" for w in self.submit]
        words += [f"{w.limit} requests per {w.seconds:g} s" for w in self.requests]
        return words


@dataclass(frozen=True)
class Account:
    """How one provider is reached: its key (never shown), its origin and its limits."""

    key: str | None = field(default=None, repr=False)
    base_url: str = field(default="", repr=False)
    limits: Limits = field(default_factory=Limits)
    own_origin: str | None = field(default=None, repr=False)
    """The base URL, if the user named it; a provider's usual one is a stranger's."""


@dataclass(frozen=True)
class Settings:
    """Everything that the environment decides."""

    home: Path
    pictures: Path
    fatthumb: Account = field(default_factory=Account)
    betterwaifu: Account = field(default_factory=Account)
    default_provider: str = "sketch"
    confirm_over: int | None = None
    """A call for more pictures than this is asked about before anything is spent; None: none is."""
    budget: int | None = None
    """How many generations a day may be started; None: any number."""
    log_level: int = logging.WARNING
    file_manager: str | None = None
    """The command that shows a folder on this machine's desktop; None where there is no desktop."""
    proxies: tuple[str, ...] = field(default=(), repr=False)

    @property
    def limits(self) -> dict[str, Limits]:
        """The limits of every provider that has some."""
        return {"fatthumb": self.fatthumb.limits, "betterwaifu": self.betterwaifu.limits}

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text that must never leave the process but in a request to its own provider, gateway or proxy."""
        accounts = (self.fatthumb, self.betterwaifu)
        urls = [*(account.base_url for account in accounts), *self.proxies]
        return (*(account.key or "" for account in accounts), *(each for url in urls for each in _passwords(url)))

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Reads and checks every variable of the contract.

        Raises:
            NotConfigured: a variable holds what cannot be meant; the message names it.
        """
        fatthumb = _account(environ, "FATTHUMB", "https://fatthumb.klaas.pro/api/v1", FATTHUMB_LIMITS)
        betterwaifu = _account(environ, "BETTERWAIFU", "https://betterwaifu.com/api/v1", BETTERWAIFU_LIMITS)
        with_key = [n for n, a in (("fatthumb", fatthumb), ("betterwaifu", betterwaifu)) if a.key]
        default = environ.get("DARKROOM_PROVIDER", "").strip() or (with_key[0] if with_key else "sketch")
        if default not in PROVIDERS:
            raise _misset("DARKROOM_PROVIDER", f"it is one of {', '.join(PROVIDERS)}")
        return cls(
            home=_folder(environ, "DARKROOM_HOME") or _data_folder(),
            pictures=_folder(environ, "DARKROOM_PICTURES") or _pictures_folder(),
            fatthumb=fatthumb,
            betterwaifu=betterwaifu,
            default_provider=default,
            confirm_over=_confirm_over(environ.get("DARKROOM_CONFIRM", "").strip()),
            budget=_budget(environ.get("DARKROOM_BUDGET", "").strip()),
            log_level=_log_level(environ.get("DARKROOM_LOG", "").strip() or "warning"),
            file_manager=_file_manager(environ),
            proxies=tuple(url for name, url in environ.items() if name.lower() in _PROXIES),
        )


def forget_secrets(environ: MutableMapping[str, str]) -> None:
    """Takes out what no child process needs to know, once the settings are read."""
    for name in [name for name in environ if re.fullmatch(r"(FATTHUMB|BETTERWAIFU)_(API_KEY|BASE_URL)", name)]:
        del environ[name]


FATTHUMB_LIMITS = "submit=10/60,requests=1000/3600"
BETTERWAIFU_LIMITS = "active=1,submit=1/60"
_PROXIES = {"http_proxy", "https_proxy", "all_proxy"}

_LIMIT = re.compile(r"(active)=(\d{1,9})|(submit|requests)=(\d{1,9})/(\d{1,7}(?:\.\d{1,3})?)")


def parse_limits(text: str) -> Limits:
    """Reads `active=N`, `submit=N/SECONDS` and `requests=N/SECONDS`, comma-separated.

    Raises:
        ValueError: a part is none of these, or a number is zero.
    """
    active: int | None = None
    windows: dict[str, list[Window]] = {"submit": [], "requests": []}
    for part in (piece.strip() for piece in text.split(",")):
        match = _LIMIT.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is not a limit")
        if match[1]:
            active = int(match[2])
        else:
            windows[match[3]].append(Window(int(match[4]), float(match[5])))
    every = [w for kind in windows.values() for w in kind]
    if active == 0 or any(w.limit == 0 or w.seconds == 0 for w in every):
        raise ValueError("a limit of zero")
    return Limits(active, tuple(windows["submit"]), tuple(windows["requests"]))


def _account(environ: Mapping[str, str], name: str, base_url: str, limits: str) -> Account:
    key = environ.get(f"{name}_API_KEY", "").strip() or None
    if key is not None and not re.fullmatch(r"[\x21-\x7e]{1,512}", key):
        raise _misset(f"{name}_API_KEY", "a key is printable ASCII without spaces")
    try:
        read = parse_limits(environ.get(f"{name}_LIMITS", "").strip() or limits)
    except ValueError:
        raise _misset(f"{name}_LIMITS", f"write it like {limits}") from None
    own_origin = _origin(environ, f"{name}_BASE_URL") or None
    origin = own_origin or base_url
    if name == "BETTERWAIFU" and "@" in urlsplit(origin).netloc:
        # They would take the Authorization header, the only place where BetterWaifu looks for its key.
        raise _misset("BETTERWAIFU_BASE_URL", "a user and password in it would displace the key")
    return Account(key, origin, read, own_origin)


def _passwords(url: str) -> tuple[str, ...]:
    """The URL's password as it is written, as it is meant, and as it travels; a user without one is a token."""
    authority = re.split(r"[/?#]", url.rpartition("://")[2])[0]
    user, _, password = authority.rpartition("@")[0].partition(":")
    written = password or user
    if not written:
        return ()
    sent = f"{unquote(user)}:{unquote(password)}".encode(errors="replace")
    return written, unquote(written), Indivisible(base64.b64encode(sent).decode())


def _origin(environ: Mapping[str, str], variable: str) -> str:
    url = environ.get(variable, "").strip().rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        usable = usable and not parts.query and not parts.fragment and not re.search(r"[\s?#]", url)
    except ValueError:
        usable = False
    if url and not usable:
        raise _misset(variable, "it is an http or https URL")
    return url


def _folder(environ: Mapping[str, str], variable: str) -> Path | None:
    text = environ.get(variable, "").strip()
    if "\0" in text:
        raise _misset(variable, "it is a folder's path")
    try:
        return Path(text).expanduser().absolute() if text else None
    except RuntimeError:  # "~somebody" who does not exist
        raise _misset(variable, "there is no such home folder") from None


def _data_folder() -> Path:
    import platformdirs  # noqa: PLC0415 - only needed where DARKROOM_HOME is not set

    return Path(platformdirs.user_data_dir("darkroom", appauthor=False))


def _pictures_folder() -> Path:
    import platformdirs  # noqa: PLC0415 - only needed where DARKROOM_PICTURES is not set

    return Path(platformdirs.user_pictures_dir()) / "Darkroom"


def _confirm_over(text: str) -> int | None:
    match = re.fullmatch(r"always|over:([0-9]{1,9})", text)
    if text and match is None:
        raise _misset("DARKROOM_CONFIRM", "it is always, or over:N, as in over:2")
    return int(match[1] or 0) if match else None


def _budget(text: str) -> int | None:
    if text and not re.fullmatch(r"0*[1-9][0-9]{0,8}", text):
        raise _misset("DARKROOM_BUDGET", "it is a number of generations a day, 1 or more")
    return int(text) if text else None


def _file_manager(environ: Mapping[str, str]) -> str | None:
    elsewhere = {"darwin": "open", "win32": "explorer"}.get(sys.platform)
    # Without one of these, xdg-open would try browsers for terminals, and could call that success.
    return elsewhere or ("xdg-open" if environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY") else None)


def _log_level(name: str) -> int:
    level = logging.getLevelNamesMapping().get(name.upper())
    if level is None:
        raise _misset("DARKROOM_LOG", "it is one of debug, info, warning, error")
    return level


def _misset(variable: str, rule: str) -> NotConfigured:
    return NotConfigured(f"{variable} cannot be read: {rule}.", next_step=f"Correct {variable} and start again.")
