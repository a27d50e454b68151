"""What a person reads at a terminal: characters that it has, lines that fit, and no word that is meant for agents."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from darkroom.cli.main import main
from darkroom.cli.terminal import columns_of, truncated, wrapped
from darkroom.cli.words import for_people
from tests.hosts import PATIENCE_S, Home, darkroom

AGENTS_WORDS = re.compile(r"get_status|list_models|list_generations|\bcall (wait|generate|cancel|again)\b")


def test_an_output_that_cannot_spell_a_character_fails_nothing(home: Home) -> None:
    prompt = "a fox 狐 🦊 ß ł"
    commands = (("cp1252", "generate", prompt), ("cp1252", "list"), ("ascii", "list", "--json"), ("ascii", "list"))
    for encoding, *words in commands:
        done = subprocess.run(
            [sys.executable, "-m", "darkroom", *words],
            env={**home.environ, "PYTHONIOENCODING": encoding},
            capture_output=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
        out = done.stdout.decode(encoding)
        if "--json" in words:
            assert json.loads(out)["generations"][0]["prompt"] == prompt
        else:
            assert "fox" in out


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ('Next: call wait with ["gen_a"].', "Next: run darkroom-mcp wait gen_a."),
        ('Call wait with ["gen_a", "gen_b"], then read it.', "Run darkroom-mcp wait gen_a gen_b, then read it."),
        ("Call get_status with gen_a to fetch it", "Run darkroom-mcp status gen_a to fetch it"),
        ("Call get_status later: Darkroom looks", "Run darkroom-mcp status later: Darkroom looks"),
        ("Call list_models: it tells", "Run darkroom-mcp models: it tells"),
        ("find it with list_generations.", "find it with darkroom-mcp list."),
        ("Correct seed and call again; nothing was sent.", "Correct seed and try again; nothing was sent."),
        ("it is called again and again", "it is called again and again"),
        ("Generate again if it is wanted", "Generate again if it is wanted"),
    ],
)
def test_what_agents_are_told_is_said_to_people_in_commands(said: str, meant: str) -> None:
    assert for_people(said) == meant


def test_no_sentence_of_the_house_keeps_an_agent_s_word_at_a_terminal() -> None:
    house = Path(main.__code__.co_filename).parents[1]
    rooms = ("providers", "generations", "store", "transport")
    texts = [file.read_text("utf-8") for room in rooms for file in (house / room).rglob("*.py")]
    sentences = [found for text in texts for found in re.findall(r'next_step=(?:f?"[^"]*"\s*)+', text)]
    assert len(sentences) > 20
    for sentence in sentences:
        assert not AGENTS_WORDS.search(for_people(sentence)), sentence


def test_the_terminal_is_told_of_commands_alone(home: Home) -> None:
    for words in (["status", "gen_nobody"], ["generate", "x", "--seed", "-5"]):
        done = darkroom(home, *words)
        assert done.status in {1, 2}
        assert not AGENTS_WORDS.search(done.out + done.err)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["generate", "a", "red", "fox"], 'darkroom-mcp generate "a red fox"'),
        (["generate", "a", "red", "fox", "--count", "2"], 'darkroom-mcp generate "a red fox"'),
        (["a", "red", "fox"], 'darkroom-mcp generate "a red fox"'),
        (["genrate", "a fox"], "Did you mean generate?"),
        (["Status", "x"], "Did you mean status?"),
        (["models", "--provider", "fathumb"], "Did you mean fatthumb?"),
        (["generate", "a fox", "--conut", "2"], "Did you mean --count?"),
        (["generate", "a fox", "--aspect_ratio=16:9"], "Did you mean --aspect-ratio?"),
        (["provider", "record", "my.toml", "--prompt", "a fox", "--yes"], "unrecognized arguments: --yes\n"),
        (["list", "--sttaus", "failed"], "Did you mean --status?"),
    ],
)
def test_words_that_cannot_be_read_get_a_hint(words: list[str], meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert meant in capsys.readouterr().err


def test_lines_are_measured_in_columns() -> None:
    wide = "狐" * 30
    plain = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    assert columns_of(wide) == 60
    assert columns_of("e\u0301") == 1
    assert columns_of(truncated(wide, 21, plain)) <= 21
    assert truncated("short", 21, plain) == "short"
    assert truncated("a long line", 8, io.TextIOWrapper(io.BytesIO(), encoding="ascii")) == "a lon..."
    assert wrapped("  one two three", 9) == ["  one two", "  three"]
    assert wrapped("see /a path/that has/blanks in it", 9) == ["see /a path/that has/blanks in it"]
