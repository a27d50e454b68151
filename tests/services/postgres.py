"""A PostgreSQL of the tests' own, from the installed programs, in a temporary folder and on a free port."""

import os
import shutil
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import quote

import psycopg

MISSING = "PostgreSQL is not installed: install postgresql (apt-get install -y postgresql)"
# Durability is PostgreSQL's own promise, which no test here proves, and a disk that syncs is slow.
_QUICK = ("fsync=off", "full_page_writes=off", "max_connections=300", "shared_buffers=32MB", "log_checkpoints=off")


def program(name: str) -> str:
    """One of PostgreSQL's programs, of the newest version there is."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    found = shutil.which(name, path=os.pathsep.join([*map(str, folders), os.environ["PATH"]]))
    if found is None:
        raise RuntimeError(MISSING)
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """One server. The superuser may connect from this machine without a password."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self.folder = folder
        self.port = port or free_port()
        self._schemas = count(1)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def make(self) -> None:
        """Makes an empty one."""
        options = ["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]
        run("initdb", *options, "--pgdata", str(self.data))

    def copy(self, primary: "Cluster") -> None:
        """Makes a standby of that one, which runs, and without which that one then commits nothing."""
        run(
            "pg_basebackup", "--host=127.0.0.1", f"--port={primary.port}", "--username=postgres", "--no-sync",
            "--write-recovery-conf", "--checkpoint=fast", "--pgdata", str(self.data),
        )  # fmt: skip
        self.start()
        primary.say("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.say("SELECT pg_reload_conf()")

    def promote(self) -> None:
        """Makes a primary of a standby."""
        run("pg_ctl", "promote", "--wait", "--silent", "--pgdata", str(self.data))

    def start(self, *further: str) -> None:
        """Starts it, and returns when it takes connections."""
        settings = [
            *_QUICK,
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.folder}",
        ]
        options = " ".join(f"-c {setting}" for setting in (*settings, *further))
        log = str(self.folder / "log")
        run("pg_ctl", "start", "--wait", "--silent", "--pgdata", str(self.data), "--log", log, "--options", options)

    def stop(self, mode: str = "immediate") -> None:
        """Stops it if it runs: at once like a crash, or `fast`."""
        if not (self.data / "postmaster.pid").exists():
            return
        run("pg_ctl", "stop", "--wait", "--silent", "--pgdata", str(self.data), "--mode", mode)

    def fresh(self) -> str:
        """The URL of an empty schema in it."""
        name = f"s{next(self._schemas)}"
        self.say(f"CREATE SCHEMA {name}")
        return self.url(name)

    def say(self, words: str) -> list[Any]:
        """Runs a statement as its superuser; returns the rows."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            cursor = connection.execute(words.encode())
            return cursor.fetchall() if cursor.description else []

    def processes(self) -> list[int]:
        """The ids of the server's own process and of those that serve Darkroom."""
        serving = self.say("SELECT pid FROM pg_stat_activity WHERE application_name = 'darkroom'")
        return [int((self.data / "postmaster.pid").read_text().split()[0]), *(pid for (pid,) in serving)]

    def url(self, schema: str = "public", *, hosts: str = "") -> str:
        """Its URL, for a client that uses this schema."""
        options = quote(f"-csearch_path={schema}")
        return f"postgresql://postgres@{hosts or f'127.0.0.1:{self.port}'}/postgres?options={options}"


def run(name: str, *words: str) -> None:
    """Runs one of the programs to its end; as root, which PostgreSQL refuses, as another user."""
    drop: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(
        [program(name), *words], cwd="/", check=False, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **drop,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@contextmanager
def cluster_folder() -> Generator[Path]:
    """A folder of the user who runs PostgreSQL, with a name that is short enough for sockets."""
    folder = Path(mkdtemp(prefix="pg"))
    try:
        if os.geteuid() == 0:
            import pwd  # Windows has none, and runs no test that comes here

            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def cluster() -> Generator[Cluster]:
    """A server that runs until the block ends."""
    program("initdb")
    with cluster_folder() as folder:
        server = Cluster(folder)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def standby_of(primary: Cluster) -> Generator[Cluster]:
    """A synchronous standby of that one, without which that one then commits nothing."""
    with cluster_folder() as folder:
        standby = Cluster(folder)
        standby.copy(primary)
        try:
            yield standby
        finally:
            standby.stop()
