"""Peers that no provider service can be: one that only listens, and one that breaks TLS after the request came."""

import os
import socket
import ssl
import threading
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from darkroom.transport.http import Http, open_http
from tests.hosts import PATIENCE_S

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxy this machine goes through, these tests go through none."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def http() -> AsyncGenerator[Http]:
    """The process's clients."""
    async with open_http() as clients:
        yield clients


class Ears:
    """A socket that listens and never answers."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]

    def heard(self) -> bool:
        """Whether anybody has connected; the kernel completes a connection without our help."""
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            return False
        connection.close()
        return True

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def ears() -> Generator[Ears]:
    """A place on loopback where nobody should come."""
    listening = Ears()
    yield listening
    listening.close()


class BrokenTls:
    """A TLS server that reads one whole request and answers with a record that cannot be decrypted."""

    BAD_RECORD = b"\x17\x03\x03\x00\x20" + b"\0" * 32

    def __init__(self, certificate: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE_S)
        self.port: int = self._listener.getsockname()[1]
        self.received: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE_S)

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
                plain.settimeout(PATIENCE_S)
                with self._context.wrap_socket(plain, server_side=True) as connection:
                    self.received.append(_request(connection))
                    os.write(connection.fileno(), self.BAD_RECORD)
            except ssl.SSLError:
                continue  # the client refused the certificate
            except OSError:
                return


def _request(connection: ssl.SSLSocket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received or not received.endswith(b"}"):
        piece = connection.recv(65536)
        if not piece:
            break
        received += piece
    return received


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key, valid for an hour, trusted by nobody."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def broken_tls(certificate: Path) -> Generator[BrokenTls]:
    """A provider whose TLS breaks when the request is already there."""
    server = BrokenTls(certificate)
    yield server
    server.close()
