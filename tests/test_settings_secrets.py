"""Secrets in the environment: none is shown, and each is known in every form in which it is written, meant or sent."""

import base64

import pytest

from darkroom.errors import NotConfigured
from darkroom.providers.declared import forget_secrets, read_settings
from tests.clients import holds_part_of
from tests.test_settings import settings_of


def test_keys_and_passwords_are_never_shown() -> None:
    key, password = "key_0123456789abcdef", "hunter22hunter22"
    settings = settings_of(FATTHUMB_API_KEY=key, FATTHUMB_BASE_URL=f"http://me:{password}@127.0.0.1/v1")
    for shown in (
        repr(settings),
        str(settings),
        f"{settings}",
        repr(settings.accounts),
    ):
        assert not holds_part_of(key, shown, 6)
        assert not holds_part_of(password, shown, 6)
    assert {key, password} <= set(settings.secrets)


# The decoded form is what goes over the wire, and what a gateway would repeat.
def test_a_password_is_a_secret_in_both_its_forms() -> None:
    settings = settings_of(FATTHUMB_BASE_URL="http://me:p%40ss%3Aword@127.0.0.1/v1")
    assert {"p%40ss%3Aword", "p@ss:word"} <= set(settings.secrets)


@pytest.mark.parametrize("variable", ["FATTHUMB_BASE_URL", "HTTPS_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("colon", ["", ":"])
def test_a_user_without_a_password_is_a_secret_as_it_is_written_meant_and_sent(variable: str, colon: str) -> None:
    settings = settings_of(**{variable: f"http://t%40ken-0123456789{colon}@127.0.0.1/v1"})
    sent = base64.b64encode(b"t@ken-0123456789:").decode()
    assert {"t%40ken-0123456789", "t@ken-0123456789", sent} <= set(settings.secrets)


@pytest.mark.parametrize(
    "url", ["postgresql://me:p%40ss-0123@h1:5432,h2/db", "postgres://me@h/db?password=p%40ss-0123&sslmode=require"]
)
def test_a_database_s_password_is_a_secret_and_no_child_is_told_its_url(url: str) -> None:
    environ = {"DARKROOM_DATABASE_URL": url}
    settings = read_settings(environ)
    assert settings.database == url
    assert "p@ss-0123" in settings.secrets
    assert not {"me", "h1"} & set(settings.secrets)
    assert "p%40ss" not in repr(settings)
    forget_secrets(environ)
    assert environ == {}


def test_the_operators_token_is_a_secret_and_no_child_is_told_it() -> None:
    environ = {"DARKROOM_ADMIN_TOKEN": "an-operators-token"}
    settings = read_settings(environ)
    assert settings.admin_token == "an-operators-token"
    assert settings.admin_token in settings.secrets
    assert settings.admin_token not in repr(settings)
    forget_secrets(environ)
    assert environ == {}
    assert read_settings({"DARKROOM_ADMIN_TOKEN": "short-token"}).spoilt == ("short-token",)


@pytest.mark.parametrize("url", ["mysql://me:p@h/db", "host=h dbname=db", "postgresql://h /db", "${DATABASE_URL}"])
def test_a_database_that_cannot_be_meant_stops_everything_rather_than_beginning_another_ledger(url: str) -> None:
    with pytest.raises(NotConfigured, match="DARKROOM_DATABASE_URL") as refusal:
        read_settings({"DARKROOM_DATABASE_URL": url})
    assert url not in str(refusal.value)


def test_an_origin_without_a_user_holds_no_secret() -> None:
    for url in ("http://127.0.0.1/v1", "http://@127.0.0.1/v1", "http://:@127.0.0.1/v1"):
        assert not any(settings_of(FATTHUMB_BASE_URL=url, HTTPS_PROXY="127.0.0.1:3128").secrets)
