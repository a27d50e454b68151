"""Every provider that there is: a new one is one file beside this, and its line here."""

from collections.abc import Mapping

from darkroom.declaration import Declaration
from darkroom.providers.betterwaifu import DECLARATION as BETTERWAIFU
from darkroom.providers.fatthumb import DECLARATION as FATTHUMB
from darkroom.providers.sketch import DECLARATION as SKETCH
from darkroom.settings import Settings

DECLARED: Mapping[str, Declaration] = {each.name: each for each in (FATTHUMB, BETTERWAIFU, SKETCH)}
"""By name. A call that names no provider is given to the first that has a key, or to the last, which needs none."""


def read_settings(environ: Mapping[str, str], *, in_any_folder: bool = False) -> Settings:
    """As `Settings.from_environment`, with all of these."""
    return Settings.from_environment(environ, DECLARED, in_any_folder=in_any_folder)
