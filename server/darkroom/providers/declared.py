"""Every provider that there is: those in code, and those that a file declares and the environment configures."""

import os
import re
from collections.abc import Collection, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkroom.declaration import Declaration
from darkroom.providers.betterwaifu import DECLARATION as BETTERWAIFU
from darkroom.providers.fatthumb import DECLARATION as FATTHUMB
from darkroom.providers.offered import OFFERED
from darkroom.providers.sketch import DECLARATION as SKETCH
from darkroom.settings import Settings, home_of

if TYPE_CHECKING:
    from darkroom.providers.base import Connection
    from darkroom.providers.language.files import Source

DECLARED: Mapping[str, Declaration] = {each.name: each for each in (FATTHUMB, BETTERWAIFU, SKETCH)}
"""Those in code. A call that names none is given to the first that has a key, or to the last, which needs none."""
_OWN = re.compile(r"DARKROOM_([A-Z0-9_]+?)_(KEY|BASE_URL|LIMITS)")
"""The variables of a declared provider."""


def read_settings(environ: Mapping[str, str], *, in_any_folder: bool = False) -> Settings:
    """As `Settings.from_environment`, with all of these."""
    found = _Found()
    for name, file in _configured(environ, in_any_folder).items():
        found.take(name, file, home_of(environ, in_any_folder=in_any_folder) / "providers" / "kept")
    settings = Settings.from_environment(environ, {**DECLARED, **found.declared}, in_any_folder=in_any_folder)
    spoilt = tuple(value.strip() for name, value in environ.items() if value.strip() and _unused(name, settings))
    if not found.warnings and not spoilt:
        return settings
    return replace(settings, warnings=(*settings.warnings, *found.warnings), spoilt=(*settings.spoilt, *spoilt))


def names_in(environ: Mapping[str, str], *, in_any_folder: bool = False) -> Collection[str]:
    """The names of all that there are here, without reading their files."""
    return [*DECLARED, *_configured(environ, in_any_folder)]


def forget_secrets(environ: MutableMapping[str, str]) -> None:
    """Takes out what no child process needs to know, once the settings are read."""
    prefixes = tuple(declaration.prefix for declaration in DECLARED.values())
    vendors = set(filter(None, OFFERED.values()))
    for name in list(environ):
        if name.upper().startswith(prefixes) or name.upper() in vendors or _OWN.fullmatch(name.upper()):
            del environ[name]


def added_files(home: Path) -> Mapping[str, Path]:
    """The files of a person's own, by the names that they declare providers under."""
    try:
        files = sorted((home / "providers").glob("*.toml"))
    except OSError:
        return {}
    return {file.stem: file for file in files if file.stem not in {*DECLARED, *OFFERED}}


def _configured(environ: Mapping[str, str], in_any_folder: bool) -> dict[str, Path | None]:
    """The declared providers that a variable is for, each with its file; None: it is shipped."""
    spelled = {found[1] for name, value in environ.items() if value.strip() and (found := _OWN.fullmatch(name))}
    wanted = environ.get("DARKROOM_PROVIDER", "").strip().lower()
    known: dict[str, Path | None] = {
        name: None
        for name, vendors in OFFERED.items()
        if _spelled(name) in spelled or name == wanted or environ.get(vendors or "", "").strip()
    }
    if spelled <= set(map(_spelled, [*OFFERED, *DECLARED])) and wanted in {"", *OFFERED, *DECLARED}:
        return known
    added = added_files(home_of(environ, in_any_folder=in_any_folder))
    return known | {name: file for name, file in added.items() if _spelled(name) in spelled or name == wanted}


def _unused(variable: str, settings: Settings) -> bool:
    """Whether it holds a key that no provider here has: it is a secret nevertheless."""
    own = _OWN.fullmatch(variable)
    return own is not None and own[2] == "KEY" and own[1] not in map(_spelled, settings.accounts)


def _spelled(name: str) -> str:
    return name.upper().replace("-", "_")


@dataclass
class _Found:
    """What the files declare, and a sentence for each that declares nothing."""

    declared: dict[str, Declaration] = field(default_factory=dict[str, Declaration])
    warnings: list[str] = field(default_factory=list[str])

    def take(self, name: str, file: Path | None, kept: Path) -> None:
        """Reads one file, and no other module of the language is loaded before."""
        from darkroom.providers.language.files import SHIPPED, Source  # noqa: PLC0415 - few processes need them
        from darkroom.providers.language.loading import BadDeclaration  # noqa: PLC0415

        try:
            source = Source.of((file or SHIPPED / f"{name}.toml").read_bytes())
            if source.service.name != name:
                raise BadDeclaration(f"it declares {source.service.name}, so it is to be called that")
            if file is not None and source.service.key is not None:
                raise BadDeclaration(f"its key is in DARKROOM_{_spelled(name)}_KEY and in no other variable")
            self.declared[name] = _declaration(source, kept)
        except (OSError, BadDeclaration) as error:
            why = "; ".join(error.faults[:3]) if isinstance(error, BadDeclaration) else type(error).__name__
            self.warnings.append(f"The provider {name} is not there: {os.fspath(file or name)} cannot be used ({why}).")


def _declaration(source: "Source", kept: Path) -> Declaration:
    from darkroom.providers.language import offers  # noqa: PLC0415 - few processes need it

    service = source.service
    traits = offers.traits_of(service)

    def client(connection: "Connection") -> Any:
        from darkroom.providers.language.client import Declared  # noqa: PLC0415

        return Declared(connection, source, traits, kept)

    return Declaration(
        name=service.name,
        prefix=service.prefix,
        traits=traits,
        client=client,
        base_url=service.base_url,
        limits=offers.limits_of(service),
        vendor_key=service.key,
        needs_key=service.auth.kind != "none" and not service.auth.optional,
        by_default=False,
    )
