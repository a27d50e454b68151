"""What a declaration and what it is answered cannot do, each of it tried."""

import tomllib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from darkroom.errors import DarkroomError, OutcomeUnknown, ProviderError
from darkroom.models import GenerationRequest, Receipt
from darkroom.providers.base import Provider
from darkroom.providers.declared import read_settings
from darkroom.providers.language.answers import taken
from darkroom.providers.language.filling import Unfillable, fill, fill_path
from darkroom.providers.language.links import judged
from darkroom.providers.language.loading import BadDeclaration, parse
from darkroom.providers.language.speech import Speech
from darkroom.providers.registry import build
from darkroom.redact.secrets import Redactor
from darkroom.transport.failures import Answer
from darkroom.transport.http import open_http
from tests.clients import OpenDoor
from tests.hosts import Home, call, connected, darkroom
from tests.services.declared import KEY, SHIPPED, DeclaredService

BFL = parse((SHIPPED / "bfl.toml").read_bytes())
ASKED = GenerationRequest(provider="bfl-here", prompt="a cat", model="flux-2-pro")


@asynccontextmanager
async def client_of(service: DeclaredService, home: Home) -> AsyncGenerator[Provider]:
    """The client of this service, made as the composition root makes it."""
    settings = read_settings(service.home(home).environ)
    async with open_http() as http:
        registry = build(settings, http, Redactor(settings.secrets), lambda _: OpenDoor())
        yield registry.provider(service.name)


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/", "https://evil.example\\\\.bfl.ai/", "https://evil.example\\.bfl.ai/", "https://bfl.ai/",
        "https://api.bfl.ai.evil.example/", "https://api.bfl.ai@evil.example/", "https://user:pw@api.us1.bfl.ai/",
        "http://api.us1.bfl.ai/", "https://api.us1.bfl.ai:8443/", "https://evil.example/#.bfl.ai",
        "https://evil.example/?.bfl.ai", "//api.us1.bfl.ai/", "ftp://api.us1.bfl.ai/", "https://evilbfl.ai/",
        "https://127.0.0.1/", "https://[::1]/", "https://api.us1.bfl.ai%2eevil.example/", "https://a b.bfl.ai/",
        "", "x",
    ],
)  # fmt: skip
def test_a_link_that_leads_anywhere_else_is_never_asked_with_the_key(link: str) -> None:
    with pytest.raises(ProviderError, match="the key is not sent"):
        judged(BFL, "https://api.bfl.ai", link)


@pytest.mark.parametrize(
    "link",
    [
        "https://api.us1.bfl.ai/v1/x?id=1",
        "https://api.bfl.ai/v1/x",
        "HTTPS://API.US1.BFL.AI/",
        "https://api.bfl.ai:443/",
    ],
)
def test_a_link_to_a_named_host_is_asked(link: str) -> None:
    assert judged(BFL, "https://api.bfl.ai", link) == link


async def test_a_kept_link_is_judged_again_with_every_look(home: Home) -> None:
    with DeclaredService.shipped("bfl") as service:
        async with client_of(service, home) as client:
            with pytest.raises(ProviderError, match="the key is not sent"):
                await client.read(Receipt(job_id="t", kept={"job": "https://evil.example/"}), ASKED)
        assert service.asked == []


async def test_a_paid_job_whose_link_leads_elsewhere_is_named_for_a_person_to_look_for(home: Home) -> None:
    with DeclaredService.shipped("bfl") as service:
        service.says["submit"] = [(200, {"id": "t-1", "polling_url": "https://evil.example/t-1?k=7"})]
        async with client_of(service, home) as client:
            with pytest.raises(OutcomeUnknown) as caught:
                await client.submit(ASKED, "gen_1")
        assert 'its job "https://evil.example/t-1?k=7" cannot be followed' in caught.value.message
        assert [asked.table for asked in service.asked] == ["submit"]


async def test_a_job_is_read_by_the_very_file_that_it_was_submitted_with(home: Home) -> None:
    with DeclaredService.shipped("bfl").like(submit="submit", read="ready") as service:
        async with client_of(service, home) as client:
            receipt = (await client.submit(ASKED, "gen_1")).receipt
        service.text = service.text.replace('done = ["Ready"]', 'done = ["Done"]\nfailed = ["Error", "Ready"]')
        service.text = service.text.replace('failed = ["Error"]\n', "")
        async with client_of(service, home) as client:
            assert (await client.read(receipt, ASKED)).error is None
            new = (await client.submit(ASKED, "gen_2")).receipt
            assert (await client.read(new, ASKED)).error is not None


async def test_a_job_whose_file_is_gone_says_so_and_waits(home: Home) -> None:
    with DeclaredService.shipped("bfl").like(submit="submit", read="ready") as service:
        async with client_of(service, home) as client:
            receipt = (await client.submit(ASKED, "gen_1")).receipt
        service.text += "# another version\n"
        for file in (home.path / "home" / "providers" / "kept").iterdir():
            file.unlink()
        async with client_of(service, home) as client:
            with pytest.raises(ProviderError, match="is gone") as caught:
                await client.read(receipt, ASKED)
            assert "nothing is lost" in caught.value.next_step
        assert len(service.asked) == 1


async def test_nothing_is_sent_whose_file_cannot_be_kept(home: Home) -> None:
    with DeclaredService.shipped("bfl").like(submit="submit") as service:
        async with client_of(service, home) as client:
            (home.path / "home" / "providers" / "kept").write_text("in the way")
            with pytest.raises(DarkroomError, match="cannot be kept"):
                await client.submit(ASKED, "gen_1")
        assert service.asked == []


def test_the_copy_that_is_kept_is_the_owner_s_alone(home: Home) -> None:

    with DeclaredService.shipped("bfl").like(submit="submit", read="ready") as service:
        darkroom(service.home(home), "generate", "a cat", "--provider", service.name)
    kept = home.path / "home" / "providers" / "kept"
    assert kept.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in kept.iterdir())


@pytest.mark.parametrize(
    "value", ["$key", "$env.HOME", "$FAL_KEY", "${key}", "$DARKROOM_BFL_KEY", "$time", "$random", "$secret:string"]
)
@pytest.mark.parametrize("place", ["body", "query", "path", "header"])
def test_no_name_gives_the_key_or_a_variable(value: str, place: str) -> None:
    text = (SHIPPED / "bfl.toml").read_text()
    changed = {
        "body": text.replace('output_format = "png"', f'output_format = "{value}"', 1),
        "query": text.replace("[submit]\n", f'[submit]\nquery = {{ x = "{value}" }}\n', 1),
        "path": text.replace('path = "/v1/{model}"', f'path = "/v1/{{{value.strip("${}").lower()}}}"', 1),
        "header": text.replace("[submit]\n", f'[submit]\nheaders = {{ X-Me = "{value}" }}\n', 1),
    }[place]
    assert changed != text
    with pytest.raises(BadDeclaration):
        parse(changed.encode())


@pytest.mark.parametrize("header", ["Authorization", "x-key", "Host", "Cookie", "Content-Length", "Transfer-Encoding"])
def test_a_declaration_sets_no_header_that_is_the_house_s(header: str) -> None:
    text = (SHIPPED / "bfl.toml").read_text()
    with pytest.raises(BadDeclaration, match="header"):
        parse(text.replace("[submit]\n", f'[submit]\nheaders = {{ {header} = "x" }}\n', 1).encode())


@pytest.mark.parametrize("prompt", ['"},"x":"', "$key", "{job}", '\\"}', "$$", "\n\r\t", "$options.x"])
def test_a_prompt_changes_nothing_but_itself(prompt: str) -> None:
    names = {"prompt": prompt, "key": KEY, "job": "j"}
    template = {"a": {"b": ["$prompt"]}, "c": {"$join": ["$prompt", "--ar $aspect_ratio"]}}
    assert fill(template, names) == {"a": {"b": [prompt]}, "c": prompt}


@pytest.mark.parametrize("value", ["../../admin", "..", ".", "", "a//b", "a/../b", "./a"])
def test_no_value_climbs_out_of_a_path(value: str) -> None:
    with pytest.raises(Unfillable):
        fill_path("/models/{model+}/x", {"model": value})


def test_a_value_in_a_path_is_one_segment() -> None:
    assert fill_path("/v1/{model}", {"model": "a/b?c#d%"}) == "/v1/a%2Fb%3Fc%23d%25"


RULE = '\n[[rules]]\non = "submit"\n{condition}\ncode = "{code}"\n'
SHOWN = """
[[example]]
name = "x"
source = "{source}"
to = "submit"
status = {status}
answer = {{ code = 7 }}
means = "{code}"
"""


def declared_with(condition: str, code: str, example: str = "") -> bytes:
    return ((SHIPPED / "bfl.toml").read_text() + RULE.format(condition=condition, code=code) + example).encode()


@pytest.mark.parametrize("status", [500, 502, 408, 425, 302])
def test_no_rule_makes_an_open_end_definite_without_an_example_that_has_a_source(status: int) -> None:
    condition = f'status = {status}\nat = "/code"\nequals = 7'
    unsourced = SHOWN.format(source="", status=status, code="moderated")
    without_pointer = SHOWN.format(source="doc", status=status, code="rate_limited")
    for declared in (
        declared_with(condition, "moderated"),
        declared_with(condition, "moderated", unsourced),
        declared_with(f"status = {status}", "rate_limited", without_pointer),
    ):
        with pytest.raises(BadDeclaration, match="leaves open"):
            parse(declared)


@pytest.mark.parametrize("code", ["rate_limited", "moderated", "invalid_request"])
@pytest.mark.parametrize("status", [200, 500])
def test_a_rule_without_a_status_leaves_an_open_end_open(code: str, status: int) -> None:
    service = parse(declared_with('at = "/code"\nequals = 7', code))
    with pytest.raises(OutcomeUnknown):
        taken(Speech(service, "KEY", Redactor([])), Answer(status, {}, b'{"code": 7}'), "https://x")


def test_an_example_with_a_source_makes_it_definite() -> None:
    example = SHOWN.format(source="documented", status=500, code="moderated")
    service = parse(declared_with('status = 500\nat = "/code"\nequals = 7', "moderated", example))
    with pytest.raises(DarkroomError) as caught:
        taken(Speech(service, "KEY", Redactor([])), Answer(500, {}, b'{"code": 7}'), "https://x")
    assert (caught.value.code, caught.value.charged) == ("moderated", "no")
    with pytest.raises(OutcomeUnknown):
        taken(Speech(service, "KEY", Redactor([])), Answer(503, {}, b'{"code": 7}'), "https://x")


async def test_no_tool_adds_a_declaration(home: Home) -> None:
    async with connected(home) as client:
        tools = (await client.list_tools()).tools
        assert not any(
            "toml" in str(tool.model_dump()).lower() or "declar" in str(tool.model_dump()).lower() for tool in tools
        )
        await call(client, "list_models")
    assert not (home.path / "home" / "providers").exists()


def test_the_shipped_files_name_no_host_but_their_vendor_s() -> None:
    for file in SHIPPED.glob("*.toml"):
        declared = tomllib.loads(file.read_text("utf-8"))
        vendors = ".".join(declared["base_url"].split("/")[2].split(".")[-2:])
        assert all(host.endswith(vendors) for host in declared.get("hosts", [])), Path(file).name
