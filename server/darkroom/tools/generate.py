"""generate: asks for pictures, and returns a handle at once."""

import inspect
from collections.abc import Callable, Collection
from dataclasses import fields
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import AcceptedElicitation, Elicit, ElicitationResult, Resolve
from mcp.types import CallToolResult, ToolAnnotations
from pydantic import Field

from darkroom.generations.asking.delivery import letter_of
from darkroom.generations.asking.wishes import Wish
from darkroom.generations.desk import Whose
from darkroom.models import (
    MAX_ASPECT_RATIO,
    MAX_COUNT,
    MAX_IMAGES,
    MAX_MODEL,
    MAX_PROMPT,
    MAX_REQUEST_KEY,
    MAX_SEED,
    RANDOM_SEED,
)
from darkroom.tools.arguments import Names, NotBlank, Number, OptionTexts, Trimmed, Word, one_of
from darkroom.tools.confirm import Asked, Confirmation, Consent, check_can_ask, consented
from darkroom.tools.results import Results
from darkroom.tools.tool import AgentTool, agent_tool
from darkroom.views import Generation

Prompt = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_PROMPT,
        description=f"What to show, up to {MAX_PROMPT} characters.",
        examples=["A fox"],
    ),
    NotBlank,
]


MAX_IMAGE = 10_000_000
"""Characters of a data: URL: as many as the largest message that any host may send."""
MAX_ENUMERATED = 3
"""So many providers are named wherever one can be given; of more, list_models tells."""


def provider_field(names: Collection[str], description: str) -> Any:
    """The schema of an argument that names one of these providers: by their names, as long as they are few."""
    few: dict[str, Any] | None = {"enum": list(names)} if len(names) <= MAX_ENUMERATED else None
    return Field(json_schema_extra=few, description=description, examples=["sketch"])


def as_texts(schema: dict[str, Any]) -> None:
    """Options as they are advertised: what every host's schema language has, and what does not grow with providers."""
    schema.pop("additionalProperties", None)
    schema.pop("maxProperties", None)
    schema |= {"type": "array", "maxItems": 50, "items": {"type": "string", "maxLength": 300}}


def generate_tool(whose: Whose, confirmation: Confirmation, results: Results, providers: Collection[str]) -> AgentTool:
    """The tool at the caller's desk, which asks first where that is wanted."""

    async def look(context: Context[Any, Any], **arguments: Any) -> Asked:
        asked = await confirmation.question(Wish(**arguments))
        if isinstance(asked.question, Elicit):
            check_can_ask(context.client_capabilities)
        return asked

    _take_a_wish(look)

    async def ask(asked: Annotated[Asked, Resolve(look)]) -> Elicit[Consent] | Consent:
        return asked.question

    async def generate(
        asked: Annotated[Asked, Resolve(look)],
        answer: Annotated[ElicitationResult[Consent], Resolve(ask)],
        context: Context[Any, Any],
        prompt: Prompt,
        provider: Annotated[
            str | None, provider_field(providers, "Default: the configured one."), Word, one_of(providers)
        ] = None,
        model: Annotated[
            str | None,
            Field(max_length=MAX_MODEL, description="An id from list_models.", examples=["gpt-image-2"]),
            Trimmed,
        ] = None,
        count: Annotated[
            int, Field(ge=1, le=MAX_COUNT, description=f"1 to {MAX_COUNT}, default 1.", examples=[2]), Number
        ] = 1,
        aspect_ratio: Annotated[
            str | None, Field(max_length=MAX_ASPECT_RATIO, description="Width:height.", examples=["16:9"]), Trimmed
        ] = None,
        negative_prompt: Annotated[
            str | None,
            Field(
                max_length=MAX_PROMPT, description=f"To leave out, up to {MAX_PROMPT} characters.", examples=["text"]
            ),
        ] = None,
        seed: Annotated[
            int | None,
            Field(ge=RANDOM_SEED, le=MAX_SEED, description=f"-1 (random) to {MAX_SEED}.", examples=[42]),
            Number,
        ] = None,
        options: Annotated[
            dict[str, Any] | None,
            Field(
                max_length=10,
                json_schema_extra=as_texts,
                description="name=value; a name given twice is a list. fatthumb: person_ids, inspiration_ids; "
                "betterwaifu: width, height, steps, cfg_scale, sampler.",
                examples=[["steps=30"]],
            ),
            OptionTexts,
        ] = None,
        images: Annotated[
            list[Annotated[str, Field(max_length=MAX_IMAGE)]] | None,
            Field(
                max_length=MAX_IMAGES,
                description="Pictures to edit or follow: gen_…/1, a file or data: URL; mask=… is a mask.",
                examples=[["gen_…/1"]],
            ),
            Names,
        ] = None,
        request_key: Annotated[
            str | None,
            Field(
                max_length=MAX_REQUEST_KEY,
                description=f"Your name for it, up to {MAX_REQUEST_KEY} characters: never made twice.",
                examples=["hero-1"],
            ),
            Trimmed,
        ] = None,
    ) -> Annotated[CallToolResult, Generation]:
        """Start making pictures from a prompt. Costs credits at the provider; sketch, a built-in placeholder, is
        free. Returns an id at once; call wait for the pictures. Slow is normal: never call again for the same
        picture."""
        content = answer.data if isinstance(answer, AcceptedElicitation) else None
        wish = Wish(
            prompt=prompt,
            provider=provider,
            model=model,
            count=count,
            aspect_ratio=aspect_ratio,
            negative_prompt=negative_prompt,
            seed=seed,
            options=options,
            request_key=request_key,
            images=images,
            seen=asked.seen,
        )
        letter = letter_of(context.request_context.request)
        async with whose().submit(wish, new=consented(answer.action, content), letter=letter) as generation:
            return await results.one(generation)

    return agent_tool(
        generate,
        title="Generate pictures",
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True
        ),
    )


def _take_a_wish(look: Callable[..., Any]) -> None:
    """Names the arguments that the SDK is to hand to what is asked before the user is."""
    own = (field.name for field in fields(Wish) if field.name != "seen")
    names = (inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in own)
    context, *_ = inspect.signature(look).parameters.values()
    look.__dict__["__signature__"] = inspect.Signature([context, *names])
