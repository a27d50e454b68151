"""The URIs of what can be read here: each thing has one spelling, and no other is understood."""

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote, unquote

from darkroom.models import generation_uri

GENERATION_TEMPLATE = generation_uri("{id}")
PICTURE_TEMPLATE = f"{GENERATION_TEMPLATE}/images/{{index}}"
MODEL_TEMPLATE = "darkroom://providers/{provider}/models/{model}"

_GENERATION = re.compile(r"darkroom://generations/(gen_[a-z2-7]{26})(?:/images/([1-9][0-9]?))?")
_MODEL = re.compile(r"darkroom://providers/([a-z][a-z0-9-]{0,39})/models/([^/?#]{1,300})")


@dataclass(frozen=True)
class OfGeneration:
    """A generation, or one of its pictures (`index` counts from 1)."""

    id: str
    index: int | None = None


class OfModel(NamedTuple):
    """A model of a provider."""

    provider: str
    model: str


def parse(uri: str) -> OfGeneration | OfModel | None:
    """The thing that the URI names, existing or not; None where it cannot name anything of ours."""
    if found := _GENERATION.fullmatch(uri):
        return OfGeneration(found[1], int(found[2]) if found[2] else None)
    if found := _MODEL.fullmatch(uri):
        model = unquote(found[2], errors="replace")
        return OfModel(found[1], model) if quote(model, safe="") == found[2] else None
    return None
