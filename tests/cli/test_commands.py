"""The command line: the same objects as the tools, and an exit status that says how it went."""

import json
import subprocess
import sys
from typing import Any

import jsonschema
import pytest
from anyio import to_thread

from tests.hosts import PATIENCE_S, Home, call, connected, darkroom, refused, running
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer
from tests.snapshots_update import FOLDER

DONE, FAILED, WRONG_USE, STILL_RUNNING = 0, 1, 2, 3


def like_the_tool(tool: str, answer: Any) -> Any:
    """The answer, which has to be the object that this tool answers with."""
    schema = json.loads((FOLDER / f"{tool}.json").read_text("utf-8"))["outputSchema"]
    jsonschema.validate(answer, {"unevaluatedProperties": False, **schema})
    return answer


def test_a_picture_is_generated_from_the_terminal_and_its_path_printed(home: Home, fatthumb: FatThumb) -> None:
    done = darkroom(home.with_(fatthumb), "generate", "A fox reading a map", "--count", "2")
    assert (done.status, done.out.split()) == (DONE, [str(path) for path in home.saved()])
    assert len(home.saved()) == 2
    # Progress is plain lines where nobody can see one being rewritten.
    assert "FatThumb" in done.err
    assert "\r" not in done.err
    assert "\x1b" not in done.err
    assert len(done.err.splitlines()) == len(set(done.err.splitlines())) >= 2


def test_every_command_answers_with_the_tools_own_objects(home: Home, betterwaifu: BetterWaifu) -> None:
    user = home.with_(betterwaifu, BETTERWAIFU_LIMITS="submit=1000/1")
    words = ("--negative-prompt", "text", "--seed", "7", "--aspect-ratio", "1:1", "--model", "814910")
    options = ("--option", "steps=30", "--option", "sampler=euler_a")
    made = darkroom(user, "generate", "A fox", *words, *options, "--json")
    generation = like_the_tool("generate", made.json)
    assert (made.status, generation["status"], generation["seed"]) == (DONE, "succeeded", 7)
    assert len(made.out.splitlines()) == 1
    body = {"negative_prompt": "text", "seed": 7, "model_version_id": 814910, "steps": 30, "sampler": "euler_a"}
    assert betterwaifu.posts[0].body == {"prompt": "A fox", "width": 1024, "height": 1024, **body}
    status = darkroom(user, "status", generation["id"], "--json")
    assert (status.status, like_the_tool("get_status", status.json)) == (DONE, generation)
    waited = darkroom(user, "wait", generation["id"], "--json")
    assert (waited.status, waited.json) == (DONE, {"generations": [generation], "timed_out": False})
    like_the_tool("wait", waited.json)
    listed = darkroom(user, "list", "--json", "--status", "succeeded", "--provider", "betterwaifu")
    assert (listed.status, listed.json) == (DONE, {"generations": [generation]})
    like_the_tool("list_generations", listed.json)
    models = darkroom(user, "models", "--json", "--provider", "betterwaifu")
    assert models.status == DONE
    assert like_the_tool("list_models", models.json)["providers"][0]["account"]["plan"] == "pro"
    assert len(betterwaifu.posts) == 1


def test_without_json_a_person_reads_what_there_is(home: Home, fatthumb: FatThumb) -> None:
    user = home.with_(fatthumb)
    assert darkroom(user, "list").out == "No generations yet.\n"
    made = [darkroom(user, "generate", f"fox {n}\x1b[31m", "--json").json for n in range(2)]
    listed = darkroom(user, "list").out.splitlines()
    assert [line.split()[0] for line in listed] == [made[1]["id"], made[0]["id"]]
    assert all("succeeded" in line and line.isprintable() for line in listed)
    first, more = darkroom(user, "list", "--limit", "1").out.splitlines()
    assert first == listed[0]
    assert darkroom(user, "list", "--cursor", more.split()[-1]).out.splitlines() == [listed[1]]
    said = darkroom(user, "status", made[0]["id"])
    assert (said.status, said.err) == (DONE, "")
    assert made[0]["images"][0]["path"] in said.out
    assert darkroom(user, "wait", made[0]["id"]).out.splitlines() == [made[0]["images"][0]["path"]]
    models = darkroom(Home(user.path), "models")
    assert models.status == DONE
    assert "set FATTHUMB_API_KEY" in models.out


def test_a_random_seed_draws_another_picture_each_time(home: Home) -> None:
    made = [darkroom(home, "generate", "A fox", "--seed", "-1", "--json").json for _ in range(2)]
    assert len({generation["seed"] for generation in made} - {-1}) == 2
    first, second = home.saved()
    assert first.read_bytes() != second.read_bytes()


@pytest.mark.parametrize("as_json", [False, True])
def test_a_failed_generation_exits_with_1_and_says_why_on_stderr(home: Home, as_json: bool) -> None:
    with FatThumb(credits=0) as fatthumb:
        words = ["--json"] if as_json else []
        done = darkroom(home.with_(fatthumb), "generate", "A fox", *words)
        assert done.status == FAILED
        assert "payment_required" in done.err
        assert (done.json["error"]["code"] == "payment_required") if as_json else (done.out == "")
        assert darkroom(home.with_(fatthumb), "wait", found(done.err), *words).status == FAILED


def found(text: str) -> str:
    """The first id in the text."""
    return next(word for word in text.replace(":", " ").split() if word.startswith("gen_"))


def test_a_partial_generation_exits_with_1_and_prints_what_came(home: Home) -> None:
    with FatThumb(failing={0: "out of paint"}) as fatthumb:
        done = darkroom(home.with_(fatthumb), "generate", "A fox", "--count", "2")
    assert (done.status, done.out.split()) == (FAILED, [str(path) for path in home.saved()])
    assert "out of paint" in done.err


def test_what_still_runs_when_the_time_is_over_exits_with_3_and_goes_on_later(home: Home, fatthumb: FatThumb) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1000/1")
    fatthumb.later_jobs(duration=1000.0)
    done = darkroom(user, "generate", "A fox", "--timeout", "1.5", "--json")
    assert done.status == STILL_RUNNING
    assert done.json["status"] in {"queued", "processing"}
    assert f"darkroom-mcp wait {done.json['id']}" in done.err
    assert darkroom(user, "status", done.json["id"]).status == STILL_RUNNING
    waited = darkroom(user, "wait", done.json["id"], "--timeout", "0.1", "--json")
    assert (waited.status, waited.json["timed_out"]) == (STILL_RUNNING, True)
    fatthumb.later_jobs(duration=0.0)
    quick = darkroom(user, "generate", "An owl", "--json").json
    either = darkroom(user, "wait", done.json["id"], quick["id"], "--until", "any")
    assert (either.status, either.out.split()) == (DONE, [quick["images"][0]["path"]])
    fatthumb.advance(1000)
    finished = darkroom(user, "wait", done.json["id"], quick["id"])
    assert (finished.status, sorted(finished.out.split())) == (DONE, [str(path) for path in home.saved()])
    assert len(fatthumb.posts) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["paint", "A fox"], "paint"),
        (["generate"], "PROMPT"),
        (["generate", "A fox", "--colour", "red"], "--colour"),
        (["generate", "A fox", "--count", "9"], "count is from 1 to 4"),
        (["generate", "A fox", "--count", "0"], "count is from 1 to 4"),
        (["generate", "A fox", "--count", "two"], "--count"),
        (["generate", "A fox", "--provider", "midjourney"], "fatthumb"),
        (["generate", "A fox", "--provider", "betterwaifu"], "BETTERWAIFU_API_KEY"),
        (["generate", "A fox", "--aspect-ratio", "4:3"], "16:9"),
        (["generate", "A fox", "--option", "steps"], "NAME=VALUE"),
        (["generate", "A fox", "--option", "steps=30"], "person_ids"),
        (["generate", "A fox", "--timeout", "0"], "--timeout"),
        (["generate", "A fox", "--timeout", "soon"], "--timeout"),
        (["list", "--limit", "many"], "--limit"),
        (["generate", ""], "prompt"),
        (["generate", "x" * 40_000], "prompt"),
        (["generate", "A fox", "--seed", "-2"], "seed is from -1 to 9007199254740991"),
        (["generate", "A fox", "--seed", "9" * 20], "seed is from -1 to 9007199254740991"),
        (["generate", "A fox", "--request-key", ""], "request_key is empty"),
        (["generate", "A fox", "--request-key", "k" * 101], "request_key has 101 characters; at most 100"),
        (["generate", "A fox", "--request-key", "\udcff"], "UTF-8"),
        (["generate", "A fox", "--model", "m" * 101], "model has 101 characters; at most 100"),
        (["generate", "A fox", "--aspect-ratio", "1" * 21], "aspect_ratio has 21 characters; at most 20"),
        (["wait"], "ID"),
        (["wait", "gen_x", "--until", "some"], "--until"),
        (["list", "--limit", "0"], "--limit"),
        (["list", "--status", "done"], "--status"),
        (["list", "--cursor", "newest"], "cursor"),
        (["models", "--provider", "midjourney"], "--provider"),
        (["serve", "--nonsense"], "--nonsense"),
        (["serve", "now"], "now"),
        (["status", "gen_\udcff"], "UTF-8"),
        (["generate", "x", "--option", "steps=" + "[" * 100_000], "steps"),
    ],
)
def test_wrong_use_exits_with_2_names_what_is_wrong_and_sends_nothing(
    home: Home, fatthumb: FatThumb, words: list[str], said: str
) -> None:
    done = darkroom(home.with_(fatthumb), *words)
    assert (done.status, done.out) == (WRONG_USE, "")
    assert said in done.err
    assert "Traceback" not in done.err
    assert "invalid _" not in done.err, "that is the name of a function of ours"
    assert fatthumb.log == []


def test_help_on_serving_is_given_instead_of_a_server(home: Home) -> None:
    done = darkroom(home, "serve", "--help")
    assert (done.status, done.out) == (DONE, ""), "stdout is for JSON-RPC alone"
    assert "usage: darkroom-mcp serve" in done.err
    assert not home.ledger.exists()


def test_an_id_that_nobody_has_and_a_wrong_variable_are_told_in_a_line(home: Home) -> None:
    for words in (["status", "gen_nothing"], ["wait", "gen_nothing"]):
        done = darkroom(home, *words)
        assert done.status in {FAILED, WRONG_USE}
        assert done.err.startswith("not_found: ")
        assert len(done.err.splitlines()) == 1
    done = darkroom(home, "list", DARKROOM_HOME="~nobody-has-this-name/x")
    assert (done.status, done.out) == (WRONG_USE, "")
    assert "DARKROOM_HOME" in done.err
    assert len(done.err.splitlines()) == 1


async def test_a_server_with_a_wrong_variable_says_so_to_the_agent_and_on_stderr(home: Home) -> None:
    user = home.with_(DARKROOM_HOME="~nobody-has-this-name/x")
    async with connected(user) as client:
        assert "DARKROOM_HOME" in await refused(client, "generate", prompt="A fox")
        assert "DARKROOM_HOME" in await refused(client, "list_generations")
    done = darkroom(user)
    assert (done.status, done.out) == (DONE, "")
    assert "DARKROOM_HOME" in done.err


def test_a_generation_refused_for_its_key_exits_with_1(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.always("submit", Answer(401, json={"error": "Missing or invalid API key"}))
    done = darkroom(home.with_(fatthumb), "generate", "A fox")
    assert done.status == FAILED
    assert "unauthorized" in done.err
    assert fatthumb.key not in done.err


async def test_a_generation_that_a_server_drives_is_watched_from_the_command_line(
    home: Home, fatthumb: FatThumb
) -> None:
    user = home.with_(fatthumb)
    fatthumb.later_jobs(duration=1000.0)
    async with connected(user) as client:
        started = await call(client, "generate", prompt="A fox")
        await to_thread.run_sync(fatthumb.until, lambda: bool(fatthumb.posts), PATIENCE_S)
        with running(user, "wait", started["id"], "--timeout", "30") as watching:
            assert watching.stderr is not None
            assert watching.stderr.readline()
            fatthumb.advance(1000)
            out, err = watching.communicate(timeout=PATIENCE_S)
        assert (watching.returncode, out.split()) == (DONE, [str(path) for path in home.saved()]), err
        answer = await call(client, "wait", generation_ids=[started["id"]])
    assert answer["generations"][0]["status"] == "succeeded"
    assert len(fatthumb.posts) == len(fatthumb.picture_requests) == 1


@pytest.mark.parametrize("words", [["list", "--json"], ["models"], ["--help"], ["generate", "--help"], ["--version"]])
def test_a_reader_who_leaves_early_causes_no_traceback(home: Home, words: list[str]) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-m", "darkroom", *words], env=home.environ, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        process.wait(PATIENCE_S)
    assert err == ""
    assert process.returncode in {DONE, FAILED}
