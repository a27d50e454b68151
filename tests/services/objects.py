"""An object store on loopback: moto's S3 over real HTTP, with switches for faults."""

import logging
import threading
import urllib.request
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

import obstore
from moto.moto_server import werkzeug_app as moto  # pyright: ignore[reportMissingTypeStubs]
from obstore.store import S3Store
from werkzeug.serving import make_server

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzlongsecret"
TRIAL = ".darkroom"


@dataclass(frozen=True)
class Asked:
    """A request that the store was sent."""

    method: str
    path: str
    query: str

    @property
    def saves(self) -> bool:
        """True where it brings a picture, or the first part of one."""
        wanted = self.method in {"PUT", "POST"} and self.path.endswith((".png", ".webp"))
        return wanted and "uploadId" not in self.query


@dataclass(frozen=True)
class Kept:
    """A bucket of the store, as the person who owns it sees it."""

    name: str
    store: S3Store

    def names(self) -> list[str]:
        """The keys of everything in it but the trial."""
        listed = self.store.list().collect()  # pyright: ignore[reportUnknownMemberType]
        found = [each["path"] for each in listed]
        return sorted(name for name in found if not name.endswith(TRIAL))

    def read(self, name: str) -> bytes:
        """The object's content."""
        return bytes(obstore.get(self.store, name).bytes())

    def type_of(self, name: str) -> str:
        """The object's content type."""
        return str(obstore.get(self.store, name).attributes["Content-Type"])

    def replace(self, name: str, content: bytes) -> None:
        """Puts something else in its place."""
        obstore.put(self.store, name, content)

    def delete(self, name: str) -> None:
        """Removes it."""
        obstore.delete(self.store, name)


def opened(link: str) -> bytes:
    """The picture behind the link, as a browser gets it without any credentials of its own."""
    with urllib.request.urlopen(link) as response:
        assert response.headers["content-type"] == "image/png"
        return response.read()


class ObjectStore:
    """`with ObjectStore() as store: store.environ`.

    `fault`: the status that a request is refused with; None: it is served. `served` is called with each request that
    was, before its response is sent. `hangs`: no request is responded to.
    """

    def __init__(self) -> None:
        self.fault: Callable[[Asked], int | None] = lambda _: None
        self.served: Callable[[Asked], None] = lambda _: None
        self.hangs = False
        self.asked: list[Asked] = []
        self._ended = threading.Event()
        self._moto: Any = moto.DomainDispatcherApplication(moto.create_backend_app)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = make_server("127.0.0.1", 0, self._respond, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Its endpoint."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which every S3 client finds it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }

    def bucket(self) -> Kept:
        """A new bucket."""
        name = f"pictures-{uuid.uuid4().hex[:12]}"
        asked = urllib.request.Request(f"{self.url}/{name}", method="PUT")
        urllib.request.urlopen(asked).close()
        store = S3Store(
            name,
            endpoint=self.url,
            region="us-east-1",
            access_key_id=KEY,
            secret_access_key=SECRET,
            client_options={"allow_http": True},
        )
        return Kept(name, store)

    def unfinished(self, bucket: Kept) -> int:
        """The number of uploads in parts that were begun there, and neither completed nor aborted."""
        with urllib.request.urlopen(f"{self.url}/{bucket.name}?uploads") as response:
            return response.read().count(b"<UploadId>")

    def healed(self) -> None:
        """Serves everything, and forgets what it was asked."""
        self.fault, self.served = (lambda _: None), (lambda _: None)
        self.hangs = False
        self.asked.clear()

    def _respond(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        asked = Asked(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"])
        self.asked.append(asked)
        if self.hangs:
            self._ended.wait()
        if status := self.fault(asked):
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start(f"{status} Refused", [("Content-Length", "0")])
            return [b""]
        response = list(self._moto(environ, start))
        self.served(asked)
        return response
