"""The service that a declaration's file documents: its routes, and the responses of its examples."""

import base64
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from darkroom.providers.language.loading import parse
from darkroom.providers.language.offers import THE_ONE
from darkroom.providers.language.pointers import every, segments
from darkroom.providers.language.schema import Example, Request
from darkroom.providers.offered import OFFERED
from darkroom.testing.service import KEY, STARTS, Answer, Said, Service

_TABLES = (*STARTS, "lookup", "cancel", "account", "models", "read", "result")
_QUICK = re.compile(r"(poll|shortest)_s = [0-9.]+")


class DeclaredService(Service):
    """The service of this text, which is a declaration's, with quick looks.

    The declaration of a service that comes with Darkroom gets another name, since no file may take its own.
    """

    def __init__(self, text: str, *, key: str = KEY) -> None:
        name = str(tomllib.loads(text)["name"])
        if name in OFFERED:
            text = text.replace(f'name = "{name}"', f'name = "{name}-here"', 1)
            text = re.sub(r"^key = .*\n", "", text, flags=re.MULTILINE)
        self.text = _QUICK.sub(r"\1_s = 0.1", text)
        self.declared = parse(self.text.encode())
        if self.declared.auth.kind in {"basic", "jwt-hs256"} and key == KEY:
            key = f"user:{KEY}"
        super().__init__(self.declared.name, dict(self._paths()), key=key)
        self._instead: dict[str, str] = {}

    @property
    def base_url(self) -> str:
        """The base URL of its provider: the documented path, here."""
        return self.origin + urlsplit(self.declared.base_url).path

    @property
    def needs(self) -> dict[str, Any]:
        """A picture to work from, where its first model makes nothing without."""
        images = self.declared.accepts.images
        if images is None or (self.declared.accepts.default_model or THE_ONE) not in images.needed:
            return {}
        return {"images": [f"data:image/png;base64,{base64.b64encode(self.picture()).decode()}"]}

    def add_to(self, home: Path) -> None:
        """Adds its file to the providers of a user whose `DARKROOM_HOME` this is."""
        (home / "providers").mkdir(parents=True, exist_ok=True)
        (home / "providers" / f"{self.name}.toml").write_text(self.text, "utf-8")

    def like(self, **examples: str | list[str]) -> Self:
        """By table: the examples, by name, whose responses it gives."""
        for table, names in examples.items():
            named = [names] if isinstance(names, str) else names
            self.says[table] = [self._said(self._example(name)) for name in named]
        return self

    def ready(self) -> Self:
        """It takes a job, and then it is done, as the first examples of that say. Raises ValueError: there are none."""
        self.says["submit"] = [self._first("submit", {"taken", "done"})]
        if self.declared.submit.answers != "result":
            self.says["read"] = [self._first("read", {"done"})]
        if self.declared.result is not None:
            self.says["result"] = [self._first("result", {None, "done"})]
        if self.declared.pictures.request is not None:
            self.says["item"] = [self._item()]
        if self.declared.cancel is not None:
            self.says["cancel"] = [self._first("cancel", {"asked"})]
            self.says["working"] = [self._first("read", {"queued", "running"})]
        return self

    def here(self, text: str) -> str:
        """A response's JSON with this service in the place of the documented one."""
        for documented, ours in self._instead.items():
            text = text.replace(json.dumps(documented)[1:-1], ours.replace("{origin}", self.origin))
        host = urlsplit(self.declared.base_url).netloc.split(".", 1)[-1]
        return super().here(re.sub(rf"https://[a-z0-9.]*{re.escape(host)}", self.origin, text))

    def _example(self, name: str) -> Example:
        return next(each for each in self.declared.example if each.name == name)

    def _first(self, to: str, means: set[str | None]) -> Said:
        found = (each for each in self.declared.example if each.to == to and each.means in means)
        example = next(found, None)
        if example is None:
            raise ValueError(f"no example of {self.name} shows a response to {to} that means {means}")
        return self._said(example)

    def _said(self, example: Example) -> Said:
        """The example's response; its links lead to pictures here, and its Base64 is that of one."""
        for number, link in enumerate(example.urls or [], start=1):
            self._instead[link] = f"{{origin}}/files/{number}.png"
        for text in self._encoded(example.answer):
            self._instead[text] = base64.b64encode(self.picture()).decode()
        return example.status, example.answer

    def _encoded(self, answer: Any) -> Iterator[str]:
        pictures = self.declared.pictures
        for hit in (hit for place in pictures.each for hit in every(answer, place)):
            if pictures.base64 is not None:
                yield from (text for text in every(hit, pictures.base64) if isinstance(text, str) and text)

    def _item(self) -> Said:
        """The response to the request for one picture: the picture, or a link to it in its place."""
        pointer = self.declared.pictures.answer
        if pointer is None:
            return Answer(body=self.picture())
        value: Any = "{origin}/files/1.png"
        for segment in reversed(segments(pointer)):
            value = {segment: value}
        return 200, value

    def _paths(self) -> Iterator[tuple[str, tuple[str, str]]]:
        base = urlsplit(self.declared.base_url).path
        found: dict[str, Request | None] = {"item": self.declared.pictures.request}
        found |= {name: getattr(self.declared, name) for name in _TABLES}
        for name, table in found.items():
            if table is not None and (table.path is not None or table.url is not None):
                path = base + table.path if table.path is not None else "{any+}" + str(table.url).split("}", 1)[1]
                form = re.escape(path).replace(r"\{reference\}", "gen_[^/]+")  # by which a lookup differs from a read
                form = re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.sub(r"\\\{[a-z_]+\\\+\\\}", ".+", form))
                yield name, (table.method or ("POST" if name in {*STARTS, "cancel"} else "GET"), form)
