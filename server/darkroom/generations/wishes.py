"""What callers wish for, and the request that it becomes once it is known that it can be made."""

from typing import Required, TypedDict

from pydantic import JsonValue

from darkroom.errors import InvalidRequest
from darkroom.models import MAX_PROMPT, GenerationRequest
from darkroom.providers.registry import Registry


class Wishes(TypedDict, total=False):
    """The arguments of `generate`."""

    prompt: Required[str]
    provider: str | None
    model: str | None
    count: int
    aspect_ratio: str | None
    negative_prompt: str | None
    seed: int | None
    options: dict[str, JsonValue] | None
    request_key: str | None


def checked(wishes: Wishes, registry: Registry) -> GenerationRequest:
    """The request, with defaults filled in.

    Raises:
        InvalidRequest, NotConfigured: it cannot be made.
    """
    _check_text("prompt", wishes["prompt"])
    negative_prompt = wishes.get("negative_prompt")
    if negative_prompt is not None:
        _check_text("negative_prompt", negative_prompt)
    chosen = registry.provider(wishes.get("provider"))
    return chosen.check(
        GenerationRequest(
            provider=chosen.name,
            prompt=wishes["prompt"],
            model=wishes.get("model") or "",
            count=wishes.get("count", 1),
            aspect_ratio=wishes.get("aspect_ratio"),
            negative_prompt=negative_prompt,
            seed=wishes.get("seed"),
            options=wishes.get("options") or {},
        )
    )


def _check_text(argument: str, text: str) -> None:
    next_step = f"Correct {argument} and call again; nothing was sent."
    if not text.strip():
        raise InvalidRequest(f"{argument} is empty: say what the picture should show.", next_step=next_step)
    if len(text) > MAX_PROMPT:
        raise InvalidRequest(
            f"{argument} has {len(text):,} characters; at most {MAX_PROMPT:,} are taken.", next_step=next_step
        )
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidRequest(f"{argument} holds a NUL or half a character.", next_step=next_step)
