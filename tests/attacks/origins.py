"""Servers that others run: they keep what they are sent, and answer whatever bytes they like."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.hosts import PATIENCE_S

Play = Callable[[socket.socket], None]


def reply(body: bytes = b"", *headers: str, status: str = "200 OK", length: str | None = None) -> bytes:
    """An HTTP answer; with `length` None the Content-Length is the true one, with "" there is none."""
    stated = str(len(body)) if length is None else length
    lines = [f"HTTP/1.1 {status}", *headers, *([f"Content-Length: {stated}"] if stated else []), "Connection: close"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def redirect(to: str, *headers: str, status: str = "302 Found") -> bytes:
    """An answer that sends the client somewhere else."""
    return reply(b"", f"Location: {to}", *headers, status=status)


def for_ever(*pieces: bytes) -> Play:
    """The first pieces, and then the last one again and again, until the client has gone."""

    def play(connection: socket.socket) -> None:
        for piece in pieces[:-1]:
            connection.sendall(piece)
        while True:
            connection.sendall(pieces[-1])

    return play


def then_silence(first: bytes = b"") -> Play:
    """These bytes, and nothing more until the client has gone."""

    def play(connection: socket.socket) -> None:
        connection.sendall(first)
        while connection.recv(65536):
            """Whatever it says."""

    return play


def then_reset(first: bytes) -> Play:
    """These bytes, and a TCP reset."""

    def play(connection: socket.socket) -> None:
        connection.sendall(first)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return play


class Origin:
    """Gives each connection the next answer, and the last one to all that follow; over TLS with a certificate.

    `hears` False: it answers at once, without reading a request.
    """

    def __init__(self, *answers: bytes | Play, certificate: Path | None = None, hears: bool = True) -> None:
        self._answers = list(answers)
        self._hears = hears
        self._context = None
        self.names: list[str | None] = []
        """The names that clients asked for in TLS."""
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
            self._context.sni_callback = lambda _, name, __: self.names.append(name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        """The heads of the requests that came."""
        self.connections = 0
        self.at: dict[str, bytes | Play] = {}
        """What it answers at these paths, whatever it would answer else."""
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._listen, daemon=True)]

    def answers(self, *answers: bytes | Play) -> None:
        """What it answers from now on."""
        self._answers[:] = answers

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        for sock in (self._listener, *self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        assert not any(thread.is_alive() for thread in self._threads)

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            thread = threading.Thread(target=self._serve, args=(connection, answer), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket, answer: bytes | Play) -> None:
        with plain, suppress(OSError):
            plain.settimeout(PATIENCE_S)
            with self._context.wrap_socket(plain, server_side=True) if self._context else plain as connection:
                if self._context:
                    self._open.append(connection)
                if self._hears:
                    self.requests.append(head_of(connection))
                    answer = self.at.get(self.requests[-1].split()[1].decode(), answer)
                play_on(connection, answer)


def head_of(connection: socket.socket) -> bytes:
    """A request up to its empty line."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError("it went away")
        received += piece
    return received


def play_on(connection: socket.socket, answer: bytes | Play) -> None:
    """Answers."""
    if isinstance(answer, bytes):
        connection.sendall(answer)
    else:
        answer(connection)
