"""The tenants file of a server that runs: a bad edit changes nothing for anybody, a good one counts for everything."""

import hashlib
from collections.abc import Callable, Generator
from pathlib import Path

import anyio
import httpx2
import pytest

from darkroom.key_files import MAX_FILE
from tests.hosts import PATIENCE_S, Home, call, eventually, over
from tests.http.hosting import (
    ANN,
    BOB,
    VERSIONS,
    Hosted,
    client_of,
    got,
    headers_of,
    hosted,
    message_of,
    posted,
    tenants_file,
)
from tests.http.operating import ADMIN, Visitor
from tests.services.fatthumb import FatThumb

GARBAGE = b"\x89PNG\r\n\x1a\n\x00\xff" * 1_000

QUICK = """
from darkroom.app import context
context.TENANTS_EVERY_S = 0.1
import runpy
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""


def hash_of(token: str) -> str:
    return f'"sha256:{hashlib.sha256(token.encode()).hexdigest()}"'


class Edited:
    """A server, and the file that it has its tenants from."""

    def __init__(self, server: Hosted, file: Path) -> None:
        self.server = server
        self.file = file
        self.good = file.read_bytes()

    def put(self, contents: bytes) -> None:
        """Replaces it, whatever is there."""
        draft = self.file.with_suffix(".draft")
        draft.write_bytes(contents)
        draft.chmod(0o600)
        if self.file.is_dir():
            self.file.rmdir()
        draft.replace(self.file)  # at once, so that nobody sees it missing

    def remove(self) -> None:
        if self.file.is_dir():
            self.file.rmdir()
        self.file.unlink(missing_ok=True)

    def tells(self, token: str) -> int:
        """The status of an ordinary request with this token."""
        return posted(self.server, "tools/list", token=token, address="10.3.0.1").status_code

    def refusals(self) -> list[str]:
        lines = self.server.log.read_text().splitlines()
        return [line for line in lines if "The tenants stay as they were." in line]


@pytest.fixture
def edited(home: Home, fatthumb: FatThumb) -> Generator[Edited]:
    keys = {"FATTHUMB_API_KEY": fatthumb.key, "FATTHUMB_BASE_URL": fatthumb.url}
    file = tenants_file(home.path, keys)
    words = ("--tenants", str(file), "--trust-proxy", "127.0.0.1")
    with hosted(home.with_(DARKROOM_ADMIN_TOKEN=ADMIN), *words, python=("-c", QUICK)) as server:
        yield Edited(server, file)


def made_a_folder(edited: Edited) -> None:
    edited.remove()
    edited.file.mkdir()


def made_unreadable(edited: Edited) -> None:
    edited.remove()
    edited.file.symlink_to("/proc/self/mem")  # which fails to be read for root as well


def cut_short(edited: Edited) -> None:
    edited.put(edited.good[:-40])


def made_too_large(edited: Edited) -> None:
    edited.put(edited.good + b"#" * 50_000_000)


def given_one_token_twice(edited: Edited) -> None:
    edited.put(edited.good.replace(hash_of(BOB).encode(), hash_of(ANN).encode()))


def given_a_key_twice(edited: Edited) -> None:
    edited.put(edited.good + b"active = 1\nactive = 2\n")


BAD: dict[str, tuple[Callable[[Edited], None], str]] = {
    "garbage": (lambda edited: edited.put(GARBAGE), "it is not text in UTF-8"),
    "an empty file": (lambda edited: edited.put(b""), "it is empty"),
    "a folder": (made_a_folder, "Is a directory"),
    "a file of blanks": (lambda edited: edited.put(b"\xef\xbb\xbf\r\n \r\n"), "it is empty"),
    "a file of 50 MB": (made_too_large, f"it has more than {MAX_FILE:,} bytes"),
    "no file": (Edited.remove, "No such file or directory"),
    "a number without an end": (lambda edited: edited.put(edited.good + b"active = " + b"9" * 5_000), "it is not TOML"),
    "a file that cannot be read": (made_unreadable, "Input/output error"),
    "half of it": (cut_short, "it is not TOML"),
    "a token of two tenants": (given_one_token_twice, "the same token stands at ann and at bob"),
    "a key twice": (given_a_key_twice, "it is not TOML"),
}  # fmt: skip


def test_a_bad_edit_changes_nothing_for_anybody_and_is_said_and_the_next_good_one_counts(edited: Edited) -> None:
    with Visitor(edited.server) as visitor:
        assert not visitor.overview()["tenants_file_refused"]
        for spoil, why in BAD.values():  # of two in a row each has another reason
            spoil(edited)
            eventually(lambda why=why: why in (edited.refusals() or [""])[-1])
            assert [edited.tells(token) for token in (ANN, BOB)] == [200, 200], why
            assert got(edited.server, "/readyz").status_code == 200
            assert visitor.overview()["tenants_file_refused"]
            page = visitor.ask(authorization=f"Bearer {ADMIN}").text
            assert "The tenants file cannot be used as it is now" in page
        edited.put(edited.good)
        eventually(lambda: "can be used again" in edited.server.log.read_text())
        assert not visitor.overview()["tenants_file_refused"]
        assert "The tenants file" not in visitor.ask(authorization=f"Bearer {ADMIN}").text
    log = edited.server.log.read_text()
    assert "Traceback" not in log
    assert [word for word in (ANN, BOB, hash_of(ANN)) if word in log] == []


def test_marks_and_line_ends_of_windows_are_nothing_wrong(edited: Edited) -> None:
    third = f"[tenants.eve]\ntokens = [{hash_of('eve')}]\n".encode()
    edited.put(b"\xef\xbb\xbf" + (edited.good + third).replace(b"\n", b"\r\n"))
    eventually(lambda: edited.tells("eve") == 200)
    assert edited.tells(ANN) == 200
    assert edited.refusals() == []


def test_a_file_that_is_being_written_counts_once_it_is_whole(edited: Edited) -> None:
    third = f"[tenants.eve]\ntokens = [{hash_of('eve')}]\n".encode()
    half = edited.good.index(hash_of(BOB).encode()) + 20
    edited.file.write_bytes(b"")
    with edited.file.open("ab", buffering=0) as writing:
        eventually(lambda: len(edited.refusals()) == 1)
        writing.write(edited.good[:half])
        eventually(lambda: len(edited.refusals()) == 2)
        assert [edited.tells(token) for token in (ANN, BOB)] == [200, 200]
        writing.write(edited.good[half:] + third)
    eventually(lambda: edited.tells("eve") == 200)
    assert [edited.tells(token) for token in (ANN, BOB)] == [200, 200]


def test_a_file_of_keys_that_comes_after_the_file_that_names_it_is_noticed(edited: Edited) -> None:
    keys = edited.file.with_name("eve.env")
    edited.put(edited.good + f'[tenants.eve]\ntokens = [{hash_of("eve")}]\nkeys_file = "eve.env"\n'.encode())
    eventually(lambda: len(edited.refusals()) == 1)
    assert "eve.env: No such file" in edited.refusals()[0]
    keys.touch(0o644)
    eventually(lambda: len(edited.refusals()) == 2)
    assert "eve.env: others can read the keys in it" in edited.refusals()[1]
    keys.chmod(0o600)
    eventually(lambda: edited.tells("eve") == 200)


async def test_a_token_that_moves_to_another_tenant_is_that_one_s_and_no_longer_the_first_one_s(edited: Edited) -> None:
    async with client_of(edited.server.url, token=ANN) as client:
        hers = (await call(client, "generate", prompt="a fox", provider="sketch"))["id"]
        await over(client, hers)
    moved = edited.good.replace(hash_of(ANN).encode(), b"").replace(hash_of(BOB).encode(), hash_of(ANN).encode())
    edited.put(moved)
    await anyio.to_thread.run_sync(eventually, lambda: edited.tells(BOB) in {401, 429})
    async with client_of(edited.server.url, token=ANN) as client:
        assert (await call(client, "list_generations"))["generations"] == []
        asked = await client.call_tool("get_status", {"generation_id": hers})
        assert asked.is_error
    edited.put(edited.good)
    await anyio.to_thread.run_sync(eventually, lambda: edited.tells(BOB) == 200)
    async with client_of(edited.server.url, token=ANN) as client:
        assert [each["id"] for each in (await call(client, "list_generations"))["generations"]] == [hers]


async def test_under_another_name_a_tenant_begins_anew_and_its_work_waits_for_the_old_one(
    edited: Edited, fatthumb: FatThumb
) -> None:
    fatthumb.later_jobs(duration=1000.0)
    async with client_of(edited.server.url, token=ANN) as client:
        made = (await call(client, "generate", prompt="a fox", provider="fatthumb"))["id"]
        edited.put(edited.good.replace(b"[tenants.ann]", b"[tenants.anna]"))

        def is_renamed() -> bool:
            listed = posted(edited.server, "tools/call", {"name": "list_generations", "arguments": {}}, token=ANN)
            return listed.json()["result"]["structuredContent"]["generations"] == []

        await anyio.to_thread.run_sync(eventually, is_renamed)
        fatthumb.advance(2000)
        edited.put(edited.good)
        await anyio.to_thread.run_sync(eventually, lambda: not is_renamed())
        (generation,) = await over(client, made)
    assert generation["status"] == "succeeded"
    assert len(fatthumb.posts) == 1


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_open_streams_of_a_tenant_who_is_taken_out_end_and_its_work_is_there_when_it_is_back(
    edited: Edited, fatthumb: FatThumb, version: str
) -> None:
    fatthumb.later_jobs(duration=1000.0)
    wish = {"name": "generate", "arguments": {"prompt": "a fox", "provider": "fatthumb"}}
    made = [
        posted(edited.server, "tools/call", wish, token=token).json()["result"]["structuredContent"]["id"]
        for token in (ANN, BOB)
    ]
    ends: dict[str, str] = {}

    async def wait(token: str, generation_id: str, waiting: anyio.Event) -> None:
        params = {"name": "wait", "arguments": {"generation_ids": [generation_id], "timeout_s": 600}}
        body = message_of("tools/call", {**params, "_meta": {"progressToken": 1}}, version)
        headers = headers_of("tools/call", "wait", token, **{"mcp-protocol-version": version})
        async with (
            httpx2.AsyncClient(timeout=PATIENCE_S) as http,
            http.stream("POST", edited.server.url, content=body, headers=headers) as response,
        ):
            ends[token] = ""
            async for line in response.aiter_lines():
                ends[token] += line
                if "notifications/progress" in line:
                    waiting.set()
        ends[token] += " (over)"

    with anyio.fail_after(PATIENCE_S):
        async with anyio.create_task_group() as group:
            for token, generation_id in zip((ANN, BOB), made, strict=True):
                waiting = anyio.Event()
                group.start_soon(wait, token, generation_id, waiting)
                await waiting.wait()
            edited.put(edited.good[: edited.good.index(b"[tenants.bob]")])
            while not ends[BOB].endswith("(over)"):  # noqa: ASYNC110 - the log of a stream has no event
                await anyio.sleep(0.05)
            assert '"result"' not in ends[BOB]
            assert edited.tells(BOB) in {401, 429}
            assert edited.tells(ANN) == 200
            fatthumb.advance(2000)
            edited.put(edited.good)
    assert '"succeeded"' in ends[ANN]
    await anyio.to_thread.run_sync(eventually, lambda: edited.tells(BOB) == 200)
    async with client_of(edited.server.url, token=BOB) as client:
        (generation,) = await over(client, made[1])
    assert generation["status"] == "succeeded"
    assert len(fatthumb.posts) == 2
