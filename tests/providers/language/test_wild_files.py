"""Files that nobody would write on purpose: refused in sentences, wherever in them something is wild."""

import copy
import json
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest

from darkroom.providers.authoring.review import review
from darkroom.providers.language.files import recall
from darkroom.providers.language.loading import BadDeclaration, hash_of, parse
from darkroom.providers.language.offers import limits_of, traits_of
from tests.hosts import Home, darkroom

GUIDE = Path(__file__).parents[3] / "docs" / "add-a-service.md"
FILE = tomllib.loads(GUIDE.read_text("utf-8").partition("```toml\n")[2].partition("```")[0])
WILD: list[Any] = [
    "", "$", "/*", "x\0\n\u202e", 0, -1, 2**70, 1e308, float("nan"), float("-inf"), True, [], [[]], {}, {"a": 1}, [{}],
    date(2026, 11, 28), {"$first": "x"}, {"$join": 3}, {"$join": [3]}, {"$each": {}}, "https://[::1", "{job}",
]  # fmt: skip


def test_a_wild_value_at_any_place_is_a_sentence_or_is_taken_and_never_breaks_anything(tmp_path: Path) -> None:
    file = tmp_path / "my-service.toml"
    tried = [(place, wild) for number, place in enumerate(_places(FILE)) for wild in WILD[number % 7 :: 7]]
    for place, wild in tried:
        file.write_text(_with(place, wild), "utf-8")
        found = review(file)
        assert all(each.message for each in found.faults)
        try:
            service = parse(file.read_bytes())
        except BadDeclaration:
            assert found.faults, (place, wild)
        else:
            assert traits_of(service).title == service.title
            assert "inf" not in limits_of(service)


def test_a_server_starts_whatever_a_file_of_a_provider_holds(home: Home) -> None:
    folder = home.path / "home" / "providers"
    folder.mkdir(parents=True)
    wild: dict[str, tuple[tuple[str, ...], Any]] = {
        "wild-a": (("base_url",), "https://[::1"),
        "wild-b": (("submit", "body", "model"), {"$join": 3}),
        "wild-c": (("accepts", "options", "steps"), {"type": "strings", "max": -3.0}),
        "wild-d": (("read", "words", "done"), [2**99999]),
    }
    for name, (place, value) in wild.items():
        (folder / f"{name}.toml").write_text(_with(place, value).replace('"my-service"', f'"{name}"', 1), "utf-8")
    variables = {f"DARKROOM_{name.upper().replace('-', '_')}_KEY": "k-0123456789abcdef" for name in wild}
    done = darkroom(home.with_(**variables), "models", "--provider", "sketch")
    assert (done.status, "Traceback" in done.err) == (0, False), done
    assert all(f"The provider {name} is not there: " in done.err for name in wild)


def test_a_job_is_read_by_its_file_though_such_a_file_is_refused_by_now(tmp_path: Path) -> None:
    data = _with(("hosts",), ["*.s3.amazonaws.com"]).encode()
    with pytest.raises(BadDeclaration, match="too wide"):
        parse(data)
    (tmp_path / f"{hash_of(data)}.toml").write_bytes(data)
    assert recall(tmp_path, hash_of(data), "My Service").service.hosts == ["*.s3.amazonaws.com"]


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each table, list and value but the whole."""
    inside = cast("dict[str, Any]", value).items() if isinstance(value, dict) else ()
    for key, each in enumerate(cast("list[Any]", value)) if isinstance(value, list) else inside:
        yield (*at, key)
        yield from _places(each, (*at, key))


def _with(place: tuple[Any, ...], wild: Any) -> str:
    """The text of the file with the wild value in this place."""
    file = copy.deepcopy(FILE)
    inner: Any = file
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = wild
    return "".join(f"{json.dumps(key)} = {_toml(each)}\n" for key, each in file.items())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value).items()
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in fields) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, cast("list[Any]", value))) + "]"
    if isinstance(value, float | date):
        return str(value)
    return hex(value) if isinstance(value, int) and value > 2**99 else json.dumps(value)
