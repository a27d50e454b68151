"""The heaps that glibc makes for threads: fewer of them, since each keeps the most that its threads ever used."""

import sys
from contextlib import suppress

_M_ARENA_MAX = -8  # of mallopt(3)


def share_heaps() -> None:
    """Lets threads share two heaps from now on, instead of up to eight a core; Python lets few of them run at once."""
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 - takes a while, unless a ledger is open, which needs it as well

    with suppress(AttributeError, OSError):  # another C library has no such thing
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)
