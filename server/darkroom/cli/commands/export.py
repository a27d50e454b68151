"""`export ID… --to FOLDER`: copies of pictures, and beside them all that is known of each generation, as JSON."""

import argparse
import json
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from anyio import to_thread

from darkroom.app.context import Opened, Part, open_app
from darkroom.cli.commands import facts
from darkroom.cli.commands.command import AN_ID, Command
from darkroom.cli.commands.ids import whole_ids
from darkroom.cli.commands.prompts import own_path
from darkroom.cli.commands.results import exit_status, print_value, tell
from darkroom.cli.words import for_people
from darkroom.errors import DarkroomError
from darkroom.models import ImageStatus
from darkroom.settings import Settings
from darkroom.store.copies import keep_copy
from darkroom.store.names import picture_stem
from darkroom.views import Generation


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("ids", nargs="+", **AN_ID)
    command.add_argument("--to", required=True, metavar="FOLDER", help="made where it is missing")


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    folder = own_path(arguments.to)
    names: list[str] = []
    ids = list(dict.fromkeys(await whole_ids(settings, arguments.ids)))
    async with open_app(settings, Part.NONE) as app:
        generations = [await app.desk().kept(generation_id) for generation_id in ids]  # all there, or nothing is done
        for generation in generations:
            if generation.status.terminal:
                names += await _export(app, generation, folder)
            else:
                tell(f"{generation.id} is not finished, so nothing of it was copied.")
    paths = [str(folder / name) for name in names]
    print_value({"files": paths}, paths, as_json=arguments.json)
    return exit_status(generations)


async def _export(app: Opened, generation: Generation, folder: Path) -> list[str]:
    """Copies what there is of it; returns the names of the files, the JSON last."""
    names: dict[int, str] = {}
    for image in generation.images:
        try:
            found, data = await app.desk().pictures.picture(generation, image.index)
        except DarkroomError as error:
            tell(for_people(str(error)))
            continue
        suffix = PurePosixPath(found.path or found.key or "").suffix
        names[image.index] = await _kept(folder, _stem(generation, image.index), suffix, data)
    text = json.dumps(await _about(app, generation, names), ensure_ascii=False, indent=2) + "\n"
    about = await _kept(folder, _stem(generation, 1).removesuffix("-1"), ".json", text.encode())
    return [*names.values(), about]


async def _about(app: Opened, generation: Generation, names: dict[int, str]) -> dict[str, Any]:
    """All that is known of it; its pictures by the names that they have beside it, and by no folder of this machine."""
    found = facts.as_json(generation, await app.desk().request_of(generation.id))
    for image in found["images"]:
        image.pop("path", None)
        image.pop("url", None)
        if image["status"] == ImageStatus.SUCCEEDED and image["index"] in names:
            image["file"] = names[image["index"]]
    return found


async def _kept(folder: Path, stem: str, suffix: str, content: bytes) -> str:
    return await to_thread.run_sync(partial(keep_copy, folder, stem, suffix, content))


def _stem(generation: Generation, index: int) -> str:
    return picture_stem(generation.prompt, generation.id, index)


EXPORT = Command("export", "copy pictures to a folder, with a JSON file about each generation", _take, _run)
