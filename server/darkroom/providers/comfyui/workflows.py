"""The workflows that there are: those that come with Darkroom, and the files in a folder of the user's."""

from collections.abc import Mapping
from pathlib import Path

from darkroom.environment import misset
from darkroom.errors import InvalidRequest
from darkroom.models import MAX_MODEL, GenerationRequest
from darkroom.providers.comfyui.workflow import BadWorkflow, Workflow, parse
from darkroom.redact.text import clean


def _shipped(name: str) -> Workflow:
    return parse(Path(__file__).with_name(name).read_bytes())


TEXT_TO_IMAGE = _shipped("text_to_image.json")
IMAGE_TO_IMAGE = _shipped("image_to_image.json")
MASKED_IMAGE = _shipped("masked_image.json")
VARIABLE = "DARKROOM_COMFYUI_WORKFLOWS"
MAX_FILES = 200


def usual(request: GenerationRequest) -> Workflow:
    """The workflow for a request that names none: by whether it has a picture to work from, and a mask."""
    if not request.images:
        return TEXT_TO_IMAGE
    return MASKED_IMAGE if any(image.role == "mask" for image in request.images) else IMAGE_TO_IMAGE


class Folder:
    """The user's folder of workflows, read anew each time: a file is there as soon as it is saved."""

    def __init__(self, named: str) -> None:
        """`named`: the folder's whole path, or nothing. Raises NotConfigured: there is no such folder."""
        self._path = Path(named) if named else None
        if self._path is not None and not (self._path.is_absolute() and self._path.is_dir()):
            raise misset(VARIABLE, "it is the whole path of a folder with workflows")

    def files(self) -> Mapping[str, Path]:
        """The files by the names that agents use."""
        found = sorted(self._path.glob("*.json"))[:MAX_FILES] if self._path is not None else []
        return {file.stem: file for file in found if file.stem.isprintable() and len(file.stem) <= MAX_MODEL}

    def workflow(self, name: str) -> Workflow | None:
        """The workflow of this name; None: there is none.

        Raises:
            InvalidRequest: its file cannot be used, for the reason that is given.
        """
        file = self.files().get(name)
        if file is None:
            return None
        try:
            return parse(file.read_bytes())
        except (OSError, BadWorkflow) as error:
            why = str(error) if isinstance(error, BadWorkflow) else type(error).__name__
            raise InvalidRequest(
                f"The workflow {clean(name, MAX_MODEL)!r} cannot be used: {why}.",
                next_step="Correct its file, or name another model; nothing was sent.",
            ) from error
