"""The vocabulary of the house: requests, ledger records, and what both are made of."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SerializationInfo, SerializerFunctionWrapHandler
from pydantic.functional_serializers import model_serializer
from pydantic.json_schema import SkipJsonSchema

from darkroom.money import PLACES, Cost
from darkroom.redact.text import clean

MAX_COUNT = 4
MAX_PROMPT = 10_000
MAX_MODEL = 100
MAX_ASPECT_RATIO = 20
MAX_REQUEST_KEY = 100
MAX_IMAGES = 8
"""The number of pictures that a generation may be made from, masks included."""
MASK = "mask="
"""The beginning of the name of a picture that is a mask."""
RANDOM_SEED = -1
"""The lowest seed that can be asked for: the provider chooses another each time."""
MAX_SEED = 2**53 - 1
"""The largest whole number that every reader of JSON keeps as it is."""


class Frozen(BaseModel):
    """A value that never changes; a change makes a new one with `model_copy(update=…)`."""

    model_config = ConfigDict(frozen=True, defer_build=True)  # a start uses few of them


class Charged(StrEnum):
    """The provider's charge for a failure."""

    NO = "no"
    YES = "yes"
    MAYBE = "maybe"


class Stage(StrEnum):
    """The stages of a generation on its way through the house."""

    ACCEPTED = "accepted"
    """In the ledger; no provider has heard of it."""
    SUBMITTING = "submitting"
    """Its one POST may be under way."""
    RUNNING = "running"
    """The provider has it, under a job id."""
    COLLECTING = "collecting"
    """The provider is done; its pictures are being fetched."""
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """True where nothing more will happen unasked."""
        return self in TERMINAL


TERMINAL = frozenset({Stage.SUCCEEDED, Stage.PARTIAL, Stage.FAILED, Stage.CANCELLED})


class Status(StrEnum):
    """The status of a generation as callers see it; the last four are terminal."""

    QUEUED = "queued"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """True where nothing more will happen unasked."""
        return self in {Status.SUCCEEDED, Status.PARTIAL, Status.FAILED, Status.CANCELLED}


class ImageStatus(StrEnum):
    """The status of one picture."""

    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    """Verified and saved."""
    FAILED = "failed"


class Answered(StrEnum):
    """The caller's knowledge of the generation's id."""

    PENDING = "pending"
    """The result is on its way."""
    DELIVERED = "delivered"
    LOST = "lost"
    """The caller cancelled or vanished first: its next identical call is given this generation."""


class InputImage(Frozen):
    """A picture that a generation is made from: its content by hash, and the words in which its caller named it.

    Two of the same content and role are the same, whatever they were called. A hash is empty until it is read.
    """

    role: Literal["image", "mask"] = "image"
    sha256: str = ""
    mime_type: str = ""
    source: str = ""
    """A path, or a generation and an index; of a data: URL no more than its scheme."""

    @property
    def name(self) -> str:
        """The source for a reader."""
        return "a data: URL" if self.source == "data:" else clean(self.source, 120)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InputImage) and (self.role, self.sha256) == (other.role, other.sha256)

    def __hash__(self) -> int:
        return hash((self.role, self.sha256))


class GenerationRequest(Frozen):
    """A request, after the provider's own check: nothing in here will be refused later by us."""

    provider: str
    prompt: str
    model: str
    count: int = 1
    aspect_ratio: str | None = None
    negative_prompt: str | None = None
    seed: int | None = None
    options: dict[str, JsonValue] = Field(default_factory=dict)
    images: tuple[InputImage, ...] = Field(default=(), exclude_if=lambda images: not images)
    """The pictures that it is made from. Where there are none, the request reads as it did before there could be."""


class Sparse(Frozen):
    """A value that leaves out what is not known, instead of saying null."""

    @model_serializer(mode="wrap")
    def _without_nulls(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {name: value for name, value in handler(self).items() if value is not None}


class Failure(Sparse):
    """A failure: what happened, whether it was charged, and what to do next."""

    code: str
    message: str
    charged: Charged
    next_step: str


class Image(Sparse):
    """One picture of a generation; `bytes` is its size on disk, `width` and `height` are pixels as people see it.

    `path` and `uri` are where a caller finds a saved picture. The ledger has its `key` instead.
    """

    index: int
    status: ImageStatus = ImageStatus.PROCESSING
    path: str | None = None
    uri: str | None = None
    url: str | None = None
    mime_type: str | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    removed: str | None = None
    watermarked: bool = False
    hidden: bool = False
    error: Failure | None = None
    favourite: SkipJsonSchema[bool | None] = None
    """True: its owner likes it best. The ledger has that beside the pictures."""
    key: SkipJsonSchema[str | None] = None
    """Its key in the store of pictures. Never shown."""
    remote_id: SkipJsonSchema[str | None] = None
    """The provider's own name for it, which tells it from its siblings in whatever order they come. Never shown."""
    final: SkipJsonSchema[bool | None] = None
    """True: what failed will not change, so it is not fetched again. Never shown."""

    @model_serializer(mode="wrap")
    def _for_callers(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, object]:
        known = self._without_nulls(handler)
        if info.context == IN_LEDGER:
            # Every version of Darkroom that may use the ledger looks for the key under this name.
            return {**known, "path": known.pop("key")} if "key" in known else known
        return {n: known[n] for n in known if n not in _NEVER_SHOWN}


IN_LEDGER = "in the ledger"
"""The context in which a value is written down with what is never shown."""
_NEVER_SHOWN = {"key", "remote_id", "final"}


class Receipt(Frozen):
    """A provider's receipt for a job, as it is handed back with every later call for it. Never shown.

    `kept`: what else than its id the provider's client needs, as JSON.
    """

    job_id: str
    kept: dict[str, JsonValue] = Field(default_factory=dict)


class Record(Frozen):
    """One row of the ledger: the truth about one generation. Times are seconds since 1970, UTC."""

    id: str
    owner: str
    request: GenerationRequest
    account: str
    """The provider's key by fingerprint: what the provider's limits are counted against."""
    stage: Stage
    created_at: float = 0.0
    """The time when the ledger accepted it."""
    request_key: str | None = None
    """The caller's own name for it: the same key is never a second generation."""
    answered: Answered = Answered.PENDING
    refused_since: float | None = None
    """Since when the provider could not be reached at all to submit it, or what waited before it."""
    submit_token: str | None = None
    submitted_at: float | None = None
    job_id: str | None = None
    kept: dict[str, JsonValue] = Field(default_factory=dict)
    holder: str = ""
    """The process that drives it."""
    answering: str | None = None
    """The process that owes its caller the result; None: the holder."""
    turn: int = 1
    """The number of this call among those that were given it, in the order of the ledger; 0: another one is owed it."""
    seed: int | None = None
    """The seed that the provider says it used."""
    provider_queued: bool = False
    queue_position: int | None = None
    images: tuple[Image, ...] = ()
    failure: Failure | None = None
    finished_at: float | None = None
    cancel_wished: bool = False
    """Its caller asked to cancel it: while its POST is under way, that can only be remembered. Of one that its provider
    has: the provider was asked to stop it, and has not said that it does not.
    """
    trouble: str | None = None
    """Its trouble at the moment, for any process that is asked."""
    limited_since: float | None = None
    """Since when the provider has refused every submission of the account as too early."""
    refusals: int = 0
    """The number of submissions of this one that the provider has refused as too early; none of them was charged."""
    looked_s: float = 0.0
    """Seconds for which the provider has been seen at work on it: the time between looks that succeeded."""
    cost_micros: int | None = None
    """Its cost, in millionths of `cost_unit`; None: nobody has named a price."""
    cost_unit: str | None = None
    cost_estimated: bool = True
    favourites: int = 0
    """The pictures that its owner likes best, a bit each: the first picture's is the lowest."""
    traceparent: str | None = None
    """The call that it was asked for with, as the W3C Trace Context names it, for those who trace the rest."""

    @property
    def receipt(self) -> Receipt:
        """Its provider's receipt; without a name where it has none."""
        return Receipt(job_id=self.job_id or "", kept=self.kept)

    @property
    def cost(self) -> Cost | None:
        """Its cost, as far as anybody has said; nothing, where it was certainly not charged."""
        if self.cost_micros is None or self.cost_unit is None:
            return None
        unsent = self.stage is Stage.CANCELLED and self.failure is None
        if unsent or (self.failure is not None and self.failure.charged is Charged.NO):
            return Cost(amount=0.0, unit=self.cost_unit, estimated=False)
        return Cost(amount=self.cost_micros / 10**PLACES, unit=self.cost_unit, estimated=self.cost_estimated)


def moment(seconds: float) -> datetime:
    """A ledger time (seconds since 1970) as the datetime that callers are shown."""
    return datetime.fromtimestamp(seconds, UTC)


def generation_uri(generation_id: str) -> str:
    """Names a generation as a resource of the MCP server."""
    return f"darkroom://generations/{generation_id}"


def picture_uri(generation_id: str, index: int) -> str:
    """Names one of its pictures in the same way."""
    return f"{generation_uri(generation_id)}/images/{index}"
