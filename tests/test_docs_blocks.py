"""Commands, configurations and error texts in the documents are those of the product."""

import ast
import json
import re
import shlex
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import dev
from darkroom import errors
from darkroom.cli.parsing import parsed
from darkroom.models import Stage
from darkroom.providers.declared import DECLARED
from darkroom.providers.language.loading import parse
from darkroom.providers.offered import OFFERED
from darkroom.tenants import Tenants
from docs import make, site
from tests.hosts import Home, darkroom

ROOT = Path(__file__).parent.parent
PAGES = {path.name: path.read_text("utf-8") for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))}
CODES = {
    name: each.code
    for name, each in vars(errors).items()
    if isinstance(each, type) and issubclass(each, errors.DarkroomError)
}
OTHERS = {"claude", "codex", "gemini", "pip", "uv", "npm", "node", "sudo", "python3", "export", "curl"}
"""Programs of others, whose words are their own; what stands behind `--` is ours."""
OF_A_STATUS = "… returned …"
"""The text of an error for an HTTP status, whatever its code."""
PARSED_ELSEWHERE = {"python", "text"}
"""Kinds of blocks that other tests run (test_conformance.py), or that nobody types."""


def blocks(*kinds: str) -> Iterator[tuple[str, str]]:
    """Each block of these kinds, with its page."""
    for page, text in PAGES.items():
        for indent, kind, block in re.findall(r"^( *)```(\w*)\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE):
            if kind in kinds:
                yield page, textwrap.dedent(indent + block.removeprefix(indent))


def lines() -> Iterator[tuple[str, str]]:
    """Each command line of the documents, with its page."""
    for page, block in blocks("sh"):
        yield from ((page, line) for line in block.splitlines() if line.strip())
    for page, block in blocks("console"):
        yield from ((page, line) for line in re.findall(r"^\$ (.+)", block, re.MULTILINE))


def ours(line: str) -> list[str] | None:
    """The words behind `darkroom-mcp` in a command line; None: it starts something else."""
    words = shlex.split(re.sub(r".*\| | &$", "", line), comments=True)
    words = words[words.index("--") + 1 :] if words[0] in OTHERS and "--" in words else words
    words = words[1:] if words[:1] == ["uvx"] else words
    return words[1:] if words[0] == "darkroom-mcp" else None


@cache
def templates() -> Mapping[str, set[str]]:
    """Each text in the product's code, with `…` for what is filled in, and the codes of errors made with it."""
    found: dict[str, set[str]] = {}
    for file in (ROOT / "server").rglob("*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text("utf-8"))))
        docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            if id(node) not in docstrings and (text := text_of(node)):
                found.setdefault(text, set())
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CODES:
                for part in filter(None, map(text_of, ast.walk(node))):
                    found.setdefault(part, set()).add(CODES[node.func.id])
    return found


def text_of(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or "…" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_every_command_line_in_the_documents_can_be_read_by_the_program_that_it_starts() -> None:
    commands = 0
    for page, line in lines():
        words = ours(line)
        if words is not None:
            commands += 1
            assert parsed(words) is not None, f"{page}: {line}"
        else:
            assert can_be_meant(shlex.split(line, comments=True)), f"{page}: {line}"
    assert commands > 20


def can_be_meant(words: list[str]) -> bool:
    """True for a program of others, for a command of dev.py that there is, and for JSON that is given a name."""
    if re.match(r"[a-z]+=", words[0]):
        return bool(json.loads(words[0].partition("=")[2]))
    if words[1:2] == ["dev.py"]:
        return f"python3 dev.py {words[2]}" in (dev.__doc__ or "")
    return words[0] in OTHERS


def test_every_command_in_a_sentence_is_one_that_there_is() -> None:
    named = {
        (page, words)
        for page, text in PAGES.items()
        for words in re.findall(r"`darkroom-mcp ([a-z][^`]*)`", text)
        if page != "CHANGELOG.md"  # which tells of what was
    }
    for page, words in named:
        with pytest.raises(SystemExit) as left:
            parsed([*(word for word in words.split() if re.fullmatch("[a-z]+", word)), "--help"])
        assert left.value.code == 0, f"{page}: {words}"
    assert len(named) > 10


def test_every_configuration_in_the_documents_starts_darkroom_with_variables_that_it_knows() -> None:
    found = [json.loads(block) for _, block in blocks("json")]
    found += [tomllib.loads(block) for page, block in blocks("toml") if page == "install.md"]
    started = [entry for each in found for entry in entries(each)]
    assert len(started) > 2
    known = {name for declared in DECLARED.values() for name in declared.key_variables} | set(OFFERED.values())
    for entry in started:
        assert set(entry) <= {"type", "command", "args", "env", "required", "startup_timeout_sec", "tool_timeout_sec"}
        assert set(entry.get("env", {})) <= known
        line = [entry["command"], *entry["args"]]
        assert line[0] == "python3" or parsed(ours(shlex.join(line)) or []) is not None


def entries(configuration: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for place in ("mcpServers", "servers", "mcp_servers"):
        yield from configuration.get(place, {}).values()


def test_every_other_toml_in_the_documents_is_read_by_its_own_reader(tmp_path: Path) -> None:
    for page, block in blocks("toml"):
        if page == "hosting.md":
            file = tmp_path / "tenants.toml"
            (tmp_path / "ann.env").write_text("")
            (tmp_path / "ann.env").chmod(0o600)
            file.write_text(block.replace("2f0d…", "0" * 64), "utf-8")
            file.chmod(0o600)
            assert [tenant.name for tenant in Tenants.read(file).all] == ["ann"]
        elif block.startswith("language"):
            assert parse(block.encode()).name == "my-service"
        else:
            assert tomllib.loads(block)


def test_every_block_is_of_a_kind_that_a_test_reads() -> None:
    kinds = {kind for text in PAGES.values() for kind in re.findall(r"^ *```(\w+)$", text, re.MULTILINE)}
    assert kinds <= {"sh", "console", "json", "toml"} | PARSED_ELSEWHERE


def test_every_variable_in_the_documents_is_one_that_the_product_reads() -> None:
    product = "".join(templates())
    variables = {name for text in PAGES.values() for name in re.findall(r"\bDARKROOM_[A-Z_]+[A-Z]\b", text)}
    of_services = re.compile(r"DARKROOM_\w+_(KEY|BASE_URL|LIMITS|WORKFLOWS)|DARKROOM_TESTS_START")
    assert [name for name in variables if name not in product and not of_services.fullmatch(name)] == []


def test_troubleshooting_has_every_error_code_with_texts_that_the_product_says() -> None:
    sections = re.split(r"^## (.+)\n", PAGES["troubleshooting.md"], flags=re.MULTILINE)[1:]
    texts = dict(zip(sections[::2], sections[1::2], strict=True))
    assert set(texts) == set(CODES.values())
    for code, section in texts.items():
        quoted = re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)
        assert quoted, code
        assert [text for text in quoted if not said_with(code, text)] == []


def said_with(code: str, text: str) -> bool:
    """True where the product has the text, and makes such an error with it as far as that stands in one place."""
    found = [codes for template, codes in templates().items() if text in template]
    return bool(found) and (code in set[str]().union(*found) or not all(found) or text == OF_A_STATUS)


def test_the_drawing_and_the_page_of_a_generations_life_have_every_stage() -> None:
    drawing = (ROOT / "docs" / "life.svg").read_text("utf-8")
    assert [
        stage for stage in Stage if f">{stage}</text>" not in drawing or f"| `{stage}` |" not in PAGES["life.md"]
    ] == []


def test_the_pages_that_are_made_from_the_product_are_not_old() -> None:
    assert [path.name for path, text in make.pages().items() if PAGES[path.name] != text] == []


def test_every_page_is_in_the_navigation_of_the_site_once() -> None:
    pages = [*(path.name for path in (ROOT / "docs").glob("*.md")), *site.FROM_ROOT.values()]
    assert sorted(site.pages()) == sorted(pages)


def test_the_commands_of_the_first_page_and_of_the_terminal_do_what_they_say(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (line, *_) = [line for page, line in lines() if page == "index.md"]
    made = darkroom(home, *(ours(line) or []), "--json")
    assert made.status == 0
    folder = tmp_path / "copies"
    filled = {"ID": made.json["id"], "FOLDER": str(folder)}
    of_terminal = [words for page, each in lines() if page == "terminal.md" and (words := ours(each))]
    for command in ("again", "list", "show", "export", "cost"):
        words = next(words for words in of_terminal if words[0] == command)
        done = darkroom(home, *(filled.get(word, word) for word in words))
        assert done.status == 0, f"{words}: {done.err}"
    assert list(folder.iterdir())
