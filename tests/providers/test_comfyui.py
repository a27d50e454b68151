"""ComfyUI, through the command line, over a service made from its recorded exchange."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from darkroom.providers.comfyui import answers
from darkroom.providers.comfyui.workflow import BadWorkflow, parse
from tests.hosts import Finished, Home, call, connected, darkroom, refused
from tests.services.comfyui import CHECKPOINTS, TRACEBACK, ComfyUI

UPSCALED: dict[str, Any] = {
    "1": {
        "class_type": "CLIPTextEncode",
        "inputs": {"text": "usual", "clip": ["9", 0]},
        "_meta": {"title": "darkroom: prompt"},
    },
    "2": {
        "class_type": "EmptyLatentImage",
        "inputs": {"width": 512, "height": 512, "batch_size": 1},
        "_meta": {"title": "darkroom: width, height"},
    },
    "3": {
        "class_type": "LoraLoader",
        "inputs": {"lora_name": "ink.safetensors", "strength_model": 1, "clip": ["9", 1]},
        "_meta": {"title": "Darkroom: style=lora_name strength=strength_model"},
    },
    "5": {"class_type": "SaveImage", "inputs": {"filename_prefix": "mine", "images": ["2", 0]}},
}


def made(service: ComfyUI, home: Home, *words: str, **extra: str) -> Finished:
    """What the command prints that generates with it."""
    return darkroom(service.home(home, **extra), "generate", "a cat", "--provider", "comfyui", "--json", *words)


def workflows(home: Home, **files: Any) -> str:
    """A folder with these workflows."""
    folder = home.path / "workflows"
    folder.mkdir(exist_ok=True)
    for name, graph in files.items():
        (folder / f"{name}.json").write_text(graph if isinstance(graph, str) else json.dumps(graph), "utf-8")
    return str(folder)


def inputs(post: dict[str, Any], node: str) -> dict[str, Any]:
    return post["prompt"][node]["inputs"]


def test_a_picture_is_made_with_the_first_checkpoint_and_costs_nothing(home: Home) -> None:
    with ComfyUI() as service:
        done = made(
            service, home, "--count", "2", "--aspect-ratio", "16:9", "--negative-prompt", "dogs", "--seed", "7",
            "--option", "steps=30", DARKROOM_BUDGET="0",
        )  # fmt: skip
        assert done.status == 0, done
        (post,) = service.posts
    named = UUID(post["prompt_id"])
    assert str(named) == post["prompt_id"]
    assert inputs(post, "4")["ckpt_name"] == CHECKPOINTS[0]
    assert (inputs(post, "6")["text"], inputs(post, "7")["text"]) == ("a cat", "dogs")
    assert inputs(post, "5") == {"width": 1360, "height": 768, "batch_size": 2}
    assert (inputs(post, "3")["seed"], inputs(post, "3")["steps"]) == (7, 30)
    saved = [Path(image["path"]).read_bytes() for image in done.json["images"]]
    assert saved == [service.files[f"output/darkroom/{named}_{n:05}_.png"] for n in (1, 2)]
    assert done.json["seed"] == 7


def test_a_checkpoint_that_is_not_there_is_refused_with_those_that_are(home: Home) -> None:
    with ComfyUI() as service:
        error = made(service, home, "--model", "flux.safetensors").json["error"]
        assert len(service.posts) == 1
    assert (error["code"], error["charged"]) == ("invalid_request", "no")
    assert all(name in error["message"] for name in CHECKPOINTS)


def test_without_a_checkpoint_nothing_is_sent(home: Home) -> None:
    with ComfyUI(checkpoints=[]) as service:
        assert "models/checkpoints" in made(service, home).json["error"]["next_step"]
        assert service.posts == []


def begun(service: ComfyUI, home: Home) -> str:
    """A generation that waits in the queue of a ComfyUI."""
    started = darkroom(service.home(home), "generate", "a cat", "--provider", "comfyui", "--json", "--timeout", "0.5")
    assert started.status == 3, started
    generation = started.json["id"]
    while not service.posts:  # a slow machine does not come to it in that time
        assert darkroom(service.home(home), "wait", generation, "--timeout", "0.5").status == 3
    return generation


@pytest.mark.parametrize("painted", [True, False])
def test_after_a_restart_of_comfyui_a_picture_is_found_by_its_file(home: Home, painted: bool) -> None:
    with ComfyUI(stays=True) as service:
        generation = begun(service, home)
        if painted:
            service.finish()
        service.restart()
        done = darkroom(service.home(home), "wait", generation, "--json")
        ended = done.json["generations"][0] if "generations" in done.json else done.json
        assert len(service.posts) == 1
    if painted:
        assert ended["status"] == "succeeded"
        assert Path(ended["images"][0]["path"]).is_file()
    else:
        assert ended["error"]["code"] == "expired"


def positions(seen: list[dict[str, Any]]) -> list[int | None]:
    """The places of those that are queued; None: it is not known yet."""
    return [each["progress"].get("queue_position") for each in seen if each["status"] == "queued"]


async def test_a_job_in_the_queue_is_told_with_its_position(home: Home) -> None:
    with ComfyUI(stays=True) as service:
        async with connected(service.home(home)) as client:
            started = [await call(client, "generate", prompt=f"cat {n}", provider="comfyui") for n in (1, 2)]
            while True:  # until it has looked at both
                seen = [await call(client, "get_status", generation_id=each["id"]) for each in started]
                if {each["status"] for each in seen} == {"queued", "processing"} and None not in positions(seen):
                    break
            service.finish()
            ended = await call(client, "wait", generation_ids=[each["id"] for each in started])
    assert positions(seen) == [1]
    assert {each["status"] for each in ended["generations"]} == {"succeeded"}


def test_an_older_comfyui_that_gives_jobs_its_own_names_is_understood(home: Home) -> None:
    with ComfyUI(old=True, newer_lists=True) as service:
        assert made(service, home).json["status"] == "succeeded"


ENDINGS: tuple[tuple[Any, str], ...] = (
    (["execution_interrupted", {"node_id": "3"}], "interrupted in ComfyUI"),
    (
        ["execution_error", {"node_type": "KSampler", "exception_message": "out of memory", "traceback": [TRACEBACK]}],
        "KSampler: out of memory",
    ),
    (["something_new", None], "no reason"),
    ("odd", "no reason"),
)


async def test_a_job_that_failed_says_why_without_the_paths_of_that_machine(home: Home) -> None:
    with ComfyUI() as service:
        async with connected(service.home(home)) as client:
            for ending, says in ENDINGS:
                service.fails = ending
                started = await call(client, "generate", prompt=says, provider="comfyui")
                ended = (await call(client, "wait", generation_ids=[started["id"]]))["generations"][0]
                assert ended["status"] == "failed"
                assert says in ended["error"]["message"]
                assert "somebody" not in json.dumps(ended)


def test_a_workflow_takes_what_the_titles_of_its_nodes_name(home: Home) -> None:
    with ComfyUI() as service:
        folder = workflows(home, upscaled=UPSCALED)
        done = made(
            service, home, "--model", "upscaled", "--aspect-ratio", "9:16", "--option", "style=oil.safetensors",
            "--option", "strength=0.5", DARKROOM_COMFYUI_WORKFLOWS=folder,
        )  # fmt: skip
        assert done.status == 0, done
        (post,) = service.posts
    assert inputs(post, "1")["text"] == "a cat"
    assert inputs(post, "2") == {"width": 384, "height": 688, "batch_size": 1}
    assert inputs(post, "3") == {"lora_name": "oil.safetensors", "strength_model": 0.5, "clip": ["9", 1]}
    assert inputs(post, "5")["filename_prefix"] == f"darkroom/{post['prompt_id']}"


IMPOSSIBLE: tuple[tuple[dict[str, Any], str], ...] = (
    ({"options": {"cfg": 3}}, "it has: width, height, style, strength"),
    ({"options": {"strength": "much"}}, "strength must be a number"),
    ({"count": 2}, "makes 1 picture"),
    ({"seed": 3}, "no seed"),
    ({"negative_prompt": "dogs"}, "no negative prompt"),
    ({"aspect_ratio": "16:9", "options": {"width": 640}}, "twice"),
    ({"aspect_ratio": "21:9"}, "no other aspect ratio"),
)


async def test_what_a_workflow_cannot_do_is_refused_before_anything_is_sent(home: Home) -> None:
    with ComfyUI() as service:
        there = service.home(home, DARKROOM_COMFYUI_WORKFLOWS=workflows(home, upscaled=UPSCALED))
        async with connected(there) as client:
            for arguments, says in IMPOSSIBLE:
                wished = {"prompt": "a cat", "provider": "comfyui", "model": "upscaled", **arguments}
                assert says in await refused(client, "generate", **wished)
        assert service.asked == []


def test_list_models_names_workflows_with_their_options_and_checkpoints(home: Home) -> None:
    with ComfyUI() as service:
        folder = workflows(home, upscaled=UPSCALED, broken={"nodes": [], "links": []})
        told = darkroom(
            service.home(home, DARKROOM_COMFYUI_WORKFLOWS=folder), "models", "--provider", "comfyui", "--json"
        ).json["providers"][0]
    notes = {model["id"]: model.get("note") for model in told["models"]}
    assert [*notes] == ["broken", "upscaled", *CHECKPOINTS]
    assert "Export (API)" in notes["broken"]
    assert notes["upscaled"] == "workflow; options: width, height, style, strength"
    assert told["status"] == "ready"


def test_a_folder_for_workflows_that_is_none_makes_comfyui_unavailable_with_the_reason(home: Home) -> None:
    environ = {"DARKROOM_COMFYUI_BASE_URL": "http://127.0.0.1:9", "DARKROOM_COMFYUI_WORKFLOWS": "nowhere"}
    told = darkroom(home.with_(**environ), "models", "--provider", "comfyui", "--json").json["providers"][0]
    assert told["status"] == "unavailable"
    assert "DARKROOM_COMFYUI_WORKFLOWS" in told["error"]["message"]


def test_comfyui_is_not_there_without_its_variable(home: Home) -> None:
    told = darkroom(home, "models", "--json").json
    assert "comfyui" not in [state["name"] for state in told["providers"]]
    assert "comfyui" in told["more"]


def changed(node: str, **parts: Any) -> dict[str, Any]:
    """The workflow with these parts of a node."""
    return {**UPSCALED, node: {**UPSCALED[node], **parts}}


def titled(node: str, title: Any) -> dict[str, Any]:
    return changed(node, _meta={"title": title})


@pytest.mark.parametrize(
    ("graph", "why"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "no object of nodes"),
        ({}, "no object of nodes"),
        ({"1": {"class_type": "SaveImage"}}, "no object of nodes"),
        ({"nodes": [], "links": []}, "Export (API)"),
        (titled("1", "my prompt"), "no node has the title darkroom: prompt"),
        (titled("1", ["darkroom: prompt"]), "no node has the title darkroom: prompt"),
        (titled("1", "darkroom: prompt=clip"), "prompt names no input of its node"),
        (titled("2", "darkroom: size"), "size names no input of its node"),
        (titled("2", "darkroom: $(rm)"), "neither NAME nor NAME=INPUT"),
        (titled("2", "darkroom: model_config=width"), "no input can be called model_config"),
        (titled("1", "darkroom: prompt seed=text"), "seed names an input that is no number"),
        (changed("2", inputs={"width": 0, "height": 512}), "not from 1 to"),
        (changed("2", inputs={"width": 1e300, "height": 512}), "not from 1 to"),
        (changed("2", inputs={"width": float("nan"), "height": 512}), "not from 1 to"),
        (titled("2", "darkroom: image=width"), "image names an input that is no text"),
        (titled("1", "darkroom: prompt image_2=text"), "image_2 is there without image"),
        (titled("1", "darkroom: prompt mask=text"), "mask is there without image"),
        (" " * 2_000_001, "larger than"),
    ],
)
def test_a_file_that_is_no_usable_workflow_says_why(graph: Any, why: str) -> None:
    with pytest.raises(BadWorkflow, match=re.escape(why)):
        parse((graph if isinstance(graph, str) else json.dumps(graph)).encode())


ODD: list[Any] = [None, [], {}, 7, "x", {"status": 7}, {"outputs": []}, {"outputs": {"9": {"images": [7, {}]}}}]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_an_odd_entry_of_the_history_is_an_end_without_pictures(odd: Any) -> None:
    assert answers.finished(odd).images == ()
    assert answers.queued({"queue_running": odd, "queue_pending": [odd, [1, "other"]]}, "job") is None
    assert answers.checkpoints({"CheckpointLoaderSimple": odd}) == []
    assert answers.problems({"node_errors": odd}) == ""


def test_previews_are_taken_only_where_nothing_was_saved_and_strange_names_never() -> None:
    preview = {"filename": "a.png", "subfolder": "", "type": "temp"}
    saved = {"filename": "b.png", "subfolder": "x", "type": "output"}
    outputs = {"10": {"images": [saved]}, "9": {"images": [preview, {**saved, "filename": "c\n.png"}]}}
    assert [image.source for image in answers.finished({"outputs": outputs}).images] == [saved]
    assert [image.source for image in answers.finished({"outputs": {"9": outputs["9"]}}).images] == [preview]
