"""Shows folders and pictures on the desktop of the machine that Darkroom runs on."""

import shutil
import subprocess
import threading
from pathlib import Path

from darkroom.errors import ResultUnavailable

VERDICT_WITHIN_S = 2.0
"""Seconds that a file manager has to say that it cannot: one that runs on shows the folder."""


def open_folder(folder: Path, file_manager: str | None) -> None:
    """Opens the folder in the user's file manager. Blocking: call it on a worker thread.

    Raises:
        ResultUnavailable: there is no desktop, or its file manager refused.
    """
    if not folder.is_dir():
        raise ResultUnavailable(
            f"The folder {folder} is not there any more.", next_step="Look where the picture was moved to."
        )
    _open(folder, file_manager, "folder")


def open_picture(path: Path, file_manager: str | None) -> None:
    """Opens the picture's file in the program that the user has for it. Blocking: call it on a worker thread.

    Raises:
        ResultUnavailable: it is not there, there is no desktop, or what opens files there refused.
    """
    if not path.is_file():
        raise ResultUnavailable(f"The picture {path} is not there any more.", next_step="Look where it was moved to.")
    _open(path, file_manager, "picture")


def _open(path: Path, file_manager: str | None, what: str) -> None:
    if file_manager is None:
        raise _not_opened(path, what, "Darkroom runs where there is no desktop")
    command = shutil.which(file_manager)
    if command is None:
        raise _not_opened(path, what, f"{file_manager} is not installed where Darkroom runs")
    # Nothing of it may reach the protocol, and it outlives this server, also where a whole terminal is closed.
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(
        [command, str(path)], stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True
    )
    try:
        status = process.wait(VERDICT_WITHIN_S)
    except subprocess.TimeoutExpired:
        threading.Thread(target=process.wait, daemon=True).start()  # so that no zombie is left when it ends
        return
    if status and file_manager != "explorer":  # which ends with 1 also when all is well
        raise _not_opened(path, what, f"{file_manager} could not open it (status {status})")


def _not_opened(path: Path, what: str, why: str) -> ResultUnavailable:
    return ResultUnavailable(f"The {what} was not opened: {why}.", next_step=f"Open it yourself: {path}")
