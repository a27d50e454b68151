"""Jobs of ComfyUI whose response was lost: found by our name for them, by any process, and never sent again."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from tests.hosts import PATIENCE_S, Finished, Home, RawServer, darkroom, eventually, running
from tests.services.comfyui import ComfyUI


def made(service: ComfyUI, home: Home) -> Finished:
    """What the command prints that generates with it."""
    return darkroom(service.home(home), "generate", "a cat", "--provider", "comfyui", "--json")


@pytest.mark.parametrize(
    "lost", [Response(status_code=502), JSONResponse({"number": 1})], ids=["a gateway's", "without a name"]
)
def test_a_job_whose_answer_is_lost_is_found_in_the_queue_and_never_sent_again(home: Home, lost: Response) -> None:
    with ComfyUI(loses=lambda: lost) as service:
        done = made(service, home)
        assert done.json["status"] == "succeeded", done
        assert len(service.posts) == 1


def test_a_job_that_comfyui_does_not_show_may_have_been_lost_and_is_not_sent_again(home: Home) -> None:
    with ComfyUI(loses=lambda: Response(status_code=502), takes=False) as service:
        done = made(service, home)
        looked = service.paths()
        assert len(service.posts) == 1
    assert (done.json["error"]["code"], done.json["error"]["charged"]) == ("outcome_unknown", "no")
    assert "/queue" in looked
    assert f"/history/{service.posts[0]['prompt_id']}" in looked


def killed_in_mid_post(service: ComfyUI, home: Home) -> str:
    """The id of a generation whose server was killed while its POST had no response yet."""
    service.may_answer.clear()
    with running(service.home(home), "serve") as process:
        server = RawServer(process)
        server.initialize()
        made = server.call("generate", prompt="a cat", provider="comfyui", count=2)["structuredContent"]
        eventually(lambda: len(service.posts) == 1)
        process.kill()
        process.wait(PATIENCE_S)
    service.may_answer.set()
    return made["id"]


def ended(service: ComfyUI, home: Home, generation: str) -> dict[str, Any]:
    """The generation after a command has waited for it."""
    return darkroom(service.home(home), "wait", generation, "--json").json["generations"][0]


def finished(service: ComfyUI) -> None:
    """It has painted the pictures."""
    service.finish()


def forgotten(service: ComfyUI) -> None:
    """It has painted them, and was started anew."""
    service.finish()
    service.restart()


def queued(service: ComfyUI) -> None:
    """It has not begun."""
    service.stays = False


@pytest.mark.parametrize("meanwhile", [queued, finished, forgotten])
def test_after_a_kill_in_the_middle_of_a_post_the_next_process_goes_on_with_the_job(
    home: Home, meanwhile: Callable[[ComfyUI], None]
) -> None:
    with ComfyUI(stays=True) as service:
        generation = killed_in_mid_post(service, home)
        meanwhile(service)
        done = ended(service, home, generation)
        assert len(service.posts) == 1
        seeds = {node["inputs"]["seed"] for node in service.posts[0]["prompt"].values() if "seed" in node["inputs"]}
    assert done["status"] == "succeeded", done
    assert (len(done["images"]), {done["seed"]}) == (2, seeds)


def test_after_a_kill_a_job_that_nothing_shows_has_an_unknown_outcome_that_says_why(home: Home) -> None:
    with ComfyUI(stays=True) as service:
        generation = killed_in_mid_post(service, home)
        service.restart()
        error = ended(service, home, generation)["error"]
        assert len(service.posts) == 1
    assert (error["code"], error["charged"]) == ("outcome_unknown", "no")
    assert "started anew" in error["message"]
    assert "output/darkroom" in error["next_step"]
