"""Wishes of callers, and the requests that they become once it is known that they can be made."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, cast

import anyio
from pydantic import JsonValue

from darkroom.errors import InvalidRequest
from darkroom.generations.asking.given import named
from darkroom.models import (
    MAX_ASPECT_RATIO,
    MAX_COUNT,
    MAX_IMAGES,
    MAX_MODEL,
    MAX_PROMPT,
    MAX_REQUEST_KEY,
    MAX_SEED,
    RANDOM_SEED,
    GenerationRequest,
)
from darkroom.providers.base import Provider
from darkroom.providers.registry import Registry


@dataclass(frozen=True)
class Wish:
    """The arguments of `generate`."""

    prompt: str
    provider: str | None = None
    model: str | None = None
    count: int = 1
    aspect_ratio: str | None = None
    negative_prompt: str | None = None
    seed: int | None = None
    options: Mapping[str, JsonValue] | None = None
    request_key: str | None = None
    images: Sequence[str] | None = None
    seen: Sequence[str] | None = None
    """The SHA-256 of each picture as the user was asked about it; None: nobody was."""


FREE_TRIES = 3
SLOWEST_S = 60.0
MAX_NAME = 4096
"""Characters of a path, the longest name of a picture that is not the picture itself."""


class HoldsSecret(InvalidRequest):
    """A key, or a password, stands in what would be sent."""


def checked(wish: Wish, registry: Registry) -> GenerationRequest:
    """The request, with defaults filled in.

    Raises:
        InvalidRequest, NotConfigured: it cannot be made.
        HoldsSecret: it must not be.
    """
    _check_bounds(wish)
    chosen = registry.provider(wish.provider)
    registry.may_start(chosen)
    if wish.images:
        _check_takes_pictures(chosen, registry)
    request = chosen.check(
        GenerationRequest(
            provider=chosen.name,
            prompt=wish.prompt,
            model=wish.model or "",
            count=wish.count,
            aspect_ratio=wish.aspect_ratio,
            negative_prompt=wish.negative_prompt,
            seed=wish.seed,
            options=dict(wish.options or {}),
            images=named(wish.images or ()),
        )
    )
    # What would be kept, and no more: whatever else came has been refused by its name.
    if registry.redact.holds([request.model_dump(), wish.request_key]):
        raise HoldsSecret(
            "This holds a secret out of Darkroom's own configuration, such as a key.",
            next_step="Take it out and call again; nothing was sent or written.",
        )
    return request


class Doorkeeper:
    """Slows down a caller that tries text after text to find out a secret: one call at a time, each later."""

    def __init__(self) -> None:
        self._refused = 0
        self._one_at_a_time = anyio.Lock()

    async def checked(self, wish: Wish, registry: Registry) -> GenerationRequest:
        """As `checked`; a refusal takes longer than the one before after a few that found a secret."""
        try:
            return checked(wish, registry)
        except HoldsSecret:
            async with self._one_at_a_time:
                if self._refused >= FREE_TRIES:
                    await anyio.sleep(min(2.0 ** (self._refused - FREE_TRIES), SLOWEST_S))
                self._refused += 1
            raise


def _check_bounds(wish: Wish) -> None:
    """Bounds that hold for every caller: a tool's schema holds agents alone to them."""
    problems = {
        "prompt": _wrong_text(wish.prompt, MAX_PROMPT),
        "negative_prompt": _wrong_text(wish.negative_prompt, MAX_PROMPT),
        "request_key": _wrong_text(wish.request_key, MAX_REQUEST_KEY),
        # Empty, the one is the default, and the other is the provider's to refuse: it names those that it has.
        "model": _wrong_text(wish.model or None, MAX_MODEL),
        "aspect_ratio": _wrong_text(wish.aspect_ratio or None, MAX_ASPECT_RATIO),
        "count": _wrong_number(wish.count, 1, MAX_COUNT),
        "seed": _wrong_number(wish.seed, RANDOM_SEED, MAX_SEED),
        "images": _wrong_names(wish.images or ()),
    }
    wrong = {argument: why for argument, why in problems.items() if why}
    if wrong:
        said = "; ".join(f"{argument} {why}" for argument, why in wrong.items())
        next_step = f"Correct {' and '.join(wrong)} and call again; nothing was sent."
        raise InvalidRequest(f"{said}.", next_step=next_step)


def _wrong_text(text: str | None, longest: int) -> str:
    if text is None:
        return ""
    if not text.strip():
        return "is empty"
    if len(text) > longest:
        return f"has {len(text):,} characters; at most {longest:,} are taken"
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return "holds a NUL or half a character"
    return ""


def _wrong_names(names: Sequence[str]) -> str:
    if len(names) > MAX_IMAGES:
        return f"names {len(names)} pictures; at most {MAX_IMAGES} are taken"
    plain = (name for name in names if name[:5].lower() != "data:")
    return next(filter(None, (_wrong_text(name, MAX_NAME) for name in plain)), "")


def _check_takes_pictures(chosen: Provider, registry: Registry) -> None:
    """Raises InvalidRequest, which names those that do: this one takes none."""
    if chosen.traits.images is None:
        others = [name for name, provider in registry.providers.items() if provider.traits.images]
        raise InvalidRequest(
            f"{chosen.traits.title} takes no pictures; {', '.join(others) or 'none that is set up here'} does.",
            next_step="Name a provider that takes them, or leave images out; nothing was sent.",
        )


def _wrong_number(number: int | None, least: int, most: int) -> str:
    return f"is from {least} to {most}" if number is not None and not least <= number <= most else ""


def options_of(texts: list[Any]) -> dict[str, Any]:
    """The options that these `name=value` texts give. Raises ValueError: one of them is none."""
    given: dict[str, list[Any]] = {}
    for text in texts:
        if text is None or text == "":
            continue
        name, separator, value = text.partition("=") if isinstance(text, str) else ("", "", "")
        name, value = name.strip(), value.strip()
        if not separator or not name:
            raise ValueError("write it as NAME=VALUE")
        parsed = from_json(value, list) if value[:1] == "[" else None
        given.setdefault(name, []).append(value if parsed is None else parsed)
    return {name: v[0] if len(v) == 1 else [each for some in v for each in listed(some)] for name, v in given.items()}


def listed(value: Any) -> list[Any]:
    """The list, or a list of the one."""
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def from_json(text: str, kind: type[Any] | UnionType) -> Any:
    """The list or object that stands in the text as JSON; None where none of that kind does."""
    if text.lstrip()[:1] not in {"[", "{"}:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, kind) else None
