"""What can be read: generations as JSON, pictures as they were saved, models with what they accept."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from anyio import to_thread
from mcp.server.lowlevel.helper_types import ReadResourceContents

from darkroom.errors import NotFound, ResultUnavailable
from darkroom.generations.desk import Whose
from darkroom.models import Generation, GenerationRequest, Image, ImageStatus
from darkroom.providers.catalogue import Models
from darkroom.redact.text import clean
from darkroom.resources.uris import OfGeneration, OfModel
from darkroom.store.files import read_picture

JSON = "application/json"


class Shelf:
    """Looks in the ledger and on the disk; no provider is asked about a generation because somebody reads it."""

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
        image = _saved(generation, named.index)
        data = await to_thread.run_sync(partial(read_picture, Path(image.path or ""), image.bytes or 0))
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
    return {name: value for name, value in request.model_dump(mode="json").items() if value not in (None, {})}


def _saved(generation: Generation, index: int) -> Image:
    image = next((image for image in generation.images if image.index == index), None)
    if image is not None and image.status is ImageStatus.SUCCEEDED:
        return image
    if image is None and index > generation.count:
        raise NotFound(
            f"{generation.id} has no picture {index}, only {generation.count}.",
            next_step="Take an index from its images.",
        )
    error = (image.error if image is not None else None) or generation.error
    if error is not None:
        raise ResultUnavailable(
            f"Picture {index} of {generation.id} is not saved: {error.message}",
            next_step=error.next_step,
            charged=error.charged,
        )
    if generation.status.terminal:
        raise ResultUnavailable(
            f"{generation.id} has no pictures. {generation.progress.message}",
            next_step="Generate again if they are wanted after all.",
        )
    raise ResultUnavailable(
        f"Picture {index} of {generation.id} is not saved yet. {generation.progress.message}",
        next_step=f"Call wait with {json.dumps([generation.id])}, then read it.",
    )
