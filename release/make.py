"""Writes the manifests that lie in the repository, where hosts look for them; `--check` only says which are old.

`--repository OWNER/NAME` first writes that address on GitHub to where everything that is published has it from: into
`pyproject.toml`, and as the name in the MCP registry into the README.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from release import links, manifests
from release.described import PLUGIN, PROJECT, ROOT, repository

GUIDE = ROOT / "docs" / "install.md"
_START, _END = "<!-- links -->\n", "<!-- end of the links -->"


def files() -> Mapping[Path, str]:
    """The text of each manifest, by its path."""
    server = manifests.server_json()
    return {
        **{path: _text(data) for path, data in _manifests().items()},
        **({} if server is None else {ROOT / "server.json": _text(server)}),
        GUIDE: guide(GUIDE.read_text("utf-8")),
    }


def guide(text: str) -> str:
    """The page on installation with the links as they must be."""
    before, start, rest = text.partition(_START)
    _, end, after = rest.partition(_END)
    listed = [
        f"- [Install in Cursor]({links.cursor()})",
        f"- [Install in VS Code]({links.vscode()})",
        f"- [Install in VS Code Insiders]({links.vscode(insiders=True)})",
    ]
    return before + start + "\n".join(["", *listed, "", ""]) + end + after


def name_repository(name: str) -> None:
    """Writes OWNER/NAME to where its address belongs. Raises ValueError: that is no name, or another one is there."""
    address = f"https://github.com/{name}"
    if not re.fullmatch(r"[\w-]+/[\w.-]+", name) or repository() not in {None, address}:
        raise ValueError(f"{name} is not the repository that pyproject.toml names, or no name of one")
    if repository() is not None:
        return
    PROJECT["urls"] = urls = {
        "Repository": address,
        "Issues": f"{address}/issues",
        "Changelog": f"{address}/blob/HEAD/CHANGELOG.md",
    }
    lines = "".join(f'{name} = "{url}"\n' for name, url in urls.items())
    project, readme = ROOT / "pyproject.toml", ROOT / "README.md"
    scripts = "[project.scripts]\n"
    project.write_text(project.read_text("utf-8").replace(scripts, f"[project.urls]\n{lines}\n{scripts}"), "utf-8")
    marker = f"<!-- mcp-name: {manifests.registry_name(address)} -->"
    readme.write_text(f"{readme.read_text('utf-8')}\n{marker}\n", "utf-8")


def main(words: list[str]) -> int:
    """Writes what is old, or names it and returns 1."""
    if words[:1] == ["--repository"]:
        name_repository(words[1])
    old = [path for path, text in files().items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in words:
        for path in old:
            print(f"{path.relative_to(ROOT)} is old: run python3 dev.py package", file=sys.stderr)
        return 1 if old else 0
    for path in old:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files()[path], "utf-8")
        print(path.relative_to(ROOT))
    return 0


def _manifests() -> dict[Path, dict[str, Any]]:
    return {
        ROOT / ".claude-plugin" / "marketplace.json": manifests.claude_marketplace(),
        ROOT / ".agents" / "plugins" / "marketplace.json": manifests.codex_marketplace(),
        ROOT / "gemini-extension.json": manifests.gemini_extension(),
        PLUGIN / ".claude-plugin" / "plugin.json": manifests.claude_plugin(),
        PLUGIN / ".codex-plugin" / "plugin.json": manifests.codex_plugin(),
        PLUGIN / "codex.mcp.json": manifests.codex_servers(),
    }


def _text(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
