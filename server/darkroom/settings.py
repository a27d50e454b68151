"""The environment, read once and checked: nothing else in the house looks at it."""

import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from darkroom.declaration import Declaration
from darkroom.environment import (
    Environment,
    Previews,
    data_folder,
    folder_of,
    inputs_of,
    is_origin,
    misset,
    passwords,
    pictures_folder,
    previews_of,
    proxies_of,
    results_of,
    strips_notes,
)
from darkroom.errors import NotConfigured
from darkroom.guards import Budget, budget_of, confirm_over_of, misspelt_guards


@dataclass(frozen=True)
class Window:
    """At most `limit` of something in any `seconds`."""

    limit: int
    seconds: float


@dataclass(frozen=True)
class Limits:
    """The limits of one key: jobs at a time, submissions per window, requests (polls included) per window."""

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


@dataclass(frozen=True)
class Settings:
    """Everything that the environment decides."""

    home: Path
    pictures: Path
    accounts: Mapping[str, Account] = field(default_factory=dict[str, Account])
    """Those of every provider that is declared, by its name, whether they can be used or not."""
    default_provider: str | NotConfigured = "sketch"
    """The provider of a call that names none, or why there is none."""
    confirm_over: int | None = None
    """A call for more pictures than this is asked about before anything is spent; None: none is."""
    budget: Budget | None = None
    """The budget of a day; None: there is none."""
    unguarded: NotConfigured | None = None
    """The reason why nothing that costs money may be started: the user wants to be protected, but not readably so."""
    no_place: NotConfigured | None = None
    """The reason why no picture can be made: there is no telling where it should be saved."""
    results: frozenset[str] | None = None
    """The parts of a result that every client is sent; None: what suits the client."""
    previews: Previews = "sheet"
    inputs: tuple[Path, ...] = ()
    """The folders whose files may be sent to providers."""
    strip_notes: bool = False
    """True where a picture is saved without its notes; otherwise it is saved as it came."""
    warnings: tuple[str, ...] = ()
    """A sentence for each variable that was not taken as it is written."""
    log_level: int = logging.WARNING
    dumb_terminal: bool = False
    """The terminal obeys no escape codes."""
    file_manager: str | None = None
    """The command that shows a folder on this machine's desktop; None where there is no desktop."""
    proxies: tuple[str, ...] = field(default=(), repr=False)
    spoilt: tuple[str, ...] = field(default=(), repr=False)
    """Texts that were given as a key or a base URL and are not used: it may hold a secret nevertheless."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text that must never leave the process but in a request to its own provider, gateway or proxy."""
        accounts = self.accounts.values()
        urls = [*(account.base_url for account in accounts), *self.proxies]
        spoilt = [text for text in self.spoilt if "://" not in text]
        keys = [*(account.key or "" for account in accounts), *spoilt]
        keys += [half for key in keys for half in key.split(":")[1:]]  # of a user and password, or an issuer and secret
        return (*keys, *(each for url in (*urls, *self.spoilt) for each in passwords(url)))

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], declared: Mapping[str, Declaration], *, in_any_folder: bool = False
    ) -> "Settings":
        """Reads every variable of the contract, and those of the declared providers.

        `in_any_folder`: the host chose the working directory, not the user.

        A variable that cannot be meant as it is written disables what it concerns; one that protects disables what
        it protects from.

        Raises:
            NotConfigured: there is no telling where the ledger should be.
        """
        env = Environment(environ)
        accounts = {name: _account(env, declaration) for name, declaration in declared.items()}
        with_key = [name for name, account in accounts.items() if account.asked_first]
        home, pictures = (folder_of(env, f"DARKROOM_{name}", in_any_folder) for name in ("HOME", "PICTURES"))
        default, confirm_over, budget = _default_provider(env, declared), confirm_over_of(env), budget_of(env)
        results, previews, log_level = results_of(env), previews_of(env), _log_level(env)
        strip_notes = strips_notes(env)
        if isinstance(home, NotConfigured):
            raise home
        inputs = inputs_of(env, in_any_folder)
        misspelt = env.strangers("DARKROOM_", *(declaration.prefix for declaration in declared.values()))
        env.warnings += [f"{n} is no variable of Darkroom's{m and f'; {m} is'}." for n, m in misspelt.items()]
        guards = [guard for guard in (confirm_over, budget) if isinstance(guard, NotConfigured)]
        guards += misspelt_guards(environ, misspelt)
        errors = [error for error in (default, pictures, *guards) if isinstance(error, NotConfigured)]
        return cls(
            home=home or data_folder(),
            pictures=pictures if isinstance(pictures, Path) else pictures_folder(),
            accounts=accounts,
            default_provider=default or next(iter(with_key), "sketch"),
            confirm_over=confirm_over if isinstance(confirm_over, int) else None,
            budget=budget if isinstance(budget, Budget) else None,
            unguarded=guards[0] if guards else None,
            no_place=pictures if isinstance(pictures, NotConfigured) else None,
            results=results,
            previews=previews,
            inputs=inputs,
            strip_notes=strip_notes,
            warnings=(*env.warnings, *(error.message for error in errors)),
            log_level=log_level,
            dumb_terminal=environ.get("TERM", "").lower() == "dumb",
            file_manager=_file_manager(environ),
            proxies=tuple(proxies_of(environ).values()),
            spoilt=tuple(filter(None, env.spoilt)),
        )


def home_of(environ: Mapping[str, str], *, in_any_folder: bool = False) -> Path:
    """The folder of the ledger.

    Raises:
        NotConfigured: there is no telling where it should be.
    """
    home = folder_of(Environment(environ), "DARKROOM_HOME", in_any_folder)
    if isinstance(home, NotConfigured):
        raise home
    return home or data_folder()


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


def _account(env: Environment, declaration: Declaration) -> Account:
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


def _default_provider(env: Environment, names: Iterable[str]) -> str | NotConfigured:
    name = env.text("DARKROOM_PROVIDER").lower()
    return name if name in {"", *names} else misset("DARKROOM_PROVIDER", f"it is one of {', '.join(names)}")


def _file_manager(environ: Mapping[str, str]) -> str | None:
    elsewhere = {"darwin": "open", "win32": "explorer"}.get(sys.platform)
    # Without one of these, xdg-open would try browsers for terminals, and could call that success.
    return elsewhere or ("xdg-open" if environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY") else None)


def _log_level(env: Environment) -> int:
    level = logging.getLevelNamesMapping().get((env.text("DARKROOM_LOG") or "warning").upper())
    if level is None:
        env.warnings.append(misset("DARKROOM_LOG", "it is one of debug, info, warning, error").message)
    return level or logging.WARNING
