"""The declarations that are shipped: every documented request and answer in them is read as documented."""

from pathlib import Path

import pytest

import darkroom.providers
from darkroom.providers.language.examples import misread
from darkroom.providers.language.loading import parse

SHIPPED = sorted((Path(darkroom.providers.__file__).parent / "shipped").glob("*.toml"))


def test_declarations_are_shipped() -> None:
    assert len(SHIPPED) >= 10


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_every_example_of_a_shipped_declaration_is_read_as_documented(file: Path) -> None:
    service = parse(file.read_bytes())
    assert service.name == file.stem
    assert any(example.to == "submit" for example in service.example), "nothing shows that a job is taken"
    assert misread(service) == {}
