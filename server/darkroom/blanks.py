"""Blank fields in the forms of hosts, which set their variables nevertheless; a start reads this first."""

import re
from collections.abc import Mapping

_BLANK = re.compile(r"\s*(?:\$\{user_config\.[^{}]*\}\s*)?")
"""Nothing, or the reference that a bundle's host leaves where a field was not filled in."""


def filled(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables without the blank ones."""
    return {name: value for name, value in environ.items() if not _BLANK.fullmatch(value)}
