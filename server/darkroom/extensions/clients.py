"""Known facts of clients: which show pages, which drop a part of what they are sent, and the list of tools for each.

It imports nothing, since the list is sent before anything else is there.
"""

from collections.abc import Iterable, Mapping
from typing import Any

APPS, PAGE = "io.modelcontextprotocol/ui", "text/html;profile=mcp-app"
"""MCP Apps, and the type of its pages."""
GALLERY = frozenset({"gallery", "gallery_delete"})
"""The page's own tools."""
KNOWN = {"codex-mcp-client": frozenset({"text", "links", "images"})}
"""By `clientInfo.name`, the parts of a result that suit it. Codex hands its model the structured half alone, where
there is one: no picture, no text."""

Wire = dict[str, Any]


def shows_pages(extensions: Mapping[str, Any] | None) -> bool:
    """True where a client that declared these extensions has MCP Apps, with pages like ours."""
    declared = (extensions or {}).get(APPS)
    return declared is not None and PAGE in declared.get("mimeTypes", [PAGE])


def listed(tools: Iterable[Wire], *, pages: bool, structured: bool) -> list[Wire]:
    """The tools for a client that shows pages or not, and is sent the structured half of results or not."""
    shown = [tool for tool in tools if pages or tool["name"] not in GALLERY]
    if structured:
        return shown
    # Clients hold a result to its schema.
    return [{name: value for name, value in tool.items() if name != "outputSchema"} for tool in shown]
