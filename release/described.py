"""The one description of Darkroom, joined with what pyproject.toml and the product say of themselves."""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkroom.declaration import own_prefix
from darkroom.doorman.snapshot import PATH as SNAPSHOT
from darkroom.providers.declared import DECLARED
from darkroom.providers.language.files import SHIPPED
from darkroom.providers.offered import KEYLESS, OFFERED

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WORDS: dict[str, Any] = tomllib.loads((ROOT / "release" / "description.toml").read_text("utf-8"))
PLUGIN = ROOT / "plugins" / "darkroom"
ICON = PLUGIN / "assets" / "icon.png"
SCREENSHOT = ROOT / "docs" / "gallery.jpg"
COMMAND = ("uvx", PROJECT["name"], "serve")
"""The command that a host starts; it needs nothing but uv."""


@dataclass(frozen=True)
class Setting:
    """A variable that a person may set, as a form shows it. `kind`: string or directory."""

    variable: str
    title: str
    about: str
    kind: str = "string"
    secret: bool = False

    @property
    def field(self) -> str:
        """Its name in forms."""
        return self.variable.removeprefix("DARKROOM_").lower()


def services() -> dict[str, Setting]:
    """The key of each service that can have one, by the service's name."""
    titles = {name: _title(name) for name in OFFERED if name not in KEYLESS}
    return {
        **{
            each.name: _key(each.name, each.traits.title, each.key_variable)
            for each in DECLARED.values()
            if each.key_variable is not None
        },
        **{name: _key(name, title, f"{own_prefix(name)}KEY") for name, title in titles.items()},
    }


def asked_for() -> list[Setting]:
    """The fields of a form: the keys of the services that the description names, then its settings."""
    known = services()
    return [*(known[name] for name in WORDS["services"]), *settings()]


def asked_first() -> list[Setting]:
    """The keys that hosts ask for which put one question after another."""
    return asked_for()[: WORDS["asked"]]


def settings() -> list[Setting]:
    """The settings besides keys."""
    return [Setting(each["variable"], each["title"], each["about"], each["type"]) for each in WORDS["settings"]]


def tools() -> list[dict[str, str]]:
    """The tools that an agent sees, with their titles as descriptions."""
    listed = json.loads(Path(SNAPSHOT).read_text("utf-8"))["results"]["legacy"]["tools/list"]["tools"]
    seen = [tool for tool in listed if "app" not in tool.get("_meta", {}).get("ui", {}).get("visibility", [])]
    return [{"name": tool["name"], "description": tool["description"].partition(". ")[0] + "."} for tool in seen]


def repository() -> str | None:
    """The address of the repository; None where pyproject.toml names none."""
    return PROJECT.get("urls", {}).get("Repository")


def _key(name: str, title: str, variable: str) -> Setting:
    return Setting(variable, f"{title} API key", f"Makes the provider {name} available. Blank: it is not.", secret=True)


def _title(name: str) -> str:
    return tomllib.loads((SHIPPED / f"{name}.toml").read_text("utf-8"))["title"]
