"""Services whose response is the result, and a disk without room for it: before the POST, and in the middle of one."""

import base64
from collections.abc import Generator
from pathlib import Path
from resource import RLIMIT_FSIZE, prlimit

import pytest

from tests.hosts import Home, darkroom
from tests.providers.language.test_results import poster, sending
from tests.services.declared import DeclaredService

ROOM = 50_000_000
"""Bytes: more than a picture is thought to need, and less than the largest response has."""
SMALL = f"""
import shutil
shutil.disk_usage = lambda path: shutil._ntuple_diskusage(10**9, 10**9 - {ROOM}, {ROOM})
"""
TOO_SMALL = 500_000
"""Bytes: more than a ledger needs, and less than the response has."""


@pytest.fixture
def service() -> Generator[DeclaredService]:
    """A server that speaks OpenAI's image API, and whose picture is large."""
    with DeclaredService.shipped("openai") as service:
        large = base64.b64encode(service.picture() + bytes(2 * TOO_SMALL)).decode()
        service.says["submit"] = [(200, {"created": 1, "data": [{"b64_json": large}]})]
        yield service


def left(user: Home) -> list[Path]:
    """Responses on the disk, whole or in part."""
    return [path for path in (user.path / "home" / "providers").rglob("answers/*") if path.is_file()]


def test_nothing_is_sent_where_the_disk_has_no_room_for_the_largest_response(
    home: Home, service: DeclaredService
) -> None:
    site = home.path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(SMALL)
    user = service.home(home, PYTHONPATH=str(site))
    made = darkroom(user, "generate", "a cat", "--provider", service.name, "--json").json
    error = made["error"]
    assert (made["status"], error["code"], error["charged"]) == ("failed", "storage_error", "no")
    assert "only 50,000,000 bytes are free, 100,663,296 may be needed" in error["message"]
    assert "nothing was sent" in error["message"]
    assert "Make room there" in error["next_step"]
    assert service.posts == []
    assert left(user) == []


def test_a_disk_that_fills_while_the_response_comes_may_have_cost_money_and_says_so(
    home: Home, service: DeclaredService
) -> None:
    user = service.home(home)
    with sending(service, user) as (server, generation_id):
        process = poster(user)
        prlimit(process, RLIMIT_FSIZE, (TOO_SMALL, prlimit(process, RLIMIT_FSIZE)[1]))
        service.may_answer.set()
        waited = server.call("wait", generation_ids=[generation_id])["structuredContent"]["generations"][0]
        error = waited["error"]
        assert (waited["status"], error["code"], error["charged"]) == ("failed", "storage_error", "maybe")
        assert "cannot be kept" in error["message"]
        assert "File too large" in error["message"]
        assert "gallery" in error["next_step"]
        again = server.call("get_status", generation_id=generation_id)["structuredContent"]
    assert again["status"] == "failed"
    assert len(service.posts) == 1
    assert left(user) == []
