"""Workflows as ComfyUI exports them for its API: read, checked, and filled with what was asked for."""

import copy
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from math import sqrt
from typing import Annotated, Any, cast

from pydantic import AfterValidator, Field, create_model

from darkroom.declaration import ImageTraits, Options, Traits
from darkroom.models import MAX_COUNT, MAX_IMAGES, MAX_PROMPT, GenerationRequest
from darkroom.providers.base import Figure

MAX_FILE = 2_000_000
RATIOS = ("1:1", "16:9", "9:16", "3:2", "2:3", "4:3", "3:4")
MAX_SIDE = 16_384
SIDE_STEP = 16
"""The number, in pixels, that the sides of a picture are multiples of."""
_TITLE = re.compile(r"\s*darkroom\s*:(.*)", re.IGNORECASE | re.DOTALL)
_INPUT = re.compile(r"([a-z][a-z0-9_]{0,39})(?:=(\w{1,80}))?", re.ASCII)
PICTURES = ("image", *(f"image_{number}" for number in range(2, MAX_IMAGES + 1)))
"""Inputs that take the pictures to work from, in their order."""
MASK, CHANNEL = "mask", "mask_channel"
"""Inputs that take the mask, and the name of the channel that it is in: `red` or `alpha`."""
_FILES = frozenset({*PICTURES, MASK, CHANNEL})
_ARGUMENTS = frozenset({"prompt", "negative_prompt", "seed", "count", *_FILES})
"""Inputs that are arguments of `generate` themselves; all others are its options."""
_PREFIX = "filename_prefix"
_Text = Annotated[str, Field(max_length=MAX_PROMPT)]
_Fraction = Annotated[float, Field(allow_inf_nan=False), Figure]


class BadWorkflow(ValueError):
    """The file is no workflow that can be used; the text says why."""


@dataclass(frozen=True)
class Workflow:
    """A graph of nodes. `inputs`: by name, the places that take the value: a node's id, and its input."""

    graph: Mapping[str, Any]
    inputs: Mapping[str, tuple[tuple[str, str], ...]]

    @property
    def options(self) -> dict[str, Any]:
        """The inputs that are options, each with its value in the file."""
        return {name: self._usual(name) for name in self.inputs if name not in _ARGUMENTS}

    @property
    def images(self) -> ImageTraits | None:
        """The pictures that it takes; None: none."""
        found = sum(name in self.inputs for name in PICTURES)
        return ImageTraits(max=found, mask=MASK in self.inputs) if found else None

    def traits(self, title: str, base: Traits, *, hidden: frozenset[str] = frozenset()) -> Traits:
        """The arguments that can be given. `hidden`: inputs that nobody chooses by an option."""
        fields = {name: (_type(usual) | None, None) for name, usual in self.options.items() if name not in hidden}
        sized = {"width", "height"} <= self.inputs.keys()
        return replace(
            base,
            title=title,
            max_count=MAX_COUNT if "count" in self.inputs else 1,
            aspect_ratios=RATIOS if sized else (),
            negative_prompt="negative_prompt" in self.inputs,
            seed="seed" in self.inputs,
            images=self.images,
            options=create_model("Options", __base__=Options, **cast("dict[str, Any]", fields)),
        )

    def values(self, request: GenerationRequest, seed: int | None) -> dict[str, Any]:
        """The caller's values, by the names of the inputs; all others stay as they are in the file."""
        named = {"prompt": request.prompt, "negative_prompt": request.negative_prompt, "seed": seed}
        given = {name: value for name, value in named.items() if value is not None}
        size = self._size(request.aspect_ratio) if request.aspect_ratio is not None else {}
        return {**request.options, **given, **size, "count": request.count}

    def _size(self, aspect_ratio: str) -> dict[str, int]:
        """The width and height of this ratio, with about as many pixels as the file's own have."""
        wide, high = map(int, aspect_ratio.split(":"))
        pixels = float(self._usual("width")) * float(self._usual("height"))
        sides = {"width": sqrt(pixels * wide / high), "height": sqrt(pixels * high / wide)}
        return {name: max(round(side / SIDE_STEP), 1) * SIDE_STEP for name, side in sides.items()}

    def filled(self, values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        """The graph with these values in it; what it saves begins with `prefix`."""
        graph: dict[str, Any] = copy.deepcopy(dict(self.graph))
        for name, value in values.items():
            for node, key in self.inputs.get(name, ()):
                graph[node]["inputs"][key] = value
        for node in graph.values():
            if isinstance(node["inputs"].get(_PREFIX), str):
                node["inputs"][_PREFIX] = prefix
        return graph

    def _usual(self, name: str) -> Any:
        node, key = self.inputs[name][0]
        return self.graph[node]["inputs"][key]


def parse(data: bytes) -> Workflow:
    """The workflow in this file.

    Raises:
        BadWorkflow: there is none that can be used, for the reason that the text gives.
    """
    if len(data) > MAX_FILE:
        raise BadWorkflow(f"it is larger than {MAX_FILE} bytes")
    try:
        graph: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadWorkflow("it is not JSON") from error
    if isinstance(graph, dict) and isinstance(cast("dict[str, Any]", graph).get("nodes"), list):
        raise BadWorkflow("it is the editor's own format; export it with Export (API)")
    if not isinstance(graph, dict) or not graph or not all(map(_is_node, cast("dict[str, Any]", graph).values())):
        raise BadWorkflow("it is no object of nodes, each with a class_type and inputs")
    inputs = _inputs(cast("dict[str, Any]", graph))
    if "prompt" not in inputs:
        raise BadWorkflow("no node has the title darkroom: prompt")
    return Workflow(cast("dict[str, Any]", graph), inputs)


def _is_node(node: Any) -> bool:
    return isinstance(node, dict) and isinstance(node.get("class_type"), str) and isinstance(node.get("inputs"), dict)  # pyright: ignore[reportUnknownMemberType]


def _inputs(graph: Mapping[str, Any]) -> dict[str, tuple[tuple[str, str], ...]]:
    """The places of each named input. Raises BadWorkflow."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for number, node in graph.items():
        for name, key in _named(node):
            found[name].append((number, _key(node, name, key)))
    for name in {"width", "height", "seed", "count"} & found.keys():
        if not all(_is_number(graph[number]["inputs"][key]) for number, key in found[name]):
            raise BadWorkflow(f"{name} names an input that is no number")
    for name in {"width", "height"} & found.keys():
        if not all(1 <= graph[number]["inputs"][key] <= MAX_SIDE for number, key in found[name]):
            raise BadWorkflow(f"{name} names an input that is not from 1 to {MAX_SIDE}")
    for name in _FILES & found.keys():
        if not all(isinstance(graph[number]["inputs"][key], str) for number, key in found[name]):
            raise BadWorkflow(f"{name} names an input that is no text")
    for needed, name in [*pairwise(PICTURES), (PICTURES[0], MASK), (MASK, CHANNEL)]:
        if name in found and needed not in found:
            raise BadWorkflow(f"{name} is there without {needed}")
    return {name: tuple(places) for name, places in found.items()}


def _named(node: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """The names in the title of a node, each with the input that it names, if it names one. Raises BadWorkflow."""
    meta = node.get("_meta")
    title = cast("dict[str, Any]", meta).get("title") if isinstance(meta, dict) else None
    marked = _TITLE.fullmatch(title) if isinstance(title, str) else None
    for word in re.split(r"[\s,]+", marked[1].strip()) if marked else ():
        match = _INPUT.fullmatch(word)
        if match is None:
            raise BadWorkflow(f"{word[:40]!r} in the title of a node is neither NAME nor NAME=INPUT")
        if hasattr(Options, match[1]):
            raise BadWorkflow(f"no input can be called {match[1]}")
        yield match[1], match[2]


def _key(node: Mapping[str, Any], name: str, key: str | None) -> str:
    """The input of the node that is meant. Raises BadWorkflow: none, or no telling which."""
    values = {key: value for key, value in node["inputs"].items() if isinstance(value, str | int | float)}
    if (key or name) in values:
        return key or name
    if key is None and len(values) == 1:
        return next(iter(values))
    known = ", ".join(f"{name}={each[:40]}" for each in list(values)[:6]) or "none that holds a value"
    raise BadWorkflow(f"{name} names no input of its node, which is one of: {known}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _type(usual: Any) -> Any:
    """The type of an input, by its value in the file. Where that is 8, 7.5 may be taken too: JSON does not say."""
    if isinstance(usual, bool):
        return bool
    if isinstance(usual, str):
        return _Text
    return _Fraction if isinstance(usual, float) else Annotated[_Fraction, AfterValidator(_as_whole)]


def _as_whole(value: float) -> int | float:
    return int(value) if value.is_integer() else value
