"""Variables that do not hold what their user meant: what a host, a shell or a README left in them."""

from dataclasses import replace
from pathlib import Path

import pytest

from darkroom.errors import NotConfigured
from darkroom.guards import Budget
from darkroom.providers.declared import forget_secrets, read_settings
from darkroom.settings import Settings

BLANK_IN_A_BUNDLE = "${user_config.x}"
UNEXPANDED = [
    *("${VAR}", "${input:x}", "%VAR%", "{{ VAR }}", "$VAR", "$env:VAR", "<your value>"),
    *("undefined", "null", "None", '""', "''", "“”"),
]
KEYS = [
    *UNEXPANDED,
    *('"nsk_0123456789abcdef"', "nsk_…", "bw_…", "nsk_...", "nsk_", "nsk_live_xxxx", "your-api-key", "nsk_your_key"),
    *(
        "Bearer ${KEY}",
        "nsk_${KEY}",
        "${KEY",
        "{env:KEY}",
        "{KEY}",
        "nsk_<key>",
        "FATTHUMB_API_KEY",
        "api_key",
        "my-key",
    ),
    *("insert-key-here", "REPLACE_ME", "placeholder", "••••••••", "op://vault/item/field", "!secret key", "N/A"),
    *("#{KEY}", "@KEY@", "__KEY__", "process.env.KEY", "false", "0", "-", "TBD", "string", "nsk_example", "[redacted]"),
]
EVERY = [
    *(f"{name}_{part}" for name in ("FATTHUMB", "BETTERWAIFU") for part in ("API_KEY", "BASE_URL", "LIMITS")),
    *(f"DARKROOM_{name}" for name in ("PROVIDER", "HOME", "PICTURES", "LOG")),
]


def without_words(environ: dict[str, str]) -> Settings:
    """The settings, with nothing said of them."""
    return replace(read_settings(environ), warnings=(), spoilt=())


@pytest.mark.parametrize("value", UNEXPANDED)
@pytest.mark.parametrize("variable", EVERY)
def test_what_nobody_meant_as_a_value_counts_as_not_set_with_a_warning(variable: str, value: str) -> None:
    assert without_words({variable: value}) == read_settings({})
    (warning,) = read_settings({variable: value}).warnings
    assert variable in warning
    assert value not in warning


@pytest.mark.parametrize("variable", [*EVERY, "DARKROOM_OPENAI_KEY", "FAL_KEY", "DARKROOM_BUDGETS"])
def test_a_field_that_was_left_blank_in_a_bundle_is_nothing_to_warn_of(variable: str) -> None:
    assert read_settings({variable: BLANK_IN_A_BUNDLE}) == read_settings({})


@pytest.mark.parametrize("value", KEYS)
@pytest.mark.parametrize("name", ["FATTHUMB", "BETTERWAIFU"])
def test_what_is_no_key_makes_no_provider_the_default(name: str, value: str) -> None:
    settings = read_settings({f"{name}_API_KEY": value})
    assert settings.default_provider == "sketch"
    assert not any(account.key for account in settings.accounts.values())
    assert f"{name}_API_KEY" in settings.warnings[0]


@pytest.mark.parametrize(
    "key",
    [
        "k",
        "x",
        "nsk_x",
        "sk-0123456789",
        "bw_live_0123456789abcdef",
        "nsk_xylophone",
        "nones_0123",
        "0-1",
        "falsetto",
        "bw_tests",
    ],
)
def test_a_key_may_look_like_anything_else(key: str) -> None:
    settings = read_settings({"FATTHUMB_API_KEY": key})
    assert (settings.accounts["fatthumb"].key, settings.warnings) == (key, ())


@pytest.mark.parametrize("value", [*UNEXPANDED, BLANK_IN_A_BUNDLE, "many", '"5"', "5 per day", "-1", "always5", "no"])
@pytest.mark.parametrize("variable", ["DARKROOM_BUDGET", "DARKROOM_CONFIRM"])
def test_a_guard_that_cannot_be_read_stands_in_the_way_of_what_costs_money(variable: str, value: str) -> None:
    settings = read_settings({variable: value})
    if value == BLANK_IN_A_BUNDLE:
        assert settings.unguarded is None
        assert settings.warnings == ()
    else:
        assert settings.unguarded is not None
        assert variable in settings.unguarded.message
        assert variable in settings.warnings[0]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DARKROOM_BUGDET", "DARKROOM_BUDGET"),
        ("DARKROOM_BUDGETS", "DARKROOM_BUDGET"),
        ("DARKROOM_CONFIRMATION", "DARKROOM_CONFIRM"),
        ("darkroom_budget", "DARKROOM_BUDGET"),
        ("DARKROOM_PICTURE", "DARKROOM_PICTURES"),
        ("DARKROOM_LOGLEVEL", "DARKROOM_LOG"),
        ("FATTHUMB_KEY", "FATTHUMB_API_KEY"),
        ("BETTERWAIFU_BASEURL", "BETTERWAIFU_BASE_URL"),
        ("DARKROOM_SOMETHING_ELSE", ""),
        ("DARKROM_BUDGET", "DARKROOM_BUDGET"),
        ("DARK_ROOM_CONFIRM", "DARKROOM_CONFIRM"),
    ],
)
def test_a_misspelt_variable_is_named_and_a_misspelt_guard_still_guards(name: str, meant: str) -> None:
    settings = read_settings({name: "always"})
    (warning, *_) = settings.warnings
    assert name in warning
    assert meant in warning
    assert (settings.unguarded is not None) == (meant in {"DARKROOM_BUDGET", "DARKROOM_CONFIRM"})


@pytest.mark.parametrize("name", ["DARK_MODE", "DARKTABLE_HOME", "DARKNET_CONFIG", "MY_DARKROOM_BUDGET"])
def test_a_variable_of_somebody_else_is_none_of_ours(name: str) -> None:
    assert read_settings({name: "5"}) == read_settings({})


def test_a_guard_that_is_set_needs_no_other_name() -> None:
    settings = read_settings({"DARKROOM_BUDGET": "5", "DARKROOM_BUDGETS": "7"})
    assert (settings.budget, settings.unguarded) == (Budget(5), None)


@pytest.mark.parametrize("value", ["pictures", "./pictures", "..", "pictures/${DAY"])
def test_a_relative_folder_is_refused_where_the_host_chose_what_it_is_relative_to(value: str) -> None:
    with pytest.raises(NotConfigured, match="DARKROOM_HOME"):
        read_settings({"DARKROOM_HOME": value}, in_any_folder=True)
    served = read_settings({"DARKROOM_PICTURES": value}, in_any_folder=True)
    assert served.no_place is not None
    assert "DARKROOM_PICTURES" in served.no_place.message
    typed = read_settings({"DARKROOM_PICTURES": value})
    assert (typed.pictures, typed.no_place) == (Path.cwd() / value, None)


@pytest.mark.parametrize("value", ["${HOME}/Pictures", "%USERPROFILE%\\Pictures", "$HOME/Pictures"])
def test_a_folder_with_a_name_left_in_it_is_not_made(value: str) -> None:
    assert without_words({"DARKROOM_PICTURES": value}).pictures == read_settings({}).pictures


@pytest.mark.parametrize("url", ["http://${HOST}/api/v1", "https://%HOST%/api/v1", "https://{{host}}/api/v1"])
def test_an_origin_with_a_part_missing_does_not_send_the_key_elsewhere(url: str) -> None:
    settings = read_settings({"FATTHUMB_API_KEY": "key_1", "FATTHUMB_BASE_URL": url})
    assert settings.accounts["fatthumb"].key is None
    assert settings.accounts["fatthumb"].misset
    assert "FATTHUMB_BASE_URL" in settings.accounts["fatthumb"].misset.message


@pytest.mark.parametrize(
    ("name", "url", "refused"),
    [
        ("FATTHUMB", "https://fatthumb.klaas.pro", True),
        ("FATTHUMB", "https://fatthumb.klaas.pro/api", True),
        ("BETTERWAIFU", "https://BetterWaifu.com/", True),
        ("BETTERWAIFU", "http://127.0.0.1:8080", False),
        ("FATTHUMB", "https://gateway.example/fatthumb", False),
    ],
)
def test_an_origin_without_the_api_s_path_is_found_out(name: str, url: str, refused: bool) -> None:
    settings = read_settings({f"{name}_API_KEY": "key_1", f"{name}_BASE_URL": url})
    account = settings.accounts[name.lower()]
    (warning,) = settings.warnings
    assert f"{name}_BASE_URL" in warning
    assert "/api/v1" in warning
    assert (account.misset is not None) == refused


def test_no_child_process_is_given_a_key_under_a_misspelt_name() -> None:
    environ = {"FATTHUMB_APIKEY": "nsk_0123456789abcdef", "BETTERWAIFU_API_KEY": "bw_0123456789abcdef", "PATH": "/bin"}
    forget_secrets(environ)
    assert environ == {"PATH": "/bin"}
