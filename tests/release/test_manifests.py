"""The manifests of hosts and registries say what is so, and name the command that there is."""

import base64
import json
import re
import tomllib
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest
from PIL import Image

from darkroom import errors
from darkroom.errors import DarkroomError
from darkroom.providers.declared import read_settings
from release import links, make, manifests
from release.described import ICON, PLUGIN, PROJECT, ROOT, asked_for, services, tools

BLOCKS = re.findall(r"```(json|toml)\n(.*?)```", (ROOT / "docs" / "install.md").read_text("utf-8"), re.DOTALL)
SKILL = (PLUGIN / "skills" / "make-pictures" / "SKILL.md").read_text("utf-8")
ADDRESS = "https://github.com/example/darkroom"
FORMS: list[dict[str, Any]] = [
    manifests.bundle()["server"]["mcp_config"]["env"],
    manifests.claude_plugin()["mcpServers"]["darkroom"]["env"],
]


def query_of(link: str) -> dict[str, str]:
    """The parameters of a link."""
    return {name: value for name, (value,) in parse_qs(urlsplit(link).query, strict_parsing=True).items()}


def started(server: dict[str, Any]) -> list[str]:
    """The command that a host starts."""
    return [server["command"], *server["args"]]


def test_the_manifests_in_the_repository_are_those_of_the_description() -> None:
    assert [path.name for path, text in make.files().items() if path.read_text("utf-8") != text] == []


@pytest.mark.parametrize("form", FORMS, ids=["bundle", "plugin"])
@pytest.mark.parametrize("blank", ["as it stands", ""])
def test_a_form_that_was_left_blank_disables_nothing(form: dict[str, str], blank: str) -> None:
    """Hosts hand on the reference itself for a blank field, or an empty text."""
    assert set(form) == {each.variable for each in asked_for()}
    settings = read_settings({name: value if blank else "" for name, value in form.items()})
    assert settings == read_settings({})
    assert settings.default_provider == "sketch"


def test_every_key_that_can_be_entered_makes_its_service_available() -> None:
    for name, key in services().items():
        assert read_settings({key.variable: "k-0123456789abcdef"}).accounts[name].key, name
    assert all(each.secret == each.variable.endswith("KEY") for each in asked_for())


def test_every_host_is_told_to_start_the_console_command() -> None:
    vscode = query_of(links.vscode())
    servers = [
        json.loads(base64.b64decode(query_of(links.cursor())["config"])),
        json.loads(vscode["config"]),
        manifests.claude_plugin()["mcpServers"]["darkroom"],
        manifests.codex_servers()["mcpServers"]["darkroom"],
        manifests.gemini_extension()["mcpServers"]["darkroom"],
    ]
    for syntax, block in BLOCKS:
        page: dict[str, Any] = json.loads(block) if syntax == "json" else tomllib.loads(block)
        servers += [(page.get("mcpServers") or page.get("servers") or page["mcp_servers"])["darkroom"]]
    assert len(servers) >= 8
    assert [server for server in servers if started(server) != ["uvx", PROJECT["name"], "serve"]] == []
    assert list(PROJECT["scripts"]) == [PROJECT["name"]]
    inputs = {f"${{input:{each['id']}}}" for each in json.loads(vscode["inputs"])}
    assert set(json.loads(vscode["config"])["env"].values()) == inputs


def test_an_entry_of_the_registry_is_made_once_there_is_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROJECT, "urls", {"Repository": ADDRESS})
    entry = manifests.server_json()
    assert entry is not None
    assert entry["name"] == "io.github.example/darkroom-mcp"
    schema = resources.files("skillsaw.schemas.mcp_registry") / "v2025_12_11" / "server.schema.json"
    jsonschema.validate(entry, json.loads(schema.read_text("utf-8")))
    variables = entry["packages"][0]["environmentVariables"]
    assert {each["name"] for each in variables if each.get("isSecret")} == {key.variable for key in services().values()}
    assert manifests.bundle()["repository"]["url"] == manifests.claude_plugin()["repository"] == ADDRESS


def test_the_registry_finds_its_name_in_the_readme_where_there_is_an_address() -> None:
    address = PROJECT.get("urls", {}).get("Repository")
    readme = (ROOT / "README.md").read_text("utf-8")
    assert address is None or f"<!-- mcp-name: {manifests.registry_name(address)} -->" in readme


def test_the_skill_names_tools_and_errors_that_there_are() -> None:
    codes = {each.code for each in vars(errors).values() if isinstance(each, type) and issubclass(each, DarkroomError)}
    words = set(re.findall(r"`([a-z_]+)`", SKILL))
    arguments = {"count", "aspect_ratio", "images", "seed", "charged", "next_step"}
    others = {"sketch", "no", "yes", "maybe", "partial"}
    assert words <= {each["name"] for each in tools()} | codes | arguments | others
    assert re.match(r"---\nname: make-pictures\ndescription: .{40,400}\n---\n", SKILL)


def test_the_icon_is_small_and_square() -> None:
    assert ICON.stat().st_size < 60_000
    with Image.open(ICON) as icon:
        assert (icon.size, icon.mode) == ((512, 512), "RGBA")


def test_types_are_published() -> None:
    assert (ROOT / "server" / "darkroom" / "py.typed").exists()
