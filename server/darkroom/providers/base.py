"""The interface of a provider to the rest of the house."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from anyio import to_thread
from pydantic import BeforeValidator

from darkroom.accounts import Account, Limits
from darkroom.declaration import Traits
from darkroom.models import Charged, Frozen, GenerationRequest, ImageStatus, Receipt, Sparse
from darkroom.money import Cost
from darkroom.providers.checking import check_request
from darkroom.providers.inputs import Attached, recall
from darkroom.redact.secrets import Redactor
from darkroom.transport.client import Api, Door, Key
from darkroom.transport.egress import Pictures
from darkroom.transport.http import Http
from darkroom.transport.incoming import Incoming


def _no_truth_value(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")
    return value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Figure = BeforeValidator(_no_truth_value)
"""For options that are numbers: `true` is not read as 1."""
Listed = BeforeValidator(_as_list)
"""For options that are lists: one text is a list too."""


class Model(Sparse):
    """One model of a provider, as an agent may name it."""

    id: str
    name: str
    note: str | None = None
    price: str | None = None


class AccountState(Sparse):
    """The provider's report on the account: its credits and its plan."""

    credits: float | None = None
    plan: str | None = None
    plan_status: str | None = None
    plan_ends: str | None = None


class Submission(Frozen):
    """The provider's response to a submission that it took; `queued`: it is in the provider's own queue.

    `cost`: the provider's own figure, where it names one.
    """

    receipt: Receipt
    queued: bool = False
    cost: Cost | None = None


class RemoteImage(Frozen):
    """One picture as the provider reports it, at this place of its response; `url`: where it lies once it is there.

    `source`: what its provider's client fetches it by, where that is no link. It is neither shown nor kept.
    """

    index: int
    remote_id: str | None = None
    status: ImageStatus
    url: str | None = None
    source: Any = None
    watermarked: bool = False
    hidden: bool = False
    error: str | None = None


NO_REASON = "it gave no reason"


class Reading(Frozen):
    """One look at a job. `done` says that the provider will change nothing more.

    Of a job that failed: `moderated` and `cancelled`, where the provider says so in so many words; `charged`, where it
    says that.
    `cost`: the provider's own figure, where it names one.
    """

    done: bool
    queued: bool = False
    queue_position: int | None = None
    images: tuple[RemoteImage, ...] = ()
    seed: int | None = None
    error: str | None = None
    moderated: bool = False
    cancelled: bool = False
    charged: Charged | None = None
    cost: Cost | None = None


@dataclass(frozen=True)
class Access:
    """The facts by which a process reaches a provider: its limits, and the key's fingerprint to count them by."""

    account: str
    limits: Limits = field(default_factory=Limits)
    key: Key = field(default_factory=Key)


class Provider(Protocol):
    """One generation service."""

    access: Access

    @property
    def name(self) -> str:
        """The name that callers use."""
        ...

    @property
    def traits(self) -> Traits:
        """Its traits."""
        ...

    def check(self, request: GenerationRequest) -> GenerationRequest:
        """The request with defaults filled in. Raises InvalidRequest where the provider cannot do it."""
        ...

    async def submit(self, request: GenerationRequest, reference: str) -> Submission:
        """Starts the job: at most one POST, never repeated. `reference`: our own name for it."""
        ...

    async def read(self, receipt: Receipt, request: GenerationRequest) -> Reading:
        """Looks at the job; safe to repeat."""
        ...

    async def picture(self, receipt: Receipt, request: GenerationRequest, image: RemoteImage, into: Incoming) -> None:
        """Writes the picture's bytes, unverified, into a new file; safe to repeat, with another."""
        ...

    async def over(self, receipt: Receipt) -> None:
        """Every picture of the job is saved: nobody asks for it again."""
        ...

    async def models(self) -> list[Model]:
        """The models that `generate` takes. Raises NotAsked: as `Api.read`, for which nobody waits here."""
        ...

    async def account_state(self) -> AccountState | None:
        """Balance and plan, or None where the provider does not report them. Raises NotAsked likewise."""
        ...


@runtime_checkable
class Finder(Provider, Protocol):
    """A service that shows jobs under our own names for them, where its traits say so."""

    async def find(self, request: GenerationRequest, reference: str) -> Receipt | None:
        """The job that was submitted under this reference; None: there is none, or more than one. Safe to repeat.

        Raises:
            OutcomeUnknown: the same, for a reason that callers are shown.
            DarkroomError: it could not be asked.
        """
        ...


@dataclass(frozen=True)
class Connection:
    """The means to reach one provider: who pays for it, the process's HTTP clients, and its account's door."""

    account: Account
    access: Access
    http: Http
    redact: Redactor
    door: Door
    inputs: Path = Path()
    """The folder of the pictures that requests are made from, until they are sent."""

    async def given(self, request: GenerationRequest, reference: str) -> list[Attached]:
        """The pictures that the request is made from, verified and without notes: to be sent as they are.

        They are there while the generation of this reference is submitted, and removed afterwards.

        Raises:
            StorageError: one of them is not there.
        """
        return await to_thread.run_sync(recall, self.inputs, reference, request) if request.images else []


class HttpProvider:
    """The common base of services behind an HTTP API; a subclass adds its own endpoints."""

    name: str
    traits: Traits

    def __init__(self, connection: Connection) -> None:
        account, http, redact = connection.account, connection.http, connection.redact
        variable = account.declaration.key_variable or ""
        self.access = connection.access
        self.given = connection.given
        self._pictures = Pictures(http, account.own_origin, redact)
        self._api = Api(
            self.traits.title, variable, account.base_url, http, self.signed(account), redact, connection.door,
            self.access.key,
        )  # fmt: skip

    @staticmethod
    def signed(account: Account) -> Mapping[str, str]:
        """The headers that a call is signed with."""
        return {"Authorization": f"Bearer {account.key}"}

    def check(self, request: GenerationRequest) -> GenerationRequest:
        """See `Provider.check`."""
        return check_request(request, self.traits)

    async def picture(self, receipt: Receipt, request: GenerationRequest, image: RemoteImage, into: Incoming) -> None:
        """The picture from its URL, without the key."""
        await self._pictures.fetch(image.url or "", into)

    async def over(self, receipt: Receipt) -> None:
        """See `Provider.over`: nothing is kept here."""
