"""A user without a home folder, as in a container whose user the system does not list."""

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest

from tests.hosts import PATIENCE_S, Home, call, over
from tests.http.hosting import ANN, client_of, hosted, tenants_file

UNLISTED = "import sys; sys.modules['pwd'] = None; from darkroom.__main__ import main; sys.exit(main())"
"""Starts Darkroom where the system's list of users cannot be asked, and so `HOME` alone would say where home is."""
NAMED = ("DARKROOM_HOME", "DARKROOM_PICTURES")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there a user's folder is not read from HOME")


@dataclass(frozen=True)
class Homeless(Home):
    """The same user without a home folder."""

    @property
    def environ(self) -> dict[str, str]:
        return {name: value for name, value in super().environ.items() if name != "HOME"}


async def test_a_server_of_such_a_user_makes_pictures_for_its_tenants(home: Home) -> None:
    user = Homeless(home.path)
    words = ("--tenants", str(tenants_file(home.path)))
    with hosted(user, *words, python=("-c", UNLISTED)) as server:
        async with client_of(server.url, token=ANN) as client:
            made = await call(client, "generate", prompt="a fox", provider="sketch")
            (done,) = await over(client, made["id"])
            assert done["status"] == "succeeded"
    assert list(home.pictures.rglob("*.png"))


@pytest.mark.parametrize("missing", NAMED)
@pytest.mark.parametrize("words", [("generate", "a fox", "--provider", "sketch"), ("serve",)], ids=" ".join)
def test_a_folder_that_such_a_user_has_to_name_is_said(home: Home, words: tuple[str, ...], missing: str) -> None:
    environ = {name: value for name, value in Homeless(home.path).environ.items() if name != missing}
    done = subprocess.run(
        [sys.executable, "-c", UNLISTED, *words],
        env=environ, input="", capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert f"{missing} is not set, and this user has no home folder." in done.stderr
    assert "Traceback" not in done.stderr
    assert (done.returncode == 0) == (words == ("serve",)), "a server answers each call with that"


def test_doctor_examines_the_machine_of_such_a_user(home: Home) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNLISTED, "doctor"],
        env=Homeless(home.path).environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert "None of the hosts that Darkroom knows was found here." in done.stdout
    assert (done.returncode, done.stderr) == (0, "")


def test_doctor_reports_a_missing_home_folder_as_json_too(home: Home) -> None:
    environ = {name: value for name, value in Homeless(home.path).environ.items() if name not in NAMED}
    done = subprocess.run(
        [sys.executable, "-c", UNLISTED, "doctor", "--json"],
        env=environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    failures = [each["message"] for each in json.loads(done.stdout)["findings"] if each["level"] == "failure"]
    assert failures == [f"{variable} is not set, and this user has no home folder." for variable in NAMED]
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("folder", [None, "nowhere"])
def test_setup_writes_nothing_where_nobody_knows_whose_settings_it_would_be(home: Home, folder: str | None) -> None:
    environ = {**Homeless(home.path).environ, **({"HOME": folder} if folder else {})}
    done = subprocess.run(
        [sys.executable, "-c", UNLISTED, "setup", "--host", "cursor"],
        env=environ, cwd=home.path, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "Set HOME and try again." in done.stderr
    assert not list(home.path.rglob(".cursor"))
