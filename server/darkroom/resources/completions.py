"""Completes the variables of our templates: ids, indexes, providers and models."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress

import anyio
from mcp.types import Completion, CompletionArgument, CompletionContext, PromptReference, ResourceTemplateReference

from darkroom.errors import DarkroomError
from darkroom.generations.desk import Whose
from darkroom.models import ImageStatus
from darkroom.providers.catalogue import Models
from darkroom.resources.uris import GENERATION_TEMPLATE, MODEL_TEMPLATE, PICTURE_TEMPLATE

MAX_VALUES = 100
WITHIN_S = 2.0
"""Seconds that a provider is given to list its models: somebody is typing."""


class Completer:
    """Handles `completion/complete`."""

    def __init__(self, whose: Whose, models: Callable[[], Models], providers: Collection[str]) -> None:
        self._whose = whose
        self._providers = providers
        self._models = models

    async def __call__(
        self,
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        """The values that begin with the typed text; none for an argument that is not ours or cannot be looked up."""
        if not isinstance(ref, ResourceTemplateReference):
            return _completion([])
        known = (context.arguments if context is not None else None) or {}
        with suppress(DarkroomError):
            match ref.uri, argument.name:
                case uri, "id" if uri in {GENERATION_TEMPLATE, PICTURE_TEMPLATE}:
                    return await self._ids(argument.value)
                case uri, "index" if uri == PICTURE_TEMPLATE:
                    return _beginning(argument.value, await self._indexes(known))
                case uri, "provider" if uri == MODEL_TEMPLATE:
                    return _beginning(argument.value, self._providers)
                case uri, "model" if uri == MODEL_TEMPLATE:
                    return _beginning(argument.value, await self._model_ids(known))
                case _:
                    pass
        return _completion([])

    async def _ids(self, typed: str) -> Completion:
        if not re.fullmatch("[a-z0-9_]{0,30}", typed):
            return _completion([])
        found = await self._whose().ids(typed, MAX_VALUES + 1)
        if len(found) <= MAX_VALUES:
            return _completion(found)
        return Completion(values=found[:MAX_VALUES], has_more=True)  # how many more is not worth counting

    async def _indexes(self, known: Mapping[str, str]) -> list[str]:
        generation = await self._whose().kept(known.get("id", ""))
        return [str(image.index) for image in generation.images if image.status is ImageStatus.SUCCEEDED]

    async def _model_ids(self, known: Mapping[str, str]) -> list[str]:
        found: dict[str, list[str]] = {}

        async def ask(provider: str) -> None:
            with suppress(DarkroomError):
                found[provider] = [model.id for model in (await self._models().of(provider)).models]

        named = known.get("provider")
        with anyio.move_on_after(WITHIN_S):
            async with anyio.create_task_group() as tasks:
                for provider in self._providers if named is None else (named,):
                    tasks.start_soon(ask, provider)
        return [model for provider in self._providers for model in found.get(provider, ())]


def _beginning(typed: str, values: Iterable[str]) -> Completion:
    return _completion([value for value in values if value.startswith(typed)])


def _completion(values: list[str]) -> Completion:
    return Completion(values=values[:MAX_VALUES], total=len(values), has_more=len(values) > MAX_VALUES)
