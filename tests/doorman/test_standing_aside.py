"""Where the doorman does not know, or must not say, the server says it; and who leaves early leaves nothing behind."""

import json
import signal
import sys
from pathlib import Path
from threading import Thread

import pytest

from darkroom.doorman import snapshot
from tests.doorman.held import INITIALIZED, ask, held, without
from tests.doorman.test_doorman import CALL, legacy
from tests.hosts import PATIENCE_S, Home, eventually
from tests.snapshots_update import envelope

OPENING = legacy() + INITIALIZED
ASKED = OPENING + ask(1, "tools/list") + ask(2, "ping")

SETTINGS: dict[str, dict[str, str]] = {
    "keys": {"FATTHUMB_API_KEY": "nsk_live_0123456789abcdef", "BETTERWAIFU_API_KEY": "bw_live_0123456789abcdef"},
    "a key that cannot be one": {"FATTHUMB_API_KEY": "two words"},
    "a form left blank": {"DARKROOM_OPENAI_KEY": "${user_config.openai_key}", "FAL_KEY": "", "DARKROOM_PROVIDER": " "},
    "a default provider": {"DARKROOM_PROVIDER": "fatthumb"},
    "questions": {"DARKROOM_CONFIRM": "always"},
    "a budget": {"DARKROOM_BUDGET": "3"},
    "a budget that cannot be read": {"DARKROOM_BUDGET": "some"},
    "no previews": {"DARKROOM_PREVIEWS": "none"},
    "no notes": {"DARKROOM_NOTES": "strip"},
    "limits": {"FATTHUMB_LIMITS": "active=1"},
    "a desktop": {"DISPLAY": ":0"},
    "a home that cannot be": {"DARKROOM_HOME": "/dev/null/home"},
    "a home that is not meant": {"DARKROOM_HOME": "../home"},
}


@pytest.mark.parametrize("settings", SETTINGS)
def test_other_settings_do_not_change_what_clients_are_told_first(home: Home, settings: str) -> None:
    user = home.with_(**SETTINGS[settings])
    expected = without(user, ASKED, count=3)
    with held(user) as server:
        server.say(ASKED)
        assert sorted(server.hear(3)) == sorted(expected)
        server.stand()
        assert server.end() == []


CHANGING = [
    {"DARKROOM_RESULTS": "text"},
    {"DARKROOM_RESULTS": "nonsense"},
    {"FAL_KEY": "fal-0123456789abcdef"},
    {"DARKROOM_KREA_KEY": "krea-0123456789abcdef"},
    {"DARKROOM_SDCPP_BASE_URL": "http://127.0.0.1:9"},
    {"DARKROOM_PROVIDER": "horde"},
]


@pytest.mark.parametrize("settings", CHANGING, ids=str)
def test_a_list_that_a_setting_may_change_is_left_to_the_server(home: Home, settings: dict[str, str]) -> None:
    user = home.with_(**settings)
    expected = without(user, ASKED, count=3)
    with held(user) as server:
        server.say(ASKED)
        early = server.hear(2)
        assert [json.loads(line)["id"] for line in early] == [0, 2]
        server.stand()
        assert sorted(early + server.hear(1)) == sorted(expected)


UNFIT = {
    "another Darkroom": 'snapshot.versions = lambda: {**versions(), "darkroom": "9.9"}',
    "another SDK": 'snapshot.versions = lambda: {**versions(), "mcp": "2.9"}',
    "another Python": 'snapshot.versions = lambda: {**versions(), "python": "3.99"}',
    "no snapshot": 'snapshot.PATH = "nowhere"',
    "a snapshot of nothing": "snapshot.PATH = os.devnull",
    "another file in its place": "snapshot.PATH = os.__file__",
    "a folder in its place": "snapshot.PATH = os.path.dirname(os.__file__)",
}


@pytest.mark.parametrize("why", UNFIT)
def test_a_snapshot_that_does_not_fit_is_not_used(home: Home, why: str) -> None:
    besides = f"import os\nfrom darkroom.doorman import snapshot\nversions = snapshot.versions\n{UNFIT[why]}\n"
    expected = without(home, ASKED, count=3)
    with held(home, besides=besides) as server:
        server.say(ASKED)
        server.stand()
        assert sorted(server.hear(3)) == sorted(expected)
        assert server.end() == []


@pytest.mark.parametrize("package", ["mcp", "mcp_types", "pydantic"])
def test_the_versions_are_those_that_are_installed(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = snapshot.versions()
    assert all(known.values())
    (tmp_path / "mcp_types").mkdir()
    for each in ("mcp", "mcp_types", "pydantic"):
        version = "9.9.9" if each == package else f"{known[each]}.0"[: None if each == "pydantic" else -2]
        (tmp_path / f"{each}-{version}.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    changed = snapshot.versions()
    assert {name for name in known if known[name] != changed[name]} == {package}


def test_a_snapshot_that_says_something_else_than_the_server_is_noticed(home: Home) -> None:
    other = home.path / "other.json"
    other.write_text(Path(snapshot.PATH).read_text("utf-8").replace("Makes pictures", "Takes pictures"), "utf-8")
    with held(home, besides=f"from darkroom.doorman import snapshot\nsnapshot.PATH = {str(other)!r}\n") as server:
        server.say(OPENING)
        assert b"Takes pictures" in server.hear(1)[0]
        server.stand()
        server.say(ask(1, "tools/call", CALL))
        assert json.loads(server.hear(1)[0])["id"] == 1
        assert server.end() == []
    assert "is not what is sent now" in (home.path / "stderr.txt").read_text()


def test_an_id_in_which_a_key_stands_is_not_repeated(home: Home) -> None:
    key = "nsk_live_0123456789abcdef"
    user = home.with_(FATTHUMB_API_KEY=key)
    said = OPENING + ask(f"id-{key}", "ping")
    expected = without(user, said, count=2)
    assert key.encode() not in b"".join(expected)
    with held(user) as server:
        server.say(said)
        heard = server.hear(1)
        server.stand()
        assert heard + server.hear(1) == expected


@pytest.mark.parametrize("opening", [OPENING, ask(1, "server/discover", envelope({})), OPENING + b'{"jsonrpc":'])
def test_a_client_that_hangs_up_while_nothing_stands_leaves_nothing_behind(home: Home, opening: bytes) -> None:
    with held(home) as server:
        server.say(opening)
        server.hear(1)
        assert server.end() == []
    assert not (home.path / "home").exists()


IMPORTS_NOTHING = """
import sys, time
class Never:
    def find_spec(self, name, path=None, target=None):
        while name == "darkroom.cli.main":
            time.sleep(0.005)
sys.modules.pop("darkroom.cli.main", None)
sys.meta_path.insert(0, Never())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_nothing_stands_ends_the_process_and_leaves_nothing_behind(
    home: Home, number: signal.Signals
) -> None:
    with held(home, besides=IMPORTS_NOTHING) as server:
        server.say(OPENING)
        server.hear(1)
        server.process.send_signal(number)
        assert server.process.wait(PATIENCE_S) == 0
    assert not (home.path / "home").exists()


def test_what_was_left_to_the_server_is_seen_to_though_the_client_hangs_up(home: Home) -> None:
    with held(home) as server:
        server.say(OPENING + ask(1, "tools/call", CALL))
        server.hear(1)
        assert server.process.stdin is not None
        server.process.stdin.close()
        server.stand()
        assert server.process.wait(PATIENCE_S) == 0
    assert (home.path / "home").exists()


def test_a_client_that_reads_nothing_is_told_no_more_than_every_pipe_takes(home: Home) -> None:
    asked = [ask(at, "tools/list") for at in range(1, 21)]
    with held(home) as server:
        server.say(OPENING + b"".join(asked))
        heard = server.hear(2)
        server.stand()
        heard += server.hear(19)
        assert sorted(json.loads(line)["id"] for line in heard) == list(range(21))
        assert server.end() == []


def test_a_flood_while_nothing_stands_is_answered_without_a_loss(home: Home) -> None:
    count = 2_000
    pings = [ask(at, "ping") for at in range(1, count + 1)]
    pings += [ask(count + at, "ping", {"x": "y" * 1000}) for at in range(1, count + 1)]  # which no doorman answers
    heard: list[bytes] = []
    with held(home) as server:
        server.say(OPENING)
        server.hear(1)
        listening = Thread(target=lambda: [heard.extend(server.hear(1)) for _ in range(2 * count)])
        saying = Thread(target=server.say, args=[b"".join(pings)])
        listening.start()
        saying.start()
        eventually(lambda: len(heard) >= 100)
        server.stand()
        listening.join(PATIENCE_S)
        assert sorted(json.loads(line)["id"] for line in heard) == list(range(1, 2 * count + 1))
        saying.join(PATIENCE_S)
        assert server.end() == []
