"""The parts that tables of a declaration are made of: pointers, words, and the table itself."""

from typing import Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from darkroom.providers.language.pointers import segments


def _pointer(text: str) -> str:
    segments(text)
    return text


def _as_list(value: Any) -> Any:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


Pointer = Annotated[str, AfterValidator(_pointer)]
Pointers = Annotated[list[Pointer], BeforeValidator(_as_list), Field(min_length=1)]
Scalar = str | int | float | bool
Scalars = Annotated[list[Scalar], BeforeValidator(_as_list), Field(min_length=1)]
Texts = Annotated[list[str], BeforeValidator(_as_list), Field(min_length=1)]


class Table(BaseModel):
    """A table of a declaration: no key but these, no value of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
