"""`doctor` on the settings of hosts, which it only reads."""

import json
import sys

from tests.doctor.reports import SECRET, examined, failure, holds, warning
from tests.hosts import Home, darkroom

SETTINGS = {
    ".cursor/mcp.json": '{"mcpServers": {',
    ".config/Claude/claude_desktop_config.json": json.dumps(
        {
            "mcpServers": {
                "pictures": {
                    "command": "/nowhere/darkroom-mcp",
                    "env": {"FATTHUMB_API_KEY": "your-key-here", "BETTERWAIFU_API_KEY": "${MY_KEY}"},
                }
            }
        }
    ),
    ".codex/config.toml": f"""
        [mcp_servers.darkroom]
        command = "{sys.executable}"
        args = ["-m", "darkroom"]
        env = {{ BETTERWAIFU_API_KEY = "", FATTHUMB_API_KEY = "{SECRET}", DARKROOM_BUDGET = "a lot" }}
    """,
    ".config/Code/User/mcp.json": json.dumps(
        {
            "servers": {
                "darkroom": {
                    "command": sys.executable,
                    "args": ["-m", "darkroom"],
                    "env": {"FATTHUMB_API_KEY": "${input:key}", "BETTERWAIFU_API_KEY": SECRET},
                }
            }
        }
    ),
    ".config/zed/settings.json": "{}",
}


def test_what_is_wrong_in_the_settings_of_hosts_is_found(home: Home) -> None:
    for name, content in SETTINGS.items():
        (home.path / name).parent.mkdir(parents=True)
        (home.path / name).write_text(content)
    report = examined(home).json
    holds(
        report,
        failure("hosts", "Cursor: .*mcp.json cannot be used", "by hand, then restart Cursor"),
        failure("hosts", "Claude Desktop: the command that it names does not exist", "claude_desktop_config.json"),
        failure("hosts", "Claude Desktop: FATTHUMB_API_KEY counts as not set: .* an example", "restart Claude Desktop"),
        failure("hosts", "Claude Desktop: BETTERWAIFU_API_KEY counts as not set: a name in it", "restart Claude"),
        warning("hosts", "Codex: BETTERWAIFU_API_KEY is there and blank", "restart Codex"),
        failure("hosts", "Codex: DARKROOM_BUDGET cannot be read", "restart Codex"),
        warning("hosts", "Codex: it goes on without", "required = true below .mcp_servers.darkroom."),
    )
    of_hosts = [each for each in report["findings"] if each["section"] == "hosts"]
    assert [each["level"] for each in of_hosts if "VS Code" in each["message"]] == ["ok"]
    assert any(each["message"] == "Zed is here, without Darkroom." for each in of_hosts)
    assert {name: (home.path / name).read_text() for name in SETTINGS} == SETTINGS


def test_what_is_no_path_at_all_is_a_finding_like_any_other(home: Home) -> None:
    commands = {".cursor/mcp.json": f"/{'x' * 5000}/darkroom-mcp", ".gemini/settings.json": "/bin/sh\0/darkroom-mcp"}
    for name, command in commands.items():
        (home.path / name).parent.mkdir()
        (home.path / name).write_text(json.dumps({"mcpServers": {"darkroom": {"command": command}}}))
    report = examined(home, XDG_CONFIG_HOME=f"/{'y' * 5000}").json
    for host in ("Cursor", "Gemini CLI"):
        holds(report, failure("hosts", f"{host}: the command that it names does not exist", "whole path"))
    done = darkroom(home, "setup", "--host", "zed", XDG_CONFIG_HOME=f"/{'y' * 5000}")
    assert (done.status, "Traceback" in done.err) == (1, False)
    assert "cannot be read (File name too long)" in done.out
