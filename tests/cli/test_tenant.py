"""`tenant`: added with a token that is shown once, listed without it, and what each spent."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from darkroom.tenants import Tenants
from tests.hosts import Home, call, darkroom, over
from tests.services.fatthumb import FatThumb
from tests.tenancy import clients_of, house_of, keys_for, write_tenants


@pytest.fixture
def file(home: Home) -> Path:
    return home.path / "tenants.toml"


def test_a_tenant_is_added_with_a_token_that_lets_it_in_and_only_its_hash_is_kept(home: Home, file: Path) -> None:
    tokens = [
        darkroom(home, "tenant", "add", name, "--file", str(file), "--json").json["token"] for name in ("acme", "beta")
    ]
    tenants = Tenants.read(file)
    found = [tenants.of_token(token) for token in tokens]
    assert [tenant and tenant.name for tenant in found] == ["acme", "beta"]
    assert not [token for token in tokens if token in file.read_text()]
    assert [path.name for path in home.path.iterdir() if "tenants" in path.name] == ["tenants.toml"]
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_tenants_that_are_added_at_the_same_moment_are_all_in_the_file(home: Home, file: Path) -> None:
    def add(name: str) -> int:
        return darkroom(home, "tenant", "add", name, "--file", str(file)).status

    names = [f"tenant-{number}" for number in range(8)]
    with ThreadPoolExecutor(len(names)) as people:
        assert list(people.map(add, names)) == [0] * len(names)
    assert sorted(tenant.name for tenant in Tenants.read(file).all) == names


@pytest.mark.parametrize("name", ["local", "ACME", "a" * 41, "../acme", "acme"])
def test_what_cannot_be_added_leaves_the_file_as_it_was(home: Home, file: Path, name: str) -> None:
    write_tenants(file, {"acme": {}})
    before = file.read_bytes()
    refused = darkroom(home, "tenant", "add", name, "--file", str(file))
    assert refused.status == 2
    assert refused.out == ""
    assert file.read_bytes() == before


def test_the_list_has_limits_and_names_of_variables_and_no_key(home: Home, file: Path) -> None:
    write_tenants(file, {"acme": {"FATTHUMB_API_KEY": "nsk_test_0123456789"}}, acme='money_per_day = "2.50 USD"')
    listed = darkroom(home, "tenant", "list", "--file", str(file))
    assert listed.out == "acme  1 token  FATTHUMB_API_KEY  money_per_day 2.50 USD\n"
    assert darkroom(home, "tenant", "list", "--file", str(file), "--json").json["tenants"][0]["name"] == "acme"


async def test_the_audit_says_who_spent_what_and_nothing_of_what_was_asked(
    home: Home, file: Path, fatthumb: FatThumb
) -> None:
    write_tenants(file, {"acme": keys_for(fatthumb), "beta": {}})
    async with house_of(home, file) as app, clients_of(app, "acme", "beta") as clients:
        ids = [(await call(client, "generate", prompt="a secret fox"))["id"] for client in clients]
        for client, generation_id in zip(clients, ids, strict=True):
            await over(client, generation_id)
    everything = darkroom(home, "tenant", "audit", "--json").json["generations"]
    known = [(each["owner"], each["id"], each["provider"], each["outcome"]) for each in everything]
    assert known == [("acme", ids[0], "fatthumb", "succeeded"), ("beta", ids[1], "sketch", "succeeded")]
    (line,) = darkroom(home, "tenant", "audit", "beta").out.splitlines()
    assert ids[1] in line
    assert "secret fox" not in line
