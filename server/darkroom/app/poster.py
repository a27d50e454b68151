"""The process that makes one POST that takes minutes; `elsewhere` starts it, and nobody else.

It belongs to a session of its own, so that a host may close or kill the server meanwhile. Its words come through stdin:
the variables that hold a key, the generation, and the token of its claim.
"""

import json
import os
import sys
import time
from collections.abc import Mapping

import anyio

from darkroom.app.telemetry import telemetry_of
from darkroom.generations.driving.elsewhere import TAKEN
from darkroom.generations.driving.posting import Posting
from darkroom.generations.driving.queue import RequestAllowance
from darkroom.generations.telling.changes import Changes
from darkroom.generations.telling.journal import Journal
from darkroom.generations.telling.telemetry import Telemetry
from darkroom.providers import registry
from darkroom.providers.declared import read_settings
from darkroom.redact.secrets import Redactor
from darkroom.settings import Settings
from darkroom.store.opening import open_store
from darkroom.store.presence import RESTORED_EVERY_S
from darkroom.store.signs import Presence
from darkroom.transport.http import open_http


def main() -> None:
    """Reads what to send, sends it, writes down what came of it, and ends."""
    given = json.load(sys.stdin)
    anyio.run(_post, {**os.environ, **given["environ"]}, given["id"], given["token"])


async def _post(environ: Mapping[str, str], generation_id: str, token: str) -> None:
    settings = read_settings(environ)
    with telemetry_of(settings) as telemetry:
        await _post_with(settings, telemetry, generation_id, token)


async def _post_with(settings: Settings, telemetry: Telemetry, generation_id: str, token: str) -> None:
    async with (
        open_http() as http,
        open_store(settings.home, settings.database, time.time) as store,
        anyio.create_task_group() as group,
    ):
        ledger, presence = store.ledger, store.presence
        providers = registry.build(
            settings, http, Redactor(settings.secrets), lambda access: RequestAllowance(access, ledger)
        )
        record = await ledger.hand_over(generation_id, token, presence.id)
        if record is not None:
            group.start_soon(_stay, presence)
            os.write(1, TAKEN)
            await Posting(Journal(ledger, Changes(), telemetry), providers.inputs).post(
                providers.provider(record.request.provider), record
            )
        group.cancel_scope.cancel()


async def _stay(presence: Presence) -> None:
    """Shows to the others that this process runs."""
    while True:
        await anyio.sleep(RESTORED_EVERY_S)
        presence.stay()


if __name__ == "__main__":
    main()
