"""What a provider is to the rest of the house."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Protocol, TypeVar, cast
from urllib.parse import quote

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)

from darkroom.errors import InvalidRequest, ProviderError, invalid_arguments
from darkroom.models import Frozen, GenerationRequest, ImageStatus, Sparse
from darkroom.redact import REDACTED, Redactor, clean
from darkroom.settings import Limits
from darkroom.transport.client import Api, Key
from darkroom.transport.egress import Pictures
from darkroom.transport.reasons import words_in


class Wire(BaseModel):
    """Something that a provider said: fields that we do not know are ignored, and odd ones are as good as absent.

    Only a field without a default is needed: without a usable one, the whole cannot be read.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    @field_validator("*", mode="wrap")
    @classmethod
    def _odd_is_absent(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo[Redactor]) -> Any:
        try:
            return handler(value)
        except ValidationError:
            field = cls.model_fields[info.field_name or ""]
            if field.is_required():
                raise
            return field.get_default(call_default_factory=True, validated_data={})


def _each_alone(value: Any, handler: ValidatorFunctionWrapHandler) -> list[Any]:
    readable: list[Any] = []
    for each in cast("list[Any]", value) if isinstance(value, list) else []:
        with suppress(ValidationError):
            readable += handler([each])
    return readable or handler(value)


def _words(text: str, info: ValidationInfo[Redactor]) -> str:
    return clean(info.context(text))


def _label(text: str, info: ValidationInfo[Redactor]) -> str:
    return clean(info.context(text), 80)


def _kept_id(text: str) -> str:
    if REDACTED in text or not text.isprintable():
        raise ValueError("it holds a key, or what no text can hold, so it cannot be kept")
    return text


def _id_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _picture_id(value: Any) -> str | None:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if 0 < len(text) <= 200 and REDACTED not in text and text.isprintable() else None


def _no_flag(value: Any) -> Any:
    return None if isinstance(value, bool) else value


N = TypeVar("N", int | None, float | None)


def _sane(value: N) -> N | None:
    return value if value is not None and abs(value) < 2**53 else None


T = TypeVar("T")
Several = Annotated[list[T], WrapValidator(_each_alone)]
"""A list without what in it cannot be read."""
Words = Annotated[str, BeforeValidator(words_in), AfterValidator(_words)]
"""A sentence of the provider, in whatever shape: without secrets, on one line, at most 300 characters."""
Label = Annotated[str, AfterValidator(_label)]
"""A name that the provider gave: the same, at most 80 characters."""
JobId = Annotated[str, BeforeValidator(_id_text), Field(min_length=1, max_length=200), AfterValidator(_kept_id)]
"""A job's name at the provider, also where that is a number: never shown, and refused if a key was taken out of it."""
PictureId = Annotated[str | None, BeforeValidator(_picture_id)]
"""A picture's name at the provider: never shown; one that cannot be kept is as good as none."""
Whole = Annotated[int | None, BeforeValidator(_no_flag), AfterValidator(_sane)]
"""A number that is good to know; one that no ledger could hold is as good as none."""
Amount = Annotated[float | None, BeforeValidator(_no_flag), AfterValidator(_sane)]
"""The same, in fractions too."""


class Options(BaseModel):
    """A provider's own arguments, as JSON or as the texts that agents and people write them in."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
MAX_NAMED = 10


class Model(Sparse):
    """One model of a provider, as an agent may name it."""

    id: str
    name: str
    note: str | None = None


class AccountState(Sparse):
    """What the provider tells about the account: its credits and its plan."""

    credits: float | None = None
    plan: str | None = None
    plan_status: str | None = None
    plan_ends: str | None = None


@dataclass(frozen=True)
class Traits:
    """What a provider can do, as data. Intervals and deadlines are seconds."""

    title: str
    key_variable: str | None
    poll_interval_s: float
    shortest_interval_s: float
    deadline_s: float
    """How long after the submission a job that is still running is given up."""
    max_count: int = 1
    models: tuple[str, ...] | None = None
    """The model names it takes; None where they are numbers from its own list."""
    default_model: str = ""
    aspect_ratios: tuple[str, ...] = ()
    negative_prompt: bool = False
    seed: bool = False
    options: type[Options] = Options
    free: bool = False
    """Whether its pictures cost nothing."""
    note: str | None = None
    """What must be said of every one of its results."""


class Submission(Frozen):
    """The provider's receipt for a job; `queued`: it is in the provider's own queue."""

    job_id: str
    queued: bool = False


class RemoteImage(Frozen):
    """One picture as the provider tells of it, at this place of its answer; `url`: where it lies once it is there."""

    index: int
    remote_id: str | None = None
    status: ImageStatus
    url: str | None = None
    watermarked: bool = False
    hidden: bool = False
    error: str | None = None


NO_REASON = "it gave no reason"


class Reading(Frozen):
    """One look at a job. `done` says that the provider will change nothing more."""

    done: bool
    queued: bool = False
    queue_position: int | None = None
    images: tuple[RemoteImage, ...] = ()
    seed: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class Access:
    """What one process knows of reaching one provider: its limits, and the key's fingerprint to count them by."""

    account: str
    limits: Limits = field(default_factory=Limits)
    key: Key = field(default_factory=Key)


class Provider(Protocol):
    """One generation service."""

    name: ClassVar[str]
    traits: ClassVar[Traits]
    access: Access

    def check(self, request: GenerationRequest) -> GenerationRequest:
        """The request with defaults filled in. Raises InvalidRequest where the provider cannot do it."""
        ...

    async def submit(self, request: GenerationRequest) -> Submission:
        """Starts the job: at most one POST, never repeated."""
        ...

    async def read(self, job_id: str, request: GenerationRequest) -> Reading:
        """Looks at the job; safe to repeat."""
        ...

    async def picture(self, request: GenerationRequest, job_id: str, image: RemoteImage) -> bytes:
        """The picture's bytes, unverified; safe to repeat."""
        ...

    async def models(self) -> list[Model]:
        """The models that `generate` takes. Raises NotAsked: as `Api.read`, for which nobody waits here."""
        ...

    async def account_state(self) -> AccountState | None:
        """Balance and plan, or None where the provider does not tell them. Raises NotAsked likewise."""
        ...


class HttpProvider:
    """What every service behind an HTTP API has in common; a subclass adds its own endpoints."""

    name: ClassVar[str]
    traits: ClassVar[Traits]

    def __init__(self, api: Api, access: Access, pictures: Pictures) -> None:
        self._api = api
        self.access = access
        self._pictures = pictures

    def check(self, request: GenerationRequest) -> GenerationRequest:
        """See `Provider.check`."""
        return check_request(request, self.traits)

    async def picture(self, request: GenerationRequest, job_id: str, image: RemoteImage) -> bytes:
        """The picture from its URL, without the key."""
        return await self._pictures.fetch(image.url or "")


def check_request(request: GenerationRequest, traits: Traits) -> GenerationRequest:
    """Refuses what the traits do not allow, naming what they do, and fills in the default model.

    Raises:
        InvalidRequest: with one sentence to correct the call by.
    """
    title = traits.title
    problems: dict[str, str] = {}
    if request.count > traits.max_count:
        most = "1 picture" if traits.max_count == 1 else f"1 to {traits.max_count} pictures"
        problems["count"] = f"{title} makes {most} per call, not {request.count}"
    if request.model and traits.models is not None and request.model not in traits.models:
        problems["model"] = f"{title} has no such model; it has {', '.join(traits.models)}"
    if request.aspect_ratio is not None and request.aspect_ratio not in traits.aspect_ratios:
        problems["aspect_ratio"] = f"{title} makes {', '.join(traits.aspect_ratios)}, no other aspect ratio"
    if request.negative_prompt is not None and not traits.negative_prompt:
        problems["negative_prompt"] = f"{title} takes no negative prompt; say it in the prompt"
    if request.seed is not None and not traits.seed:
        problems["seed"] = f"{title} takes no seed"
    known, options = traits.options.model_fields, dict[str, Any]()
    strange = [repr(clean(name, 40)) for name in request.options if name not in known][:MAX_NAMED]
    if strange:
        problems["options"] = f"{title} has no option {', '.join(strange)}; it has: {', '.join(known) or 'none'}"
    try:
        meant = {n: v for n, v in request.options.items() if n in known and v is not None and v != ""}
        options = traits.options.model_validate(meant).model_dump(exclude_none=True, exclude_unset=True)
    except ValidationError as error:
        raise invalid_arguments(error, "options.", list(problems.values())) from error
    if problems:
        said, names = "; ".join(problems.values()), " and ".join(problems)
        raise InvalidRequest(f"{said}.", next_step=f"Correct {names} and call again; nothing was sent.")
    return request.model_copy(update={"model": request.model or traits.default_model, "options": options})


W = TypeVar("W", bound=Wire)


async def read_as(api: Api, path: str, kind: type[W], *, waits: bool = True) -> W:
    """GETs `path` as the given wire model; `waits` as in `Api.read`.

    Raises:
        ProviderError: the answer lacks what the contract promises.
        DarkroomError: as `Api.read`.
    """
    answer = await api.read(path, waits=waits)
    try:
        return kind.model_validate(answer, context=api.redact)
    except ValidationError as error:
        raise ProviderError(
            f"{api.title} answered something that its API does not document{api.says(answer)}",
            next_step="Try again in a minute; nothing is lost.",
        ) from error


def path_segment(provider_id: str) -> str:
    """An id that a provider gave, safe as one segment of a URL's path."""
    return quote(provider_id, safe="").replace(".", "%2E") if set(provider_id) <= {"."} else quote(provider_id, safe="")
