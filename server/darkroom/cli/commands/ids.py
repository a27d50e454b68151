"""Ids as people write them: as much of one as no other has."""

import re
from collections.abc import Sequence

from darkroom.app.context import Opened, Part, open_app
from darkroom.errors import InvalidRequest
from darkroom.redact.text import clean
from darkroom.settings import Settings

WHOLE_ID = r"gen_[a-z2-7]{26}"


async def whole_ids(settings: Settings, names: Sequence[str]) -> list[str]:
    """The ids that begin so, with or without their `gen_`. What nobody's begins with stays as it is.

    Raises:
        InvalidRequest: several begin with the same.
    """
    if all(re.fullmatch(WHOLE_ID, name) for name in names):
        return list(names)
    async with open_app(settings, Part.NONE) as app:
        return [await _beginning(app, name) for name in names]


async def _beginning(app: Opened, name: str) -> str:
    own = name.strip().lower().removeprefix("gen_")
    # What every id begins with names none, also where there is only one: a script's variable may be empty.
    if not own or "gen_".startswith(own):
        return name
    found = await app.desk().ids(f"gen_{own}", 2)
    if len(found) > 1:
        raise InvalidRequest(
            f"More than one id begins with {clean(name, 40)}: {', '.join(found)}.",
            next_step="Give more of it; nothing was done.",
        )
    return found[0] if found else name
