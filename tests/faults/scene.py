"""One user, one provider, and every process that the user starts, with everything that any of them prints."""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.faults.ledgers import InFile, InPostgres, Outside
from tests.hosts import PATIENCE_S, Home, RawServer, eventually
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb

UNHURRIED = "submit=1000/1"
"""Limits of our own that are in nobody's way."""
LIMITED = (
    "import os, resource, sys; most = int(sys.argv[1]); resource.setrlimit(resource.RLIMIT_FSIZE, (most, most));"
    " os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
)
"""Starts what follows with a disk on which no file may grow beyond so many bytes."""
NO_PAGE = 4096
"""A disk on which the ledger's file, as it is, can be read, but not one page of it written."""


@dataclass(frozen=True)
class Outcome:
    """What the user was told: a generation, or only a text where none was begun. `exit_status` of a command."""

    text: str
    generation: dict[str, Any] | None = None
    exit_status: int | None = None


class Server(RawServer):
    """A server that remembers what it said."""

    def __init__(self, process: subprocess.Popen[str], err: list[str]) -> None:
        super().__init__(process)
        self.heard: list[str] = []
        self.err = err

    def read(self) -> dict[str, Any]:
        message = super().read()
        self.heard.append(json.dumps(message))
        return message

    def ask(self, tool: str, **arguments: Any) -> Outcome:
        """What a tool answers."""
        result = self.call(tool, **arguments)
        text = "\n".join(block["text"] for block in result["content"] if block["type"] == "text")
        if result.get("isError"):
            return Outcome(text)
        return Outcome(text, _first(result["structuredContent"]))


class Command:
    """A command under way."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        assert process.stderr is not None
        self.out: list[str] = []
        self.err: list[str] = []
        self._taps = [_tap(process.stdout, self.out), _tap(process.stderr, self.err)]

    def says(self, words: str) -> bool:
        """Whether the words are on its stderr."""
        return words in "".join(self.err)

    def until_it_says(self, words: str) -> None:
        """Waits for the words."""
        eventually(lambda: self.says(words))

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    def outcome(self) -> Outcome:
        """What it came to, once it has ended."""
        status = self.join()
        out, text = "".join(self.out), "".join(self.err)
        if not out.strip():
            return Outcome(text, exit_status=status)
        answer: dict[str, Any] = json.loads(out)
        return Outcome(text, _first(answer), status)

    def join(self) -> int:
        """Its exit status, when all that it printed has been read."""
        status = self.process.wait(PATIENCE_S)
        for tap in self._taps:
            tap.join(PATIENCE_S)
        return status


class Scene:
    """Where a fault happens."""

    def __init__(self, path: Path, service: FatThumb | BetterWaifu, *, prompt: str, count: int) -> None:
        self.path = path
        self.service = service
        self.prompt = f"{prompt} {secrets.token_hex(4)}"
        self.count = count
        name = type(service).__name__.upper()
        self.variable = f"{name}_BASE_URL"
        self.extra = {
            "DARKROOM_LOG": "debug",
            f"{name}_API_KEY": service.key,
            f"{name}_LIMITS": UNHURRIED,
            self.variable: service.url,
        }
        self.database_url: str | None = None
        """The PostgreSQL under the ledger, as its superuser reaches it, whatever this user's processes are told."""
        self.file_limit: int | None = None
        self.kept: dict[Path, bytes] = {}
        """Files as the test made them: nobody may change a byte."""
        self.printed: list[str] = []
        self.statuses: list[str] = []
        """The statuses that one generation was seen in, by looking at it again and again."""

    @property
    def home(self) -> Home:
        """The user's folders and environment."""
        return Home(self.path, self.extra)

    def keep(self, path: Path, content: bytes) -> None:
        """Puts a file there, which nobody may touch."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.kept[path] = content

    # The user's processes

    def generate(self, prompt: str | None = None) -> Command:
        """Starts `generate`."""
        words = ["generate", prompt or self.prompt, "--count", str(self.count), "--json"]
        return self.begin(*words, "--timeout", str(int(PATIENCE_S)))

    def run(self, *words: str) -> Outcome:
        """Runs a command to its end."""
        return self.begin(*words).outcome()

    def waited(self) -> Outcome:
        """What `wait` says of the newest generation."""
        newest = self.run("list", "--json", "--limit", "1").generation
        assert newest is not None
        return self.run("wait", newest["id"], "--json", "--timeout", str(int(PATIENCE_S)))

    def begin(self, *words: str) -> Command:
        """Starts a command."""
        command = Command(self._start(*words))
        assert command.process.stdin is not None
        command.process.stdin.close()
        self._commands.append(command)
        return command

    @contextmanager
    def server(self) -> Generator[Server]:
        """A server of this user, ready for calls; killed at the end."""
        process = self._start("serve")
        assert process.stdout is not None
        assert process.stderr is not None
        err: list[str] = []
        tap = _tap(process.stderr, err)
        server = Server(process, err)
        try:
            server.initialize()
            yield server
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE_S)
            tap.join(PATIENCE_S)
            self.printed += [*server.heard, process.stdout.read(), *err]

    def _start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "darkroom", *words]
        environ = self.home.environ
        if self.file_limit is not None:
            command = [sys.executable, "-c", LIMITED, str(self.file_limit), *command[1:]]
            # Coverage's own file would not fit either.
            environ = {name: value for name, value in environ.items() if not name.startswith("COVERAGE_")}
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, env=environ, stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1)
        self._processes.append(process)
        return process

    # The user's ledger, seen and troubled from outside

    @property
    def database(self) -> InPostgres:
        """The ledger's PostgreSQL."""
        assert self.database_url
        return InPostgres(self.database_url)

    @property
    def ledger(self) -> Outside:
        """The ledger, wherever it is."""
        return self.database if self.database_url else InFile(self.home)

    def edit(self, statement: str) -> int:
        """Writes into the ledger; answers the number of rows."""
        return self.ledger.edit(statement)

    def look(self, sql: str) -> list[tuple[Any, ...]]:
        """Reads the ledger."""
        url = {"DARKROOM_DATABASE_URL": self.database_url} if self.database_url else {}
        return Home(self.path, url).select(sql)

    def fill_disk(self) -> None:
        """No process of this user can write to the ledger any more."""
        if self.database_url:
            self.database.fill()
            return
        self.file_limit = NO_PAGE
        self._limit_files(NO_PAGE)

    def make_room(self) -> None:
        """They all can again."""
        if self.database_url:
            self.database.make_room()
            return
        self.file_limit = None
        self._limit_files(None)

    def _limit_files(self, most: int | None) -> None:
        from resource import RLIMIT_FSIZE, prlimit  # Windows has none

        for process in self._processes:
            if process.poll() is None:
                _, hard = prlimit(process.pid, RLIMIT_FSIZE)
                prlimit(process.pid, RLIMIT_FSIZE, (hard if most is None else most, hard))

    def files_with_the_key(self) -> list[Path]:
        """The files whose name or content holds the key, a journal beside the ledger included."""
        key = self.service.key
        found: list[Path] = []
        for path in everything_under(self.path):
            with suppress(FileNotFoundError):  # a journal goes when its transaction is over
                if key in str(path) or (path.is_file() and key.encode() in path.read_bytes()):
                    found.append(path)
        assert not self.ledger.holds(key)
        return found

    # Coming and going

    def __enter__(self) -> "Scene":
        self._processes: list[subprocess.Popen[str]] = []
        self._commands: list[Command] = []
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE_S)
        for command in self._commands:
            command.join()
        for process in self._processes:
            with process:
                """Closes its pipes."""

    def everything_printed(self) -> str:
        """All that any process of this user has written to stdout or stderr so far."""
        commands = ["".join([*command.out, *command.err]) for command in self._commands]
        return "".join([*self.printed, *commands])


def _first(answer: dict[str, Any]) -> dict[str, Any] | None:
    """The generation that was answered, the first where it may be many."""
    return next(iter(answer["generations"]), None) if "generations" in answer else answer


def _tap(stream: IO[str], into: list[str]) -> threading.Thread:
    def drain() -> None:
        into.extend(iter(stream.readline, ""))

    thread = threading.Thread(target=drain, daemon=True)
    thread.start()
    return thread


def everything_under(path: Path) -> Generator[Path]:
    """Every name below the folder; links are not followed."""
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            yield Path(folder) / name
