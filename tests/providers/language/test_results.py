"""Services whose answer is the result: a process of its own makes the POST, and outlives the server."""

import base64
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from darkroom.errors import ProviderUnreachable
from darkroom.generations.driving import elsewhere
from darkroom.models import GenerationRequest, Record, Stage
from darkroom.providers.declared import read_settings
from darkroom.providers.owners import Means, Owners
from darkroom.providers.registry import Registry
from darkroom.redact.secrets import Redactor
from tests.hosts import PATIENCE_S, Home, RawServer, darkroom, eventually, running
from tests.services.declared import DeclaredService


@pytest.fixture
def service() -> Generator[DeclaredService]:
    """A server that speaks OpenAI's image API."""
    with DeclaredService.shipped("openai") as service:
        encoded = [{"b64_json": base64.b64encode(service.picture(number)).decode()} for number in (1, 2)]
        service.says["submit"] = [(200, {"created": 1, "data": encoded})]
        yield service


def generated(service: DeclaredService, user: Home, server: RawServer) -> str:
    """The id of a generation of two pictures that is being sent."""
    made = server.call("generate", prompt="a cat", provider=service.name, count=2)
    eventually(lambda: len(service.posts) == 1)
    return made["structuredContent"]["id"]


def row(user: Home) -> dict[str, Any]:
    (file,) = user.path.rglob("ledger.sqlite3")
    with closing(sqlite3.connect(file)) as db:
        db.row_factory = sqlite3.Row
        return dict(db.execute("SELECT * FROM generations").fetchone())


@contextmanager
def sending(service: DeclaredService, user: Home) -> Generator[tuple[RawServer, str]]:
    """A server, and the id of a generation whose POST has come and is not answered yet."""
    service.may_answer.clear()
    with running(user, "serve") as process:
        server = RawServer(process)
        server.initialize()
        yield server, generated(service, user, server)


def poster(user: Home) -> int:
    """The process that makes the POST."""
    return int(str(row(user)["holder"]).partition("-")[0])


def saved(generation: dict[str, Any]) -> list[bytes]:
    return [Path(image["path"]).read_bytes() for image in generation["images"]]


def test_an_answer_that_is_the_result_becomes_pictures_by_one_post_and_is_not_kept_longer(
    home: Home, service: DeclaredService
) -> None:
    user = service.home(home)
    made = darkroom(user, "generate", "a cat", "--provider", service.name, "--count", "2", "--json").json
    assert (made["status"], saved(made)) == ("succeeded", [service.picture(1), service.picture(2)])
    (post,) = service.posts
    assert (post.json["prompt"], post.json["n"], post.json["model"]) == ("a cat", 2, "gpt-image-2")
    assert "response_format" not in post.json
    assert not [path for path in (user.path / "home" / "providers").rglob("answers/*") if path.is_file()]


def test_a_link_in_the_answer_is_followed_as_well(home: Home, service: DeclaredService) -> None:
    service.says["submit"] = [(200, {"data": [{"url": f"{service.origin}/files/1.png"}]})]
    made = darkroom(service.home(home), "generate", "a cat", "--provider", service.name, "--json").json
    assert saved(made) == [service.picture(1)]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_is_ended_in_mid_post_loses_nothing_and_pays_once(
    home: Home, service: DeclaredService, how: signal.Signals
) -> None:
    user = service.home(home)
    with sending(service, user) as (server, generation_id):
        server.process.send_signal(how)
        server.process.wait(PATIENCE_S)
    service.may_answer.set()
    made = darkroom(user, "wait", generation_id, "--json").json["generations"][0]
    assert (made["status"], saved(made)) == ("succeeded", [service.picture(1), service.picture(2)])
    assert len(service.posts) == 1


def test_a_response_that_another_generation_got_as_well_is_kept_for_each_of_them(
    home: Home, service: DeclaredService
) -> None:
    user = service.home(home)
    with sending(service, user) as (server, generation_id):
        server.process.terminate()
        server.process.wait(PATIENCE_S)
    service.may_answer.set()
    eventually(lambda: row(user)["stage"] == "running")
    another = darkroom(user, "generate", "a dog", "--provider", service.name, "--count", "2", "--json").json
    made = darkroom(user, "wait", generation_id, "--json").json["generations"][0]
    assert (another["status"], made["status"]) == ("succeeded", "succeeded"), made


def test_only_the_death_of_the_process_that_posts_leaves_an_unknown_outcome(
    home: Home, service: DeclaredService
) -> None:
    user = service.home(home)
    with sending(service, user) as (server, generation_id):
        os.kill(poster(user), signal.SIGKILL)
        ended = server.call("wait", generation_ids=[generation_id])["structuredContent"]["generations"][0]
        service.may_answer.set()
    assert (ended["status"], ended["error"]["code"], ended["error"]["charged"]) == (
        "failed",
        "outcome_unknown",
        "maybe",
    )
    assert len(service.posts) == 1


def test_a_response_that_does_not_come_within_its_declared_time_leaves_an_unknown_outcome(home: Home) -> None:
    with DeclaredService.shipped("openai", **{"answer_within_s = 600": "answer_within_s = 3"}) as service:
        service.may_answer.clear()
        ended = darkroom(service.home(home), "generate", "a cat", "--provider", service.name, "--json").json
        eventually(lambda: len(service.posts) == 1)
        service.may_answer.set()
    assert (ended["status"], ended["error"]["code"]) == ("failed", "outcome_unknown")


def test_a_host_that_kills_the_whole_tree_leaves_an_unknown_outcome_and_no_second_post(
    home: Home, service: DeclaredService
) -> None:
    """As Windows does by job objects: what the process that posts is spared elsewhere happens to it as well."""
    user = service.home(home)
    with sending(service, user) as (server, generation_id):
        for process in (poster(user), server.process.pid):
            os.kill(process, signal.SIGKILL)
        server.process.wait(PATIENCE_S)
    service.may_answer.set()
    made = darkroom(user, "wait", generation_id, "--json").json["generations"][0]
    assert (made["status"], made["error"]["code"], made["error"]["charged"]) == ("failed", "outcome_unknown", "maybe")
    assert "gallery" in made["error"]["next_step"]
    assert len(service.posts) == 1


def test_the_process_that_posts_shows_its_key_to_nobody_and_leaves_when_it_is_done(
    home: Home, service: DeclaredService
) -> None:
    user = service.home(home)
    with sending(service, user) as (server, generation_id):
        proc = Path(f"/proc/{poster(user)}")
        for name in ("cmdline", "environ"):
            assert service.key.encode() not in (proc / name).read_bytes()
        assert os.getsid(int(proc.name)) != os.getsid(server.process.pid)
        service.may_answer.set()
        waited = server.call("wait", generation_ids=[generation_id])["structuredContent"]["generations"][0]
        assert waited["status"] == "succeeded"
        eventually(lambda: not (proc / "cmdline").exists() or not (proc / "cmdline").read_bytes())


@pytest.mark.parametrize(
    ("example", "code", "charged"),
    [("moderated", "moderated", "no"), ("a 429 that no waiting helps", "payment_required", "no")],
)
def test_what_the_service_refuses_is_reported_as_what_it_is(
    home: Home, service: DeclaredService, example: str, code: str, charged: str
) -> None:
    made = darkroom(service.like(submit=example).home(home), "generate", "x", "--provider", service.name, "--json").json
    assert (made["error"]["code"], made["error"]["charged"]) == (code, charged)


def test_an_answer_without_a_picture_is_an_unknown_outcome(home: Home, service: DeclaredService) -> None:
    service.says["submit"] = [(200, {"created": 1, "data": []})]
    made = darkroom(service.home(home), "generate", "x", "--provider", service.name, "--json").json
    assert (made["error"]["code"], made["error"]["charged"]) == ("outcome_unknown", "maybe")


def test_a_service_whose_answer_is_the_result_says_what_a_lost_one_means(home: Home, service: DeclaredService) -> None:
    assert "lost money" in darkroom(service.home(home), "models", "--provider", service.name).out


def highest(process: int) -> int:
    """The most memory that it has had, in MB; 0: it has ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) // 1000 if found else 0


def test_the_process_that_posts_does_not_grow_with_the_answer(home: Home, service: DeclaredService) -> None:
    picture = service.picture() + bytes(12_000_000)
    one = b'{"b64_json": "%s"}' % base64.b64encode(picture)
    service.says["submit"] = [(200, b'{"created": 1, "data": [%s, %s]}' % (one, one))]
    user = service.home(home)
    with sending(service, user) as (server, generation_id):
        process = poster(user)
        least = most = highest(process)
        assert least
        service.may_answer.set()
        while now := highest(process):  # it ends when it has the answer
            most = max(most, now)
            time.sleep(0.01)  # the process that is looked at needs the processor
        made = server.call("wait", generation_ids=[generation_id])["structuredContent"]["generations"][0]
    assert saved(made) == [picture] * 2
    assert most - least < 20


async def test_a_process_that_is_slow_to_take_the_row_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, went_on = tmp_path / "gate", tmp_path / "went on"
    code = (
        "import pathlib, sys, time; sys.stdin.read(); gate, went_on = map(pathlib.Path, sys.argv[1:])\n"
        "while not gate.exists(): time.sleep(0.01)\n"
        "went_on.touch()"
    )
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    command = [sys.executable, "-c", code, str(gate), str(went_on)]

    def started(_: object) -> subprocess.Popen[Any]:
        return subprocess.Popen(command, **pipes)

    monkeypatch.setattr(elsewhere, "_started", started)
    monkeypatch.setattr(elsewhere, "TAKEN_WITHIN_S", 0.05)
    settings = read_settings({"DARKROOM_HOME": str(tmp_path), "DARKROOM_PICTURES": str(tmp_path)})
    request = GenerationRequest(provider="sketch", prompt="a cat", model="sketch")
    record = Record(id="gen_1", owner="local", request=request, account="key", stage=Stage.SUBMITTING)
    means = Means(Registry({}, "sketch", Redactor([]), declared={}), settings.accounts)
    with pytest.raises(ProviderUnreachable):
        await elsewhere.hand_over(settings, Owners(means), record)
    gate.touch()
    eventually(went_on.exists)
