"""What waits in the ledger is not paid for by a process that cannot read how its user wants to be protected."""

import time
from pathlib import Path

import anyio
import pytest

from darkroom.generations.driving.place import Place
from darkroom.generations.driving.submission import Submitter
from darkroom.generations.telling.changes import Changes
from darkroom.generations.telling.journal import Journal
from darkroom.models import GenerationRequest, Record, Stage
from darkroom.providers.declared import read_settings
from darkroom.providers.owners import Means, Owners
from darkroom.providers.registry import build
from darkroom.redact.secrets import Redactor
from darkroom.transport.http import Http
from tests.clients import OpenDoor
from tests.hosts import PATIENCE_S
from tests.ledgers import open_ledger, pictures_in


@pytest.mark.parametrize("budget", ["${BUDGET}", "5"])
async def test_a_row_that_costs_money_waits_for_a_process_whose_guards_can_be_read(tmp_path: Path, budget: str) -> None:
    key = {"FATTHUMB_API_KEY": "nsk_0123456789", "FATTHUMB_BASE_URL": "http://127.0.0.1:9/api/v1"}
    settings = read_settings({**key, "DARKROOM_BUDGET": budget})
    registry = build(settings, Http(), Redactor(settings.secrets), lambda _: OpenDoor())
    async with open_ledger(tmp_path) as ledger:
        for name in ("fatthumb", "sketch"):
            record = Record(
                id=f"gen_{name}",
                owner="local",
                request=GenerationRequest(provider=name, prompt="a fox", model="m"),
                account=registry.providers[name].access.account,
                stage=Stage.ACCEPTED,
                created_at=time.time(),
                holder="me",
            )
            await ledger.begin(record, adopt_within_s=0.0)
        with anyio.fail_after(PATIENCE_S):
            async with anyio.create_task_group() as tasks:
                running = anyio.Event()
                place = Place(pictures_in(tmp_path / "pictures"))
                submitter = Submitter(
                    Journal(ledger, Changes()), Owners(Means(registry)), "me", lambda _: running.set(), place
                )
                submitter.start(tasks)
                await running.wait()  # sketch's, whose turn is after the other's
                tasks.cancel_scope.cancel()
        waiting = await ledger.get("gen_fatthumb", "local")
    assert waiting is not None
    assert (waiting.submit_token is None and waiting.refused_since is None) == (budget != "5")
