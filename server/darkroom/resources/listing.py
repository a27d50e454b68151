"""What is there to read: the templates."""

from mcp.types import ResourceTemplate

from darkroom.resources.shelf import JSON
from darkroom.resources.uris import GENERATION_TEMPLATE, MODEL_TEMPLATE, PICTURE_TEMPLATE


def every_template() -> list[ResourceTemplate]:
    """Each kind of thing that can be read."""
    return [
        ResourceTemplate(
            name="generation",
            title="A generation",
            uri_template=GENERATION_TEMPLATE,
            description="Its state as the tools answer it, and in request the arguments of generate that it came from.",
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
