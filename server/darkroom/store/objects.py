"""Pictures in an object store that speaks S3's protocol. Only what is configured for one imports this.

Credentials, region and endpoint come from the variables that every S3 client reads (`AWS_ACCESS_KEY_ID` and so on), or
from the role of the machine. No text of the library is repeated to anybody: its errors name the endpoint.
"""

import errno
import re
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager, suppress
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic
from typing import IO, TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from darkroom.buckets import Bucket
from darkroom.errors import StorageError
from darkroom.models import Charged, Record
from darkroom.store.files import Draft, try_place
from darkroom.store.names import object_name
from darkroom.store.pictures import OBJECT, FolderPictures
from darkroom.store.previews import KeptPreviews

if TYPE_CHECKING:  # which the library has for type checkers alone
    from obstore.store import ClientConfig, RetryConfig

MAX_READ = 64 * 2**20
"""Bytes of the largest picture that is saved."""
DRAFTS = "drafts"
"""The folder beside the ledger where a picture is until it is verified."""
TRIAL = ".darkroom"
"""The name of an empty object that is written again and again, to see whether a picture could be."""
PART = 5 * 2**20
PARTS_AT_ONCE = 2
"""Parts of one picture that are in memory, and on their way."""
SILENT_S = 10.0
"""Seconds for which a store that did not respond is not asked for pictures."""
NO_BUCKET, NOTHING, SILENT = "there is no such bucket", "No such object", "it cannot be reached"
_OWN_ROLE = re.compile(r"/latest/(api/token|meta-data/)")
"""Paths where a machine in a cloud asks for the credentials of its role."""
_PIECE = 2**18
_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
_CONNECT, _WHOLE, _PAUSE = timedelta(seconds=3), timedelta(seconds=60), timedelta(seconds=5)
_SAVING: "ClientConfig" = {"connect_timeout": _CONNECT, "timeout": _WHOLE}
_READING: "ClientConfig" = {"connect_timeout": _CONNECT, "timeout": _WHOLE, "read_timeout": _PAUSE}
_TWICE_AGAIN: "RetryConfig" = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}
_ONCE_AGAIN: "RetryConfig" = {"max_retries": 1, "retry_timeout": timedelta(seconds=3)}


class Refused(OSError):
    """The store did not do what it was asked; `strerror` says why."""


class ObjectDraft(Draft):
    """A picture's file on this machine's disk, until it is in the bucket."""

    def refusal(self, error: OSError) -> StorageError:
        """The error for a disk that takes no more of it. Callers know nothing of this machine's folders."""
        return StorageError(
            f"The picture could not be kept by the server on its way ({error.strerror or type(error).__name__}).",
            next_step="Make room under DARKROOM_HOME, then call get_status: Darkroom fetches the picture again, at no "
            "cost.",
            charged=Charged.YES,
        )


class ObjectPictures:
    """See `PictureStore`. A picture's key is its URI, since the user may choose another bucket for the next ones.

    Those that were saved in a folder before are read there. `home`: the folder of drafts.
    """

    def __init__(self, bucket: Bucket, home: Path, previews: Path) -> None:
        self._bucket = bucket
        self._home = home
        self._before = FolderPictures(home, previews)
        self.previews: KeptPreviews = self._before.previews
        self._saving = self._opened(bucket.name, _SAVING, _TWICE_AGAIN)
        self._reading = lru_cache(4)(partial(self._opened, client=_READING, again=_ONCE_AGAIN))
        self._silent_until = 0.0

    def _opened(self, name: str, client: "ClientConfig", again: "RetryConfig") -> S3Store:
        return S3Store(name, client_options={**client, "allow_http": self._bucket.plain}, retry_config=again)

    def try_out(self, day: datetime, room: int) -> None:
        """See `PictureStore.try_out`."""
        try:
            try_place(self._home, DRAFTS, room)
        except StorageError as error:
            raise self.unusable("the server's own disk has no room for it on its way") from error
        try:
            with self._asked(NO_BUCKET):
                obstore.put(self._saving, f"{self._bucket.prefix}{TRIAL}", b"")
        except OSError as error:
            raise self.unusable(error.strerror or "") from error

    def unusable(self, reason: str) -> StorageError:
        """See `PictureStore.unusable`."""
        return StorageError(
            f"Pictures cannot be saved in the object store ({reason}), so nothing was sent.",
            next_step="Check the bucket that DARKROOM_PICTURES names and its credentials; then generate again.",
        )

    def begin(self, record: Record) -> Draft:
        """See `PictureStore.begin`."""
        return ObjectDraft(self._home, DRAFTS)

    def keep(self, draft: Draft, record: Record, index: int, suffix: str) -> str:
        """See `PictureStore.keep`.

        Every process gives it the same name, so that what is saved again after a crash takes its own place.
        A store checks each part against the SHA-256 in its signature; there is no object until all have come.
        """
        path = f"{self._bucket.prefix}{object_name(record, index, suffix)}"
        try:
            draft.file.flush()
            draft.file.seek(0)
        except OSError as error:
            raise draft.refusal(error) from error
        try:
            with self._asked(NO_BUCKET):
                obstore.put(
                    self._saving,
                    path,
                    draft.file,
                    attributes={"Content-Type": _TYPES[suffix]},
                    chunk_size=PART,
                    max_concurrency=PARTS_AT_ONCE,
                )
        except OSError as error:
            raise StorageError(
                f"The picture could not be saved in the object store ({error.strerror}).",
                next_step="Check the bucket that DARKROOM_PICTURES names, then call get_status: Darkroom fetches "
                "the picture again, at no cost.",
                charged=Charged.YES,
                passing=True,
            ) from error
        return f"{OBJECT}{self._bucket.name}/{path}"

    def open(self, key: str) -> IO[bytes]:
        """See `PictureStore.open`. It is copied to a file without a name first, and no more than a picture can have."""
        if not key.startswith(OBJECT):
            return self._before.open(key)
        store, path = self._place(key)
        with ExitStack() as undone:
            file = undone.enter_context(TemporaryFile(dir=self._home))
            try:
                with self._read():
                    found = obstore.get(store, path)
                    if found.meta["size"] > MAX_READ:
                        raise OSError(errno.EFBIG, "it is larger than any picture that is saved")
                    file.writelines(found.stream(min_chunk_size=_PIECE))
            except Refused as error:
                raise StorageError(
                    f"The object store cannot be read now ({error.strerror}).", next_step="Read it again later."
                ) from error
            file.seek(0)
            undone.pop_all()
        return file

    def of_day(self, day: date) -> Iterable[tuple[str, int]]:
        """See `PictureStore.of_day`."""
        prefix = f"{self._bucket.prefix}{day:%Y-%m-%d}/"
        with self._read():
            listed = obstore.list(self._saving, prefix)  # pyright: ignore[reportUnknownMemberType]
            return [(f"{OBJECT}{self._bucket.name}/{each['path']}", each["size"]) for some in listed for each in some]

    def stamp(self, key: str) -> str | None:
        """See `PictureStore.stamp`."""
        if not key.startswith(OBJECT):
            return self._before.stamp(key)
        store, path = self._place(key)
        try:
            with self._read():
                found = obstore.head(store, path)
        except OSError:
            return None
        return f"{found['e_tag']}.{found['size']}.{found['last_modified']}"

    def remove(self, key: str, size: int) -> bool:
        """See `PictureStore.remove`. Nobody else writes to this name, so its size is not asked for."""
        if not key.startswith(OBJECT):
            return self._before.remove(key, size)
        store, path = self._place(key)
        with suppress(FileNotFoundError), self._read():
            obstore.delete(store, path)
        return True

    def discard(self, key: str, size: int) -> bool:
        """See `PictureStore.discard`."""
        return self._before.discard(key, size)

    def trashless(self, key: str) -> str | None:
        """See `PictureStore.trashless`."""
        return self._before.trashless(key)

    def path(self, key: str) -> str | None:
        """See `PictureStore.path`: the next caller may sit at another machine."""
        return None

    def link(self, key: str, minutes: int) -> str | None:
        """See `PictureStore.link`. None as well where the credentials cannot be had now."""
        if not key.startswith(OBJECT):
            return None
        store, path = self._place(key)
        try:
            return obstore.sign(store, "GET", path, timedelta(minutes=minutes))
        except BaseError:
            return None

    def _place(self, key: str) -> tuple[S3Store, str]:
        name, _, path = key.removeprefix(OBJECT).partition("/")
        return self._reading(name), path

    @contextmanager
    def _read(self) -> Generator[None]:
        """As `_asked`, for what is read. A store that did not respond is left alone for a moment.

        A result with many pictures would be long in coming otherwise.
        """
        if monotonic() < self._silent_until:
            raise Refused(errno.EIO, SILENT)
        try:
            with self._asked(NOTHING):
                yield
        except Refused as error:
            if error.strerror == SILENT:
                self._silent_until = monotonic() + SILENT_S
            raise

    @contextmanager
    def _asked(self, missing: str) -> Generator[None]:
        """Replaces the library's errors by ours, in words of our own. `missing`: those for a 404.

        Raises:
            FileNotFoundError: there is no such thing.
            Refused: any other reason.
        """
        try:
            yield
        except FileNotFoundError:
            raise FileNotFoundError(errno.ENOENT, missing) from None
        except (PermissionDeniedError, UnauthenticatedError):
            raise Refused(errno.EACCES, "it denies access with these credentials") from None
        except BaseError as error:
            raise Refused(errno.EIO, self._reason(str(error))) from None

    def _reason(self, said: str) -> str:
        if self._bucket.keyless and _OWN_ROLE.search(said):
            return "AWS_ACCESS_KEY_ID is not set, and this machine has no role of its own"
        if "redirect" in said:
            return "the bucket is in another region; AWS_REGION names it"
        status = re.search(r"status code: (\d{3})", said)
        return f"it responds with status {status[1]}" if status else SILENT
