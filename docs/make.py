"""Writes the pages that are made from the product; `--check` only says which are old."""

import sys
from pathlib import Path

from docs import services, tools

FOLDER = Path(__file__).parent
NOTE = "<!-- Made by `python3 dev.py pages`: do not edit. -->\n\n"


def pages() -> dict[Path, str]:
    """The text of each, by its path."""
    made = {"services.md": services.page(), "tools.md": tools.page()}
    return {FOLDER / name: _noted(text) for name, text in made.items()}


def main(words: list[str]) -> int:
    """Writes what is old, or names it and returns 1."""
    old = {path: text for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text}
    for path, text in old.items():
        if "--check" in words:
            print(f"docs/{path.name} is old: run python3 dev.py pages", file=sys.stderr)
        else:
            path.write_text(text, "utf-8")
    return 1 if old and "--check" in words else 0


def _noted(text: str) -> str:
    title, _, rest = text.partition("\n\n")
    return f"{title}\n\n{NOTE}{rest.strip()}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
