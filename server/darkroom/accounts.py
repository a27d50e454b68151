"""The means by which each provider is reached, read from the environment: key, origin and limits."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from darkroom.declaration import Declaration
from darkroom.environment import Environment, is_origin, misset
from darkroom.errors import NotConfigured


@dataclass(frozen=True)
class Window:
    """At most `limit` of something in any `seconds`."""

    limit: int
    seconds: float


class Limits(NamedTuple):
    """The limits of one key: jobs and pictures at a time, submissions and requests (polls included) per window."""

    active: int | None = None
    submit: tuple[Window, ...] = ()
    requests: tuple[Window, ...] = ()
    pictures: int | None = None

    @property
    def crowded(self) -> bool:
        """True where a job may have to wait for another one to end."""
        return self.active is not None or self.pictures is not None

    def described(self) -> list[str]:
        """The limits in words, one each."""
        words = [] if self.active is None else [f"{self.active} active at a time"]
        words += [] if self.pictures is None else [f"{self.pictures} picture{'s' * (self.pictures != 1)} at a time"]
        words += [f"{w.limit} submission{'s' * (w.limit != 1)} per {w.seconds:g} s" for w in self.submit]
        words += [f"{w.limit} request{'s' * (w.limit != 1)} per {w.seconds:g} s" for w in self.requests]
        return words


@dataclass(frozen=True)
class Account:
    """The means by which one provider is reached: its key (never shown), its origin and its limits."""

    declaration: Declaration
    key: str | None = field(default=None, repr=False)
    base_url: str = field(default="", repr=False)
    limits: Limits = field(default_factory=Limits)
    own_origin: str | None = field(default=None, repr=False)
    """The base URL, if the user named it; a provider's usual one is a stranger's."""
    misset: NotConfigured | None = None
    """The reason why it is not used, though a key is set."""
    further: Mapping[str, str] = field(default_factory=dict[str, str])
    """The values of those variables that only its provider understands."""

    @property
    def asked_first(self) -> bool:
        """True where a call that names no provider may be given to it."""
        return self.declaration.by_default and bool(self.key or self.misset)

    @property
    def ready(self) -> bool:
        """True where it has what it needs to be used."""
        return self.misset is None and bool(self.key or not self.declaration.needs_key)


_LIMIT = re.compile(r"(active|pictures)=(\d{1,9})|(submit|requests)=(\d{1,9})/(\d{1,7}(?:\.\d{1,3})?)")


def parse_limits(text: str) -> Limits:
    """Reads `active=N`, `pictures=N`, `submit=N/SECONDS` and `requests=N/SECONDS`, comma-separated.

    Raises:
        ValueError: a part is none of these, or a number is zero.
    """
    at_a_time: dict[str, int] = {}
    windows: dict[str, list[Window]] = {"submit": [], "requests": []}
    for part in (piece.strip() for piece in text.split(",")):
        match = _LIMIT.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is not a limit")
        if match[1]:
            at_a_time[match[1]] = int(match[2])
        else:
            windows[match[3]].append(Window(int(match[4]), float(match[5])))
    every = [w for kind in windows.values() for w in kind]
    if 0 in at_a_time.values() or any(w.limit == 0 or w.seconds == 0 for w in every):
        raise ValueError("a limit of zero")
    return Limits(
        at_a_time.get("active"), tuple(windows["submit"]), tuple(windows["requests"]), at_a_time.get("pictures")
    )


def account_of(env: Environment, declaration: Declaration) -> Account:
    """The account that the environment gives this provider; what is misset in it disables it, and is warned of."""
    usual, key_variable = declaration.base_url, declaration.key_variable
    if declaration.unusable is not None:
        return _unusable(env, declaration)
    further = {what: env.text(declaration.variables(what)[-1]) for what in declaration.further}
    if key_variable is None:
        return Account(declaration, further=further)
    key_variable, key = _first_of(declaration.key_variables, env.key)
    env.spoilt += filter(None, map(env.key, set(declaration.key_variables) - {key_variable}))
    origin_variable, own_origin = _first_of(declaration.variables("BASE_URL"), env.url)
    own_origin = own_origin.rstrip("/")
    problems = [
        *_problems_of_key(key_variable, key),
        *_problems_of_origin(env, declaration, origin_variable, own_origin),
    ]
    limits_variable, text = _first_of(declaration.variables("LIMITS"), env.text)
    try:
        limits = _limits(text or declaration.limits)
    except ValueError:
        limits = _limits(declaration.limits)
        problems.append(misset(limits_variable, f"write it like {declaration.limits or 'active=2,submit=10/60'}"))
    if not problems:
        return Account(declaration, key or None, own_origin or usual, limits, own_origin or None, None, further)
    env.warnings += [problem.message for problem in problems]
    env.spoilt.append(key)
    return Account(declaration, None, usual, limits, misset=problems[0] if key or not declaration.needs_key else None)


def _unusable(env: Environment, declaration: Declaration) -> Account:
    """The account of a provider that cannot be used: its variables are read, since they may hold secrets."""
    env.spoilt += filter(None, map(env.key, declaration.key_variables))
    for what, read in (("BASE_URL", env.url), ("LIMITS", env.text)):
        read(declaration.variables(what)[0])
    return Account(declaration, misset=declaration.unusable)


def _first_of(variables: Sequence[str], read: Callable[[str], str]) -> tuple[str, str]:
    """The first of the variables that has a value, and the value; the first of all where none has."""
    values = {variable: read(variable) for variable in variables}
    return next(((variable, value) for variable, value in values.items() if value), (variables[0], ""))


def _limits(text: str) -> Limits:
    return parse_limits(text) if text else Limits()


def _problems_of_key(variable: str, key: str) -> Iterator[NotConfigured]:
    if key and not re.fullmatch(r"[\x21-\x7e]{1,512}", key):
        yield misset(variable, "a key is printable ASCII without spaces")


def _problems_of_origin(env: Environment, declaration: Declaration, variable: str, url: str) -> Iterator[NotConfigured]:
    usual = declaration.base_url
    path = urlsplit(usual).path
    if not url:
        return
    if not is_origin(url):
        yield misset(variable, "it is an http or https URL")
        return
    if not declaration.behind_gateways and "@" in urlsplit(url).netloc:
        # They would take the Authorization header, the only place where such a service looks for its key.
        yield misset(variable, "a user and password in it would displace the key")
    if not urlsplit(url).path.endswith(path):
        if urlsplit(url).hostname == urlsplit(usual).hostname:
            yield misset(variable, f"it lacks {path} at its end")
        else:
            env.warnings.append(f"{variable} does not end in {path}; if requests get 404, that is why.")
