"""The catalogue of every provider here and now: models, arguments, limits, key, balance."""

import logging
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import anyio

from darkroom.accounts import Limits
from darkroom.declaration import Traits
from darkroom.errors import DarkroomError, NotFound, ProviderError, ProviderUnreachable
from darkroom.models import Failure, Sparse
from darkroom.prices import Prices
from darkroom.providers.base import AccountState, Model, Provider
from darkroom.providers.offered import more_than
from darkroom.providers.registry import Registry
from darkroom.redact.text import quote
from darkroom.transport.client import KeyState, NotAsked

log = logging.getLogger(__name__)

LOST = "Its response is the picture: one that is lost on its way is lost money."
MAX_MODELS = 100
SHOWN_MODELS = 20
ASKED_WITHIN_S = 20.0
"""Seconds that a provider may take to say what it has: the others' callers wait for it too."""
FRESH_S = 60.0
"""Seconds for which a provider's list of models is reused where a program asks for it again and again."""


class Accepts(Sparse):
    """The arguments that `generate` takes for a provider."""

    max_count: int
    aspect_ratios: tuple[str, ...]
    negative_prompt: bool
    seed: bool
    options: tuple[str, ...]
    images: int | None = None
    """The number of pictures that it can be given to edit or to follow; absent: none."""
    mask: bool | None = None
    image_models: tuple[str, ...] | None = None
    """The models that take them, where not all do."""


class ProviderState(Sparse):
    """One provider as list_models reports it. `models` holds the first hundred of `model_count`."""

    name: str
    status: Literal[KeyState, "no key", "unavailable"]
    default: bool
    key_variable: str | None = None
    models: tuple[Model, ...] = ()
    model_count: int = 0
    accepts: Accepts
    limits: tuple[str, ...] = ()
    account: AccountState | None = None
    note: str | None = None
    error: Failure | None = None


class Catalogue(Sparse):
    """The result of list_models."""

    providers: tuple[ProviderState, ...]
    more: str | None = None
    """The other ones that there are, and how to use them."""
    warnings: tuple[str, ...] = ()
    """Of settings that were not taken as they are written."""


@dataclass(frozen=True)
class Known:
    """The last models and balance that a provider reported, with the times (by the process's clock, in seconds)."""

    models: tuple[Model, ...] = ()
    account: AccountState | None = None
    at: float = float("-inf")


class Models:
    """The models and limits of every provider here and now, with the reports of each so far."""

    def __init__(self, registry: Registry, limits: Mapping[str, Limits]) -> None:
        self._registry = registry
        self._limits = limits
        self._known: dict[str, Known] = {}

    async def catalogue(self, name: str | None = None) -> Catalogue:
        """The state of every provider, or of the named one, asked at the same time.

        Nobody waits for an account's limit here: where it is nearly used up, what is known is returned, and said so.

        Raises:
            InvalidRequest, NotConfigured: there is no provider of that name here.
        """
        names = list(self._registry.declared) if name is None else [self._described(name)]
        # Not in the tasks: what cannot be described is reported to the caller, and not a group of errors.
        states = {provider_name: _described(provider_name, self._registry, self._limits) for provider_name in names}

        async def ask(provider_name: str, provider: Provider) -> None:
            states[provider_name] = await self._asked(states[provider_name], provider)

        async with anyio.create_task_group() as tasks:
            for provider_name in states.keys() & self._registry.providers.keys():
                tasks.start_soon(ask, provider_name, self._registry.providers[provider_name])
        more = more_than(self._registry.declared) if name is None else None
        return Catalogue(providers=tuple(states[provider_name] for provider_name in names), more=more)

    async def of(self, name: str) -> ProviderState:
        """The provider's state with all its models; those that need no key to be known, where it has none here.

        What it said counts for a while: programs that complete a name ask with every letter.

        Raises:
            InvalidRequest, NotConfigured: there is no provider of that name here.
            DarkroomError: it does not list its models, and has not done so before.
        """
        state = _described(self._described(name), self._registry, self._limits)
        provider = self._registry.providers.get(name)
        if provider is None:
            return state
        known = self._known.get(provider.access.account, Known())
        if anyio.current_time() - known.at >= FRESH_S:
            try:
                with _in_time(provider):
                    known = await self._models_of(provider)
            except NotAsked:
                if not known.models:
                    raise
        return state.model_copy(update={"models": known.models, "model_count": len(known.models)})

    def _described(self, name: str) -> str:
        if self._registry.known(name) not in self._registry.declared:
            self._registry.provider(name)
        return name

    async def _models_of(self, provider: Provider) -> Known:
        found = [Model.model_validate(each) for each in await provider.models()]
        models, now = _priced(found, provider.traits), anyio.current_time()
        account = provider.access.account
        self._known[account] = replace(self._known.get(account, Known()), models=models, at=now)
        return self._known[account]

    async def _asked(self, state: ProviderState, provider: Provider) -> ProviderState:
        found: dict[str, Any] = {}
        try:
            with _in_time(provider):
                await self._models_of(provider)
                account = await provider.account_state()
            self._known[provider.access.account] = replace(self._known[provider.access.account], account=account)
        except NotAsked:
            found = {"note": " ".join(filter(None, [state.note, self._as_of(provider)]))}
        except NotFound as error:  # the key works, and only the account's own page is missing
            found = {"error": error.failure(), "account": None}
        except DarkroomError as error:
            found = {"error": error.failure(), "status": "unavailable", "account": None}
        except Exception as error:  # a provider's client may be anybody's code, and the others are asked as well
            log.exception("%s: its client broke", provider.name)
            found = {"error": _broken(provider, error).failure(), "status": "unavailable", "account": None}
        known = self._known.get(provider.access.account, Known())
        if known.models:
            found |= {"models": known.models[:MAX_MODELS], "model_count": len(known.models)}
        return state.model_copy(update={"status": provider.access.key.state, "account": known.account, **found})

    def _as_of(self, provider: Provider) -> str:
        seconds = anyio.current_time() - self._known.get(provider.access.account, Known()).at
        since = f"this is what it said {seconds:.0f} s ago" if seconds < float("inf") else "nothing is known of it yet"
        return f"{provider.traits.title} was not asked now, since its limit of requests is nearly used up; {since}."


@contextmanager
def _in_time(provider: Provider) -> Generator[None]:
    """Raises ProviderUnreachable: it has not said in time what the block asks."""
    try:
        with anyio.fail_after(ASKED_WITHIN_S):
            yield
    except TimeoutError as error:
        raise ProviderUnreachable(
            f"{provider.traits.title} has not said within {ASKED_WITHIN_S:g} s what it has.",
            next_step="Use another provider, or call list_models again later.",
        ) from error


def _described(name: str, registry: Registry, limits: Mapping[str, Limits]) -> ProviderState:
    declared, misset = registry.declared[name], registry.misset.get(name)
    traits = declared.traits
    without = "no key" if misset is None else "unavailable"
    return ProviderState(
        name=name,
        status=registry.providers[name].access.key.state if name in registry.providers else without,
        default=name == registry.default,
        key_variable=declared.key_variable,
        models=_priced([Model(id=model, name=model) for model in traits.models or ()], traits),
        model_count=len(traits.models or ()),
        accepts=_accepts(traits),
        limits=_limits(traits, limits.get(name)),
        note=" ".join(filter(None, (traits.note, LOST if traits.lasting else None, _listed(traits.prices)))) or None,
        error=None if misset is None else misset.failure(),
    )


def _priced(models: Iterable[Model], traits: Traits) -> tuple[Model, ...]:
    """The models, each with its price where the list has one."""
    listed = traits.prices
    return tuple(
        each if listed is None else each.model_copy(update={"price": listed.said_of(each.id)}) for each in models
    )


def _listed(prices: Prices | None) -> str | None:
    return prices and f"Prices as of {prices.date}: {prices.source}"


def _broken(provider: Provider, error: Exception) -> ProviderError:
    title = provider.traits.title
    return ProviderError(
        f"{title} could not be asked: its client broke ({type(error).__name__}).",
        next_step="The log has the details. Use another provider.",
    )


def _limits(traits: Traits, limits: Limits | None) -> tuple[str, ...]:
    kept = () if traits.lasts_s is None else (f"pictures stay there for {traits.lasts_s:g} s",)
    return (*(limits.described() if limits is not None else ()), *kept)


def _accepts(traits: Traits) -> Accepts:
    return Accepts(
        max_count=traits.max_count,
        aspect_ratios=traits.aspect_ratios,
        negative_prompt=traits.negative_prompt,
        seed=traits.seed,
        options=tuple(traits.options.model_fields),
        images=traits.images.max if traits.images else None,
        mask=True if traits.images and traits.images.mask else None,
        image_models=(traits.images.models or None) if traits.images else None,
    )


def say(catalogue: Catalogue) -> list[str]:
    """All of it, for agents and terminals alike."""
    warnings = [f"Warning: {warning}" for warning in catalogue.warnings]
    more = [catalogue.more] if catalogue.more else []
    return [*(_say_provider(state) for state in catalogue.providers), *more, *warnings]


def _say_provider(state: ProviderState) -> str:
    """The provider in a few lines."""
    accepts = state.accepts
    can = [f"count 1 to {accepts.max_count}", f"aspect_ratio {', '.join(accepts.aspect_ratios)}"]
    can += [name for name in ("negative_prompt", "seed") if getattr(accepts, name)]
    can += [f"options {', '.join(accepts.options)}"] if accepts.options else []
    can += [_say_images(accepts)] if accepts.images else []
    need = f"no key: set {state.key_variable}" if state.status == "no key" else state.status
    lines = [f"{state.name}{' (default)' if state.default else ''}: {need}", f"  accepts: {'; '.join(can)}"]
    lines += [f"  limits: {'; '.join(state.limits)}"] if state.limits else []
    lines += [f"  {state.note}"] if state.note else []
    if state.account is not None:
        known = state.account.model_dump(mode="json")
        lines.append(f"  account: {', '.join(f'{name} {_said(value)}' for name, value in known.items())}")
    if state.error is not None:
        lines.append(f"  {state.error.code}: {state.error.message} {state.error.next_step}")
    for model in state.models[:SHOWN_MODELS]:
        price = f", {model.price}" if model.price else ""
        lines.append(f"  model {model.id}: {quote(model.name)}{f' ({quote(model.note)})' if model.note else ''}{price}")
    if state.model_count > SHOWN_MODELS:
        lines.append(f"  … {state.model_count} models in all; the structured result names the first hundred")
    return "\n".join(lines)


def _say_images(accepts: Accepts) -> str:
    by = f" (by {', '.join(accepts.image_models)})" if accepts.image_models else ""
    return f"images up to {accepts.images}{by}{', mask' if accepts.mask else ''}"


def _said(value: object) -> object:
    return quote(value) if isinstance(value, str) else value
