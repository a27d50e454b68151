"""A fixed piece of the fuzzing, the same in every run; `python3 dev.py bench fuzz` goes on from there."""

import pytest

from tests.fuzz.targets import TARGETS, run

EXAMPLES = {"providers": 300, "legacy": 200, "2026-07-28": 200}


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_is_sent_breaks_a_promise(name: str) -> None:
    run(TARGETS[name], EXAMPLES[name], derandomize=True)
