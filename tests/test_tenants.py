"""The tenants file: who it lets in, what it may hold, and what becomes of a wrong one."""

import hashlib
import os
from pathlib import Path

import pytest

from darkroom.errors import NotConfigured
from darkroom.guards import Budget
from darkroom.key_files import MAX_FILE
from darkroom.money import Money
from darkroom.tenants import Tenant, Tenants

ACME = f"""
[tenants.acme]
tokens = ["sha256:{hashlib.sha256(b"acme-token").hexdigest()}"]
subjects = ["user|1"]
active = 3
submissions_per_day = 100
money_per_day = "20 USD"
stored_mb = 500
keys = {{ FATTHUMB_API_KEY = "nsk_acme_key_12345" }}
"""
BETA = f"""
[tenants.beta]
tokens = ["sha256:{hashlib.sha256(b"beta-token").hexdigest()}"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tenants.toml"


def written(file: Path, text: str | bytes) -> Tenants:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    file.chmod(0o600)
    return Tenants.read(file)


def again(tenants: Tenants) -> Tenants:
    """The same, after as many looks at the file as a change needs."""
    tenants.refresh()
    tenants.refresh()
    return tenants


def refusal(file: Path, text: str | bytes) -> str:
    with pytest.raises(NotConfigured) as refused:
        written(file, text)
    assert str(file) in refused.value.message
    return refused.value.message


def name_of(tenant: Tenant | None) -> str | None:
    return tenant and tenant.name


def test_a_tenant_is_known_by_its_token_its_subject_and_its_name(file: Path) -> None:
    tenants = written(file, ACME + BETA)
    assert [name_of(tenants.of_token(each)) for each in ("acme-token", "beta-token")] == ["acme", "beta"]
    assert [name_of(tenants.of_token(each)) for each in ("", "acme", "acme-token ", "x" * 10**6)] == [None] * 4
    assert name_of(tenants.of_subject("user|1")) == "acme"
    assert tenants.of_subject("user|2") is None
    assert name_of(tenants.named("beta")) == "beta"
    assert tenants.named("gamma") is None


def test_its_limits_are_read_as_they_are_written(file: Path) -> None:
    acme, beta = written(file, ACME + BETA).all
    assert (acme.active, acme.stored_mb) == (3, 500)
    assert acme.budget == Budget(100, Money(20_000_000, "USD"))
    assert (beta.active, beta.budget, beta.stored_mb, dict(beta.keys)) == (None, None, None, {})


def test_neither_a_key_nor_the_hash_of_a_token_stands_in_its_repr(file: Path) -> None:
    tenants = written(file, ACME)
    shown = repr((tenants.all, tenants))
    assert "nsk_acme" not in shown
    assert hashlib.sha256(b"acme-token").hexdigest() not in shown


def test_keys_may_lie_in_a_file_beside_it_and_its_own_come_first(file: Path) -> None:
    keys = file.with_name("acme.env")
    keys.write_text('# those of acme\nFATTHUMB_API_KEY=from-the-file\n\nexport BETTERWAIFU_API_KEY="bw quoted"\n')
    keys.chmod(0o600)
    (acme,) = written(file, '[tenants.acme]\nkeys_file = "acme.env"\nkeys = {FATTHUMB_API_KEY = "its-own"}\n').all
    assert dict(acme.keys) == {"FATTHUMB_API_KEY": "its-own", "BETTERWAIFU_API_KEY": "bw quoted"}


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has these permissions")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o622])
def test_a_file_whose_keys_others_can_read_is_refused(file: Path, mode: int) -> None:
    keys = file.with_name("acme.env")
    keys.write_text("FATTHUMB_API_KEY=from-the-file\n")
    keys.chmod(mode)
    with pytest.raises(NotConfigured, match=r"acme\.env: others can read the keys in it"):
        written(file, '[tenants.acme]\nkeys_file = "acme.env"\n')
    written(file, ACME)
    file.chmod(mode)
    with pytest.raises(NotConfigured, match=r"tenants\.toml: others can read the keys in it"):
        Tenants.read(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tenants = 3", "a table of tables"),
        ("[tenants]\nacme = 3", "tenants.acme: it is a table"),
        ("[tenant.acme]", "everything stands below"),
        ("[tenants.acme]\ntoken = 3", "token must be left out"),
        ("[tenants.acme]\nactive = true", "active must be a whole number"),
        ("[tenants.acme]\nactive = 0", "active must be 1 or more"),
        ('[tenants.acme]\nactive = "3"', "active must be a whole number"),
        ("[tenants.acme]\nstored_mb = 1.5", "stored_mb must be a whole number"),
        ("[tenants.acme]\ntokens = 3", "tokens must be a list"),
        ('[tenants.acme]\ntokens = ["acme-token"]', "tokens.0 must be sha256: and 64 hexadecimal digits"),
        ('[tenants.acme]\nsubjects = [""]', "subjects.0 must not be empty"),
        ('[tenants.acme]\nmoney_per_day = "20"', "money_per_day must be an amount of money"),
        ("[tenants.acme]\nmoney_per_day = 20", "money_per_day must be text"),
        ("[tenants.acme]\nkeys = {FATTHUMB_API_KEY = 3}", "keys must be text"),
        ('[tenants.acme]\nkeys = {DARKROOM_HOME = "/"}', "DARKROOM_HOME is the server's own variable"),
        ('[tenants.acme]\nkeys = {DARKROOM_DATABASE_URL = "/"}', "DARKROOM_DATABASE_URL is the server's own variable"),
        ("[tenants.acme]\nkeys = {DARKROOM_ADMIN_TOKEN = 'x'}", "DARKROOM_ADMIN_TOKEN is the server's own variable"),
        ("[tenants.ACME]", "a name has 1 to 40 small letters, figures and hyphens"),
        (f"[tenants.{'a' * 41}]", "a name has 1 to 40"),
        ('[tenants."../acme"]', "a name has 1 to 40"),
        ('[tenants."acme\\n"]', "a name has 1 to 40"),
        ("[tenants.local]", "this name belongs to the server's own user"),
        ("[tenants.acme]\nactive = ", "it is not TOML (at "),
        ("[tenants.acme]\n[tenants.acme]", "it is not TOML (at "),
        (b"[tenants.acme]\n# \xff", "it is not text in UTF-8"),
        (b"\0", "it is not TOML"),
        ("[tenants.acme]\nactive = " + "9" * 5_000, "it is not TOML"),
        ("\n", "it is empty"),
        (b"#" * (MAX_FILE + 1), "it has more than"),
        ("x = " + "[" * 10_000, "it is not TOML"),
        (ACME + ACME.replace("acme]", "beta]").replace("user|1", "user|2"), "same token stands at acme and at beta"),
        (ACME + '[tenants.beta]\nsubjects = ["user|1"]', "the same subject stands at acme and at beta"),
        ('[tenants.beta]\nsubjects = ["one", "one"]', "the same subject stands twice at beta"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(file: Path, text: str | bytes, said: str) -> None:
    assert said in refusal(file, text)


@pytest.mark.parametrize(
    ("name", "said"), [("missing.env", "No such file"), (".", "Is a directory"), ("\\u0000", "no such file")]
)
def test_a_file_of_keys_that_cannot_be_read_is_named(file: Path, name: str, said: str) -> None:
    with pytest.raises(NotConfigured, match=said):
        written(file, f'[tenants.acme]\nkeys_file = "{name}"\n')


def test_a_key_in_the_wrong_place_is_not_repeated(file: Path) -> None:
    for text in (
        '[tenants.acme]\nkeys = {nsk_secret_12345678 = "FATTHUMB_API_KEY"}',
        "[tenants.acme]\nkeys = {FATTHUMB_API_KEY = nsk_secret_12345678}",
        '[tenants.acme]\ntokens = ["nsk_secret_12345678"]',
    ):
        assert "nsk_secret" not in refusal(file, text)
    keys = file.with_name("acme.env")
    keys.write_text("\nnsk_secret_12345678\n")
    keys.chmod(0o600)
    with pytest.raises(NotConfigured, match=r"acme\.env, line 2: ") as refused:
        written(file, '[tenants.acme]\nkeys_file = "acme.env"')
    assert "nsk_secret" not in refused.value.message


def test_what_is_no_file_is_refused_without_waiting_for_it(file: Path) -> None:
    with pytest.raises(NotConfigured, match="No such file"):
        Tenants.read(file)
    file.symlink_to(file)
    with pytest.raises(NotConfigured, match="symbolic"):
        Tenants.read(file)
    if hasattr(os, "mkfifo"):
        file.unlink()
        os.mkfifo(file)
        with pytest.raises(NotConfigured, match="it is no file"):
            Tenants.read(file)


def test_a_link_to_a_file_is_followed_as_an_orchestrator_mounts_it(file: Path) -> None:
    written(file, ACME)
    link = file.with_name("link.toml")
    link.symlink_to(file.name)
    assert name_of(Tenants.read(link).of_token("acme-token")) == "acme"


def test_a_changed_file_counts_with_the_next_look(file: Path) -> None:
    tenants = written(file, ACME)
    assert again(tenants).of_token("beta-token") is None
    file.write_text(ACME + BETA)
    assert name_of(again(tenants).of_token("beta-token")) == "beta"
    file.write_text(BETA)
    assert again(tenants).of_token("acme-token") is None


def test_a_changed_file_of_keys_counts_with_the_next_look(file: Path) -> None:
    keys = file.with_name("acme.env")
    keys.write_text("FATTHUMB_API_KEY=first\n")
    keys.chmod(0o600)
    tenants = written(file, '[tenants.acme]\nkeys_file = "acme.env"\n')
    keys.write_text("FATTHUMB_API_KEY=the-second\n")
    assert [tenant.keys["FATTHUMB_API_KEY"] for tenant in again(tenants).all] == ["the-second"]


def test_a_file_that_may_still_be_written_to_does_not_count_before_it_has_come_to_rest(file: Path) -> None:
    tenants = written(file, ACME + BETA)
    file.write_text(ACME)  # as far as it has come; what is there could be all of it
    tenants.refresh()
    assert name_of(tenants.of_token("beta-token")) == "beta"
    file.write_text(ACME + BETA + "active = 2")
    tenants.refresh()
    assert name_of(tenants.of_token("beta-token")) == "beta"
    assert [tenant.active for tenant in again(tenants).all] == [3, 2]


def test_while_the_file_is_wrong_the_last_good_one_counts_and_the_log_says_so_once(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tenants = written(file, ACME)
    file.write_text("[tenants.acme")
    assert name_of(again(tenants).of_token("acme-token")) == "acme"
    assert name_of(again(tenants).of_token("acme-token")) == "acme"
    assert [record.getMessage() for record in caplog.records if "tenants.toml" in record.getMessage()] == [
        f"{file}: it is not TOML (at end of document). The tenants stay as they were."
    ]
    file.unlink()
    assert name_of(again(tenants).of_token("acme-token")) == "acme"
    written(file, BETA)
    assert [tenant.name for tenant in again(tenants).all] == ["beta"]
