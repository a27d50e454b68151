"""The services that `setup` can keep a key of: what they are called, and where their keys are got."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from darkroom.errors import InvalidRequest
from darkroom.keys.reading import variables_of
from darkroom.providers.declared import DECLARED, added_files
from darkroom.providers.offered import KEYLESS, OFFERED
from darkroom.redact.text import clean


@dataclass(frozen=True)
class Offer:
    """A service that is used with a key. `where`: a page of its own that leads to one."""

    name: str
    title: str
    where: str

    @property
    def variable(self) -> str:
        """The variable that its key counts as, once it is kept."""
        return variables_of(self.name)[0]


def offers(home: Path) -> Mapping[str, Offer]:
    """Every service that is used with a key, by name; those that a person added too."""
    return {offer.name: offer for offer in _offers(home)}


def offer_of(home: Path, name: str) -> Offer:
    """The service of this name. Raises InvalidRequest: there is none that is used with a key."""
    known = offers(home)
    if name not in known:
        raise InvalidRequest(
            f"There is no service {clean(name, 40)!r} that is used with a key.",
            next_step=f"There are {', '.join(known)}. One that is used with an address is set by its variable.",
        )
    return known[name]


def _offers(home: Path) -> Iterator[Offer]:
    from darkroom.providers.language.files import SHIPPED  # noqa: PLC0415 - the language takes long to import

    for name, declaration in DECLARED.items():
        if declaration.key_variable is not None:
            origin = urlsplit(declaration.base_url)
            yield Offer(name, declaration.traits.title, f"your account at {origin.scheme}://{origin.netloc}")
    files = {name: SHIPPED / f"{name}.toml" for name in OFFERED if name not in KEYLESS}
    for name, file in {**files, **added_files(home)}.items():
        try:
            table = tomllib.loads(file.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        docs = table.get("docs") or table.get("base_url")
        yield Offer(name, clean(str(table.get("title", name)), 40), clean(str(docs or "its own pages"), 200))
