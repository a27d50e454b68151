"""The resources to read: the newest generations with their pictures, and the template of each kind."""

import logging
from collections.abc import Iterator
from pathlib import PurePath

from mcp.types import Annotations, Resource, ResourceTemplate

from darkroom.errors import DarkroomError
from darkroom.generations.desk import Whose
from darkroom.models import ImageStatus, generation_uri
from darkroom.redact.text import clean
from darkroom.resources.shelf import JSON
from darkroom.resources.uris import GENERATION_TEMPLATE, MODEL_TEMPLATE, PICTURE_TEMPLATE
from darkroom.views import Generation

log = logging.getLogger(__name__)

NEWEST = 20
MAX_TITLE = 60


async def newest(whose: Whose) -> list[Resource]:
    """The newest generations; none where the ledger cannot be read, so that all else is still listed."""
    try:
        page = await whose().page(limit=NEWEST)
    except DarkroomError as error:
        log.warning("The generations cannot be listed: %s", error.message)
        return []
    return [entry for generation in page.generations for entry in _entries(generation)]


def _entries(generation: Generation) -> Iterator[Resource]:
    title = clean(generation.prompt, MAX_TITLE) or generation.id
    moments = generation.model_dump(mode="json", include={"created_at", "submitted_at", "finished_at"})
    modified = Annotations(last_modified=max(moments.values()))
    yield Resource(
        uri=generation_uri(generation.id),
        name=generation.id,
        title=title,
        description=generation.progress.message,
        mime_type=JSON,
        annotations=modified,
    )
    for image in generation.images:
        if image.status is ImageStatus.SUCCEEDED:
            yield Resource(
                uri=image.uri or "",
                name=PurePath(image.path or image.uri or "").name,
                title=f"{title} ({image.index} of {len(generation.images)})",
                description=f"{image.width} × {image.height} pixels",
                mime_type=image.mime_type,
                size=image.bytes,
                annotations=modified,
            )


def every_template() -> list[ResourceTemplate]:
    """Each kind of thing that can be read."""
    return [
        ResourceTemplate(
            name="generation",
            title="A generation",
            uri_template=GENERATION_TEMPLATE,
            description="Its state as the tools return it, and as request the arguments of generate that it came from.",
            mime_type=JSON,
        ),
        ResourceTemplate(
            name="picture",
            title="A picture of a generation",
            uri_template=PICTURE_TEMPLATE,
            description="The picture as it was saved: PNG, JPEG or WebP. index counts from 1.",
        ),
        ResourceTemplate(
            name="model",
            title="A model of a provider",
            uri_template=MODEL_TEMPLATE,
            description="What generate accepts with this model, and the provider's limits.",
            mime_type=JSON,
        ),
    ]
