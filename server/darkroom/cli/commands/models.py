"""`models`: what every provider offers."""

import argparse

from darkroom.app.context import Part, open_app
from darkroom.cli.commands.command import DONE, Command, take_provider
from darkroom.cli.commands.results import print_result
from darkroom.providers.catalogue import say as say_catalogue
from darkroom.settings import Settings


def _take(command: argparse.ArgumentParser) -> None:
    take_provider(command)


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    async with open_app(settings, Part.NONE) as app:
        answer = await app.catalogue(arguments.provider)
        print_result(answer, say_catalogue(answer), as_json=arguments.json)
        return DONE


MODELS = Command("models", "list providers and their models", _take, _run)
