"""`provider record FILE`: one real generation, whose responses become examples in a copy of the file."""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkroom.app.context import Part, open_app
from darkroom.cli.commands.command import FAILED, Command
from darkroom.cli.commands.provider.asking import agreed
from darkroom.cli.commands.provider.check import reviewed, said
from darkroom.cli.commands.results import exit_status, print_result, tell
from darkroom.cli.commands.watching import made
from darkroom.errors import InvalidRequest
from darkroom.generations.asking.wishes import Wish
from darkroom.models import GenerationRequest, Sparse
from darkroom.redact.secrets import Redactor
from darkroom.redact.text import clean
from darkroom.settings import Settings

if TYPE_CHECKING:
    from darkroom.providers.language.schema import Service
    from darkroom.transport.failures import Answer

TIMEOUT_S = 1800.0


class _Recorded(Sparse):
    """The copy of the file, and the generation that its new examples are of."""

    file: str
    generation: str


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", metavar="FILE", type=Path)
    command.add_argument("--prompt", required=True, metavar="TEXT")
    command.add_argument("--pay", action="store_true", help="do not ask: pay for one generation")


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    from darkroom.providers.language.loading import parse  # noqa: PLC0415 - the language takes long to import

    review = reviewed(arguments.file)
    if review.faults:
        for line in said(review):
            tell(line)
        return FAILED
    data = review.data
    service = parse(data)
    _must_be_in_use(settings, service, data)
    request = _request(service, arguments.prompt)
    _show(settings, service, request)
    if not (arguments.pay or await agreed("Send it, and pay for it?", otherwise="--pay")):
        tell("Nothing was sent.")
        return FAILED
    heard: list[tuple[str, Answer]] = []
    status, generation = await _made(
        _listening(settings, service.name, lambda table, answer: heard.append((table, answer))), request
    )
    copy = _copy(arguments.file, data, service, request, heard, settings)
    print_result(_Recorded(file=str(copy), generation=generation), [str(copy)], as_json=arguments.json)
    return status


def _must_be_in_use(settings: Settings, service: "Service", data: bytes) -> None:
    """Raises InvalidRequest: the provider of that name is another file, or has no key."""
    from darkroom.providers.language.files import SHIPPED  # noqa: PLC0415

    files = [settings.home / "providers" / f"{service.name}.toml", SHIPPED / f"{service.name}.toml"]
    if data not in [file.read_bytes() for file in files if file.is_file()]:
        raise InvalidRequest(
            "The file was not added as it is now.", next_step="Run darkroom-mcp provider add with it; nothing was sent."
        )
    account = settings.accounts.get(service.name)
    if account is None or not account.ready:
        raise InvalidRequest(
            f"{service.prefix}KEY is not set.", next_step="Set it and run this again; nothing was sent."
        )


def _request(service: "Service", prompt: str) -> GenerationRequest:
    from darkroom.providers.language.offers import check, traits_of  # noqa: PLC0415

    return check(service, traits_of(service), GenerationRequest(prompt=prompt, model="", provider=service.name))


def _show(settings: Settings, service: "Service", request: GenerationRequest) -> None:
    from darkroom.providers.language.requests import names_of, prepare  # noqa: PLC0415

    prepared = prepare(service, service.submit, names_of(service, request, reference="gen_…"))
    tell(clean(f"{prepared.method} {settings.accounts[service.name].base_url}{prepared.at}", 500))
    tell(clean(json.dumps(prepared.body, ensure_ascii=False), 2000))
    tell("This is one real generation, which the service may charge for.")


def _listening(settings: Settings, name: str, heard: Callable[[str, "Answer"], None]) -> Settings:
    """The settings with a client of this provider that gives its responses to `heard`."""
    account = settings.accounts[name]
    make = account.declaration.client

    def client(connection: Any) -> Any:
        provider = make(connection)
        provider.heard = heard
        return provider

    listening = replace(account, declaration=replace(account.declaration, client=client))
    return replace(settings, accounts={**settings.accounts, name: listening})


async def _made(settings: Settings, request: GenerationRequest) -> tuple[int, str]:
    async with open_app(settings, Part.OWN) as app:
        answer = await made(app, [Wish(prompt=request.prompt, provider=request.provider)], TIMEOUT_S)
        return exit_status(answer.generations), answer.generations[0].id


def _copy(
    file: Path,
    data: bytes,
    service: "Service",
    request: GenerationRequest,
    heard: list[tuple[str, "Answer"]],
    settings: Settings,
) -> Path:
    """A copy beside the file, with the new examples behind it."""
    from darkroom.providers.authoring.recording import examples  # noqa: PLC0415

    now = datetime.now(UTC)
    text = examples(service, request, heard, Redactor(settings.secrets), f"recorded {now:%Y-%m-%d}")
    copy = file.with_name(f"{file.stem}-recorded-{now:%Y%m%d-%H%M%S}.toml")
    with copy.open("xb") as opened:
        opened.write(data.rstrip() + b"\n" + text.encode())
    return copy


RECORD = Command("record", "pay for one generation, and keep its responses as examples", _take, _run)
