"""The vocabulary of the house: requests, ledger records, and the Generation that callers are answered with."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SerializationInfo, SerializerFunctionWrapHandler
from pydantic.functional_serializers import PlainSerializer, model_serializer
from pydantic.json_schema import SkipJsonSchema

MAX_COUNT = 4
MAX_PROMPT = 10_000
MAX_MODEL = 100
MAX_ASPECT_RATIO = 20
MAX_REQUEST_KEY = 100
RANDOM_SEED = -1
"""The lowest seed that can be asked for: the provider chooses another each time."""
MAX_SEED = 2**53 - 1
"""The largest whole number that every reader of JSON keeps as it is."""


class Frozen(BaseModel):
    """A value that never changes; a change makes a new one with `model_copy(update=…)`."""

    model_config = ConfigDict(frozen=True)


class Charged(StrEnum):
    """Whether the provider took money for what failed."""

    NO = "no"
    YES = "yes"
    MAYBE = "maybe"


class Stage(StrEnum):
    """Where a generation is on its way through the house (design, section 3)."""

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
        """Whether nothing more will happen unasked."""
        return self in TERMINAL


TERMINAL = frozenset({Stage.SUCCEEDED, Stage.PARTIAL, Stage.FAILED, Stage.CANCELLED})


class Status(StrEnum):
    """What a caller sees of a generation; the last four are terminal."""

    QUEUED = "queued"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """Whether nothing more will happen unasked."""
        return self in {Status.SUCCEEDED, Status.PARTIAL, Status.FAILED, Status.CANCELLED}


class ImageStatus(StrEnum):
    """Where one picture of a generation is."""

    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    """Verified and saved."""
    FAILED = "failed"


class Answered(StrEnum):
    """Whether the caller of `generate` ever learned the generation's id."""

    PENDING = "pending"
    """The answer is on its way."""
    DELIVERED = "delivered"
    LOST = "lost"
    """The caller cancelled or vanished first: its next identical call is given this generation."""


class GenerationRequest(Frozen):
    """What was asked for, after the provider's own check: nothing in here will be refused later by us."""

    provider: str
    prompt: str
    model: str
    count: int = 1
    aspect_ratio: str | None = None
    negative_prompt: str | None = None
    seed: int | None = None
    options: dict[str, JsonValue] = Field(default_factory=dict)


class Sparse(Frozen):
    """A value that leaves out what is not known, instead of saying null."""

    @model_serializer(mode="wrap")
    def _without_nulls(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {name: value for name, value in handler(self).items() if value is not None}


class Failure(Sparse):
    """What went wrong, whether it was charged, and what to do next."""

    code: str
    message: str
    charged: Charged
    next_step: str


class Image(Sparse):
    """One picture of a generation; `bytes` is its size on disk, `width` and `height` are pixels as people see it.

    `uri` is not kept in the ledger: a saved picture is given one whenever a generation is answered.
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
    remote_id: SkipJsonSchema[str | None] = None
    """The provider's own name for it, which tells it from its siblings in whatever order they come. Never shown."""
    final: SkipJsonSchema[bool | None] = None
    """True: what failed will not change, so it is not fetched again. Never shown."""

    @model_serializer(mode="wrap")
    def _for_callers(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, object]:
        known = self._without_nulls(handler)
        return known if info.context == IN_LEDGER else {n: known[n] for n in known if n not in _NEVER_SHOWN}


IN_LEDGER = "in the ledger"
"""The context in which a value is written down with what is never shown."""
_NEVER_SHOWN = {"remote_id", "final"}


class Receipt(Frozen):
    """What a provider gave for a job, as it is handed back with every later call for it. Never shown.

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
    """When the ledger accepted it."""
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
    """The process that owes its caller the answer; None: the holder."""
    turn: int = 1
    """Which of the calls that were given it this is, counted in the order of the ledger; 0: another one is owed it."""
    seed: int | None = None
    """What the provider says it used."""
    provider_queued: bool = False
    queue_position: int | None = None
    images: tuple[Image, ...] = ()
    failure: Failure | None = None
    finished_at: float | None = None
    cancel_wished: bool = False
    """Its caller asked to cancel it; while its POST is under way, that can only be remembered."""
    trouble: str | None = None
    """What it is struggling with at the moment, for whichever process is asked."""
    limited_since: float | None = None
    """Since when the provider has refused every submission of the account as too early."""
    refusals: int = 0
    """How many submissions of this one the provider has refused as too early; none of them was charged."""
    looked_s: float = 0.0
    """How long the provider has been seen at work on it: the time between looks that succeeded."""

    @property
    def receipt(self) -> Receipt:
        """What its provider gave for it; without a name where it has none."""
        return Receipt(job_id=self.job_id or "", kept=self.kept)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(_iso, return_type=str)]


def moment(seconds: float) -> datetime:
    """A ledger time (seconds since 1970) as the datetime that callers are answered with."""
    return datetime.fromtimestamp(seconds, UTC)


def generation_uri(generation_id: str) -> str:
    """Names a generation as a resource of the MCP server."""
    return f"darkroom://generations/{generation_id}"


def picture_uri(generation_id: str, index: int) -> str:
    """Names one of its pictures in the same way."""
    return f"{generation_uri(generation_id)}/images/{index}"


class State(StrEnum):
    """Where a generation is at the moment, more closely than by its status."""

    WAITING = "waiting"
    """In our own queue."""
    HELD = "held"
    """In our own queue, and not sent for a reason that the message gives."""
    SENDING = "sending"
    QUEUED = "queued"
    """In the provider's own queue."""
    WORKING = "working"
    SAVING = "saving"
    OVER = "over"


class Progress(Sparse):
    """How far a generation is: in parts (seconds), and in a sentence made of them.

    `starts_in_s`: when its turn comes in our own queue, as far as the limits tell. `trouble`: what goes wrong now, in a
    sentence.
    """

    message: str
    state: State
    queue_position: int | None = None
    starts_in_s: float | None = None
    elapsed_s: float
    expected_s: float | None = None
    trouble: str | None = None


class Generation(Sparse):
    """What every tool and `--json` return.

    `next_step`: what to do where it is unfinished, or pictures are missing. `contact_sheet`: true where the first image
    beside it shows its pictures side by side, in order.
    """

    id: str
    provider: str
    model: str
    prompt: str
    count: int
    seed: int | None = None
    status: Status
    progress: Progress
    images: tuple[Image, ...] = ()
    error: Failure | None = None
    next_step: str | None = None
    contact_sheet: bool | None = None
    created_at: Moment
    submitted_at: Moment | None = None
    finished_at: Moment | None = None


class WaitedGenerations(Sparse):
    """What wait returns."""

    generations: tuple[Generation, ...]
    timed_out: bool
    next_step: str | None = None
    contact_sheet: bool | None = None


class ListedGenerations(Sparse):
    """What list_generations answers, newest first."""

    generations: tuple[Generation, ...]
    next_cursor: str | None = None
