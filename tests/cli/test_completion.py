"""`darkroom-mcp completion`, in the shells themselves."""

import shutil
import subprocess
from collections.abc import Mapping

import pytest

from tests.hosts import PATIENCE_S, Home, darkroom

ASKED: Mapping[str, tuple[tuple[str, ...], list[str]]] = {
    "a command": (("pro",), ["provider"]),
    "a command below another": (("provider", "ad"), ["add"]),
    "an option": (("list", "--sea"), ["--search"]),
    "an option behind another with its value": (("list", "--search", "show", "--sta"), ["--status"]),
    "a value": (("list", "--status", "f"), ["failed"]),
    "all values": (("cost", "--by", ""), ["day", "model", "service"]),
    "a host": (("setup", "--yes", "--host", "cur"), ["cursor"]),
    "a word of a prompt that is a command": (("generate", "list", "--stat"), []),
    "a value that may be anything": (("generate", "--image", "no-such-f"), []),
}
"""Words, the last of them being typed, and what it may become."""
ASK = {
    "bash": """eval "$1"; shift; COMP_WORDS=(darkroom-mcp "$@"); COMP_CWORD=$#; _darkroom_mcp
        printf '%s\\n' "${COMPREPLY[@]}" """,
    "fish": """echo $argv[1] | source
        complete -C (string join -- ' ' darkroom-mcp $argv[2..]) | string split -f 1 \\t""",
}
SHELLS = ("bash", "fish", "zsh")


def answered(shell: str, script: str, *words: str) -> str:
    """Runs this there, with these words behind the script of Darkroom's completion; it must not complain."""
    start = {"bash": ["--norc", "-c"], "fish": ["--no-config", "-c"], "zsh": ["-f", "-c"]}[shell]
    name = [] if shell == "fish" else [shell]
    done = subprocess.run(
        [shell, *start, script, *name, *words], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("shell", [shell for shell in SHELLS if shutil.which(shell)])
def test_a_shell_completes_commands_options_and_their_values(home: Home, shell: str) -> None:
    script = darkroom(home, "completion", shell).out
    if shell == "zsh":  # what it offers it gives to its line editor alone, by the function that bash runs too
        assert "_darkroom_mcp" in answered(shell, 'eval "$1"; print ${_comps[darkroom-mcp]}', script)
        return
    for words, found in ASKED.values():
        assert sorted(answered(shell, ASK[shell], script, *words).split()) == found, words
    assert not home.ledger.exists()


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is what completes")
def test_bash_completes_behind_an_equals_sign_which_it_takes_for_a_word(home: Home) -> None:
    script = darkroom(home, "completion", "bash").out
    for words in (("list", "--status", "="), ("list", "--status", "=", "fai")):
        assert "failed" in answered("bash", ASK["bash"], script, *words).split()
    assert darkroom(home, "completion", "fish").status == darkroom(home, "completion", "zsh").status == 0
