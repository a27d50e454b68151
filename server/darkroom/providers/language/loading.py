"""A declaration's file, read and checked: what is wrong with one is said in sentences, and never guessed around."""

import hashlib
import tomllib

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from darkroom.providers.language.checks import faults
from darkroom.providers.language.schema import Service

MAX_FILE = 200_000


class BadDeclaration(ValueError):
    """The file declares no service. `faults`: each reason in a sentence."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.faults = reasons


def parse(data: bytes) -> Service:
    """The service that these bytes of TOML declare.

    Raises:
        BadDeclaration: they declare none, for all the reasons that were found.
    """
    if len(data) > MAX_FILE:
        raise BadDeclaration(f"it is larger than {MAX_FILE} bytes")
    try:
        service = Service.model_validate(tomllib.loads(data.decode("utf-8")))
    except ValidationError as error:
        raise BadDeclaration(*map(_said, error.errors(include_url=False, include_input=False))) from error
    except (ValueError, RecursionError) as error:
        raise BadDeclaration(f"it is not TOML: {error}") from error
    if found := faults(service):
        raise BadDeclaration(*found)
    return service


def hash_of(data: bytes) -> str:
    """The name of a version of a file: 256 bits in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _said(error: ErrorDetails) -> str:
    return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"
