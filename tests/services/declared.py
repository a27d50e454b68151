"""A service on loopback that says what a declaration documents: the answers of its examples, by their names."""

import json
import re
import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

import darkroom.providers
from tests.hosts import PATIENCE_S, Home
from tests.services.loopback import Loopback
from tests.services.pictures import picture

SHIPPED = Path(darkroom.providers.__file__).parent / "shipped"
KEY = "dk_0123456789abcdefABCDEF"


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; `table`: the declaration's table that it belongs to."""

    table: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def shows(self, key: str) -> bool:
        """Whether the key came along, anywhere."""
        return key in f"{self.path}?{self.query}{dict(self.headers)}{self.body!r}"


@dataclass
class DeclaredService:
    """The service that a file declares, with quick looks. `says`: its answers by table, in order; the last stays."""

    text: str
    says: dict[str, list[tuple[int, Any]]] = field(default_factory=dict[str, list[tuple[int, Any]]])
    key: str = KEY

    def __post_init__(self) -> None:
        self.text = re.sub(r"(poll|shortest)_s = [0-9.]+", r"\1_s = 0.1", self.text)
        self.file: dict[str, Any] = tomllib.loads(self.text)
        self.asked: list[Asked] = []
        self.changed = threading.Condition()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._loopback = Loopback(self)
        self._links: dict[str, str] = {}

    @classmethod
    def shipped(cls, name: str, **changes: str) -> Self:
        """What a shipped file declares, under its name with `-here` behind it, as a file that a person added."""
        text = (SHIPPED / f"{name}.toml").read_text("utf-8").replace(f'name = "{name}"', f'name = "{name}-here"', 1)
        for before, after in changes.items():
            text = text.replace(before, after)
        return cls(re.sub(r"^key = .*\n", "", text, flags=re.MULTILINE))

    def __enter__(self) -> Self:
        self._loopback.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loopback.close()

    @property
    def name(self) -> str:
        """The provider's name."""
        return str(self.file["name"])

    @property
    def origin(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._loopback.port}"

    @property
    def posts(self) -> list[Asked]:
        """Every submission."""
        return self.of("submit")

    def of(self, table: str) -> list[Asked]:
        """Every request of this table."""
        with self.changed:
            return [each for each in self.asked if each.table == table]

    def like(self, **examples: str | list[str]) -> Self:
        """By table: the examples whose answers it gives."""
        for table, names in examples.items():
            self.says[table] = [self._example(name) for name in ([names] if isinstance(names, str) else names)]
        return self

    def home(self, home: Home, **extra: str) -> Home:
        """A user who added this file and has a key."""
        folder = home.path / "home" / "providers"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.toml").write_text(self.text, "utf-8")
        prefix = f"DARKROOM_{self.name.upper().replace('-', '_')}"
        url = self.origin + urlsplit(str(self.file["base_url"])).path
        return home.with_(**{f"{prefix}_KEY": self.key, f"{prefix}_BASE_URL": url, **extra})

    def picture(self, number: int = 1) -> bytes:
        """The bytes of the picture with this number."""
        return picture(f"{self.name} {number}", 64, 48, "PNG")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        asked = Asked(self._table(request), request.method, request.url.path, request.url.query, request.headers, body)
        with self.changed:
            self.asked.append(asked)
            self.changed.notify_all()
        if asked.table == "submit":
            await to_thread.run_sync(self.may_answer.wait, PATIENCE_S)
        answer = self._answer(asked)
        await answer(scope, receive, send)

    def _answer(self, asked: Asked) -> Response:
        if asked.table == "file":
            return Response(self.picture(int(re.findall(r"\d+", asked.path)[-1])), media_type="image/png")
        said = self.says.get(asked.table) or [(404, {"error": "nobody asked for this"})]
        status, answer = said.pop(0) if len(said) > 1 else said[0]
        answer = answer() if callable(answer) else answer
        if isinstance(answer, bytes):
            return Response(answer, status)
        return Response(status_code=status) if answer is None else JSONResponse(self._here(answer), status)

    def _example(self, name: str) -> tuple[int, Any]:
        found = next(each for each in self.file["example"] if each["name"] == name)
        for number, link in enumerate(found.get("urls", []), start=1):
            self._links[link] = f"/files/{number}.png"
        return found.get("status", 200), found.get("answer")

    def _here(self, answer: Any) -> Any:
        """The answer with this service in the place of the documented one."""
        text = json.dumps(answer)
        for link, place in self._links.items():
            text = text.replace(json.dumps(link)[1:-1], f"{self.origin}{place}")
        host = str(urlsplit(str(self.file["base_url"])).netloc).split(".", 1)[-1]
        return json.loads(re.sub(rf"https://[a-z0-9.]*{re.escape(host)}", self.origin, text))

    def _table(self, request: Request) -> str:
        if request.url.path.startswith("/files/"):
            return "file"
        base: str = urlsplit(str(self.file["base_url"])).path
        item = self.file["pictures"].get("request")
        names = ("submit", "lookup", "account", "models", "cancel", "read", "result")
        for name, table in {"item": item, **{name: self.file.get(name) for name in names}}.items():
            if table is None or table.get("method", "POST" if name == "submit" else "GET") != request.method:
                continue
            path = base + table["path"] if "path" in table else "{any+}" + table["url"].split("}", 1)[1]
            pattern = re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.sub(r"\\\{[a-z_]+\\\+\\\}", ".+", re.escape(path)))
            if re.fullmatch(pattern, request.url.path):
                return name
        return "other"
