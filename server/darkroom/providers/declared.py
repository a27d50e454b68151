"""Every provider that there is: the usual ones, and those that the environment configures, from files and from code."""

import os
import re
from collections.abc import Collection, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkroom.blanks import filled
from darkroom.declaration import Declaration, own_prefix
from darkroom.providers.betterwaifu import DECLARATION as BETTERWAIFU
from darkroom.providers.fatthumb import DECLARATION as FATTHUMB
from darkroom.providers.offered import IN_CODE, NAMES, OFFERED
from darkroom.providers.sketch import DECLARATION as SKETCH
from darkroom.settings import Settings, home_of
from darkroom.tenants import Tenant

if TYPE_CHECKING:
    from darkroom.providers.base import Connection
    from darkroom.providers.language.files import Source
    from darkroom.providers.plugged import Place

DECLARED: Mapping[str, Declaration] = {each.name: each for each in (FATTHUMB, BETTERWAIFU, SKETCH)}
"""Those in code. A call that names none is given to the first that has a key, or to the last, which needs none."""
DATABASE = "DARKROOM_DATABASE_URL"
SERVERS_OWN = {"DARKROOM_ADMIN_TOKEN", DATABASE}
"""The variables that hold secrets of the server itself."""
_OWN = re.compile(r"DARKROOM_([A-Z0-9_]+?)_(KEY|BASE_URL|LIMITS)")
"""The variables of a declared provider."""


def read_settings(
    environ: Mapping[str, str],
    *,
    in_any_folder: bool = False,
    known: MutableMapping[str, Declaration] | None = None,
    also: Collection[str] = (),
) -> Settings:
    """As `Settings.from_environment`, with all of these.

    `known`: those of files that need not be read again; it fills. `also`: those to have though no variable is for them.
    """
    environ = filled(environ)
    wanted = _Wanted(environ, in_any_folder, also)
    found = _Found(warnings=wanted.warnings)
    for name, file in wanted.files.items():
        if known is not None and name in known:
            found.declared[name] = known[name]
        else:
            found.take(name, file, home_of(environ, in_any_folder=in_any_folder) / "providers" / "kept")
    if known is not None:
        known.update(found.declared)
    for name, place in wanted.places.items():
        found.load(name, place)
    settings = Settings.from_environment(environ, {**DECLARED, **found.declared}, in_any_folder=in_any_folder)
    spoilt = tuple(value.strip() for name, value in environ.items() if value.strip() and _unused(name, settings))
    if not found.warnings and not spoilt:
        return settings
    return replace(settings, warnings=(*settings.warnings, *found.warnings), spoilt=(*settings.spoilt, *spoilt))


def settings_of(tenant: Tenant, server: Settings, known: MutableMapping[str, Declaration]) -> Settings:
    """The settings of this server for a tenant: with the keys of its own entry and no others. `known`: as above."""
    places = {"DARKROOM_HOME": str(server.home), "DARKROOM_PICTURES": str(server.pictures)}
    own = read_settings({**tenant.keys, **places}, known=known)
    return replace(
        server,
        accounts=own.accounts,
        default_provider=own.default_provider,
        budget=tenant.budget or server.budget,
        inputs=(),
        warnings=own.warnings,
        spoilt=own.spoilt,
    )


def every_name(home: Path) -> Collection[str]:
    """The names of all that anybody could be given here."""
    from darkroom.providers.plugged import installed  # noqa: PLC0415 - few processes need it

    return list(dict.fromkeys([*DECLARED, *NAMES, *added_files(home), *installed()]))


def names_in(environ: Mapping[str, str], *, also: Collection[str] = ()) -> Collection[str]:
    """The names of all that there are here, without reading their files or importing their code."""
    wanted = _Wanted(filled(environ), in_any_folder=False, also=also)
    return [*DECLARED, *wanted.files, *wanted.places]


def forget_secrets(environ: MutableMapping[str, str]) -> None:
    """Takes out what no child process needs to know, once the settings are read."""
    prefixes = tuple(declaration.prefix for declaration in DECLARED.values())
    vendors = set(filter(None, OFFERED.values()))
    for name in list(environ):
        if (
            name.upper().startswith(prefixes)
            or name.upper() in {*vendors, *SERVERS_OWN}
            or _OWN.fullmatch(name.upper())
        ):
            del environ[name]


def added_files(home: Path) -> Mapping[str, Path]:
    """The files of a person's own, by the names that they declare providers under."""
    try:
        files = sorted((home / "providers").glob("*.toml"))
    except OSError:
        return {}
    return {file.stem: file for file in files if file.stem not in {*DECLARED, *NAMES}}


def _unused(variable: str, settings: Settings) -> bool:
    """True where it holds a key that no provider here has: it is a secret nevertheless."""
    own = _OWN.fullmatch(variable)
    return own is not None and own[2] == "KEY" and own[1] not in map(_spelled, settings.accounts)


def _spelled(name: str) -> str:
    return name.upper().replace("-", "_")


class _Wanted:
    """The providers that a variable is for, or that are `also` there. `files`: with their files, None where shipped.

    `places`: those in code. `warnings`: a sentence for each that is installed under a name which is taken.
    """

    def __init__(self, environ: Mapping[str, str], in_any_folder: bool, also: Collection[str]) -> None:
        given = {found[1] for name, value in environ.items() if value.strip() and (found := _OWN.fullmatch(name))}
        self._spelled = given | set(map(_spelled, also))
        self._named = environ.get("DARKROOM_PROVIDER", "").strip().lower()
        self.warnings: list[str] = []
        self.places: dict[str, Place] = {}
        self.files: dict[str, Path | None] = {
            name: None for name, vendors in OFFERED.items() if self._is(name) or environ.get(vendors or "", "").strip()
        }
        if any(map(self._is, IN_CODE)):
            from darkroom.providers import plugged  # noqa: PLC0415 - few processes need it

            self.places = {name: plugged.Place(value) for name, value in IN_CODE.items() if self._is(name)}
        if not self._all_known(known := [*DECLARED, *NAMES]):
            added = added_files(home_of(environ, in_any_folder=in_any_folder))
            self.files |= {name: file for name, file in added.items() if self._is(name)}
            if not self._all_known([*known, *added]):
                self._look_around([*known, *added])

    def _is(self, name: str) -> bool:
        return _spelled(name) in self._spelled or name == self._named

    def _all_known(self, names: Collection[str]) -> bool:
        return self._spelled <= set(map(_spelled, names)) and self._named in {"", *names}

    def _look_around(self, known: Collection[str]) -> None:
        from darkroom.providers.plugged import installed  # noqa: PLC0415 - few processes need it

        for name, place in installed().items():
            if name not in known:
                self.places |= {name: place} if self._is(name) else {}
                continue
            whose = " and ".join(place.distributions)
            self.warnings.append(f"The provider {name} of {whose} is ignored: there is another one of that name.")


@dataclass
class _Found:
    """The declarations in files and in code, and a sentence for each file that declares nothing."""

    declared: dict[str, Declaration] = field(default_factory=dict[str, Declaration])
    warnings: list[str] = field(default_factory=list[str])

    def load(self, name: str, place: "Place") -> None:
        """Imports one that is in code."""
        from darkroom.providers.plugged import load  # noqa: PLC0415 - few processes need it

        self.declared[name] = load(name, place)

    def take(self, name: str, file: Path | None, kept: Path) -> None:
        """Reads one file, and no other module of the language is loaded before."""
        from darkroom.providers.language.files import SHIPPED, Source  # noqa: PLC0415 - few processes need them
        from darkroom.providers.language.loading import BadDeclaration  # noqa: PLC0415

        try:
            source = Source.of((file or SHIPPED / f"{name}.toml").read_bytes())
            if source.service.name != name:
                raise BadDeclaration(f"it declares {source.service.name}, so it is to be called that")
            if file is not None and source.service.key is not None:
                raise BadDeclaration(f"its key is in {own_prefix(name)}KEY and in no other variable")
            self.declared[name] = _declaration(source, kept)
        except Exception as error:  # no file may keep the server from starting
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
