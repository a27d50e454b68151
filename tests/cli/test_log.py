"""DARKROOM_LOG=info: what Darkroom itself does, step by step, with the time and its zone; nothing of a prompt."""

import re

from tests.hosts import Home, darkroom
from tests.services.fatthumb import FatThumb


def test_the_log_tells_each_step_of_a_generation(home: Home, fatthumb: FatThumb) -> None:
    done = darkroom(home.with_(fatthumb, DARKROOM_LOG="info"), "generate", "A secret fox", "--count", "2")
    assert done.status == 0
    (generation,) = set(re.findall(r"gen_[a-z2-7]{26}", done.err))
    told = [line for line in done.err.splitlines() if " INFO darkroom." in line]
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} INFO ", line) for line in told)
    steps = [
        f"pictures are saved under {home.pictures}",
        f"{generation} is being sent to fatthumb",
        f"{generation} at fatthumb is running",
        "1 of 2 pictures saved",
        f"{generation} at fatthumb is succeeded, 2 of 2 pictures saved",
    ]
    places = [next(at for at, line in enumerate(told) if step in line) for step in steps]
    assert places == sorted(places)
    assert not any("secret" in line for line in told)


def test_without_it_only_the_progress_is_told(home: Home, fatthumb: FatThumb) -> None:
    assert "INFO" not in darkroom(home.with_(fatthumb), "generate", "A fox").err
