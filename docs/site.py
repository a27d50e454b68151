"""The site in .artifacts/site, built strictly: a warning is an error. With llms.txt, and each page as Markdown too."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent
ARTIFACTS = ROOT / ".artifacts"
PAGES, SITE, SETTINGS = (ARTIFACTS / name for name in ("pages", "site", "zensical.toml"))
FROM_ROOT = {"SECURITY.md": "security.md", "CHANGELOG.md": "changes.md"}
"""Pages of the site that lie in the repository's own folder, where people look for them."""


def main() -> int:
    """Builds it, and returns 1 where something is wrong."""
    assemble()
    shutil.rmtree(SITE, ignore_errors=True)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", str(SETTINGS)]
    if subprocess.run(command, check=False).returncode != 0:
        return 1
    missing = [name for name in pages() if not (PAGES / name).exists()]
    unlisted = {path.name for path in PAGES.glob("*.md")} - set(pages())
    for name in (*missing, *unlisted):
        print(f"{name}: the navigation in docs/zensical.toml and the pages differ", file=sys.stderr)
    dead = [
        link for path in PAGES.glob("*.md") for link in links(path.read_text("utf-8")) if not (PAGES / link).exists()
    ]
    for link in dead:
        print(f"{link}: a page leads there, and it is not in the site", file=sys.stderr)
    if missing or unlisted or dead:
        return 1
    for page in PAGES.glob("*.md"):
        shutil.copy(page, SITE)
    (SITE / "llms.txt").write_text(llms(), "utf-8")
    return 0


def assemble() -> None:
    """Puts the pages side by side, and their pictures; links between them lead to their places there."""
    shutil.rmtree(PAGES, ignore_errors=True)
    PAGES.mkdir(parents=True)
    for path in FOLDER.iterdir():
        if path.suffix in {".svg", ".gif", ".jpg", ".png", ".css"}:
            shutil.copy(path, PAGES)
        elif path.suffix == ".md":
            (PAGES / path.name).write_text(placed(path.read_text("utf-8")), "utf-8")
    for name, place in FROM_ROOT.items():
        (PAGES / place).write_text(placed((ROOT / name).read_text("utf-8")), "utf-8")
    shutil.copy(FOLDER / SETTINGS.name, SETTINGS)


def links(text: str) -> list[str]:
    """The places in the repository that a page leads to."""
    return re.findall(r"\]\((?!https?:|#)([^)#]+)", text)


def placed(text: str) -> str:
    """A page whose links lead to pages of the site, and are called as those are."""
    text = re.sub(r"\]\(docs/", "](", text)
    for name, place in FROM_ROOT.items():
        text = re.sub(rf"\]\((\.\./)?{re.escape(name)}", f"]({place}", text)
    titles = pages()
    return re.sub(r"\[[\w/-]+\.md\]\(([\w-]+\.md)", lambda to: f"[{titles.get(to[1], to[1])}]({to[1]}", text)


def pages() -> dict[str, str]:
    """The name of each page with its title, in the order of the navigation."""
    return dict(_entries(tomllib.loads((FOLDER / "zensical.toml").read_text("utf-8"))["project"]["nav"]))


def llms() -> str:
    """The pages for language models: each with its title and how it begins."""
    home, *others = [(name, *beginning((PAGES / name).read_text("utf-8"))) for name in pages()]
    lines = [f"- [{title}]({name}): {first}" for name, title, first in others]
    return "\n".join([f"# {home[1]}", "", f"> {home[2]}", "", "## Pages", "", *lines, ""])


def beginning(text: str) -> tuple[str, str]:
    """A page's title and its first sentence, without markup."""
    title, _, rest = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL).partition("\n")
    paragraphs = [" ".join(part.split()) for part in rest.split("\n\n")]
    first = next((part for part in paragraphs if re.match(r"[A-Z]|`[^`]", part)), "")
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", first)
    return title.removeprefix("# ").strip(), re.split(r"(?<=\.)\s", plain)[0]


def _entries(nav: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for entry in nav:
        for title, inside in entry.items():
            if isinstance(inside, str):
                yield inside, title
            else:
                yield from _entries(inside)


if __name__ == "__main__":
    sys.exit(main())
