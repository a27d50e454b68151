"""Pictures for the documents: what commands print on a terminal of 100 columns, and the history in the gallery.

    python3 dev.py bench screens

Runs `list`, `show`, `setup` and `doctor` on a terminal, over a ledger with generations of many kinds, and writes
docs/NAME.svg for each (docs/show.png: coloured blocks would make a large SVG), then docs/gallery.jpg, which both take
a Chromium. Only the times in the ledger and the names of folders are not as they came.
"""

import math
import os
import pty
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import PIL.Image
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text

from bench.common import ROOT
from dev import BROWSERS
from tests.hosts import Home, darkroom, running
from tests.services.fatthumb import FatThumb

COLUMNS = 100
FONT_FACES = re.compile(r"\s*@font-face \{.*?\n\s*\}", re.DOTALL)
"""Fonts that a reader would fetch from elsewhere; what stands in their place is the reader's own."""
SHOWN_AT = "/home/you"
AGES_S = (40, 200, 1500, 9000, 100_000, 400_000, 3_000_000)
MADE = (
    ("A lighthouse in a storm at night", "--provider", "sketch"),
    ("A green valley with a winding river, morning mist", "--provider", "sketch", "--count", "2"),
    ("狐が地図を読んでいる", "--provider", "sketch"),
    ("An island under a full moon", "--provider", "sketch", "--seed", "11", "--aspect-ratio", "16:9"),
)
HOSTS = {
    ".cursor/mcp.json": '{\n  // the team\'s\n  "mcpServers": {}\n}\n',
    ".codex/config.toml": 'model = "gpt-5"\n',
    ".config/Code/User/mcp.json": '{"servers": {}}\n',
}


def main() -> int:
    """Makes the generations, runs the commands, and writes the pictures."""
    with tempfile.TemporaryDirectory() as folder, FatThumb() as service:
        home = Home(Path(folder))
        _fill(home, service)
        shown = darkroom(home, "list", "--search", "island", "--json").json["generations"][0]["id"]
        for host, settings in HOSTS.items():
            (home.path / host).parent.mkdir(parents=True, exist_ok=True)
            (home.path / host).write_text(settings)
        commands = (("list",), ("show", shown[4:12]), ("setup", "--yes"), ("doctor",))
        script = str(Path(sys.executable).with_name("darkroom-mcp"))
        for words in commands:
            seen = _on_a_terminal(home, *words).replace(script, "~/.local/bin/darkroom-mcp")
            _write(words, seen.replace(folder, SHOWN_AT))
        _show_history(home)
    return 0


def _fill(home: Home, service: FatThumb) -> None:
    user = home.with_(service, FATTHUMB_LIMITS="submit=1000/1")
    for words in MADE:
        darkroom(home, "generate", *words)
    service.later_jobs(failing={0: "the prompt was refused by a safety review"})
    darkroom(user, "generate", "A crowd of celebrities on a red carpet")
    service.later_jobs(failing={}, duration=1000.0)
    darkroom(user, "generate", "Ten mistakes that beginners make with sourdough", "--count", "2", "--timeout", "1")
    waiting = home.with_(service, FATTHUMB_LIMITS="submit=1/1000")
    darkroom(waiting, "generate", "The history of the paper clip", "--timeout", "1")
    newest = darkroom(home, "list", "--json").json["generations"]
    darkroom(home, "cancel", newest[0]["id"])
    with closing(sqlite3.connect(home.ledger)) as db, db:
        for each, age in zip(newest, AGES_S, strict=True):
            sql = "UPDATE generations SET created_at = ?, finished_at = ? + finished_at - created_at WHERE id = ?"
            db.execute(sql, (time.time() - age, time.time() - age, each["id"]))


def _on_a_terminal(home: Home, *words: str) -> str:
    screen, inside = pty.openpty()
    environ = {**home.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": str(COLUMNS)}
    command = [sys.executable, "-m", "darkroom", *words]
    with subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=inside, stderr=inside):
        os.close(inside)
        seen = b""
        while piece := _read(screen):
            seen += piece
    os.close(screen)
    return seen.decode().replace("\r\n", "\n")


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 65_536)
    except OSError:  # Linux's way of saying that nobody has the terminal open any more
        return b""


def _write(words: tuple[str, ...], seen: str) -> None:
    command = " ".join(("darkroom-mcp", *words))
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere)
        console.print(Text(f"$ {command}", "bold"))
        console.print(Text.from_ansi(seen.rstrip()), soft_wrap=True)
        drawn = FONT_FACES.sub("", console.export_svg(title=command, unique_id=words[0]))
    drawn = "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"
    path = ROOT / "docs" / f"{words[0]}.svg"
    if "▀" in drawn:
        path = path.with_suffix(".png")
        _photograph(drawn, path)
    else:
        path.write_text(drawn, "utf-8")
    print(f"{path}: {path.stat().st_size:,} bytes")


def _show_history(home: Home) -> None:
    """The page that `darkroom-mcp gallery` serves, in a browser."""
    for words in (("A hen in the snow",), ("A sailing boat off a rocky coast", "--count", "2"), ("A night market",)):
        darkroom(home, "generate", *words, "--provider", "sketch")
    path, size = ROOT / "docs" / "gallery.jpg", {"width": 1100, "height": 780}
    with running(home, "gallery") as server, sync_playwright() as play:
        assert server.stdout is not None
        server.stdout.readline()
        found = next(found for name in BROWSERS if (found := shutil.which(name)))
        browser = play.chromium.launch(executable_path=found, chromium_sandbox=False)
        page = browser.new_page(viewport=size)  # pyright: ignore[reportArgumentType] - its own name of this type is private
        page.goto(server.stdout.readline().strip())
        view = page.frame_locator("iframe")
        view.get_by_placeholder("Words of the prompt").fill("a")
        view.get_by_role("button", name="Search").click()
        view.get_by_text("9 shown.").wait_for()
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(1000)  # the small versions fade in
        page.screenshot(path=path, type="jpeg", quality=82)
        browser.close()
    print(f"{path}: {path.stat().st_size:,} bytes")


def _photograph(drawn: str, path: Path) -> None:
    """Lets a browser draw it, at its own size."""
    browser = next(found for name in BROWSERS if (found := shutil.which(name)))
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)
    assert box is not None
    size = ",".join(str(math.ceil(float(side))) for side in box.groups())
    with tempfile.TemporaryDirectory() as folder:
        page, shot = Path(folder) / "page.svg", Path(folder) / "shot.png"
        page.write_text(drawn, "utf-8")
        options = ("--no-sandbox", "--hide-scrollbars", f"--window-size={size}", f"--screenshot={shot}")
        subprocess.run([browser, *options, page.as_uri()], check=True, capture_output=True, timeout=120)
        with PIL.Image.open(shot) as picture:
            picture.convert("RGB").quantize(256, PIL.Image.Quantize.FASTOCTREE).save(path, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
