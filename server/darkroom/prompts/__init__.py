"""Briefs that a person starts from: each teaches an agent what one provider does well, and this list of them all."""

from collections.abc import Iterator

from mcp.server.mcpserver.prompts import Prompt

from darkroom.prompts.character_portrait import character_portrait
from darkroom.prompts.youtube_thumbnail import youtube_thumbnail


def every_prompt() -> Iterator[Prompt]:
    """The prompts, by the name of their function."""
    yield Prompt.from_function(youtube_thumbnail, title="YouTube thumbnail")
    yield Prompt.from_function(character_portrait, title="Character portrait")
