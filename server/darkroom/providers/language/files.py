"""Files of declarations: the version that a job was submitted with is kept; nothing else ever reads its responses."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from darkroom.errors import ProviderError, StorageError
from darkroom.providers.language.loading import BadDeclaration, hash_of, parse
from darkroom.providers.language.schema import Service

SHIPPED = Path(__file__).parent.parent / "shipped"


@dataclass(frozen=True)
class Source:
    """One version of a declaration: its bytes, what they declare, and the hash that names them."""

    data: bytes
    service: Service
    digest: str

    @classmethod
    def of(cls, data: bytes, *, new: bool = True) -> "Source":
        """See `parse`. Raises BadDeclaration: the bytes declare no service."""
        return cls(data, parse(data, new=new), hash_of(data))


def keep(kept: Path, source: Source) -> None:
    """Puts this version into the folder `kept`, under its hash, unless it is there.

    Raises:
        StorageError: the disk refuses; nothing may be submitted that could not be read later.
    """
    place = kept / f"{source.digest}.toml"
    if place.is_file():
        return
    try:
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=kept, suffix=".part", delete=False) as file:
            file.write(source.data)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(place)
    except OSError as error:
        raise StorageError(
            f"The declaration of {source.service.title} cannot be kept in {kept} ({type(error).__name__}), so its "
            "responses could not be read later.",
            next_step="Make room there and generate again; nothing was sent.",
        ) from error


def recall(kept: Path, digest: str, title: str) -> Source:
    """The version with this hash: a kept copy, or the shipped file.

    Raises:
        ProviderError: there is none, so nobody can read what was submitted with it.
    """
    for data in _candidates(kept, digest):
        if hash_of(data) == digest:
            try:
                return Source.of(data, new=False)  # paid jobs wait for it, however strict the checks are by now
            except BadDeclaration:
                break
    raise ProviderError(
        f"The declaration of {title} that this was submitted with is gone: {kept / digest[:12]}….toml cannot be read",
        next_step="Put the file back there; nothing is lost at the service until then.",
    )


def _candidates(kept: Path, digest: str) -> Iterator[bytes]:
    yield from _read([kept / f"{digest}.toml"])
    yield from _read(SHIPPED.glob("*.toml"))


def _read(files: Iterable[Path]) -> Iterator[bytes]:
    for file in files:
        try:
            yield file.read_bytes()
        except OSError:
            continue
