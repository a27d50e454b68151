"""Responses of services, read leniently: only what is needed decides, and everything else degrades to absent."""

from contextlib import suppress
from typing import Annotated, Any, ClassVar, TypeVar, cast
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

from darkroom.errors import ProviderError
from darkroom.redact.secrets import REDACTED, Redactor
from darkroom.redact.text import clean
from darkroom.transport.client import Api
from darkroom.transport.reasons import words_in


class Wire(BaseModel):
    """Something that a provider said: fields that we do not know are ignored, and odd ones are as good as absent.

    Only a field without a default is needed, and one in `needed` if it is there: an odd one spoils the whole.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)
    needed: ClassVar[frozenset[str]] = frozenset()

    @field_validator("*", mode="wrap")
    @classmethod
    def _odd_is_absent(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo[Redactor]) -> Any:
        try:
            return handler(value)
        except ValidationError:
            field = cls.model_fields[info.field_name or ""]
            if field.is_required() or info.field_name in cls.needed:
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
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _picture_id(value: Any) -> str | None:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if 0 < len(text) <= 200 and REDACTED not in text and text.isprintable() else None


def _no_flag(value: Any) -> Any:
    if value in ("NaN", "Infinity", "-Infinity"):
        raise ValueError("it is no number")
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


W = TypeVar("W", bound=Wire)


async def read_as(api: Api, path: str, kind: type[W], *, waits: bool = True) -> W:
    """GETs `path` as the given wire model; `waits` as in `Api.read`.

    Raises:
        ProviderError: the response lacks what the contract promises.
        DarkroomError: as `Api.read`.
    """
    answer = await api.read(path, waits=waits)
    try:
        found = kind.model_validate(answer, context=api.redact)
    except ValidationError as error:
        raise _unfit(api, answer) from error
    if not found.model_fields_set and api.says(answer):  # an error, under a status that says that all is well
        raise _unfit(api, answer)
    return found


def _unfit(api: Api, answer: dict[str, Any]) -> ProviderError:
    return ProviderError(
        f"{api.title} returned something that its API does not document{api.says(answer)}",
        next_step="Try again in a minute; nothing is lost.",
    )


def path_segment(provider_id: str) -> str:
    """An id that a provider gave, safe as one segment of a URL's path."""
    return quote(provider_id, safe="").replace(".", "%2E") if set(provider_id) <= {"."} else quote(provider_id, safe="")
