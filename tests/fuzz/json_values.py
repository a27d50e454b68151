"""JSON that nobody asked for, and JSON that was right until somebody changed it."""

import copy
from collections.abc import Iterator
from typing import Any, cast

from hypothesis import strategies as st

Path = tuple[str | int, ...]

NASTY_TEXT = (
    "", " ", "\x00", "\x1b[2J\x1b]0;x\x07", "line\nbreak\r\n", "\u202eright to left\u202c", "\u200b\u2060\ufeff",
    "\ud800", "\U000e0041\U000e0042", "é" * 50, "長" * 3_000, "x" * 20_000, "../../etc/passwd", "%2e%2e%2f", "';--",
    "<script>alert(1)</script>", "{{7*7}}", "${jndi:x}", "__class__", "null", "true", "1e400", "-0", "NaN",
    "https://user:password@127.0.0.1:1/x", "file:///etc/passwd", "data:,x", "http://[::1", "succeeded", "failed",
)  # fmt: skip
NASTY_NUMBERS = (0, -1, 1, 2**31, 2**53, 2**63, 2**64, 10**400, -(10**30), 0.1, -0.0, 1e308, 5e-324, 1.5)

texts = st.one_of(st.sampled_from(NASTY_TEXT), st.text(st.characters(codec=None), max_size=20))
numbers = st.one_of(st.sampled_from(NASTY_NUMBERS), st.integers(), st.floats(allow_nan=False, allow_infinity=False))
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=8,
)


def paths(value: Any, here: Path = ()) -> Iterator[Path]:
    """Where something stands in this value, itself included."""
    yield here
    if isinstance(value, dict):
        for name, part in cast("dict[str, Any]", value).items():
            yield from paths(part, (*here, name))
    elif isinstance(value, list):
        for index, part in enumerate(cast("list[Any]", value)):
            yield from paths(part, (*here, index))


@st.composite
def changed(draw: st.DrawFn, valid: st.SearchStrategy[Any]) -> Any:
    """A valid value with up to three parts replaced, taken out, doubled, wrapped or added to."""
    value = copy.deepcopy(draw(valid))
    for _ in range(draw(st.integers(0, 3))):
        # What lies deep is what the code behind looks at, and what lies shallow is refused before.
        path = draw(st.sampled_from([path for path in paths(value) for _ in range(1 + len(path))]))
        value = _changed_at(value, path, draw)
    return value


def _changed_at(value: Any, path: Path, draw: st.DrawFn) -> Any:
    if not path:
        return draw(st.one_of(values, st.just([value]), st.just({"": value})))
    parent = value
    for step in path[:-1]:
        parent = parent[step]
    last = path[-1]
    match draw(st.sampled_from(("replace", "replace", "scalar", "drop", "wrap", "add"))):
        case "replace":
            parent[last] = draw(values)
        case "scalar":
            parent[last] = draw(scalars)
        case "drop":
            del parent[last]
        case "wrap":
            parent[last] = draw(st.sampled_from(([parent[last]], {"value": parent[last]}, [parent[last]] * 20)))
        case _ if isinstance(parent, dict):
            parent[draw(texts)] = draw(values)
        case _:
            parent.append(draw(values))
    return value
