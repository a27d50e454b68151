"""The environment: what every variable means, and which values cannot be meant."""

import logging
from pathlib import Path

import pytest

from darkroom.accounts import Account, Limits, Window
from darkroom.errors import NotConfigured
from darkroom.guards import Budget
from darkroom.money import Money
from darkroom.providers.declared import read_settings
from darkroom.settings import Settings

PLACES = {"DARKROOM_HOME": "nowhere", "DARKROOM_PICTURES": "nowhere"}
PROVIDERS = ("FATTHUMB", "BETTERWAIFU")


def settings_of(**environ: str) -> Settings:
    return read_settings({**PLACES, **environ})


def account_of(settings: Settings, provider: str) -> Account:
    return settings.accounts[provider.lower()]


def test_an_empty_environment_has_the_documented_defaults() -> None:
    settings = read_settings({})
    assert settings.accounts["fatthumb"].key is None
    assert settings.accounts["betterwaifu"].key is None
    assert settings.accounts["fatthumb"].base_url == "https://fatthumb.klaas.pro/api/v1"
    assert settings.accounts["betterwaifu"].base_url == "https://betterwaifu.com/api/v1"
    assert settings.accounts["fatthumb"].limits == Limits(None, (Window(10, 60.0),), (Window(1000, 3600.0),))
    assert settings.accounts["betterwaifu"].limits == Limits(1, (Window(1, 60.0),), ())
    assert settings.default_provider == "sketch"
    assert settings.confirm_over is None
    assert settings.budget is None
    assert settings.log_level == logging.WARNING
    assert settings.home.is_absolute()
    assert settings.home.name == "darkroom"
    assert isinstance(settings.pictures, Path)
    assert settings.pictures.is_absolute()
    assert settings.pictures.name == "Darkroom"


EVERY = [
    *(f"{provider}_{name}" for provider in PROVIDERS for name in ("API_KEY", "BASE_URL", "LIMITS")),
    *("DARKROOM_PROVIDER", "DARKROOM_HOME", "DARKROOM_PICTURES", "DARKROOM_LOG", "DARKROOM_CONFIRM", "DARKROOM_BUDGET"),
]


@pytest.mark.parametrize("value", ["", "  ", "\n"])
@pytest.mark.parametrize("variable", EVERY)
def test_a_blank_variable_is_as_good_as_none(variable: str, value: str) -> None:
    assert read_settings({variable: value}) == read_settings({})


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_key_and_an_origin_are_taken_without_the_space_around_them(provider: str) -> None:
    environ = {f"{provider}_API_KEY": " key_1\n", f"{provider}_BASE_URL": " http://127.0.0.1:8080/api/v1/ "}
    account = account_of(settings_of(**environ), provider)
    assert (account.key, account.base_url) == ("key_1", "http://127.0.0.1:8080/api/v1")


@pytest.mark.parametrize(
    "url",
    ["https://example.com", "http://[::1]:8080/v1", "HTTPS://EXAMPLE.COM/v1", "http://me:p%40ss@localhost:1/v1"],
)
def test_any_http_origin_can_be_meant(url: str) -> None:
    assert settings_of(FATTHUMB_BASE_URL=url).accounts["fatthumb"].base_url == url


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("active=3", Limits(3)),
        ("submit=5/30", Limits(None, (Window(5, 30.0),))),
        ("requests=7/1.5", Limits(None, (), (Window(7, 1.5),))),
        (
            " submit=1/2 , submit=10/60,submit=100/3600,requests=5/1,requests=1000/3600, active=2 ",
            Limits(
                2, (Window(1, 2.0), Window(10, 60.0), Window(100, 3600.0)), (Window(5, 1.0), Window(1000, 3600.0))
            ),
        ),
    ],
)  # fmt: skip
def test_limits_are_read_window_by_window(provider: str, text: str, limits: Limits) -> None:
    assert account_of(settings_of(**{f"{provider}_LIMITS": text}), provider).limits == limits


def test_limits_can_be_said_in_words() -> None:
    limits = settings_of(FATTHUMB_LIMITS="active=2,submit=10/60,requests=5/0.5").accounts["fatthumb"].limits
    assert limits.described() == ["2 active at a time", "10 submissions per 60 s", "5 requests per 0.5 s"]


MALFORMED = {
    "API_KEY": ["two words", "tab\tbed", "schlüssel", "line\nbreak", "k" * 513, "nul\0", "\u200bnsk_1"],
    "BASE_URL": [
        "example.com",
        "ftp://example.com",
        "file:///etc/passwd",
        "http://",
        "https:///v1",
        "http://[::1",
        "http://example.com:0",
        "http://example.com:99999",
        "http://example.com:port",
        "javascript:alert(1)",
        # If these three were taken, every later call would go somewhere else or nowhere.
        "http://exam ple.com/v1",
        "http://example.com/v1?key=1",
        "http://example.com/v1#part",
    ],
    "LIMITS": [
        "ten",
        "active",
        "active=",
        "active=0",
        "active=-1",
        "active=1.5",
        "active=1/60",
        "submit=10",
        "submit=0/60",
        "submit=10/0",
        "submit=10/0.000",
        "submit=10/-60",
        "submit=10/minute",
        "submit=1e3/60",
        "polls=1/60",
        "submit=10/60;requests=1/1",
        "submit=10/60 requests=1/1",
        "submit=10/60,nonsense",
        "submit=99999999999999999999/60",
        ",",
    ],
}
MISSET = [
    *(
        (f"{provider}_{name}", value)
        for provider in PROVIDERS
        for name, values in MALFORMED.items()
        for value in values
    ),
    *(("DARKROOM_PROVIDER", value) for value in ("dall-e", "Fat Thumb", "fatthumb,sketch")),
    *(("DARKROOM_LOG", value) for value in ("loud", "10", "warning,info")),
    *(("DARKROOM_CONFIRM", value) for value in ("never", "yes", "Always", "over", "over:", "over:-1", "over:two", "2")),
    *(("DARKROOM_BUDGET", value) for value in ("0", "-1", "1.5", "1e3", "ten", "10/day", "9" * 20, "٣")),
    ("DARKROOM_HOME", "a\0b"),
    ("DARKROOM_PICTURES", "a\0b"),
    # Path.expanduser raises a bare RuntimeError for these two.
    ("DARKROOM_HOME", "~nobody-has-this-name/x"),
    ("DARKROOM_PICTURES", "~nobody-has-this-name/x"),
]


@pytest.mark.parametrize(("variable", "value"), MISSET, ids=lambda part: repr(part)[:40])
def test_a_value_that_cannot_be_meant_disables_what_it_concerns_and_nothing_else(variable: str, value: str) -> None:
    keys = {f"{provider}_API_KEY": "key_1" for provider in PROVIDERS}
    if variable == "DARKROOM_HOME":
        with pytest.raises(NotConfigured, match="DARKROOM_HOME"):
            settings_of(**{variable: value})
        return
    settings = (
        settings_of(**keys, **{variable: value}) if variable not in keys else settings_of(**keys | {variable: value})
    )
    concerned = {
        "FATTHUMB": settings.accounts["fatthumb"].misset,
        "BETTERWAIFU": settings.accounts["betterwaifu"].misset,
        "DARKROOM_PROVIDER": settings.default_provider,
        "DARKROOM_PICTURES": settings.no_place,
        variable if "CONFIRM" in variable or "BUDGET" in variable else "DARKROOM_CONFIRM": settings.unguarded,
    }
    errors = {name: error for name, error in concerned.items() if isinstance(error, NotConfigured)}
    assert all(variable.startswith(name) for name in errors)
    assert errors or variable == "DARKROOM_LOG"
    assert all(variable in error.message and variable in error.next_step for error in errors.values())
    assert [warning for warning in settings.warnings if variable in warning] == list(settings.warnings) != []
    assert (settings.accounts["fatthumb"].key, settings.accounts["betterwaifu"].key) == tuple(
        None if n in errors else "key_1" for n in PROVIDERS
    )
    assert settings.log_level == logging.WARNING


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_misset_account_stays_the_default_so_that_nothing_else_is_paid_instead(provider: str) -> None:
    keys = (
        {"FATTHUMB_API_KEY": "k1", "BETTERWAIFU_API_KEY": "k2"}
        if provider == "FATTHUMB"
        else {f"{provider}_API_KEY": "k"}
    )
    assert settings_of(**keys, **{f"{provider}_LIMITS": "ten"}).default_provider == provider.lower()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_was_given_as_a_key_or_an_origin_is_a_secret_and_not_repeated(provider: str) -> None:
    for variable, value, secret in (
        (f"{provider}_API_KEY", "my secret key", "my secret key"),
        (f"{provider}_API_KEY", '"nsk_0123456789abcdef"', "nsk_0123456789abcdef"),
        (f"{provider}_BASE_URL", "ftp://me:hunter22@h", "hunter22"),
        (f"{provider}_BASE_URL", "'http://me:hunter22@h/api/v1'", "hunter22"),
    ):
        settings = settings_of(**{f"{provider}_API_KEY": "key_1", variable: value})
        assert secret in settings.secrets
        assert not any(secret in shown for shown in (repr(settings), *settings.warnings))


@pytest.mark.parametrize("name", ["fatthumb", "betterwaifu", "sketch"])
def test_the_default_provider_can_be_named_with_or_without_its_key(name: str) -> None:
    assert settings_of(DARKROOM_PROVIDER=f" {name} ").default_provider == name
    assert settings_of(DARKROOM_PROVIDER=name.title()).default_provider == name


@pytest.mark.parametrize(
    ("keys", "default"),
    [
        ((), "sketch"),
        (("FATTHUMB",), "fatthumb"),
        (("BETTERWAIFU",), "betterwaifu"),
        (("BETTERWAIFU", "FATTHUMB"), "fatthumb"),
    ],
)
def test_the_default_provider_is_else_the_first_with_a_key(keys: tuple[str, ...], default: str) -> None:
    assert settings_of(**{f"{key}_API_KEY": "k" for key in keys}).default_provider == default


@pytest.mark.parametrize(
    ("name", "level"), [("debug", 10), ("INFO", 20), (" Warning ", 30), ("error", 40), ("critical", 50)]
)
def test_a_log_level_is_named_in_any_case(name: str, level: int) -> None:
    assert settings_of(DARKROOM_LOG=name).log_level == level


@pytest.mark.parametrize(("value", "over"), [("always", 0), ("over:0", 0), ("over:2", 2), (" over:10 ", 10)])
def test_confirmation_starts_above_a_number_of_pictures(value: str, over: int) -> None:
    assert settings_of(DARKROOM_CONFIRM=value).confirm_over == over


FIVE = Money(5_000_000, "USD")


@pytest.mark.parametrize(
    ("value", "budget"),
    [
        ("1", Budget(1)),
        (" 20\n", Budget(20)),
        ("007", Budget(7)),
        ("5 USD", Budget(None, FIVE)),
        ("5.00usd", Budget(None, FIVE)),
        ("0.05 EUR", Budget(None, Money(50_000, "EUR"))),
        ("5 USD, 20", Budget(20, FIVE)),
        ("5 USD,1", Budget(1, FIVE)),
    ],
)
def test_a_budget_is_a_number_or_an_amount_of_money_or_both(value: str, budget: Budget) -> None:
    settings = settings_of(DARKROOM_BUDGET=value)
    assert (settings.budget, settings.unguarded) == (budget, None)


@pytest.mark.parametrize(
    "value",
    [
        "0 USD", "0.00 USD", "5,20 USD", "1,000 USD", "20, 5 USD", "5 USD, 0", "5 USD,", ", 5", "5 USD, 5 EUR",
        "-5 USD", "$5", "5 $", "5 dollars", "USD", "USD 5", "nan USD", "1e3 USD", "9999999 USD",
        "0.0000001 USD", "5 USD 20", "0",
    ],
)  # fmt: skip
def test_a_budget_that_may_mean_something_else_stops_what_costs_money(value: str) -> None:
    settings = settings_of(DARKROOM_BUDGET=value)
    assert settings.budget is None
    assert settings.unguarded is not None
    assert "an amount of money a day (5 USD)" in settings.unguarded.message


@pytest.mark.parametrize("variable", ["DARKROOM_HOME", "DARKROOM_PICTURES"])
def test_a_folder_is_absolute_whatever_it_is_given_as(variable: str, tmp_path: Path) -> None:
    def folder(value: str) -> Path:
        settings = settings_of(**{variable: value})
        named = settings.home if variable == "DARKROOM_HOME" else settings.pictures
        assert isinstance(named, Path)
        return named

    assert folder(str(tmp_path)) == tmp_path
    assert folder(f" {tmp_path} ") == tmp_path
    assert folder("some/where") == Path.cwd() / "some" / "where"
    assert folder("~/pictures") == Path.home() / "pictures"
    assert not (Path.cwd() / "some").exists()


def test_a_gateway_s_password_is_refused_where_it_would_displace_the_key() -> None:
    settings = settings_of(BETTERWAIFU_API_KEY="bw_key", BETTERWAIFU_BASE_URL="http://me:hunter22@127.0.0.1/api/v1")
    assert settings.accounts["betterwaifu"].misset
    assert "BETTERWAIFU_BASE_URL" in settings.accounts["betterwaifu"].misset.message
