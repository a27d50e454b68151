"""An answer that never arrived is not paid for again."""

import json
import signal
import time

import anyio
import pytest

from tests.faults.ledgers import ledger_of
from tests.held import PATIENT, break_off
from tests.hosts import (
    ERAS,
    PATIENCE_S,
    Era,
    Home,
    RawServer,
    call,
    connected,
    darkroom,
    eventually,
    on_both_databases,
    over,
    refused,
    running,
)
from tests.services.fatthumb import FatThumb

PROMPT = "A lighthouse in a storm"


def asked_for(user: Home, prompt: str) -> bool:
    """Whether the ledger holds it; read from outside, since starting a command takes as long as reading an answer."""
    return any(json.loads(request)["prompt"] == prompt for (request,) in user.select("SELECT request FROM generations"))


@on_both_databases
@pytest.mark.parametrize("era", ERAS)
async def test_a_cancelled_call_s_generation_is_given_to_the_next_identical_call(
    home: Home, fatthumb: FatThumb, era: Era
) -> None:
    user = home.with_(fatthumb)
    async with connected(user, era, python=("-c", PATIENT)) as client:
        await break_off(client, user, fatthumb, PROMPT)
        again = await call(client, "generate", prompt=PROMPT)
        (known,) = (await call(client, "list_generations"))["generations"]
        assert again["id"] == known["id"]
        another = await call(client, "generate", prompt=PROMPT)
        assert another["id"] != again["id"], "an answer that was delivered is not given twice"
        waited = await call(client, "wait", generation_ids=[again["id"], another["id"]])
    assert [generation["status"] for generation in waited["generations"]] == ["succeeded", "succeeded"]
    assert len(fatthumb.posts) == 2


@on_both_databases
@pytest.mark.parametrize("era", ERAS)
async def test_an_answer_stays_lost_though_a_host_lists_and_reads_what_was_made(
    home: Home, fatthumb: FatThumb, era: Era
) -> None:
    user = home.with_(fatthumb)
    async with connected(user) as client:
        generation = await call(client, "generate", prompt=PROMPT)
    assert ledger_of(user).edit("UPDATE generations SET answered = 'lost'") == 1
    async with connected(user, era) as client:
        listed = (await client.list_resources()).resources
        known = next(one for one in listed if one.uri.startswith("darkroom://generations/"))
        assert (await client.read_resource(known.uri)).contents
        again = await call(client, "generate", prompt=PROMPT)
    assert again["id"] == known.name == generation["id"]
    assert len(fatthumb.posts) == 1


@on_both_databases
async def test_two_identical_calls_at_the_same_time_make_two_generations(home: Home, fatthumb: FatThumb) -> None:
    async with connected(home.with_(fatthumb)) as client:
        ids: list[str] = []

        async def generate() -> None:
            ids.append((await call(client, "generate", prompt=PROMPT))["id"])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(generate)
            tasks.start_soon(generate)
    assert len(set(ids)) == 2


@on_both_databases
@pytest.mark.parametrize("who", ["client", "server"])
def test_what_a_killed_process_asked_for_is_given_to_the_next_identical_call(
    home: Home, fatthumb: FatThumb, who: str
) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1/1000")
    with running(user, "serve") as process:
        server = RawServer(process)
        server.initialize()
        server.call("generate", prompt="something else takes the only slot")
        server.send("tools/call", {"name": "generate", "arguments": {"prompt": PROMPT}})
        eventually(lambda: asked_for(user, PROMPT))
        if who == "server":
            process.send_signal(signal.SIGKILL)
        else:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdout.close()
            process.stdin.close()  # what the operating system does to the pipes of a killed client
        process.wait(PATIENCE_S)
    lost = darkroom(user, "list", "--json").json["generations"][0]
    assert lost["prompt"] == PROMPT
    again = darkroom(user, "generate", PROMPT, "--timeout", "0.5", "--json")
    assert again.status == 3
    assert again.json["id"] == lost["id"]


@on_both_databases
async def test_a_request_key_names_one_generation_for_ever(home: Home, fatthumb: FatThumb) -> None:
    async with connected(home.with_(fatthumb)) as client:
        first = await call(client, "generate", prompt=PROMPT, request_key="hero")
        await call(client, "wait", generation_ids=[first["id"]])
        again = await call(client, "generate", prompt=PROMPT, request_key="hero")
        assert again["id"] == first["id"]
        assert again["status"] == "succeeded"
        text = await refused(client, "generate", prompt="Something else", request_key="hero")
        assert text.startswith("invalid_request:")
        assert first["id"] in text
        assert "nothing was sent" in text
    assert (
        darkroom(home.with_(fatthumb), "generate", PROMPT, "--request-key", "hero", "--json").json["id"] == first["id"]
    )
    assert len(fatthumb.posts) == 1


@on_both_databases
async def test_a_refusal_that_cost_nothing_is_not_given_to_the_next_call(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.credits = 0
    async with connected(home.with_(fatthumb)) as client:
        begun = await call(client, "generate", prompt=PROMPT)
        (poor,) = await over(client, begun["id"])
        assert poor["error"]["code"] == "payment_required"
        fatthumb.credits = 100
        rich = await call(client, "generate", prompt=PROMPT)
    assert rich["id"] != poor["id"]
    assert rich["status"] != "failed"


HASTY = """
from darkroom.generations.asking import delivery
import runpy, sys
delivery.READ_WITHIN_S = 0.05
sys.argv[1:] = ["serve"]
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""


@on_both_databases
def test_an_answer_that_its_client_had_not_read_when_it_died_is_given_to_the_next_identical_call(home: Home) -> None:
    with running(home, python=("-c", HASTY)) as process:
        server = RawServer(process)
        server.initialize()
        server.call("list_generations")  # from now on there is a ledger
        for _ in range(20):
            server.send("tools/list", {})  # more than a pipe holds, and nobody reads it
        server.send("tools/call", {"name": "generate", "arguments": {"prompt": PROMPT}})
        eventually(lambda: asked_for(home, PROMPT))
        time.sleep(0.5)  # ten times as long as an answer that was written waits for its reader
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.close()
        process.stdin.close()
        process.wait(PATIENCE_S)
    lost = darkroom(home, "list", "--json").json["generations"][0]
    assert darkroom(home, "generate", PROMPT, "--json").json["id"] == lost["id"]
