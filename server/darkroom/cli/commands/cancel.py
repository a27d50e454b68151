"""`cancel ID`: takes back what was not sent, or asks its provider to stop it. 3: it goes on; 1: it was over."""

import argparse

from darkroom.app.context import Part, open_app
from darkroom.cli.commands.command import AN_ID, DONE, FAILED, Command
from darkroom.cli.commands.ids import whole_ids
from darkroom.cli.commands.results import exit_status, print_result
from darkroom.generations.telling.wording import say
from darkroom.models import Status
from darkroom.settings import Settings


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("id", **AN_ID)


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    (generation_id,) = await whole_ids(settings, [arguments.id])
    async with open_app(settings, Part.NONE) as app:
        generation, note = await app.desk().cancel(generation_id)
        print_result(generation, [note, say(generation), generation.next_step or ""], as_json=arguments.json)
        return DONE if generation.status is Status.CANCELLED else exit_status([generation]) or FAILED


CANCEL = Command("cancel", "cancel a generation that still waits here, or ask its provider to stop it", _take, _run)
