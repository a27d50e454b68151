"""character_portrait: a brief for BetterWaifu."""

from typing import Annotated

from pydantic import Field

Who = Annotated[str, Field(description="The character: looks, clothes, bearing", max_length=500)]
Style = Annotated[str, Field(description="The manner of drawing, such as watercolour or cel shading", max_length=200)]


def character_portrait(who: Who, style: Style = "clean anime illustration") -> str:
    """Draw a character with BetterWaifu, in a way that can be repeated."""
    return f"""Draw a portrait of: {who}
Style: {style}

1. Write the prompt as short phrases separated by commas, the most important first: who, face and hair, clothes, pose
   and framing (portrait or upper body), light, background, then the style.
2. Write a negative_prompt of what usually goes wrong: extra fingers, distorted hands, text, watermark, blurry.
3. Call list_models once and choose a model whose name and note suit the style; pass its id as model. If betterwaifu has
   no key, use provider "sketch", leave out model and negative_prompt, and say that the result is a placeholder.
4. Call generate with provider "betterwaifu", aspect_ratio "2:3" (832 × 1216) and a seed of your choice; leave steps and
   cfg_scale at their defaults. One picture at a time, a minute apart: what must wait says when it starts.
5. Call wait with the id until it is done, then show the picture and name its file, model and seed: with the same seed
   and prompt a small change stays a small change. Ask before you generate more."""
