"""The contents of resources: generations as JSON, pictures as they were saved, models with what they accept."""

import json
from collections.abc import Callable

from mcp.server.lowlevel.helper_types import ReadResourceContents

from darkroom.errors import NotFound
from darkroom.generations.desk import Whose
from darkroom.models import MASK, GenerationRequest
from darkroom.providers.catalogue import Models
from darkroom.redact.text import clean
from darkroom.resources.uris import OfGeneration, OfModel

JSON = "application/json"


class Shelf:
    """Looks in the ledger and in the store of pictures; reading a generation asks no provider about it."""

    def __init__(self, whose: Whose, models: Callable[[], Models]) -> None:
        self._whose = whose
        self._models = models

    async def read(self, named: OfGeneration | OfModel) -> ReadResourceContents:
        """The contents.

        Raises:
            NotFound: there is no such thing.
            ResultUnavailable: the picture is not saved, or not where it was saved.
            DarkroomError: the ledger or the provider cannot be read.
        """
        if isinstance(named, OfModel):
            return ReadResourceContents(await self._model(named), JSON)
        generation = await self._whose().kept(named.id)
        if named.index is None:
            request = arguments_of(await self._whose().request_of(named.id))
            answer = {**generation.model_dump(mode="json"), "request": request}
            return ReadResourceContents(json.dumps(answer, ensure_ascii=False), JSON)
        image, data = await self._whose().pictures.picture(generation, named.index)
        return ReadResourceContents(data, image.mime_type)

    async def _model(self, named: OfModel) -> str:
        state = await self._models().of(named.provider)
        for model in state.models:
            if model.id == named.model:
                about = state.model_dump(mode="json", exclude={"name", "models", "model_count"})
                answer = {"provider": state.name, "model": model.model_dump(mode="json"), **about}
                return json.dumps(answer, ensure_ascii=False)
        raise NotFound(
            f"{state.name} offers no model {clean(named.model, 60)!r} here.",
            next_step="Call list_models: it tells the models, and which key a provider needs.",
        )


def arguments_of(request: GenerationRequest) -> dict[str, object]:
    """The arguments with which the tool `generate` would be asked for the same again."""
    known = {name: value for name, value in request.model_dump(mode="json").items() if value not in (None, {})}
    images = [f"{MASK if each.role == 'mask' else ''}{each.source}" for each in request.images]
    return {**known, "images": images} if images else known
