"""ComfyUI's own reports while it works: shown to those who wait, and nothing else depends on them."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from darkroom.generations.driving.pace import Pace, Situation
from darkroom.providers.comfyui.answers import Node, nodes
from darkroom.providers.comfyui.client import TRAITS
from darkroom.providers.comfyui.reports import MOST_STEPS, Reports
from darkroom.store.turns import Supply, Took
from tests.hosts import PATIENCE_S, Home, RawServer, eventually, running
from tests.services.comfyui import ComfyUI

NODES = {"4": Node("CheckpointLoaderSimple"), "3": Node("KSampler", ("4",)), "9": Node("SaveImage", ("3",))}


def said(kind: str, job: str = "job", **about: Any) -> dict[str, Any]:
    return {"type": kind, "data": {**about, "prompt_id": job}}


def at_node_3(job: str, done: float = 12) -> list[dict[str, Any]]:
    """The messages of the real one up to this step of its sampler."""
    return [
        said("execution_start", job),
        said("execution_cached", job, nodes=["4"]),
        said("executing", job, node="6", display_node="6"),
        said("executing", job, node="3", display_node="3"),
        said("progress", job, node="3", value=done, max=20),
    ]


@contextmanager
def generating(service: ComfyUI, home: Home) -> Generator[tuple[RawServer, str]]:
    """A server with a generation that ComfyUI works on, and its id."""
    with running(service.home(home), "serve") as process:
        server = RawServer(process)
        server.initialize()
        made = server.call("generate", prompt="a cat", provider="comfyui")["structuredContent"]
        eventually(lambda: len(service.posts) == 1)
        yield server, made["id"]


def progress(server: RawServer, generation: str) -> dict[str, Any]:
    return server.call("get_status", generation_id=generation)["structuredContent"]["progress"]


def ended(server: RawServer, generation: str) -> dict[str, Any]:
    return server.call("wait", generation_ids=[generation])["structuredContent"]["generations"][0]


def test_the_node_and_its_steps_are_shown_while_it_works_and_the_socket_is_closed_behind_it(home: Home) -> None:
    with ComfyUI(stays=True) as service, generating(service, home) as (server, generation):
        service.tell({"type": "status", "data": {"status": {}}}, *at_node_3(service.posts[0]["prompt_id"]))
        eventually(lambda: progress(server, generation).get("step") == "KSampler 12 of 20, node 5 of 7")
        seen = progress(server, generation)
        assert "ComfyUI is working on it: KSampler 12 of 20, node 5 of 7, 0 of 1 done" in seen["message"]
        service.finish()
        service.tell(said("executing", service.posts[0]["prompt_id"], node=None))
        done = ended(server, generation)
        eventually(lambda: service.listeners == {})
        assert (done["status"], done["progress"].get("step")) == ("succeeded", None)
        assert len(service.posts) == 1


def test_the_next_process_listens_to_a_job_that_another_one_began(home: Home) -> None:
    with ComfyUI(stays=True) as service:
        with generating(service, home) as (server, generation):
            eventually(lambda: bool(service.listeners))
            server.process.kill()
            server.process.wait(PATIENCE_S)
        eventually(lambda: service.listeners == {})
        with running(service.home(home), "serve") as process:
            server = RawServer(process)
            server.initialize()
            service.tell(*at_node_3(service.posts[0]["prompt_id"]))
            eventually(lambda: "KSampler 12 of 20" in progress(server, generation)["message"])
            service.finish()
            assert ended(server, generation)["status"] == "succeeded"


ODD_WORDS: list[Any] = [None, 7, [], {}, "progress", True]
HOSTILE: dict[str, list[Any]] = {
    "no JSON": ["", "{", "\x00", "[" * 50_000, "9" * 10_000, "null", "[]", "7", '"executing"'],
    "huge": ["x" * 2**18 * 3, b"y" * 2**20, said("progress", node="77", value="z" * 2**17, max=2)],
    "bytes": [b"\x00\x00\x00\x01\x00\x00\x00\x01\xff\xd8", b"{}"],
    "other types": [{"type": each, "data": each} for each in ODD_WORDS],
    "an end that is none": [said("executing", node=None)] * 50,
    "too many": [{"type": "progress"}] * 3000,
    "the end of it": [None],
}


def another(word: Any, job: str) -> Any:
    """The word, about this job where it was to be about one."""
    text = word if isinstance(word, str | bytes) or word is None else json.dumps(word)
    return text.replace('"prompt_id": "job"', f'"prompt_id": "{job}"') if isinstance(text, str) else text


def test_whatever_is_said_there_changes_nothing_else(home: Home) -> None:
    with ComfyUI(stays=True) as service, generating(service, home) as (server, generation):
        service.finish()
        assert ended(server, generation)["status"] == "succeeded"
        for name, words in HOSTILE.items():
            made = server.call("generate", prompt=name, provider="comfyui")["structuredContent"]["id"]
            eventually(lambda: bool(service.queue))
            service.tell(*(another(word, service.posts[-1]["prompt_id"]) for word in words))
            looks = len(service.paths()) + 1
            eventually(partial(_asked, service, looks))
            assert (name, progress(server, made).get("step")) == (name, None)
            service.finish()
            assert (name, ended(server, made)["status"]) == (name, "succeeded")
        assert len(service.posts) == 1 + len(HOSTILE)


def _asked(service: ComfyUI, looks: int) -> bool:
    return len(service.paths()) > looks


def test_a_comfyui_without_a_socket_is_asked_as_before(home: Home) -> None:
    with ComfyUI(talks=False, stays=True) as service, generating(service, home) as (server, generation):
        assert "step" not in progress(server, generation)
        service.finish()
        assert ended(server, generation)["status"] == "succeeded"


def texts(*messages: Any, known: dict[str, Node] | None = None) -> list[str]:
    reports = Reports("job", NODES if known is None else known)
    steps = [reports.step(message) for message in messages]
    return ["over" if step.over else step.text for step in steps if step is not None]


def test_messages_of_newer_and_older_servers_become_the_same_line() -> None:
    state = {"3": {"value": 5, "max": 20, "state": "running"}, "4": {"value": 1, "max": 1, "state": "finished"}}
    assert texts(said("progress_state", nodes=state)) == ["KSampler 5 of 20, node 2 of 3"]
    assert texts(said("execution_cached", nodes=["4"]), said("progress", node="3", value=5.0, max=20)) == [
        "KSampler 5 of 20, node 2 of 3"
    ]
    assert texts(said("executing", node="9"), said("executing", node=None)) == ["SaveImage, node 3 of 3", "over"]


def test_nodes_that_no_output_needs_are_not_counted_and_an_odd_queue_has_none() -> None:
    graph: dict[str, Any] = {
        "1": {"class_type": "A", "inputs": {"x": ["2", 0], "y": 7}},
        "2": {"class_type": "B"},
        "3": {"inputs": []},
    }
    queue: dict[str, Any] = {"queue_running": [[0, "job", graph, {}, ["1", 9]]]}
    assert nodes(queue, "job") == {"1": Node("A", ("2",)), "2": Node("B")}
    odds: list[Any] = [[graph], [[], {}, ["1"]], [{"1": 7}, {}, {}], [None, None, 7]]
    for odd in ([0, "job", *each] for each in odds):
        assert nodes({"queue_pending": [odd, 7, None]}, "job") == {}
    circle = {"1": Node("A", ("2",)), "2": Node("B", ("1",))}
    assert texts(said("executing", node="1"), known=circle) == ["A, node 2 of 2"]


ODD_FIGURES: list[Any] = [None, "5", True, [], {}, -1, float("nan"), float("inf"), MOST_STEPS + 1, 10**400]


@pytest.mark.parametrize("odd", ODD_FIGURES, ids=lambda odd: str(odd)[:20])
def test_odd_figures_and_nodes_are_left_out(odd: Any) -> None:
    shown = "KSampler, node 2 of 3"
    assert texts(said("progress", node="3", value=odd, max=20)) == [shown]
    assert texts(said("progress", node="3", value=1, max=odd)) == [shown]
    assert texts(said("progress_state", nodes={"3": {"state": "running", "value": odd, "max": odd}})) == [shown]
    assert texts(said("progress", node=odd, value=1, max=2), said("progress_state", nodes=odd)) == []
    assert texts(said("execution_cached", nodes=odd), said("progress", other="job"), odd) == []
    assert texts(said("progress", "another", node="3", value=1, max=2), {"type": "progress", "data": odd}) == []


def test_what_a_job_without_known_nodes_reports_is_not_shown() -> None:
    assert texts(*at_node_3("job"), known={}) == []


def test_an_end_that_is_heard_brings_the_next_look_as_soon_as_looks_may_come() -> None:
    pace = Pace(TRAITS, [Took(60.0, (58.0, 62.0))] * 20)
    assert pace.pause(Situation(age_s=5.0)) > 10.0
    assert pace.pause(Situation(age_s=5.0, heard=True)) == TRAITS.shortest_interval_s
    used_up = Supply(per_s=0.001, for_s=3600.0, nearly_used_up=True, lately_per_s=0.1, jobs=100)
    assert pace.pause(Situation(age_s=5.0, heard=True, supply=used_up)) > 10.0
