"""`DARKROOM_PICTURES=s3://…`: what can be meant by it, and what is not imported without it."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from darkroom.buckets import Bucket
from darkroom.settings import Settings
from tests.hosts import PATIENCE_S, Home, call, connected, over
from tests.services.objects import KEY, SECRET, Kept
from tests.test_settings import settings_of

CREDENTIALS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}


def pictures(url: str) -> Settings:
    return settings_of(DARKROOM_PICTURES=url, **CREDENTIALS)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://pictures", "s3://pictures/"),
        ("S3://pictures/", "s3://pictures/"),
        ("s3://pictures/a/b", "s3://pictures/a/b/"),
        (" s3://pictures//a///b// ", "s3://pictures/a/b/"),
        ("s3://pictures/Füchse im Schnee/%20/~*", "s3://pictures/Füchse im Schnee/%20/~*/"),
    ],
)
def test_a_bucket_and_a_prefix_are_taken_as_they_are_meant(url: str, shown: str) -> None:
    settings = pictures(url)
    assert isinstance(settings.pictures, Bucket)
    assert str(settings.pictures) == shown
    assert settings.no_place is None
    assert SECRET in settings.secrets
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    "url",
    [
        "s3:///a",
        "s3://a",
        "s3://pictures/../other",
        "s3://pictures/a/./b",
        "s3://pictures/a?region=x",
        "s3://pictures/a\nb",
        f"s3://pictures/{'é' * 300}",
        f"s3://{KEY}:{quote(SECRET, safe='')}@pictures/a",
        "gs://pictures/a",
        "https://pictures.s3.amazonaws.com",
    ],
)
def test_what_cannot_be_meant_disables_pictures_and_is_not_repeated(url: str) -> None:
    settings = pictures(url)
    assert isinstance(settings.pictures, Path)
    assert settings.no_place is not None
    assert "s3://bucket/prefix" in settings.no_place.message
    assert url not in str(settings.warnings)
    assert ("@" in url) == (SECRET in settings.secrets)


@pytest.mark.parametrize("prefix", ["Füchse/über allem//", "%2e%2e/%20/~*()!'"])
async def test_a_prefix_is_the_beginning_of_every_key_as_it_is_written(user: Home, bucket: Kept, prefix: str) -> None:
    async with connected(user.with_(DARKROOM_PICTURES=f"s3://{bucket.name}/{prefix}")) as client:
        started = await call(client, "generate", prompt="a fox", provider="sketch")
        (generation,) = await over(client, started["id"])
        assert generation["status"] == "succeeded", generation
        assert (await client.read_resource(generation["images"][0]["uri"])).contents
    (name,) = bucket.names()
    assert name.startswith(f"{prefix.rstrip('/')}/{generation['created_at'][:10]}/")


def test_a_server_without_a_bucket_imports_nothing_of_it(home: Home) -> None:
    code = (
        "import sys, darkroom.__main__, darkroom.cli.main\n"
        "sys.argv = ['darkroom', 'generate', 'a fox', '--provider', 'sketch']\n"
        "try: darkroom.__main__.main()\n"
        "except SystemExit as end: assert not end.code\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'obstore' or name == 'darkroom.store.objects'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=home.environ, capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
