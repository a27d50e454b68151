"""Providers in code that are loaded by name: those of installed distributions, and our own that few people need."""

import re
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from math import inf
from pkgutil import resolve_name
from typing import Annotated, Any, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import ErrorDetails

from darkroom.accounts import parse_limits
from darkroom.declaration import API_VERSION, Declaration, Traits, own_prefix
from darkroom.environment import is_origin
from darkroom.errors import NotConfigured
from darkroom.models import MAX_COUNT
from darkroom.redact.text import clean

GROUP = "darkroom.providers"
LOAD_WITHIN_S = 10.0
"""Seconds that a start waits for the modules of one provider."""
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Place:
    """The place of a declaration: `module:attribute`, and the distributions that name it; ours has none."""

    value: str
    distributions: tuple[str, ...] = ()


class _Unfit(Exception):
    """The reason why a loaded object is no provider's declaration; the text is for people."""


def installed() -> Mapping[str, Place]:
    """The providers of installed distributions by name, without importing any of them."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - takes milliseconds that few starts need

    found: dict[str, Place] = {}
    try:
        points = [
            (point.name, point.value.partition("[")[0].strip(), _distribution(point))
            for point in entry_points(group=GROUP)
        ]
    except Exception:  # the metadata of any distribution on the path may be damaged
        return {}
    for name, value, distribution in dict.fromkeys(points):
        if _NAME.fullmatch(name) and len(name) <= 40:
            known = found.get(name, Place(value))
            found[name] = replace(known, distributions=(*known.distributions, distribution))
    return found


def load(name: str, place: Place) -> Declaration:
    """The declaration at this place; where there is none that can be used, one that says why."""
    try:
        if len(place.distributions) > 1:
            raise _Unfit("each of them declares it, so all but one are to be uninstalled")
        declaration = _checked(name, _within(place.value))
        if place.distributions and declaration.api_version != API_VERSION:
            stated = clean(str(declaration.api_version), 20)
            raise _Unfit(f"its api_version is {stated}, and this Darkroom's is {API_VERSION}")
    except _Unfit as why:
        origin = " and ".join(place.distributions) or "Darkroom"
        return _unusable(name, f"The provider {name} of {origin} cannot be used: {why}.")
    return replace(declaration, by_default=False)


def _distribution(point: Any) -> str:
    return clean(f"{point.dist.name} {point.dist.version}" if point.dist else "an unnamed distribution", 100)


def _within(value: str) -> object:
    """The object at this place. Raises _Unfit: it is not there, breaks on its way, or takes too long."""
    came: list[object] = []
    broke: list[BaseException] = []

    def resolve() -> None:
        try:
            came.append(resolve_name(value))
        except BaseException as error:  # a module may also try to leave the process
            broke.append(error)

    # A thread of its own: a module that hangs must not keep the start, nor the end, of the process.
    thread = threading.Thread(target=resolve, name=f"loads {value}", daemon=True)
    with redirect_stdout(sys.stderr):  # the output of a command belongs to whoever reads it as JSON
        thread.start()
        thread.join(LOAD_WITHIN_S)
    if broke:
        said = clean(str(broke[0]), 200)
        raise _Unfit(f"{clean(value, 100)} cannot be imported ({type(broke[0]).__name__}{said and f': {said}'})")
    if not came:
        raise _Unfit(f"{clean(value, 100)} was not imported within {LOAD_WITHIN_S:g} s")
    return came[0]


def _checked(name: str, found: object) -> Declaration:
    """The declaration, if its parts are what they must be. Raises _Unfit."""
    if not isinstance(found, Declaration):
        raise _Unfit(f"it is a {type(found).__name__}, not a darkroom.declaration.Declaration")
    if found.name != name:
        raise _Unfit(f"it declares {clean(str(found.name), 40)}, not {name}")
    if found.prefix != own_prefix(name) or found.vendor_key is not None:
        raise _Unfit(f"its variables begin with {own_prefix(name)}, and it names no other")
    try:
        _Parts.model_validate(vars(found))
        _traits_like().model_validate(vars(found.traits))
    except ValidationError as error:
        raise _Unfit("; ".join(map(_said, error.errors(include_url=False, include_input=False)[:3]))) from error
    except TypeError as error:
        raise _Unfit("its traits are none") from error
    traits = found.traits
    if not 1 <= traits.max_count <= MAX_COUNT or not traits.title.strip():
        raise _Unfit(f"its traits have no title, or a max_count that is not from 1 to {MAX_COUNT}")
    if not all(0 < each < inf for each in (traits.poll_interval_s, traits.shortest_interval_s, traits.deadline_s)):
        raise _Unfit("its intervals and its deadline are seconds, more than 0")
    return found


def _traits_like() -> type[BaseModel]:
    """A model with the types of `Traits`, which as a dataclass checks none of them."""
    types: dict[str, Any] = {name: (kind, ...) for name, kind in get_type_hints(Traits).items()}
    return create_model("Traits", __config__=ConfigDict(strict=True), **types)


def _readable(limits: str) -> str:
    if limits:
        parse_limits(limits)
    return limits


def _reachable(url: str) -> str:
    if url and not is_origin(url):
        raise ValueError("is no http or https URL")
    return url


class _Parts(BaseModel):
    """The types of what a declaration has besides its traits."""

    model_config = ConfigDict(strict=True)
    client: Callable[[Any], Any]
    base_url: Annotated[str, AfterValidator(_reachable)]
    limits: Annotated[str, AfterValidator(_readable)]
    behind_gateways: bool
    needs_key: bool
    further: tuple[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,40}$")], ...]


def _said(error: ErrorDetails) -> str:
    return clean(f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}", 200)


def _unusable(name: str, why: str) -> Declaration:
    traits = Traits(title=name, poll_interval_s=1.0, shortest_interval_s=1.0, deadline_s=1.0)
    advice = "Correct or uninstall that distribution, or unset its variables, and start again. Nothing was sent."
    return Declaration(
        name=name,
        prefix=own_prefix(name),
        traits=traits,
        client=_none,
        by_default=False,
        unusable=NotConfigured(why, next_step=advice),
    )


def _none(connection: object) -> None:
    """No client is made of what cannot be used."""
