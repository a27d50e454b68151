"""A line of the log for each request: its caller, its status and how long it took; nothing of what was sent."""

import logging
import secrets
import time
from collections.abc import Collection, Generator
from contextlib import contextmanager

from starlette.types import Message, Scope, Send

from darkroom.about import about
from darkroom.http.refusals import BROKEN

log = logging.getLogger(__name__)

GONE = 499
"""The status where there was none: the caller left first, as proxies write it."""
_METHODS = {"GET", "POST", "DELETE", "HEAD", "OPTIONS"}


class Access:
    """One request. `tenant`: its caller, once that is known."""

    def __init__(self, send: Send) -> None:
        self.tenant = ""
        self.status = GONE
        self._send = send

    @property
    def begun(self) -> bool:
        """True once a response was begun."""
        return self.status != GONE

    async def send(self, message: Message) -> None:
        """Sends this to the caller, and notes the status."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


@contextmanager
def logged(scope: Scope, send: Send, *, paths: Collection[str], probes: Collection[str]) -> Generator[Access]:
    """Names the request in every line of the block, and writes its own line at the end; of probes at debug level.

    No other path or method is written: it may be a secret that was pasted into the wrong place.
    """
    access, began = Access(send), time.monotonic()
    method = scope["method"] if scope["method"] in _METHODS else "other"
    path = scope["path"] if scope["path"] in {*paths, *probes} else "(elsewhere)"
    with about(request=secrets.token_hex(8)):
        try:
            yield access
        except Exception:
            access.status = BROKEN
            raise
        finally:
            ms = round((time.monotonic() - began) * 1000)
            with about(status=access.status, duration_ms=ms, **({"tenant": access.tenant} if access.tenant else {})):
                level = logging.DEBUG if path in probes else logging.INFO
                by = f" by {access.tenant}" if access.tenant else ""
                log.log(level, "%s %s%s: %d in %d ms", method, path, by, access.status, ms)
