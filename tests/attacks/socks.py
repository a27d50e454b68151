"""The user's SOCKS5 proxy (RFC 1928, 1929), as much of it as a client needs; `Origin(hears=False)` lets it listen."""

import select
import socket
from collections.abc import Sequence

from tests.attacks.origins import Play
from tests.hosts import PATIENCE_S

NO_PASSWORD, PASSWORD = 0, 2
REFUSED = 5


def socks5(asked: list[str], places: dict[str, int], *, credentials: Sequence[bytes] = ()) -> Play:
    """Leads to the ports on loopback that `places` has for each "host:port", and refuses what is not in it.

    `asked`: what it was asked for. With `credentials`, a user and a password, it leads nobody else.
    """

    def play(connection: socket.socket) -> None:
        methods = exactly(connection, exactly(connection, 2)[1])
        wanted = PASSWORD if credentials else NO_PASSWORD
        connection.sendall(bytes([5, wanted if wanted in methods else 0xFF]))
        if wanted not in methods:
            return
        if credentials:
            exactly(connection, 1)
            given = [exactly(connection, exactly(connection, 1)[0]) for _ in range(2)]
            connection.sendall(bytes([1, given != list(credentials)]))
        *_, kind = exactly(connection, 4)
        host = exactly(connection, exactly(connection, 1)[0]).decode() if kind == 3 else _figures(connection, kind)
        asked.append(f"{host}:{int.from_bytes(exactly(connection, 2))}")
        port = places.get(asked[-1])
        connection.sendall(bytes([5, REFUSED if port is None else 0, 0, 1, *[0] * 6]))
        if port is not None:
            with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as place:
                _carry(connection, place)

    return play


def exactly(connection: socket.socket, count: int) -> bytes:
    """So many bytes."""
    received = b""
    while len(received) < count:
        piece = connection.recv(count - len(received))
        if not piece:
            raise ConnectionError("it went away")
        received += piece
    return received


def _figures(connection: socket.socket, kind: int) -> str:
    family, length = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
    return socket.inet_ntop(family, exactly(connection, length))


def _carry(*ends: socket.socket) -> None:
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    while True:
        ready, _, _ = select.select(ends, [], [], PATIENCE_S)
        for end in ready:
            piece = end.recv(65536)
            if not piece:
                return
            other[end].sendall(piece)
        if not ready:
            return
