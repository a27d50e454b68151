"""What the documents say of this repository is so."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from darkroom import __version__
from darkroom.store.migrations import MIGRATIONS

ROOT = Path(__file__).parent.parent
PROMISES = (ROOT / "docs" / "promises.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`((?:tests/|bench/|test_)[\w/]*(?:\.py)?)`", PROMISES)))
MOST_WORDS = 1_200


def test_every_promise_names_what_holds_it() -> None:
    rows = [row.strip("| ").split(" | ") for row in PROMISES.partition("## Figures")[0].splitlines() if row[:2] == "| "]
    promises = [row for row in rows if row[0] not in {"promise"}]
    assert len(promises) > 40
    assert [promise for promise, held in promises if "`" not in held] == []


@pytest.mark.parametrize("name", NAMED)
def test_every_file_that_holds_a_promise_exists(name: str) -> None:
    assert (ROOT / name).exists() or (ROOT / "tests" / "attacks" / name).is_file()


def test_every_link_between_the_documents_leads_somewhere() -> None:
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        for target, heading in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", page.read_text("utf-8")):
            file = page.parent / target if target else page
            assert file.exists(), f"{page.name}: {target}"
            assert not heading or heading in headings(file), f"{page.name}: {target}#{heading}"


def headings(page: Path) -> set[str]:
    """The names by which links lead to a page's headings."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in found}


@cache
def docstrings() -> tuple[tuple[Path, int, str], ...]:
    """Each docstring, found once."""
    return tuple(_docstrings())


def _docstrings() -> Iterator[tuple[Path, int, str]]:
    """Each text that stands by itself in a module: docstrings, and those below constants and fields."""
    for file in [*(ROOT / "server").rglob("*.py"), *(ROOT / "bench").glob("*.py"), ROOT / "dev.py"]:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                yield file, node.lineno, node.value.value


def test_a_docstring_begins_with_the_thing_and_not_with_a_question() -> None:
    asks = re.compile(r"(What|Whether|How|Who|Whom|Whose|Where|When|Which|Why|Whoever|Whatever|That)\b")
    assert [f"{file.name}:{line}: {text[:60]}" for file, line, text in docstrings() if asks.match(text)] == []


def test_no_text_has_a_phrase_that_no_native_writes() -> None:
    phrases = re.compile(r"\b(for ever|if need be|all the same(?! time)|whoever)\b", re.IGNORECASE)
    pages = [(page, 0, page.read_text("utf-8")) for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))]
    assert [(str(file), line) for file, line, text in (*pages, *docstrings()) if phrases.search(text)] == []


def test_the_readme_is_read_in_a_minute_or_two() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").split()) < MOST_WORDS


def test_each_step_of_the_schema_is_named_in_the_changes_and_the_newest_version_is_ours() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert [name for name, _ in MIGRATIONS if f"`{name}`" not in changes] == []
    assert re.findall(r"^## (.+)$", changes, re.MULTILINE)[0] == __version__
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_the_map_of_rooms_is_what_the_modules_say_of_themselves() -> None:
    """CONTRIBUTING.md is not written to: it is only compared."""
    code = "import dev, sys; sys.exit(dev.contributing() != dev.GUIDE.read_text('utf-8'))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
