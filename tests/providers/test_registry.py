"""Which providers there are, which one is used, and what the ledger may know of a key."""

import pytest

from darkroom.accounts import Limits, Window
from darkroom.errors import InvalidRequest, NotConfigured
from darkroom.providers.declared import DECLARED, read_settings
from darkroom.providers.registry import Registry, build
from darkroom.redact.secrets import Redactor
from darkroom.transport.http import Http
from tests.clients import OpenDoor, holds_part_of

FATTHUMB, BETTERWAIFU = "nsk_0123456789abcdef", "bw_fedcba9876543210"


def registry_of(**environ: str) -> Registry:
    settings = read_settings({"DARKROOM_HOME": "nowhere", "DARKROOM_PICTURES": "nowhere", **environ})
    return build(settings, Http(), Redactor(settings.secrets), lambda _: OpenDoor())


def test_without_any_key_there_is_sketch_and_it_is_the_default() -> None:
    registry = registry_of()
    assert list(registry.providers) == ["sketch"]
    assert registry.provider(None).name == registry.provider("sketch").name == "sketch"


@pytest.mark.parametrize(
    ("name", "variable"), [("fatthumb", "FATTHUMB_API_KEY"), ("betterwaifu", "BETTERWAIFU_API_KEY")]
)
def test_a_provider_without_a_key_is_refused_with_the_name_of_its_variable(name: str, variable: str) -> None:
    with pytest.raises(NotConfigured) as caught:
        registry_of().provider(name)
    assert variable in caught.value.message
    assert variable in caught.value.next_step
    assert "sketch" in caught.value.next_step


def test_a_provider_without_a_key_is_refused_with_another_that_has_one() -> None:
    with pytest.raises(NotConfigured) as caught:
        registry_of(BETTERWAIFU_API_KEY=BETTERWAIFU).provider("fatthumb")
    assert "the provider betterwaifu" in caught.value.next_step


def test_a_default_provider_without_a_key_is_refused_when_it_is_used() -> None:
    registry = registry_of(DARKROOM_PROVIDER="fatthumb", BETTERWAIFU_API_KEY=BETTERWAIFU)
    with pytest.raises(NotConfigured) as caught:
        registry.provider(None)
    assert "FATTHUMB_API_KEY" in caught.value.message
    assert "the provider sketch" in caught.value.next_step


@pytest.mark.parametrize("name", ["dall-e", "FatThumb", " sketch", "x" * 5000, "\u202e\x1b[31m", "sketch\n"])
def test_an_unknown_provider_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        registry_of().provider(name)
    assert all(known in caught.value.message for known in DECLARED)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("environ", "default"),
    [
        ({}, "sketch"),
        ({"FATTHUMB_API_KEY": FATTHUMB}, "fatthumb"),
        ({"BETTERWAIFU_API_KEY": BETTERWAIFU}, "betterwaifu"),
        ({"BETTERWAIFU_API_KEY": BETTERWAIFU, "FATTHUMB_API_KEY": FATTHUMB}, "fatthumb"),
        ({"FATTHUMB_API_KEY": FATTHUMB, "DARKROOM_PROVIDER": "sketch"}, "sketch"),
        ({"FATTHUMB_API_KEY": FATTHUMB, "DARKROOM_PROVIDER": "betterwaifu", "BETTERWAIFU_API_KEY": "x"}, "betterwaifu"),
        ({"FATTHUMB_API_KEY": " \n", "DARKROOM_PROVIDER": " "}, "sketch"),
    ],
    ids=str,
)
def test_the_default_provider_is_the_configured_one_or_the_first_with_a_key(
    environ: dict[str, str], default: str
) -> None:
    registry = registry_of(**environ)
    assert registry.provider(None).name == registry.provider("").name == default


def test_every_provider_that_is_declared_is_made_under_its_name_with_its_traits() -> None:
    providers = registry_of(FATTHUMB_API_KEY=FATTHUMB, BETTERWAIFU_API_KEY=BETTERWAIFU).providers
    assert {name: provider.traits for name, provider in providers.items()} == {
        name: each.traits for name, each in DECLARED.items()
    }
    assert [provider.name for provider in providers.values()] == list(providers)


def account_of(name: str, **environ: str) -> str:
    return registry_of(**environ).provider(name).access.account


def test_a_fingerprint_tells_keys_apart_without_holding_them() -> None:
    keys = [FATTHUMB, FATTHUMB + "0", FATTHUMB[:-1], "nsk_x"]
    fingerprints = [account_of("fatthumb", FATTHUMB_API_KEY=key) for key in keys]
    assert len(set(fingerprints)) == len(keys)
    for key in keys:
        assert not any(holds_part_of(key, fingerprint, 5) for fingerprint in fingerprints)
    assert account_of("fatthumb", FATTHUMB_API_KEY=FATTHUMB) == fingerprints[0]


def test_a_fingerprint_tells_providers_and_services_apart_but_not_gateways_credentials() -> None:
    key = "the_same_key"
    thumbs = account_of("fatthumb", FATTHUMB_API_KEY=key, FATTHUMB_BASE_URL="http://127.0.0.1:1/v1")
    waifus = account_of("betterwaifu", BETTERWAIFU_API_KEY=key, BETTERWAIFU_BASE_URL="http://127.0.0.1:1/v1")
    moved = account_of("fatthumb", FATTHUMB_API_KEY=key, FATTHUMB_BASE_URL="http://127.0.0.1:2/v1")
    gated = account_of("fatthumb", FATTHUMB_API_KEY=key, FATTHUMB_BASE_URL="http://me:pw@127.0.0.1:1/v1")
    assert len({thumbs, waifus, moved}) == 3
    assert gated == thumbs


def test_a_provider_s_limits_are_those_of_the_settings() -> None:
    registry = registry_of(FATTHUMB_API_KEY=FATTHUMB, FATTHUMB_LIMITS="active=3,submit=2/5")
    assert registry.provider("fatthumb").access.limits == Limits(3, (Window(2, 5.0),))


def test_no_part_of_a_client_shows_its_key() -> None:
    registry = registry_of(FATTHUMB_API_KEY=FATTHUMB, FATTHUMB_BASE_URL="http://me:hunter22@127.0.0.1:1/v1")
    provider = registry.provider("fatthumb")
    shown = f"{registry!r} {provider!r} {vars(provider)!r}"
    assert not holds_part_of(FATTHUMB, shown, 8)
    # A gateway's password stands in the base URL.
    assert "hunter22" not in shown
