"""Which declared services there are: what makes one available, what never does, and what a start without them costs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mcp.types import ResourceTemplateReference

from darkroom.accounts import Limits, Window
from darkroom.buckets import OBJECT_STORE_SECRETS
from darkroom.errors import InvalidRequest, NotConfigured
from darkroom.extensions.clients import GALLERY
from darkroom.providers.declared import DECLARED, SERVERS_OWN, forget_secrets, names_in, read_settings
from darkroom.providers.language.files import SHIPPED
from darkroom.providers.language.loading import parse
from darkroom.providers.offered import KEYLESS, OFFERED
from darkroom.providers.registry import Registry, build
from darkroom.redact.secrets import Redactor
from darkroom.settings import Settings
from darkroom.transport.http import Http
from tests.clients import OpenDoor
from tests.hosts import PATIENCE_S, Home, connected, darkroom, refused

KEY = "dk_0123456789abcdefABCDEF"
MINE = """
language = 1
name = "my-service"
title = "Mine"
base_url = "https://mine.example.com"
[submit]
path = "/make"
job = "/id"
body = { prompt = "$prompt" }
[read]
path = "/jobs/{job}"
status = "/status"
words = { done = ["done"] }
[pictures]
each = "/picture"
url = ""
"""


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    return {"DARKROOM_HOME": str(tmp_path / "home"), "DARKROOM_PICTURES": str(tmp_path / "pictures")}


def added(places: dict[str, str], text: str, name: str = "my-service") -> dict[str, str]:
    """The same places, with this file of the user's own."""
    folder = Path(places["DARKROOM_HOME"]) / "providers"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.toml").write_text(text, "utf-8")
    return places


def registry_of(settings: Settings) -> Registry:
    return build(settings, Http(), Redactor(settings.secrets), lambda _: OpenDoor())


def test_the_index_names_what_the_files_declare() -> None:
    services = {file.stem: parse(file.read_bytes()) for file in SHIPPED.glob("*.toml")}
    assert {name: service.key for name, service in services.items()} == dict(OFFERED)
    assert {n for n, s in services.items() if s.auth.optional or s.auth.kind == "none"} == KEYLESS


@pytest.mark.parametrize("name", OFFERED)
def test_a_shipped_service_is_there_with_its_own_variable(places: dict[str, str], name: str) -> None:
    prefix = f"DARKROOM_{name.upper().replace('-', '_')}"
    keyless = {f"{prefix}_BASE_URL": "http://127.0.0.1:8080/mj"} if name in KEYLESS else {}
    settings = read_settings(
        {**places, **(keyless or {f"{prefix}_KEY": KEY}), f"{prefix}_LIMITS": "active=3,submit=1/5"}
    )
    provider = registry_of(settings).provider(name)
    assert provider.access.limits == Limits(3, (Window(1, 5.0),))
    assert settings.default_provider == "sketch"
    assert settings.warnings == () or keyless


@pytest.mark.parametrize(("name", "variable"), [(n, v) for n, v in OFFERED.items() if v])
def test_a_vendor_s_variable_makes_a_service_available_and_never_the_default(
    places: dict[str, str], name: str, variable: str
) -> None:
    settings = read_settings({**places, variable: KEY})
    assert settings.accounts[name].key == KEY
    assert settings.default_provider == "sketch"
    assert KEY in settings.secrets
    assert names_in({**places, variable: KEY}) == [*DECLARED, name]


def test_darkroom_s_own_variable_comes_before_the_vendor_s_and_neither_is_ever_repeated(places: dict[str, str]) -> None:
    settings = read_settings({**places, "DARKROOM_FAL_KEY": KEY, "FAL_KEY": "the_vendor_s_0123456789"})
    assert settings.accounts["fal"].key == KEY
    assert {KEY, "the_vendor_s_0123456789"} <= set(settings.secrets)


@pytest.mark.parametrize("name", ["fatthumb", "betterwaifu"])
def test_a_provider_in_code_takes_both_spellings_of_its_variables(places: dict[str, str], name: str) -> None:
    ours = f"DARKROOM_{name.upper()}"
    environ = {f"{ours}_KEY": KEY, f"{ours}_BASE_URL": "http://127.0.0.1:1/api/v1", f"{ours}_LIMITS": "active=2"}
    account = read_settings({**places, **environ}).accounts[name]
    assert (account.key, account.base_url, account.limits) == (KEY, "http://127.0.0.1:1/api/v1", Limits(2))


def test_a_service_of_the_user_s_own_is_there_with_its_variable_and_only_then(places: dict[str, str]) -> None:
    added(places, MINE)
    assert "my-service" not in read_settings(places).accounts
    settings = read_settings({**places, "DARKROOM_MY_SERVICE_KEY": KEY})
    assert registry_of(settings).provider("my-service").traits.title == "Mine"
    assert settings.default_provider == "sketch"
    chosen = read_settings({**places, "DARKROOM_MY_SERVICE_KEY": KEY, "DARKROOM_PROVIDER": "my-service"})
    assert chosen.default_provider == "my-service"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('key = "MIDNIGHT_API_KEY"\n' + MINE, "DARKROOM_MY_SERVICE_KEY"),
        (MINE.replace("my-service", "another"), "another"),
        (MINE.replace("https://mine", "http://mine"), "plain http"),
        (MINE + "[surprise]\n", "surprise"),
        ("language = ", "TOML"),
    ],
    ids=["another variable", "another name", "plain http", "unknown key", "broken"],
)
def test_a_file_that_cannot_be_used_is_named_with_the_reason_and_its_key_stays_a_secret(
    places: dict[str, str], text: str, why: str
) -> None:
    settings = read_settings({**added(places, text), "DARKROOM_MY_SERVICE_KEY": KEY, "MIDNIGHT_API_KEY": "foreign"})
    assert "my-service" not in settings.accounts
    assert any("my-service" in warning and why in warning for warning in settings.warnings)
    assert KEY in settings.secrets
    assert "foreign" not in settings.secrets


def test_a_file_never_takes_the_place_of_a_shipped_service_or_of_one_in_code(places: dict[str, str]) -> None:
    for name in ("fal", "fatthumb"):
        added(places, MINE.replace("my-service", name), name)
    settings = read_settings({**places, "FAL_KEY": KEY, "FATTHUMB_API_KEY": KEY})
    assert settings.accounts["fal"].base_url == "https://queue.fal.run"
    assert settings.accounts["fatthumb"].base_url == "https://fatthumb.klaas.pro/api/v1"


def test_a_service_that_is_not_set_up_is_refused_with_its_variable(places: dict[str, str]) -> None:
    registry = registry_of(read_settings(places))
    with pytest.raises(NotConfigured, match="DARKROOM_BFL_KEY"):
        registry.provider("bfl")
    with pytest.raises(NotConfigured, match="DARKROOM_SDCPP_BASE_URL"):
        registry.provider("sdcpp")
    with pytest.raises(InvalidRequest):
        registry.provider("my-service")


def test_every_variable_that_may_hold_a_key_is_forgotten() -> None:
    vendors = {variable: KEY for variable in OFFERED.values() if variable}
    own = {
        f"DARKROOM_{name.upper().replace('-', '_')}_{what}": KEY
        for name in (*OFFERED, "mine")
        for what in ("KEY", "BASE_URL")
    }
    environ = {**vendors, **own, "PATH": "/bin", "DARKROOM_HOME": "here"}
    forget_secrets(environ)
    assert environ == {"PATH": "/bin", "DARKROOM_HOME": "here"}


def test_what_builds_is_given_none_of_these_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    import dev

    of_the_server = (
        *SERVERS_OWN,
        *OBJECT_STORE_SECRETS,
        "AWS_SESSION_TOKEN",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "PGPASSWORD",
    )
    for variable in (*filter(None, OFFERED.values()), "DARKROOM_BFL_KEY", *of_the_server):
        monkeypatch.setenv(variable, KEY)
    assert KEY not in dev.without_secrets().values()


@pytest.mark.parametrize(("variable", "loaded"), [("FATTHUMB_API_KEY", False), ("DARKROOM_BFL_KEY", True)])
def test_a_start_without_such_a_variable_loads_nothing_of_the_language(home: Home, variable: str, loaded: bool) -> None:
    code = (
        "import os, sys; sys.modules.pop('tomllib', None); "  # whatever measures this process has read its own settings
        "from darkroom.providers.declared import read_settings; read_settings(os.environ); "
        "print('tomllib' in sys.modules, any('providers.language' in name for name in sys.modules))"
    )
    environ = {**home.environ, variable: KEY}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert done.stdout.split() == [str(loaded), str(loaded)]


def test_list_models_names_what_is_not_set_up_in_one_line(home: Home) -> None:
    told = darkroom(home.with_(DARKROOM_BFL_KEY=KEY), "models", "--json").json
    assert [state["name"] for state in told["providers"]] == [*DECLARED, "bfl"]
    others = [name for name in OFFERED if name != "bfl"]
    assert all(name in told["more"] for name in others)
    assert "bfl," not in told["more"]
    assert len(told["more"]) < 400
    assert "pictures stay there for 600 s" in told["providers"][-1]["limits"]


async def test_the_tools_cost_no_more_with_thirty_services_which_they_take_by_name(home: Home) -> None:
    mine = [f"mine-{letter}" for letter in "abcdefghijklm"]
    for name in mine:
        added({"DARKROOM_HOME": str(home.path / "home")}, MINE.replace("my-service", name), name)
    keys = {f"DARKROOM_{name.upper().replace('-', '_')}_KEY": KEY for name in (*OFFERED, *mine)}
    async with connected(home.with_(**keys, DARKROOM_SDCPP_BASE_URL="http://127.0.0.1:9")) as client:
        tools = (await client.list_tools()).tools
        uri = "darkroom://providers/{provider}/models/{model}"
        ref = ResourceTemplateReference(type="ref/resource", uri=uri)
        completed = await client.complete(ref, {"name": "provider", "value": "mine-"})
        refusal = await refused(client, "generate", prompt="a cat", provider="nobody")
    sent = [
        tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools if tool.name not in GALLERY
    ]
    parts = [{part: tool[part] for part in ("name", "description", "inputSchema")} for tool in sent]
    assert len(json.dumps(parts, separators=(",", ":")).encode()) < 4_800
    assert len(json.dumps({"tools": sent}, separators=(",", ":")).encode()) < 16_000
    assert completed.completion.values == mine
    assert all(name in refusal for name in (*OFFERED, *mine))
