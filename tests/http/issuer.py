"""An OAuth issuer on loopback: its metadata, its keys, and tokens signed with them or with others."""

import json
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

AUDIENCE = "https://darkroom.example.com/mcp"
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def new_key(algorithm: str) -> Key:
    """A key for it."""
    if algorithm.startswith("ES"):
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Issuer:
    """`with Issuer() as issuer: issuer.token(sub="subject|ann")`. `asked` has the paths of what was asked of it."""

    def __init__(self) -> None:
        self.keys: dict[str, tuple[str, Key]] = {"one": ("RS256", new_key("RS256")), "two": ("ES256", new_key("ES256"))}
        self.asked: list[str] = []
        self.lost = False
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                body = None if issuer.lost else issuer.pages().get(self.path)
                content = json.dumps(body).encode()
                self.send_response(404 if body is None else 200)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def pages(self) -> Mapping[str, Any]:
        """What it publishes."""
        return {
            "/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"},
            "/jwks": {"keys": [_public(name, *key) for name, key in self.keys.items()]},
        }

    def token(self, *, key: str = "one", signed_with: Key | None = None, algorithm: str = "", **claims: Any) -> str:
        """A token that is good, but for what these claims and arguments say; a claim of None is left out."""
        known, private = self.keys.get(key, ("RS256", None))
        usual = {"iss": self.url, "aud": AUDIENCE, "sub": "subject|ann", "exp": time.time() + 300, **claims}
        payload = {name: value for name, value in usual.items() if value is not None}
        signer: Any = signed_with or private
        return jwt.encode(payload, signer, algorithm=algorithm or known, headers={"kid": key})


def _public(name: str, algorithm: str, key: Key) -> dict[str, Any]:
    turn: Any = ECAlgorithm if algorithm.startswith("ES") else RSAAlgorithm
    return {**turn.to_jwk(key.public_key(), as_dict=True), "kid": name, "alg": algorithm, "use": "sig"}
