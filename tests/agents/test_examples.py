"""The examples as a reader runs them: the clients alone, and frameworks whose model is a stub."""

import subprocess
from pathlib import Path

import pytest

from tests.agents.stage import BIN, ROOT, assert_led_and_seeing, assert_saved_and_said, run
from tests.npm import NODE
from tests.services.model import Model

pytestmark = pytest.mark.agents
EXAMPLES = ROOT / "examples"
CLIENTS = ("mcp_client.py", "node/mcp_client.ts")
AGENTS = (
    ("openai_agents.py", "gpt-5", "responses"),
    ("pydantic_ai_agent.py", "openai-responses:gpt-5", "responses"),
    ("pydantic_ai_agent.py", "openai-chat:gpt-5", "chat"),
    ("langgraph_agent.py", "gpt-5", "responses"),
    ("node/ai_sdk.ts", "gpt-5", "responses"),
)


def run_example(name: str, home: Path, **environ: str) -> str:
    """Its output. What it needs was installed before: nothing is fetched."""
    if name.endswith(".ts"):
        return run([NODE, EXAMPLES / name], home, **environ)
    uv = BIN / "uv"
    cache = subprocess.run([uv, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    ours = {"UV_CACHE_DIR": cache, "UV_OFFLINE": "1", "UV_PYTHON": str(BIN / "python")}
    return run([uv, "run", "--script", EXAMPLES / name], home, **ours, **environ)


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_without_a_model_shows_progress_and_pictures(name: str, tmp_path: Path) -> None:
    out = run_example(name, tmp_path)
    assert "progress: 2 pictures saved." in out
    assert "images: 1\n" in out
    assert_saved_and_said(tmp_path, out)


@pytest.mark.parametrize(("name", "chosen", "api"), AGENTS)
def test_a_framework_follows_the_next_step_and_its_model_sees_the_pictures(
    name: str, chosen: str, api: str, tmp_path: Path
) -> None:
    with Model() as model:
        out = run_example(name, tmp_path, MODEL=chosen, **model.environ)
    assert "progress: " in out
    assert "Images that I saw: 1." in out
    assert {shown.api for shown in model.shown} == {api}
    assert_saved_and_said(tmp_path, out)
    assert_led_and_seeing(model)


def test_each_example_is_tried_and_no_longer_than_a_page() -> None:
    files = [path for path in EXAMPLES.rglob("*.[pt][ys]") if "node_modules" not in path.parts]
    assert {path.relative_to(EXAMPLES).as_posix() for path in files} == {*CLIENTS, *(name for name, *_ in AGENTS)}
    assert [path.name for path in files if len(path.read_text("utf-8").splitlines()) > 60] == []
