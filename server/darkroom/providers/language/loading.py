"""A declaration's file, read and checked: what is wrong with one is said in sentences, and never guessed around."""

import hashlib

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from darkroom.providers.language.checks import faults
from darkroom.providers.language.schema import Service
from darkroom.providers.language.values import odd, values_of


class BadDeclaration(ValueError):
    """The file declares no service. `faults`: each reason in a sentence."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.faults = reasons


def parse(data: bytes, *, new: bool = True) -> Service:
    """The service that these bytes of TOML declare. `new`: else they were found sound by an earlier version.

    Raises:
        BadDeclaration: they declare none, for all the reasons that were found.
    """
    try:
        values = values_of(data)
    except ValueError as error:
        raise BadDeclaration(str(error)) from error
    if found := [*odd(values)]:
        raise BadDeclaration(*found)
    try:
        service = Service.model_validate(values)
    except ValidationError as error:
        raise BadDeclaration(*map(_said, error.errors(include_url=False, include_input=False))) from error
    if new and (found := faults(service)):
        raise BadDeclaration(*found)
    return service


def hash_of(data: bytes) -> str:
    """The name of a version of a file: 256 bits in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _said(error: ErrorDetails) -> str:
    return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"
