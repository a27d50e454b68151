"""JSON documents of somebody whom the operator trusts, such as an issuer of tokens."""

import json
import logging
from typing import Any

import anyio
import httpx2

from darkroom.transport.http import Http

log = logging.getLogger(__name__)

WITHIN_S = 10.0


async def document(http: Http, url: str, *, most: int) -> Any:
    """The JSON at this URL, of at most so many bytes; None: there is none to be had now. No redirect is followed."""
    with anyio.move_on_after(WITHIN_S):
        try:
            async with http.kept.stream("GET", url, headers={"Accept": "application/json"}) as response:
                body = await _body(response, url, most)
            return None if body is None else json.loads(body)
        except (httpx2.HTTPError, ValueError, RecursionError) as error:
            log.warning("%s cannot be read: %s", url, type(error).__name__)
            return None
    log.warning("%s did not come within %.0f s", url, WITHIN_S)
    return None


async def _body(response: httpx2.Response, url: str, most: int) -> bytes | None:
    if response.status_code != 200:
        log.warning("%s returned HTTP %d", url, response.status_code)
        return None
    found = bytearray()
    async for part in response.aiter_bytes():
        found += part
        if len(found) > most:
            log.warning("%s has more than %d bytes", url, most)
            return None
    return bytes(found)
