"""The command line on a real terminal, and without one."""

import codecs
import io
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from darkroom.cli.live import Live
from tests.hosts import PATIENCE_S, Home, RawServer, eventually, running
from tests.services.fatthumb import FatThumb

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a terminal is a pty here")


@dataclass
class Terminal:
    """A command whose stdin, stdout and stderr are one terminal."""

    process: subprocess.Popen[bytes]
    screen: int
    seen: str = field(default="")
    decoder: codecs.IncrementalDecoder = field(default_factory=codecs.getincrementaldecoder("utf-8"))

    def until(self, pattern: str) -> str:
        """Reads until the pattern was shown, or to the end where it is never."""
        deadline = time.monotonic() + PATIENCE_S
        while not re.search(pattern, self.seen):
            readable, _, _ = select.select([self.screen], [], [], max(deadline - time.monotonic(), 0))
            assert readable, f"not shown within {PATIENCE_S} s: {pattern}\n{self.seen}"
            try:
                shown = os.read(self.screen, 65536)
            except OSError:  # Linux's way of saying that nobody has the terminal open any more
                shown = b""
            if not shown:
                break
            self.seen += self.decoder.decode(shown)
        return self.seen

    def type(self, text: str) -> None:
        """Types this there."""
        os.write(self.screen, text.encode())

    def end(self) -> tuple[int, str]:
        """Its exit status and everything it showed."""
        seen = self.until(r"\Z(?!)")
        return self.process.wait(PATIENCE_S), seen


@contextmanager
def on_a_terminal(
    home: Home, *words: str, python: Sequence[str] = ("-m", "darkroom"), **environment: str
) -> Generator[Terminal]:
    """Starts the command there, and kills it at the end if it still runs."""
    import pty  # Windows has none, and runs no test that comes here

    screen, inside = pty.openpty()
    environ = {**home.environ, "TERM": "xterm", "COLUMNS": "80", **environment}
    with subprocess.Popen(
        [sys.executable, *python, *words],
        env=environ, stdin=inside, stdout=inside, stderr=inside,
    ) as process:  # fmt: skip
        os.close(inside)
        try:
            yield Terminal(process, screen)
        finally:
            process.kill()
            os.close(screen)


def test_without_arguments_on_a_terminal_it_prints_its_help(home: Home) -> None:
    with on_a_terminal(home) as terminal:
        status, seen = terminal.end()
    assert status == 0
    assert "usage: darkroom-mcp" in seen
    for command in ("serve", "generate", "status", "cancel", "wait", "list", "models"):
        assert f"    {command} " in seen
    assert not home.ledger.exists()


@pytest.mark.parametrize("words", [(), ("serve",)])
def test_without_a_terminal_it_serves(home: Home, words: tuple[str, ...]) -> None:
    with running(home, *words) as process:
        server = RawServer(process)
        server.initialize()
        assert len(server.request("tools/list", {})["result"]["tools"]) == 6
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, err) == (0, "", "")


def test_progress_is_one_line_rewritten_in_place(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(duration=1000.0)
    with on_a_terminal(home.with_(fatthumb), "generate", "A fox", COLUMNS="48") as terminal:
        terminal.until("FatThumb is working on it")
        fatthumb.advance(1000)
        status, seen = terminal.end()
    assert status == 0
    first, progress = seen.split("\n", 1)
    assert re.fullmatch(r"gen_\w{26} (queued|processing)\r", first)
    *states, rest = re.split(r"\r\x1b\[K", progress)
    assert len(states) >= 2
    # Each state is written over the one before; the last one stays, and then the path on a line of its own.
    assert not any("\n" in state or len(state) >= 48 for state in states)
    assert any(state.endswith("…") for state in states), "one is too long for this terminal"
    last, *paths = rest.split("\r\n")
    assert last == "1 picture saved."
    assert [path for path in paths if path] == [str(path) for path in home.saved()]


def test_a_terminal_that_obeys_no_escape_codes_is_sent_none_and_lines_fit(home: Home) -> None:
    with on_a_terminal(home, "generate", "A fox", TERM="dumb", COLUMNS="50") as terminal:
        status, seen = terminal.end()
    assert status == 0
    assert "\x1b" not in seen
    assert "\r" not in seen.replace("\r\n", "")
    lines = [line for line in seen.split("\r\n") if not line.startswith("/")]
    assert any("picture saved" in line for line in lines)
    assert max(map(len, lines)) <= 50


def test_progress_fits_where_there_is_hardly_room_and_is_erased_where_the_terminal_became_narrow() -> None:
    class Screen(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    screen, now = Screen(), 0.0
    with pytest.MonkeyPatch.context() as patch, Live(screen, in_place=True) as live:
        for width, line in (("20", "狐が地図を読んでいる間に終わる"), ("8", "FatThumb"), ("1", "x" * 30)):
            patch.setenv("COLUMNS", width)
            live.show(line)
    wide, narrow, least, last = re.split(r"(?:\x1b\[A)*\r\x1b\[K(?:\x1b\[J)?", screen.getvalue())[1:]
    assert (wide, narrow, least) == ("狐が地図を読んでい…", "FatThu…", "…")
    assert last == f"{'x' * 30}\n"
    assert "\x1b[A\x1b[A\r\x1b[K\x1b[J" + narrow in screen.getvalue(), "it had taken three lines of the narrow one"
    plain = io.StringIO()
    with Live(plain, in_place=True, clock=lambda: now) as live:
        for now in (0, 4, 8, 25, 29):
            live.show(f"working on it, {now} s so far")
        live.show("done")
        live.show("done, 1 saved")
    assert re.findall(r"\d+ s|done.*", plain.getvalue()) == ["0 s", "25 s", "done", "done, 1 saved"]


def catches(process: subprocess.Popen[bytes], number: signal.Signals) -> bool:
    """Whether the process has a handler for this signal by now."""
    caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{process.pid}/status").read_text())
    return caught is not None and bool(int(caught[1], 16) >> (number - 1) & 1)


@pytest.mark.skipif(sys.platform != "linux", reason="only there can one see who handles a signal")
def test_a_prompt_is_typed_and_ctrl_c_ends_the_typing(home: Home) -> None:
    with on_a_terminal(home, "generate", "-") as terminal:
        terminal.type("A fox\n\x04")
        assert terminal.end()[0] == 0
    with on_a_terminal(home, "generate", "-") as terminal:
        terminal.type("A hen\n")
        eventually(lambda: catches(terminal.process, signal.SIGTERM))
        terminal.process.send_signal(signal.SIGINT)
        status, seen = terminal.end()
    assert status == 3
    assert "Traceback" not in seen
    assert len(home.saved()) == 1


def test_ctrl_c_leaves_the_generation_running_and_says_how_to_go_on(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(duration=1000.0)
    user = home.with_(fatthumb)
    with on_a_terminal(user, "generate", "A fox") as terminal:
        terminal.until("FatThumb is working on it")
        terminal.process.send_signal(signal.SIGINT)
        status, seen = terminal.end()
    assert status == 3
    assert "Traceback" not in seen
    told = re.search(r"darkroom-mcp wait (gen_\w+)", seen)
    assert told is not None
    fatthumb.advance(1000)
    with on_a_terminal(user, "wait", told[1]) as terminal:
        status, seen = terminal.end()
    assert status == 0
    assert str(home.saved()[0]) in seen
    assert len(fatthumb.posts) == 1
