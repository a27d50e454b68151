"""Tenants of a hosted Darkroom, read from one TOML file: who may ask, with which providers' keys, and how much."""

import hashlib
import hmac
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from darkroom.errors import NotConfigured, invalid_arguments
from darkroom.guards import Budget, money_of
from darkroom.key_files import contents_of, stamp_of, variables_in, wrong
from darkroom.redact.text import clean

log = logging.getLogger(__name__)

LOCAL = "local"
"""The owner of generations that are made over stdio and on the command line; no tenant has this name."""
MAX_TOKEN = 1024
"""Characters of a token; this program makes none that long."""
NAME = re.compile(r"[a-z0-9-]{1,40}")
_HASH = re.compile(r"sha256:([0-9a-f]{64})")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
_SERVERS_OWN = re.compile(r"DARKROOM_(?!PROVIDER$)(?:[A-Z]+|ADMIN_TOKEN|DATABASE_URL|KEEP_DAYS|LOG_FORMAT)")


@dataclass(frozen=True)
class Tenant:
    """One of those who may ask. Its name is the owner of its rows.

    `keys`: its providers' variables, as the environment of a server for it alone would have them.
    """

    name: str
    tokens: tuple[str, ...] = field(default=(), repr=False)
    """The SHA-256 of each of its bearer tokens, in hexadecimal."""
    subjects: tuple[str, ...] = ()
    """The subjects of OAuth tokens that are this tenant."""
    keys: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    active: int | None = None
    """The number of its generations that may be at providers at the same time; None: as many as those take."""
    budget: Budget | None = None
    """The most that it may begin and spend in a day; None: any."""
    stored_mb: int | None = None
    """Millions of bytes that its saved pictures may have together; None: any."""


class Tenants:
    """Those of one file, in its order, as they were when it was last good. `refused`: True while it cannot be used."""

    def __init__(self, path: Path, found: Mapping[str, Tenant], stamps: Mapping[Path, object]) -> None:
        self.path = path
        self.refused = False
        self.edition = 0
        """Another number once other tenants count."""
        self._tenants = found
        self._read = self._seen = stamps
        """The files as they were when they were last read, good or not; and as they were at the last look."""

    @classmethod
    def read(cls, path: Path) -> "Tenants":
        """The tenants in this file.

        Raises:
            NotConfigured: it cannot be read or is wrong; the message says where.
        """
        stamps: dict[Path, object] = {}
        return cls(path, _read(path, stamps), stamps)

    def refresh(self) -> None:
        """Reads it anew, if it or a file of keys that it names has changed and was the same at the look before:
        who writes a file may be in the middle of it. Blocking: for a worker thread.

        While it cannot be used the tenants stay as they were, which the log says once.
        """
        stamps = {path: stamp_of(path) for path in self._read}
        settled, self._seen = stamps == self._seen, stamps
        if stamps == self._read or not settled:
            return
        self._read = self._seen = read = dict[Path, object]()
        try:
            self._tenants = _read(self.path, read)
        except NotConfigured as error:
            log.warning("%s The tenants stay as they were.", error.message)
            self.refused = True
            return
        self.edition += 1
        if self.refused:
            log.warning("%s can be used again, and counts.", self.path)
            self.refused = False

    @property
    def all(self) -> tuple[Tenant, ...]:
        """Every one of them."""
        return tuple(self._tenants.values())

    def named(self, name: str) -> Tenant | None:
        """The tenant of this name."""
        return self._tenants.get(name)

    def of_token(self, token: str) -> Tenant | None:
        """The tenant who has this bearer token; the time that it takes does not depend on which of them that is."""
        given = hash_of(token[:MAX_TOKEN]).encode()
        known = [tenant for tenant in self.all for each in tenant.tokens if hmac.compare_digest(each.encode(), given)]
        return known[0] if known and len(token) <= MAX_TOKEN else None

    def of_subject(self, subject: str) -> Tenant | None:
        """The tenant whom an OAuth token with this subject stands for."""
        return next((tenant for tenant in self.all if subject in tenant.subjects), None)


def hash_of(token: str) -> str:
    """The SHA-256 of a token, in hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _each(pattern: re.Pattern[str], rule: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(f"must be {rule}")
        return value

    return AfterValidator(check)


def _check_money(text: str) -> str:
    if money_of(text) is None:
        raise ValueError("must be an amount of money, as in 20 USD")
    return text


_Token = Annotated[str, _each(_HASH, "sha256: and 64 hexadecimal digits, in small letters")]
_Variable = Annotated[str, _each(_VARIABLE, "the name of a provider's variable, such as FATTHUMB_API_KEY")]
_Figure = Annotated[int, Field(ge=1, le=10**9)]


class _Entry(BaseModel):
    """One tenant's table in the file."""

    model_config = ConfigDict(strict=True, extra="forbid", defer_build=True)

    tokens: list[_Token] = []
    subjects: list[Annotated[str, Field(min_length=1, max_length=255)]] = []
    keys: dict[_Variable, Annotated[str, Field(max_length=4096)]] = {}
    keys_file: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    active: _Figure | None = None
    submissions_per_day: _Figure | None = None
    money_per_day: Annotated[str, AfterValidator(_check_money)] | None = None
    stored_mb: _Figure | None = None

    def budget(self) -> Budget | None:
        """Its two figures of a day; None: it has neither."""
        money = None if self.money_per_day is None else money_of(self.money_per_day)
        return Budget(self.submissions_per_day, money) if self.submissions_per_day or money else None


def _read(path: Path, stamps: dict[Path, object]) -> Mapping[str, Tenant]:
    """Its tenants. Puts each file into `stamps`, as it was before it was read, also where one is refused."""
    stamps[path] = stamp_of(path)
    tables = _tables(path)
    tenants: dict[str, Tenant] = {}
    for name, table in tables.items():
        where = f"{path}: tenants.{clean(name, 60)}"
        if not NAME.fullmatch(name):
            raise wrong(where, "a name has 1 to 40 small letters, figures and hyphens")
        if name == LOCAL:
            raise wrong(where, "this name belongs to the server's own user")
        tenants[name] = _tenant(name, _entry(where, table), path, where, stamps)
    _check_single(path, "token", ((tenant.name, tenant.tokens) for tenant in tenants.values()))
    _check_single(path, "subject", ((tenant.name, tenant.subjects) for tenant in tenants.values()))
    return tenants


def _tables(path: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - a server without tenants starts sooner

    data = contents_of(path, secret=False)
    try:
        text = data.decode("utf-8-sig")
        parsed = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise wrong(str(path), "it is not text in UTF-8") from error
    except (ValueError, RecursionError) as error:  # of a number with thousands of digits it is not TOMLDecodeError
        # The reason may quote what stands there, but the place at its end does not.
        place = re.search(r"\(at [a-z0-9, ]+\)\Z", str(error))
        raise wrong(str(path), f"it is not TOML {place[0] if place else ''}".rstrip()) from None
    if not text.strip():  # as an editor, or a full disk, leaves a file for a moment or longer
        raise wrong(str(path), "it is empty; where nobody may ask, it has the line [tenants]")
    others = [name for name in parsed if name != "tenants"]
    if others:
        raise wrong(f"{path}: {clean(others[0], 60)}", "everything stands below [tenants.NAME]")
    tables = parsed.get("tenants", {})
    if not isinstance(tables, dict):
        raise wrong(f"{path}: tenants", "it is a table of tables, [tenants.NAME]")
    return cast("dict[str, Any]", tables)


def _entry(where: str, table: object) -> _Entry:
    if not isinstance(table, dict):
        raise wrong(where, "it is a table")
    try:
        return _Entry.model_validate(table)
    except ValidationError as error:
        # A key is a value, and the name of a variable may be one that was written in the wrong place: neither is said.
        said = invalid_arguments(error).message.rstrip(".")
        raise wrong(where, re.sub(r"keys\.\S+?(?:\.\[key\])? (?=must)", "a name or a value in keys ", said)) from None


def _tenant(name: str, entry: _Entry, path: Path, where: str, stamps: dict[Path, object]) -> Tenant:
    keys = dict(entry.keys)
    if entry.keys_file is not None:
        file = path.parent / entry.keys_file
        stamps[file] = stamp_of(file)
        keys = {**dict(variables_in(file)), **keys}
    if own := next(filter(_SERVERS_OWN.fullmatch, keys), None):
        raise wrong(where, f"{own} is the server's own variable, and no tenant's")
    if entry.keys:
        contents_of(path, secret=True)
    return Tenant(
        name=name,
        tokens=tuple(each.removeprefix("sha256:") for each in entry.tokens),
        subjects=tuple(entry.subjects),
        keys=keys,
        active=entry.active,
        budget=entry.budget(),
        stored_mb=entry.stored_mb,
    )


def _check_single(path: Path, what: str, values: Iterable[tuple[str, tuple[str, ...]]]) -> None:
    """Raises NotConfigured: two of them have the same."""
    whose: dict[str, str] = {}
    for name, own in values:
        for value in own:
            if other := whose.get(value):
                both = f"twice at {name}" if other == name else f"at {other} and at {name}"
                raise wrong(f"{path}: tenants", f"the same {what} stands {both}")
            whose[value] = name
