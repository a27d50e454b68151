"""Claude Code and Codex themselves, with no network but this machine's own."""

import json
from pathlib import Path

import pytest

from tests.agents.stage import ROOT, assert_led_and_seeing, assert_saved_and_said, run
from tests.npm import NODE
from tests.services.model import Model

pytestmark = pytest.mark.agents
MODULES = ROOT / "tests" / "agents" / "node" / "node_modules"
WISH = "Draw a lighthouse keeper reading by lamplight, with sketch."
ALONE = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
"""Nothing answers there: what would be fetched from elsewhere is not."""


def test_claude_code_follows_the_next_step_and_its_model_sees_the_pictures(tmp_path: Path) -> None:
    quiet = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"}
    servers = json.dumps({"mcpServers": {"darkroom": {"command": "darkroom-mcp", "args": ["serve"]}}})
    words = ["--strict-mcp-config", "--mcp-config", servers, "--allowedTools", "mcp__darkroom"]
    program = MODULES / "@anthropic-ai" / "claude-code" / "cli-wrapper.cjs"
    with Model() as model:
        out = run([NODE, program, "-p", WISH, *words], tmp_path, **model.environ, **quiet, **ALONE)
    assert "Images that I saw: 1." in out
    assert_saved_and_said(tmp_path, out)
    assert_led_and_seeing(model)


def test_codex_follows_the_next_step_and_its_model_sees_the_pictures(tmp_path: Path) -> None:
    program = MODULES / "@openai" / "codex" / "bin" / "codex.js"
    with Model() as model:
        (tmp_path / ".codex").mkdir()
        (tmp_path / ".codex" / "config.toml").write_text(codex_config(model.environ["OPENAI_BASE_URL"]))
        words = ["exec", "--skip-git-repo-check", "--json", WISH]
        out = run([NODE, program, *words], tmp_path, **model.environ, **ALONE)
    assert "Images that I saw: 1." in out
    assert_saved_and_said(tmp_path, out)
    assert_led_and_seeing(model)


def codex_config(url: str) -> str:
    """As a user writes it. Without `required` it would begin before a slow server has started."""
    return f"""
model = "gpt-5"
model_provider = "stub"
check_for_update_on_startup = false

[model_providers.stub]
name = "stub"
base_url = "{url}"
env_key = "OPENAI_API_KEY"
wire_api = "responses"

[mcp_servers.darkroom]
command = "darkroom-mcp"
args = ["serve"]
required = true
startup_timeout_sec = 60
default_tools_approval_mode = "approve"
"""
