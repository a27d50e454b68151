"""Links that add Darkroom to a host at a click."""

import base64
import json
from typing import Any
from urllib.parse import quote

from release.described import asked_first
from release.manifests import NAME, SERVED


def cursor() -> str:
    """The link for Cursor, which asks for no keys."""
    config = base64.b64encode(_compact(SERVED)).decode()
    return f"https://cursor.com/en/install-mcp?name={NAME}&config={quote(config, safe='')}"


def vscode(*, insiders: bool = False) -> str:
    """The link for VS Code, which asks for keys at the first start."""
    config, inputs = vscode_server()
    quality = "&quality=insiders" if insiders else ""
    return (
        f"https://vscode.dev/redirect/mcp/install?name={NAME}"
        f"&inputs={quote(_compact(inputs), safe='')}&config={quote(_compact(config), safe='')}{quality}"
    )


def vscode_server() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The server as VS Code's `mcp.json` has it, and the inputs that it asks for."""
    asked = asked_first()
    inputs = [
        {"type": "promptString", "id": each.field, "description": f"{each.title} (may stay blank)", "password": True}
        for each in asked
    ]
    return {**SERVED, "env": {each.variable: f"${{input:{each.field}}}" for each in asked}}, inputs


def _compact(data: Any) -> bytes:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()
