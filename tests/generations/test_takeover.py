"""The pace of a job that was taken over from a process that died."""

import pytest

from darkroom.generations.driving.pace import Pace, Situation
from darkroom.providers.declared import DECLARED


@pytest.mark.parametrize("provider", ["fatthumb", "betterwaifu"])
def test_a_job_that_was_taken_over_is_looked_at_often_enough_to_be_known_within_three_seconds(provider: str) -> None:
    traits = DECLARED[provider].traits
    pause = Pace(traits).pause(Situation(resumed=True))
    assert traits.shortest_interval_s <= pause <= 2.0
    assert pause < Pace(traits).pause(Situation())
