"""A service starts, stops, logs and stands alone."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.hosts import PATIENCE_S
from tests.services.clients import BROKEN, client_of, submit
from tests.services.exchange import Exchange
from tests.services.fatthumb import FatThumb
from tests.services.faults import Alter, Delay, Hang

ROOT = Path(__file__).parents[2]


def test_a_service_goes_down_and_comes_back_on_the_same_port(thumbs: FatThumb, thumb_client: httpx2.Client) -> None:
    path = f"/generations/{submit(thumb_client).json()['generationId']}"
    url = thumbs.url
    thumbs.stop()
    with pytest.raises(httpx2.ConnectError):
        thumb_client.get(path)
    thumbs.start()
    assert thumbs.url == url
    assert thumb_client.get(path).status_code == 200


def test_a_service_stops_at_once_while_requests_hang(thumbs: FatThumb, thumb_client: httpx2.Client) -> None:
    thumbs.always("submit", Hang())
    thumbs.always("read", Delay(60))
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(submit, thumb_client), pool.submit(thumb_client.get, "/generations/x")]
        thumbs.until(lambda: len(thumbs.log) == 2)
        began = time.monotonic()
        thumbs.stop()
        assert time.monotonic() - began < 30, "it waited for what hangs"
        assert all(isinstance(each.exception(), BROKEN) for each in waiting)


def test_a_service_logs_what_arrives(thumbs: FatThumb, thumb_client: httpx2.Client) -> None:
    job = submit(thumb_client, count=2).json()
    thumb_client.get(f"/generations/{job['generationId']}?x=1")
    post, read = thumbs.log
    assert (post.method, post.path, post.route, post.status) == ("POST", "/api/v1/generate", "submit", 200)
    assert (read.query, read.headers["authorization"]) == ("x=1", f"Bearer {thumbs.key}")
    assert thumbs.requests("GET", "/generations/") == [read] == thumbs.requests(route="read")
    assert thumbs.posts[0].body == {"prompt": "a cat", "count": 2}
    assert thumbs.posts[0].id == job["generationId"]


def test_a_service_reports_that_it_is_broken_itself() -> None:
    def bug(_: Exchange) -> object:
        raise ZeroDivisionError

    broken = FatThumb()
    broken.always("submit", Alter(bug))
    with pytest.raises(ExceptionGroup, match="broken"), broken, client_of(broken) as client:
        assert submit(client).status_code == 500


def test_a_service_tells_time_by_its_own_clock_only(thumbs: FatThumb, thumb_client: httpx2.Client) -> None:
    thumbs.advance(1000)
    submit(thumb_client)
    assert abs(thumbs.log[0].at - time.monotonic()) < 60


def test_a_service_serves_from_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "tests.services", "fatthumb", "--lifetime", "240"]
    command += ["--set", 'failing={"0": "no"}', "--set", "duration=0", "--set", "submit_limit=[1, 60]"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ}) as process:
        assert process.stdout is not None
        hello = json.loads(process.stdout.readline())
        headers = {"authorization": f"Bearer {hello['key']}"}
        with httpx2.Client(base_url=hello["url"], headers=headers, trust_env=False) as client:
            job = submit(client).json()["generationId"]
            assert submit(client).status_code == 429
            assert client.get(f"/generations/{job}").json()["status"] == "failed"
            seen = client.get(hello["log"]).json()
        assert [post["id"] for post in seen["posts"]] == [job]
        assert (seen["refused_429"], seen["requests"]) == (1, {"submit": 2, "read": 1})
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
