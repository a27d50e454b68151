"""Jobs of ours at ComfyUI: their names, and where it shows them: its history, its queue, its folder of outputs."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid5

import anyio

from darkroom.errors import DarkroomError
from darkroom.models import MAX_COUNT
from darkroom.providers.base import Reading
from darkroom.providers.comfyui import answers
from darkroom.providers.stopping import Reply
from darkroom.providers.wire import path_segment
from darkroom.transport import failures
from darkroom.transport.client import Api, Call

_OURS = UUID("5f0c3f0e-6a55-5d0c-9d6c-6e0a3c1d7b42")
"""The namespace of the names that jobs are given."""
SUBFOLDER = "darkroom"
"""The folder among ComfyUI's outputs that its pictures of ours are in."""
PAUSES_S = (0.5, 2.0, 4.0)
"""Seconds before each look for a job whose response was lost."""


def named(reference: str) -> str:
    """The name of the job of this generation: the same in every process, so that each of them can look for it."""
    return str(uuid5(_OURS, reference))


def seed_of(job: str) -> int:
    """The seed of a job that was to have any: it follows from the name, so that nobody need have kept it."""
    return int.from_bytes(hashlib.sha256(job.encode()).digest()[:8], "big") % 2**53


class Jobs:
    """Looks at the jobs of one ComfyUI."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def known(self, job: str) -> Reading | None:
        """The job as history or queue have it; None: neither does. Raises as `Api.read`."""
        for path in (f"/history/{path_segment(job)}", "/queue", f"/history/{path_segment(job)}"):
            # The second look at the history is for a job that ended between the first and the queue's response.
            value = await self._api.read(path)
            if path == "/queue":
                reading = answers.queued(value, job)
            else:
                reading = answers.finished(value[job]) if job in value else None
            if reading is not None:
                return reading
        return None

    async def cancel(self, job: str) -> Reply:
        """Takes the job out of the queue, or interrupts it where that hits no other. Raises as `Api.ask_once`."""
        known = answers.queued(await self._api.read("/queue"), job)
        if known is None:
            return Reply.LATE
        if known.queued:
            return await self._ask("/queue", {"delete": [job]})
        if not answers.interrupts_one(await self._api.read("/system_stats")):
            return Reply.LATE
        return await self._ask("/interrupt", {"prompt_id": job})

    async def _ask(self, path: str, body: Mapping[str, Any]) -> Reply:
        api = self._api
        answer = await api.ask_once(Call("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"}))
        if not answer.ok:
            raise failures.of_look(api.title, api.key_variable, answer, api.redact)
        return Reply.ASKED

    async def saved(self, job: str) -> list[dict[str, str]]:
        """The places of the pictures that were saved under the job's name. Raises as `Api.read`."""
        found: list[dict[str, str]] = []
        for number in range(1, MAX_COUNT + 1):
            place = {"filename": f"{job}_{number:05}_.png", "subfolder": SUBFOLDER, "type": "output"}
            answer = await self._api.look(Call("HEAD", f"/view?{urlencode(place)}"))
            if answer.status == 404:
                break
            if not answer.ok:
                raise failures.of_look(self._api.title, self._api.key_variable, answer, self._api.redact)
            found.append(place)
        return found

    async def found(self, job: str) -> bool:
        """True where ComfyUI shows within a few seconds that it has, or had, this job. Raises as `Api.read`."""
        failed: DarkroomError | None = None
        for pause in PAUSES_S:
            await anyio.sleep(pause)
            try:
                if await self.known(job) is not None or await self.saved(job):
                    return True
                failed = None
            except DarkroomError as error:
                failed = error
        if failed is not None:
            raise failed
        return False
