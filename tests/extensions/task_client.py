"""A client of 2026-07-28 that declares the Tasks extension, in bare JSON-RPC lines."""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from darkroom.extensions.task import OVER
from darkroom.extensions.tasks import IDENTIFIER
from tests.hosts import PATIENCE_S, Home, RawServer, eventually, running

DECLARED: dict[str, Any] = {"extensions": {IDENTIFIER: {}}}


def meta(capabilities: dict[str, Any]) -> dict[str, Any]:
    """What each request of this client carries."""
    prefix = "io.modelcontextprotocol/"
    info = {"name": "tasks", "version": "0"}
    return {
        f"{prefix}protocolVersion": "2026-07-28",
        f"{prefix}clientInfo": info,
        f"{prefix}clientCapabilities": capabilities,
    }


class TaskClient:
    """Speaks to one server process."""

    def __init__(self, server: RawServer, capabilities: dict[str, Any]) -> None:
        self.server = server
        self._meta = meta(capabilities)

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The whole answer to a request."""
        return self.server.request(method, {**params, "_meta": self._meta})

    def send(self, method: str, **params: Any) -> int:
        """Sends a request without waiting; answers its id."""
        return self.server.send(method, {**params, "_meta": self._meta})

    def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """The result of a tool call, task or not."""
        return self.ask("tools/call", name=tool, arguments=arguments)["result"]

    def task(self, tool: str, /, **arguments: Any) -> str:
        """The id of the task that a call must become."""
        answer = self.call(tool, **arguments)
        assert answer["resultType"] == "task", answer
        return answer["taskId"]

    def get(self, task_id: str) -> dict[str, Any]:
        """The task as it is now."""
        return self.ask("tasks/get", taskId=task_id)["result"]

    def ended(self, task_id: str) -> dict[str, Any]:
        """The task, once it is over."""
        eventually(lambda: self.get(task_id)["status"] in OVER)
        return self.get(task_id)

    def result(self, task_id: str) -> dict[str, Any]:
        """The structured result of a task that must be completed by a tool that succeeded."""
        task = self.ended(task_id)
        assert task["status"] == "completed", task
        assert "isError" not in task["result"] or task["result"]["isError"] is False, task
        return task["result"]["structuredContent"]


@contextmanager
def tasks_of(
    home: Home,
    capabilities: dict[str, Any] = DECLARED,
    *,
    killed: bool = False,
    python: Sequence[str] = ("-m", "darkroom"),
) -> Generator[TaskClient]:
    """A server process of this user and such a client. `killed`: it ends by SIGKILL, else when its stdin does."""
    with running(home, "serve", python=python) as process:
        yield TaskClient(RawServer(process), capabilities)
        if not killed:
            process.communicate(timeout=PATIENCE_S)


def altered(home: Home, sql: str) -> None:
    """Changes the ledger under the server's feet."""
    with closing(sqlite3.connect(home.ledger, timeout=PATIENCE_S, isolation_level=None)) as db:
        db.execute(sql)
