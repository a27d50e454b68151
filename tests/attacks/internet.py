"""A network of a test's own, at the operating system's edge: names resolve as it says, public addresses lead to it.

`python -m tests.attacks.internet …` is Darkroom on such a network. Nothing ever leaves the machine.
"""

import json
import os
import runpy
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VARIABLE = "TESTS_INTERNET"
PUBLIC = "93.184.216.34"
"""Where the pictures of these tests lie, unless it is said otherwise."""

_getaddrinfo = socket.getaddrinfo
_connect = socket.socket.connect

Replace = Callable[[Any, str, Any], None]
Names = dict[str, list[Sequence[str]]]


@dataclass(frozen=True)
class Internet:
    """`names`: to each name its answers, one after another, the last one for ever; each is a list of addresses.

    `places`: to "address:port" the port on loopback that it leads to. `diary`: a file with what was asked and where
    somebody wanted to go.
    """

    diary: Path
    names: Names
    places: dict[str, int]

    @property
    def asked(self) -> list[str]:
        """The names that were looked up, in order."""
        return [what for kind, what in self._entries() if kind == "asked"]

    @property
    def connected(self) -> list[str]:
        """The addresses and ports that somebody wanted to go to, in order, other than loopback's own."""
        return [what for kind, what in self._entries() if kind == "connected"]

    def environ(self) -> Mapping[str, str]:
        """What starts a process on this network."""
        known = {"diary": str(self.diary), "names": self.names, "places": self.places}
        return {VARIABLE: json.dumps(known), "PYTHONPATH": str(Path(__file__).parents[2])}

    def install(self, replace: Replace = setattr) -> None:
        """Makes it the network of this process."""

        def connect(sock: socket.socket, address: Any) -> None:
            self._go(sock, address)

        replace(socket, "getaddrinfo", self._look_up)
        replace(socket.socket, "connect", connect)

    def _look_up(self, host: str | bytes, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in self.names:
            return self._in_figures(name, port, *args, **kwargs)
        self._note("asked", name)
        answers = self.names[name]
        now = answers.pop(0) if len(answers) > 1 else answers[0]
        if not now:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [entry for address in now for entry in _getaddrinfo(address, port, *args, **kwargs)]

    def _in_figures(self, name: str, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """What needs no name server: an address in any spelling that this system takes, and localhost."""
        if not name.lower().endswith("localhost"):
            _getaddrinfo(name, port, flags=socket.AI_NUMERICHOST)
        return _getaddrinfo(name, port, *args, **kwargs)

    def _go(self, sock: socket.socket, address: Any) -> None:
        if sock.family not in {socket.AF_INET, socket.AF_INET6} or address[0] in {"127.0.0.1", "::1"}:
            return _connect(sock, address)
        place = f"{address[0]}:{address[1]}"
        self._note("connected", place)
        if place not in self.places:
            raise ConnectionRefusedError(111, "Connection refused")
        return _connect(sock, ("127.0.0.1", self.places[place]))

    def _note(self, kind: str, what: str) -> None:
        with self.diary.open("a") as diary:
            diary.write(json.dumps([kind, what]) + "\n")

    def _entries(self) -> list[list[str]]:
        return [json.loads(line) for line in self.diary.read_text().splitlines()] if self.diary.exists() else []


if __name__ == "__main__":
    told = json.loads(os.environ[VARIABLE])
    Internet(Path(told["diary"]), told["names"], told["places"]).install()
    runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
