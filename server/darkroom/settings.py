"""The environment, read once and checked: nothing else in the house looks at it."""

import logging
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from darkroom.accounts import Account, account_of
from darkroom.buckets import OBJECT_STORE_SECRETS, Bucket, place_of
from darkroom.declaration import Declaration
from darkroom.environment import (
    Environment,
    Previews,
    admin_token_of,
    data_folder,
    database_of,
    database_passwords,
    folder_of,
    inputs_of,
    keep_days_of,
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
class Settings:
    """Everything that the environment decides."""

    home: Path
    pictures: Path | Bucket
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
    database: str | None = field(default=None, repr=False)
    """The URL of the PostgreSQL that has the ledger; None: it is in a file of `home`."""
    results: frozenset[str] | None = None
    """The parts of a result that every client is sent; None: what suits the client."""
    previews: Previews = "sheet"
    inputs: tuple[Path, ...] = ()
    """The folders whose files may be sent to providers."""
    strip_notes: bool = False
    """True where a picture is saved without its notes; otherwise it is saved as it came."""
    keep_days: int | None = None
    """The days for which the ledger keeps a generation once it is over; None: it stays."""
    warnings: tuple[str, ...] = ()
    """A sentence for each variable that was not taken as it is written."""
    telemetry: bool = False
    """True where traces and metrics are sent to a collector."""
    log_level: int = logging.WARNING
    log_json: bool = False
    """True where each line of the log is a JSON object."""
    admin_token: str | None = field(default=None, repr=False)
    """The token of those who may see the operator's page; None: there is none."""
    dumb_terminal: bool = False
    """The terminal obeys no escape codes."""
    file_manager: str | None = None
    """The command that shows a folder on this machine's desktop; None where there is no desktop."""
    proxies: tuple[str, ...] = field(default=(), repr=False)
    store_keys: tuple[str, ...] = field(default=(), repr=False)
    """The secrets of the object store; none where pictures are saved in a folder."""
    spoilt: tuple[str, ...] = field(default=(), repr=False)
    """Texts that were given as a key or a base URL and are not used: it may hold a secret nevertheless."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text that must never leave the process but in a request to its own provider, gateway or proxy."""
        accounts = self.accounts.values()
        urls = [*(account.base_url for account in accounts), *self.proxies]
        spoilt = [text for text in self.spoilt if "://" not in text]
        keys = [*(account.key or "" for account in accounts), *self.store_keys, self.admin_token or "", *spoilt]
        keys += database_passwords(self.database or "")
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
        accounts = {name: account_of(env, declaration) for name, declaration in declared.items()}
        with_key = [name for name, account in accounts.items() if account.asked_first]
        home = folder_of(env, "DARKROOM_HOME", in_any_folder) or data_folder()
        pictures = place_of(env, in_any_folder) or pictures_folder()
        default, confirm_over, budget = _default_provider(env, declared), confirm_over_of(env), budget_of(env)
        results, previews, log_level = results_of(env), previews_of(env), _log_level(env)
        collector, headers = env.text("OTEL_EXPORTER_OTLP_ENDPOINT"), env.given("OTEL_EXPORTER_OTLP_HEADERS")
        env.spoilt += [collector, *(unquote(each.partition("=")[2].strip()) for each in headers.split(","))]
        strip_notes, log_json = strips_notes(env), _log_json(env)
        database, keep_days, admin_token = database_of(env), keep_days_of(env), admin_token_of(env)
        if isinstance(home, NotConfigured):
            raise home
        if isinstance(database, NotConfigured):
            raise database
        no_place = pictures if isinstance(pictures, NotConfigured) else None
        places = (pictures, pictures_folder() if no_place else None, home / "pictures")
        inputs = inputs_of(env, in_any_folder)
        misspelt = env.strangers("DARKROOM_", *(declaration.prefix for declaration in declared.values()))
        env.warnings += [f"{n} is no variable of Darkroom's{m and f'; {m} is'}." for n, m in misspelt.items()]
        guards = [guard for guard in (confirm_over, budget) if isinstance(guard, NotConfigured)]
        guards += misspelt_guards(environ, misspelt)
        errors = [error for error in (default, pictures, *guards) if isinstance(error, NotConfigured)]
        return cls(
            home=home,
            database=database,
            pictures=next(each for each in places if isinstance(each, Path | Bucket)),
            store_keys=tuple(map(env.given, OBJECT_STORE_SECRETS)) if isinstance(pictures, Bucket) else (),
            accounts=accounts,
            default_provider=default or next(iter(with_key), "sketch"),
            confirm_over=confirm_over if isinstance(confirm_over, int) else None,
            budget=budget if isinstance(budget, Budget) else None,
            unguarded=guards[0] if guards else None,
            no_place=no_place,
            results=results,
            previews=previews,
            inputs=inputs,
            strip_notes=strip_notes,
            keep_days=keep_days,
            warnings=(*env.warnings, *(error.message for error in errors)),
            log_level=log_level,
            log_json=log_json,
            telemetry=bool(collector),
            admin_token=admin_token,
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
    home = folder_of(Environment(environ), "DARKROOM_HOME", in_any_folder) or data_folder()
    if isinstance(home, NotConfigured):
        raise home
    return home


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


def _log_json(env: Environment) -> bool:
    match env.text("DARKROOM_LOG_FORMAT").lower():
        case "json" | "text" | "" as known:
            return known == "json"
        case _:
            env.warnings.append(misset("DARKROOM_LOG_FORMAT", "it is text or json").message)
            return False
