"""The manifests of hosts and registries, as the data that their formats want."""

from typing import Any
from urllib.parse import urlsplit

from release.described import (
    COMMAND,
    ICON,
    PLUGIN,
    PROJECT,
    SCREENSHOT,
    WORDS,
    Setting,
    asked_first,
    asked_for,
    repository,
    services,
    settings,
    tools,
)

NAME: str = PROJECT["name"].removesuffix("-mcp")
SERVED: dict[str, Any] = {"command": COMMAND[0], "args": list(COMMAND[1:])}
_AUTHOR = {"name": WORDS["author"]}
_SERVER_SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
_OWN_ICON = f"./{ICON.relative_to(PLUGIN).as_posix()}"


def bundle() -> dict[str, Any]:
    """The manifest of an MCP bundle, whose host brings uv."""
    fields = asked_for()
    return {
        "manifest_version": "0.4",
        "name": PROJECT["name"],
        "display_name": WORDS["title"],
        "version": PROJECT["version"],
        "description": PROJECT["description"],
        "long_description": WORDS["about"],
        "author": _AUTHOR,
        **_addressed("repository", {"type": "git", "url": repository()}),
        "icon": ICON.name,
        "screenshots": [SCREENSHOT.name],
        "server": {
            "type": "uv",
            "entry_point": "server/main.py",
            "mcp_config": {
                "command": "uv",
                "args": ["run", "--frozen", "--directory", "${__dirname}", *COMMAND[1:]],
                "env": _filled(fields),
            },
        },
        "tools": tools(),
        "prompts_generated": True,
        "keywords": PROJECT["keywords"],
        "license": PROJECT["license"],
        "compatibility": {
            "platforms": ["darwin", "linux", "win32"],
            "runtimes": {"python": PROJECT["requires-python"]},
        },
        "user_config": {each.field: _option(each) for each in fields},
    }


def server_json() -> dict[str, Any] | None:
    """The entry in the MCP registry; None where there is no address, since the entry's name begins with its owner's."""
    address = repository()
    if address is None:
        return None
    variables = [
        *({**_described(each), "isSecret": True} for each in services().values()),
        *(_described(each) for each in settings()),
    ]
    return {
        "$schema": _SERVER_SCHEMA,
        "name": registry_name(address),
        "title": WORDS["title"],
        "description": PROJECT["description"],
        "repository": {"url": address, "source": "github"},
        "version": PROJECT["version"],
        "packages": [
            {
                "registryType": "pypi",
                "identifier": PROJECT["name"],
                "version": PROJECT["version"],
                "runtimeHint": COMMAND[0],
                "transport": {"type": "stdio"},
                "packageArguments": [{"type": "positional", "value": word} for word in COMMAND[2:]],
                "environmentVariables": variables,
            }
        ],
    }


def registry_name(address: str) -> str:
    """The name in the MCP registry, which the README has to state too: io.github.OWNER/NAME."""
    return f"io.github.{urlsplit(address).path.split('/')[1]}/{PROJECT['name']}"


def claude_plugin() -> dict[str, Any]:
    """The plugin of Claude Code, with a form for keys."""
    fields = asked_for()
    return {
        **_plugin(),
        "userConfig": {each.field: _option(each) for each in fields},
        "mcpServers": {NAME: {**SERVED, "env": _filled(fields)}},
    }


def claude_marketplace() -> dict[str, Any]:
    """The catalogue of Claude Code that this repository is."""
    return {
        "name": NAME,
        "owner": _AUTHOR,
        "description": PROJECT["description"],
        "plugins": [{"name": NAME, "source": _place(), "description": PROJECT["description"]}],
    }


def codex_plugin() -> dict[str, Any]:
    """The plugin of Codex."""
    return {
        **_plugin(),
        "skills": "./skills/",
        "mcpServers": "./codex.mcp.json",
        "interface": {
            "displayName": WORDS["title"],
            "shortDescription": PROJECT["description"],
            "longDescription": WORDS["about"],
            "developerName": WORDS["author"],
            "category": "Creativity",
            "capabilities": ["Interactive", "Write"],
            "defaultPrompt": ["Make a picture of a fox reading a map, in warm evening light"],
            "composerIcon": _OWN_ICON,
            "logo": _OWN_ICON,
        },
    }


def codex_servers() -> dict[str, Any]:
    """The server of Codex's plugin: keys are those of the environment that Codex itself has."""
    return {"mcpServers": {NAME: {**SERVED, "env_vars": [each.variable for each in asked_for()]}}}


def codex_marketplace() -> dict[str, Any]:
    """The catalogue of Codex that this repository is."""
    return {
        "name": NAME,
        "interface": {"displayName": WORDS["title"]},
        "plugins": [
            {
                "name": NAME,
                "source": {"source": "local", "path": _place()},
                "policy": {"installation": "AVAILABLE", "authentication": "ON_INSTALL"},
                "category": "Creativity",
            }
        ],
    }


def gemini_extension() -> dict[str, Any]:
    """The extension of Gemini CLI, which asks for keys when it is installed."""
    return {
        "name": NAME,
        "version": PROJECT["version"],
        "description": PROJECT["description"],
        "contextFileName": f"{PLUGIN.relative_to(PLUGIN.parent.parent).as_posix()}/skills/make-pictures/SKILL.md",
        "mcpServers": {NAME: SERVED},
        "settings": [
            {"name": each.title, "description": each.about, "envVar": each.variable, "sensitive": each.secret}
            for each in asked_first()
        ],
    }


def _plugin() -> dict[str, Any]:
    return {
        "name": NAME,
        "version": PROJECT["version"],
        "description": PROJECT["description"],
        "author": _AUTHOR,
        **_addressed("repository", repository()),
        "license": PROJECT["license"],
        "keywords": PROJECT["keywords"],
    }


def _place() -> str:
    return f"./{PLUGIN.relative_to(PLUGIN.parent.parent).as_posix()}"


def _addressed(key: str, value: Any) -> dict[str, Any]:
    return {} if repository() is None else {key: value}


def _filled(fields: list[Setting]) -> dict[str, str]:
    """The variables of a form's fields; the server knows what a host leaves of a blank one."""
    return {each.variable: f"${{user_config.{each.field}}}" for each in fields}


def _option(each: Setting) -> dict[str, Any]:
    secret = {"sensitive": True} if each.secret else {}
    return {"type": each.kind, "title": each.title, "description": each.about, "required": False, **secret}


def _described(each: Setting) -> dict[str, Any]:
    return {"name": each.variable, "description": each.about}
