"""One complete run with every fault that a provider can have, after which no secret is to be found anywhere."""

import signal
from pathlib import Path
from typing import get_args

from tests.attacks import talkative
from tests.attacks.canary import BETTERWAIFU_KEY, FATTHUMB_KEY, PASSWORD, SECRETS, files_that_hold, found_in
from tests.attacks.stage import Stage, set_up
from tests.attacks.talkative import ROWS, louder, repeating, scripts
from tests.hosts import PATIENCE_S
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer, Delay, RouteName

ROWS_AT_LEAST = 115
"""So many rows of the other tables are played, one by one."""
AT_A_TIME = 30


def scripted(stage: Stage) -> int:
    """Both providers are told every fault; returns how many rows they are of."""
    played = 0
    for service, kind in ((stage.fatthumb, FatThumb), (stage.betterwaifu, BetterWaifu)):
        repeating(service)
        for script in scripts(ROWS, kind):
            played += 1
            for route, fault in script.faults:
                service.script(route, louder(fault, service.key))
            for fate in script.fates:
                service.next_job(**fate)
    return played


def left(stage: Stage) -> int:
    return sum(
        service.unplayed(route) for service in (stage.fatthumb, stage.betterwaifu) for route in get_args(RouteName)
    )


def everything_asked(stage: Stage) -> None:
    """Generations until no fault is left, and then whatever else can be asked."""
    ids: list[str] = []
    while left(stage):
        for number in range(len(ids), len(ids) + AT_A_TIME):
            provider = "betterwaifu" if number % 6 == 5 else "fatthumb"
            outcome = stage.server.ask("generate", prompt=f"canary {number}", provider=provider)
            assert outcome.generation is not None, outcome.text
            ids.append(outcome.generation["id"])
        stage.server.call("wait", generation_ids=ids[-AT_A_TIME:], timeout_s=3)
        assert len(ids) < 600, f"{left(stage)} faults are never met"
    stage.server.call("wait", generation_ids=ids[-50:], timeout_s=20)
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


def stopped_in_the_middle(stage: Stage, how: signal.Signals) -> None:
    """A command is ended while its provider takes its time; what lies about then is searched as well."""
    stage.fatthumb.script("submit", Delay(1.0))
    before = len(stage.fatthumb.posts)
    command = stage.scene.generate(f"canary {how.name}")
    stage.fatthumb.until(lambda: len(stage.fatthumb.posts) > before, PATIENCE_S)
    arguments = Path(f"/proc/{command.process.pid}/cmdline")
    assert found_in(arguments.read_bytes() if arguments.exists() else b"", *SECRETS) == []
    command.process.send_signal(how)
    command.join()
    assert files_that_hold(stage.scene.path, *SECRETS) == {}


def every_command(stage: Stage) -> None:
    """The command line, in words and in JSON."""
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


def test_a_complete_run_with_every_fault_tells_no_secret_to_anybody(tmp_path: Path) -> None:
    with set_up(tmp_path, talkative.FatThumb, talkative.BetterWaifu) as stage:
        assert scripted(stage) >= ROWS_AT_LEAST
        everything_asked(stage)
        stage.assert_silent()
        for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            stopped_in_the_middle(stage, how)
        every_command(stage)
        log = [(service, entry) for service in (stage.fatthumb, stage.betterwaifu) for entry in service.log]
    # By now every process has ended, and all that any of them printed has been read.
    assert found_in(stage.scene.everything_printed(), *SECRETS) == []
    assert files_that_hold(tmp_path, *SECRETS) == {}
    assert "[redacted]" in stage.scene.everything_printed()
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
