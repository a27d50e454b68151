"""The memory of a server does not grow with the number of threads that looked at its pictures."""

import sys

import pytest

from tests.hosts import PATIENCE_S, Home, RawServer, running
from tests.memory import arenas
from tests.services.fatthumb import FatThumb

FEW = 4
"""Heaps: two, and what threads had before the server stood. Of its own accord glibc makes up to eight a core."""


@pytest.mark.skipif(sys.platform != "linux", reason="heaps of threads are glibc's")
def test_pictures_that_come_at_the_same_time_do_not_each_leave_a_heap_behind(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(duration=1000.0)
    unhurried = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1000/1,requests=1000000/3600")
    with running(unhurried, "serve") as process:
        server = RawServer(process)
        server.initialize()
        made = [server.call("generate", prompt=f"fox {n}", count=4)["structuredContent"]["id"] for n in range(8)]
        fatthumb.until(lambda: len(fatthumb.posts) == len(made), PATIENCE_S)
        fatthumb.advance(1000)
        assert {server.over(each)["status"] for each in made} == {"succeeded"}
        assert arenas(process.pid) <= FEW
