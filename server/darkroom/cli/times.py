"""Times as people say them: on this machine's clock, and how long ago."""

import os
import sys
import time
from collections.abc import Sequence
from datetime import datetime

DAY_S = 86_400
_STEPS = ((60.0, 60.0, "min"), (3600.0, 48.0, "h"), (86_400.0, 61.0, "days"), (30.44 * 86_400, 24.0, "months"))
"""Seconds of a unit, how many of it are said before the next one is taken, and its name."""


def ago(seconds: float) -> str:
    """So many seconds as an age: `just now`, `3 min ago`, `5 days ago`."""
    if seconds < 60:
        return "just now"  # also where a clock was set back
    for unit, most, name in _STEPS:
        if seconds < unit * most:
            return f"{int(seconds / unit)} {name} ago"
    return f"{int(seconds / (365.25 * 86_400))} years ago"


def short_time(moment: datetime, now: datetime) -> str:
    """The moment in this machine's zone, as short as it can be: `14:30` of today, `3 Mar 14:30`, `2024-03-03`."""
    then, today = moment.astimezone(), now.astimezone()
    if then.date() == today.date():
        return f"{then:%H:%M}"
    return f"{then.day} {then:%b %H:%M}" if then.year == today.year else f"{then:%Y-%m-%d}"


def lasted(seconds: float) -> str:
    """So many seconds as a duration: `3.2 s`, `74 s`, `12 min`."""
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def usable_zone() -> Sequence[str]:
    """Sees to a zone that Python's times can have, which is less than a day from UTC; warns where TZ named another."""
    if max(abs(time.timezone), abs(time.altzone)) < DAY_S:
        return ()
    os.environ["TZ"] = "UTC0"
    if sys.platform != "win32":
        time.tzset()
    return ("TZ names a zone that is a day or more from UTC; times are in UTC.",)
