"""Runs with every fault that a provider can have, after which no secret is to be found anywhere."""

import itertools
import signal
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import pytest

from tests.attacks import talkative
from tests.attacks.canary import BETTERWAIFU_KEY, FATTHUMB_KEY, PASSWORD, SECRETS, files_that_hold, found_in
from tests.attacks.stage import Stage, set_up
from tests.attacks.talkative import TABLES, louder, repeating, scripts
from tests.faults.runs import OVER
from tests.faults.table import Fault as Row
from tests.hosts import PATIENCE_S
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer, Delay, RouteName

ROWS_AT_LEAST = {"submission": 51, "reading": 33, "pictures": 32}
"""So many rows of the other tables are played, one by one."""
PARTS = {"submission": 5, "reading": 1, "pictures": 2}
"""After some faults a provider is left alone for a while, so these rows are dealt out among several servers."""
AT_A_TIME = 10


@contextmanager
def watched(path: Path) -> Generator[Stage]:
    """Providers that repeat their customer's key. When every process has ended, none has told a secret to anybody."""
    with set_up(path, talkative.FatThumb, talkative.BetterWaifu) as stage:
        for service in (stage.fatthumb, stage.betterwaifu):
            repeating(service)
        yield stage
        log = [(service, entry) for service in (stage.fatthumb, stage.betterwaifu) for entry in service.log]
    stage.assert_told_nothing()
    # Each key has been at its own provider, and nowhere else; no picture was fetched with any.
    for service, entry in log:
        others = {FATTHUMB_KEY, BETTERWAIFU_KEY, PASSWORD} - {service.key}
        sent = f"{entry.headers} {entry.query} {entry.path}" + entry.body.decode("utf-8", "replace")
        if entry.route == "picture":
            assert found_in(sent, *SECRETS) == []
        elif service is stage.betterwaifu:
            assert found_in(sent, *others) == []
        else:
            assert found_in(sent, BETTERWAIFU_KEY) == []


def scripted(stage: Stage, rows: Sequence[Row]) -> None:
    """Both providers are told every fault."""
    for service, kind in ((stage.fatthumb, FatThumb), (stage.betterwaifu, BetterWaifu)):
        for script in scripts(rows, kind):
            for route, fault in script.faults:
                service.script(route, louder(fault, service.key))
            for fate in script.fates:
                service.next_job(**fate)


def left(service: FatThumb | BetterWaifu) -> int:
    return sum(service.unplayed(route) for route in get_args(RouteName))


def until_no_fault_is_left(stage: Stage) -> list[str]:
    """The generations that it takes."""
    services = {"fatthumb": stage.fatthumb, "betterwaifu": stage.betterwaifu}
    ids: list[str] = []
    under_way: list[str] = []
    while to_ask := [name for name, service in services.items() if left(service)]:
        for provider in itertools.islice(itertools.cycle(to_ask), max(1, AT_A_TIME - len(under_way))):
            outcome = stage.server.ask("generate", prompt=f"canary {len(ids)}", provider=provider)
            assert outcome.generation is not None, outcome.text
            ids.append(outcome.generation["id"])
            under_way.append(ids[-1])
        answer = stage.server.call("wait", generation_ids=under_way, timeout_s=2, until="any")["structuredContent"]
        under_way = [each["id"] for each in answer["generations"] if each["status"] not in OVER]
        assert len(under_way) < 50, "some faults are never met"
    return ids


def everything_asked(stage: Stage, ids: Sequence[str]) -> None:
    stage.server.call("wait", generation_ids=ids[-50:], timeout_s=5)
    for generation_id in ids[:40]:
        stage.server.call("get_status", generation_id=generation_id)
    stage.server.call("cancel", generation_id=ids[-1])
    stage.server.call("list_generations", limit=100)
    stage.server.call("list_models")
    resources = stage.server.request("resources/list", {})["result"]["resources"]
    stage.server.request("resources/templates/list", {})
    for resource in resources[:30]:
        stage.server.request("resources/read", {"uri": resource["uri"]})
    stage.server.request("prompts/list", {})


@pytest.mark.parametrize(("table", "part"), [(table, part) for table in PARTS for part in range(PARTS[table])])
def test_a_server_that_meets_every_fault_tells_no_secret_to_anybody(tmp_path: Path, table: str, part: int) -> None:
    with watched(tmp_path) as stage:
        scripted(stage, TABLES[table][part :: PARTS[table]])
        everything_asked(stage, until_no_fault_is_left(stage))
        stage.assert_silent()
    assert "[redacted]" in stage.scene.everything_printed()


@pytest.mark.parametrize("table", ROWS_AT_LEAST)
def test_the_rows_of_every_table_are_played(table: str) -> None:
    assert sum(len(scripts(TABLES[table], kind)) for kind in (FatThumb, BetterWaifu)) >= ROWS_AT_LEAST[table]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_a_command_that_is_ended_in_the_middle_leaves_no_secret_behind(tmp_path: Path, how: signal.Signals) -> None:
    with watched(tmp_path) as stage:
        stage.fatthumb.script("submit", Delay(1.0))
        command = stage.scene.generate("canary")
        stage.fatthumb.until(lambda: len(stage.fatthumb.posts) > 0, PATIENCE_S)
        arguments = Path(f"/proc/{command.process.pid}/cmdline")
        assert found_in(arguments.read_bytes() if arguments.exists() else b"", *SECRETS) == []
        command.process.send_signal(how)
        command.join()
        assert files_that_hold(stage.scene.path, *SECRETS) == {}


def test_no_command_tells_a_secret_in_words_or_in_json(tmp_path: Path) -> None:
    with watched(tmp_path) as stage:
        made = stage.scene.run("generate", "a canary", "--provider", "fatthumb", "--json", "--timeout", "60").generation
        assert made is not None
        stage.fatthumb.script("submit", Answer(401, json={"error": f"who is {FATTHUMB_KEY}?"}))
        for words in (
            ["generate", "another"],
            ["status", made["id"]],
            ["wait", made["id"]],
            ["list"],
            ["models"],
            ["--help"],
        ):
            command = stage.scene.begin(*words)
            command.join()
    assert "[redacted]" in stage.scene.everything_printed()
