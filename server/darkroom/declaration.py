"""A provider before anybody uses it: its name, its variables, what it can do, and what makes its client."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from darkroom.errors import NotConfigured
from darkroom.models import GenerationRequest
from darkroom.money import Money
from darkroom.prices import Prices

API_VERSION = 1
"""The version of this interface: a provider of another distribution states the one that it was written for."""


class Options(BaseModel):
    """A provider's own arguments, as JSON or as the texts that agents and people write them in."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


@dataclass(frozen=True)
class ImageTraits:
    """The pictures that a provider takes: `max` of them and perhaps a mask, in these `formats`.

    `models`: those that take them; empty: every one. `needed`: those that make nothing without one.
    """

    max: int = 1
    mask: bool = False
    formats: tuple[str, ...] = ("png", "jpeg", "webp")
    models: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Traits:
    """A provider's abilities, as data. Intervals and deadlines are seconds."""

    title: str
    poll_interval_s: float
    shortest_interval_s: float
    deadline_s: float
    """Seconds after the submission at which a job that is still running is given up."""
    usual_s: tuple[float, float] | None = None
    """From when to when its documentation says that a job is done; None: it says nothing."""
    max_count: int = 1
    models: tuple[str, ...] | None = None
    """The model names it takes; None where they are numbers from its own list."""
    default_model: str = ""
    aspect_ratios: tuple[str, ...] = ()
    negative_prompt: bool = False
    seed: bool = False
    images: ImageTraits | None = None
    """The pictures that it takes; None: none."""
    options: type[Options] = Options
    free: bool = False
    """True where its pictures cost nothing."""
    lasting: bool = False
    """True where its POST takes minutes, since the response to it is the result."""
    finds: bool = False
    """True where it shows jobs under our own names for them, so that one whose response was lost can be found."""
    cancels: bool = False
    """True where it can be asked to stop a job that it has."""
    lasts_s: float | None = None
    """Seconds for which the provider keeps its pictures."""
    prices: Prices | None = None
    """Its price list, where there is one."""
    note: str | None = None
    """A remark on every one of its results."""

    def price(self, request: GenerationRequest) -> Money | None:
        """The price of the request by the price list; None where there is none, or none for such requests."""
        return None if self.prices is None else self.prices.of(request)


@dataclass(frozen=True)
class Declaration:
    """One provider, as everything that does not talk to it knows it.

    `prefix`: how the names of its variables begin. `base_url` and `limits`: what holds where none is set.
    `client`: makes its `Provider` out of a `Connection`; it raises NotConfigured where one of `further` cannot be used.
    """

    name: str
    prefix: str
    traits: Traits
    client: Callable[[Any], Any]
    base_url: str = ""
    limits: str = ""
    behind_gateways: bool = False
    """True where its base URL may hold a user and password, which take the `Authorization` header."""
    vendor_key: str | None = None
    """The variable that the vendor's own documentation names for its key."""
    needs_key: bool = True
    """True where it is of no use without one."""
    by_default: bool = True
    """True where a call that names no provider may be given to it without being asked to."""
    further: tuple[str, ...] = ()
    """The names, behind `DARKROOM_<NAME>_`. None of them holds a secret."""
    api_version: int | None = None
    """The version of this interface that it was written for; those that come with Darkroom need not state it."""
    unusable: NotConfigured | None = None
    """The reason why it cannot be used, whatever its variables hold."""

    @property
    def key_variable(self) -> str | None:
        """The variable that holds its key; None: it needs none."""
        if not self.base_url:
            return None
        return f"{self.prefix}KEY" if self.prefix == self._own else f"{self.prefix}API_KEY"

    @property
    def key_variables(self) -> tuple[str, ...]:
        """All that may hold its key: the first that does counts."""
        names = (self.key_variable, f"{self._own}KEY", self.vendor_key)
        return tuple(dict.fromkeys(name for name in names if name))

    def variables(self, what: str) -> tuple[str, ...]:
        """All that may hold its BASE_URL or its LIMITS: the first that does counts."""
        return tuple(dict.fromkeys((f"{self.prefix}{what}", f"{self._own}{what}")))

    @property
    def _own(self) -> str:
        return own_prefix(self.name)


def own_prefix(name: str) -> str:
    """The beginning of the variables that follow from a provider's name."""
    return f"DARKROOM_{name.upper().replace('-', '_')}_"
