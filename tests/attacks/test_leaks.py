"""Secrets that would come out of Darkroom's own process: errors, warnings, logs, children, wrong settings."""

import base64
import json
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from tests.attacks.canary import BETTERWAIFU_KEY, FATTHUMB_KEY, PASSWORD, SECRETS, files_that_hold, found_in
from tests.attacks.test_stdout_attacks import IN_CALLS, MAIN, START
from tests.attacks.unseen import unseen_in
from tests.hosts import PATIENCE_S, Home, RawServer, call, connected, darkroom, eventually, refused, running
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer
from tests.test_stdout import Talk

KEYS = {
    "FATTHUMB_API_KEY": FATTHUMB_KEY,
    "FATTHUMB_BASE_URL": f"http://me:{quote(PASSWORD, safe='')}@127.0.0.1:1/v1",
    "BETTERWAIFU_API_KEY": BETTERWAIFU_KEY,
    "DARKROOM_PROVIDER": "sketch",
}
LOSES = f"KEY, PASSWORD = {FATTHUMB_KEY!r}, {PASSWORD!r}\n"


@dataclass(frozen=True)
class Leak:
    """What a dependency does with a secret, and what is left of it on stderr."""

    name: str
    code: str
    heard: str = "[redacted]"


LEAKS = (
    Leak("an error that nobody foresaw", "raise RuntimeError(f'no {KEY}')", "RuntimeError: no [redacted]"),
    Leak("an error in bytes", "raise RuntimeError(KEY.encode(), {'x-api-key': KEY})"),
    Leak("an error with a cause", "try: raise ValueError(KEY)\nexcept ValueError as it: raise RuntimeError(1) from it"),
    Leak("an error with a note", "error = RuntimeError(1)\nerror.add_note(KEY)\nraise error"),
    Leak("a group of errors", "raise ExceptionGroup(KEY, [RuntimeError(PASSWORD)])"),
    Leak("an error in a thread", "threading.Thread(target=lambda: {}[KEY]).start()"),
    Leak("an error in a destructor", "type('Loud', (), {'__del__': lambda self: {}[KEY]})()"),
    Leak("an error in the event loop", "import asyncio\nasyncio.get_running_loop().call_soon(lambda: {}[KEY])"),
    Leak("a warning", "warnings.warn(KEY)"),
    Leak("a log call's argument", "logging.debug('headers %r', {'authorization': 'Bearer ' + KEY})"),
    Leak("a log call that does not fit its arguments", "logging.warning('%d apples', KEY)", "does not fit"),
    Leak("a log call in Base64", "import base64\nlogging.warning('%s', base64.b64encode(b'me:' + PASSWORD.encode()))"),
    Leak(
        "a log with a handler of its own",
        "log = logging.Logger('own')\nlog.addHandler(logging.StreamHandler(sys.stderr))\nlog.warning('%s', KEY)",
    ),
    Leak("a request that is logged", "logging.info('GET http://me:%s@127.0.0.1', PASSWORD)", "me:[redacted]@127"),
    Leak("a child's environment", "subprocess.run(['env'])", "DARKROOM_PROVIDER=sketch"),
    Leak("a shell's environment", "os.system('env; set')", "DARKROOM_PROVIDER="),
    Leak("the process's own environment", "print(dict(os.environ), flush=True)", "DARKROOM_PROVIDER"),
    Leak("the process's arguments", "print(open('/proc/self/cmdline').read()[-50:], flush=True)", "serve"),
)


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Generator[Talk]:
    """A server with keys that runs what lies in attack.py in every call of generate."""
    path = tmp_path_factory.mktemp("leaks")
    talk = Talk(Home(path, KEYS), START + IN_CALLS + MAIN, path / "stderr.txt")
    talk.server.initialize()
    yield talk
    _, errors, status = talk.ended()
    (path / "attack.py").unlink(missing_ok=True)
    assert status == 0
    assert found_in(errors, *SECRETS) == []
    assert files_that_hold(path, *SECRETS) == {}


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.name)
def test_a_secret_that_a_dependency_loses_is_not_printed(talk: Talk, leak: Leak) -> None:
    before = len(talk.errors.read_text())
    attack = talk.errors.parent / "attack.py"
    attack.write_text(LOSES + leak.code)
    answer = talk.server.call("generate", prompt=leak.name)
    attack.unlink(missing_ok=True)  # one that raised lies there still
    eventually(lambda: leak.heard in talk.errors.read_text()[before:])
    talk.server.request("tools/list", {})
    assert found_in(str(answer), *SECRETS) == []
    assert found_in(talk.errors.read_text()[before:], *SECRETS) == []


def test_a_line_of_the_log_cannot_pass_for_another_nor_reach_the_terminal(talk: Talk) -> None:
    before = len(talk.errors.read_text())
    forged = "2026-01-01 00:00:00,000 ERROR darkroom.app: forged"
    code = f"logging.warning('%s', 'a\\n{forged}\\x1b[2J\\u202e')\nraise RuntimeError('b\\n{forged}\\x9b2J')"
    (talk.errors.parent / "attack.py").write_text(code)
    talk.server.call("generate", prompt="a forger")
    (talk.errors.parent / "attack.py").unlink()
    eventually(lambda: talk.errors.read_text()[before:].count("forged") >= 2)
    said = talk.errors.read_text()[before:]
    assert unseen_in(said) == ""
    assert [line for line in said.splitlines() if line.startswith("2026-01-01")] == []


@pytest.mark.parametrize("words", [["generate", "a fox"], ["list"]], ids=lambda words: words[0])
def test_a_command_that_breaks_prints_its_traceback_without_the_secret(home: Home, words: list[str]) -> None:
    breaks = f"import secrets\ndef broken(*_): raise RuntimeError({FATTHUMB_KEY!r})\nsecrets.token_bytes = broken\n"
    done = subprocess.run(
        [sys.executable, "-c", breaks + MAIN, *words],
        env=Home(home.path, KEYS).environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "RuntimeError: [redacted]" in done.stderr
    assert found_in(done.stdout + done.stderr, *SECRETS) == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FATTHUMB_API_KEY", f"{FATTHUMB_KEY} and more"),
        ("BETTERWAIFU_API_KEY", f"{BETTERWAIFU_KEY}\u200b"),
        ("FATTHUMB_API_KEY", BETTERWAIFU_KEY * 20),
        ("FATTHUMB_BASE_URL", f"ftp://me:{quote(PASSWORD, safe='')}@gateway"),
        ("FATTHUMB_BASE_URL", f"http://me:{PASSWORD}@[::1"),
        ("FATTHUMB_BASE_URL", f"https://gateway/v1?key={BETTERWAIFU_KEY}"),
        ("BETTERWAIFU_BASE_URL", f"https://me:{quote(PASSWORD, safe='')}@gateway"),
        ("FATTHUMB_LIMITS", FATTHUMB_KEY),
        ("DARKROOM_PROVIDER", FATTHUMB_KEY),
        ("DARKROOM_LOG", FATTHUMB_KEY),
    ],
    ids=lambda part: part[:24],
)
async def test_a_wrong_setting_is_named_without_its_value(home: Home, variable: str, value: str) -> None:
    user = home.with_(**{variable: value})
    done = darkroom(user, "list")
    assert (done.status, done.out) == (0, "No generations yet.\n")
    assert variable in done.err
    served = darkroom(user)
    assert variable in served.err
    assert found_in(done.err + served.err + served.out, *SECRETS) == []
    assert files_that_hold(home.path, *SECRETS) == {}


@pytest.mark.parametrize("password", ["a", "files", "succeeded", "hunter22"])
async def test_a_short_password_is_taken_out_of_words_and_breaks_nothing(home: Home, password: str) -> None:
    with FatThumb(duration=0.0) as fatthumb:
        url = fatthumb.url.replace("://", f"://me:{password}@")
        user = home.with_(fatthumb, FATTHUMB_BASE_URL=url, FATTHUMB_LIMITS="submit=1000/1")
        async with connected(user) as client:
            started = await call(client, "generate", prompt="a fox")
            waited = await call(client, "wait", generation_ids=[started["id"]])
            assert waited["generations"][0]["status"] == "succeeded"
            told = f"me:{password}@gateway, {password.upper()} is no password; "
            fatthumb.script("submit", Answer(401, json={"error": told}))
            refused = await call(client, "generate", prompt="an owl")
            fatthumb.next_job(failing={0: f"{told}{base64.b64encode(f'me:{password}'.encode()).decode()}"})
            failed = await call(client, "generate", prompt="a cat")
            waited = await call(client, "wait", generation_ids=[refused["id"], failed["id"]])
    by_id = {each["id"]: each["error"]["message"] for each in waited["generations"]}
    assert '"me:[redacted]@gateway, [redacted] is no password;"' in by_id[refused["id"]]
    assert '"me:[redacted]@gateway, [redacted] is no password; [redacted]"' in by_id[failed["id"]]


async def test_a_short_key_is_taken_out_of_names(home: Home, betterwaifu: BetterWaifu) -> None:
    betterwaifu.keys.append("bw_short")
    plan = {"status": "active", "plan": "plan of bw_short", "endDate": "BW_SHORT"}
    betterwaifu.script("account", Answer(200, json={"subscription": plan}))
    user = home.with_(betterwaifu, BETTERWAIFU_API_KEY="bw_short")
    (state,) = darkroom(user, "models", "--provider", "betterwaifu", "--json").json["providers"]
    assert state["account"] == {"plan": "plan of [redacted]", "plan_status": "active", "plan_ends": "[redacted]"}


@pytest.mark.parametrize("colon", ["", ":"])
def test_a_gateway_s_token_that_stands_for_the_user_is_a_secret_too(home: Home, colon: str) -> None:
    token = "s3cr3t-token-0123456789"
    travels = base64.b64encode(f"{token}:".encode()).decode()
    with FatThumb(duration=0.0) as fatthumb:
        url = fatthumb.url.replace("://", f"://{token}{colon}@")
        user = home.with_(fatthumb, FATTHUMB_BASE_URL=url, DARKROOM_LOG="info")
        fatthumb.script("submit", Answer(401, json={"error": f"who is {token}, {token[:-1]} or Basic {travels}?"}))
        done = darkroom(user, "generate", "a fox", "--provider", "fatthumb")
        assert fatthumb.log[-1].headers["authorization"] == f"Basic {travels}", "it is sent"
    assert "who is [redacted], [redacted] or Basic [redacted]?" in done.out + done.err
    assert "POST http://[redacted]" in done.err
    assert found_in(done.out + done.err, token, travels) == []
    assert files_that_hold(home.path, token, travels) == {}


def test_a_proxy_s_password_is_a_secret_too(home: Home) -> None:
    proxy = f"http://me:{quote(PASSWORD, safe='')}@127.0.0.1:1"
    user = home.with_(BETTERWAIFU_API_KEY=BETTERWAIFU_KEY, HTTPS_PROXY=proxy, DARKROOM_LOG="debug")
    done = darkroom(user, "models", "--provider", "betterwaifu")
    assert "could not be reached" in done.out
    assert "127.0.0.1" in done.err, "the log tells where it tried"
    assert found_in(done.out + done.err, *SECRETS) == []
    breaks = f"import secrets\nsecrets.token_bytes = lambda *_: {{}}[{PASSWORD!r}]\n"
    broken = subprocess.run(
        [sys.executable, "-c", breaks + MAIN, "list"],
        env=user.environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert "KeyError: '[redacted]'" in broken.stderr


@pytest.mark.parametrize(
    "wishes",
    [
        {"prompt": f"a poster that says {FATTHUMB_KEY}"},
        {"prompt": f"a poster that says {base64.b64encode(BETTERWAIFU_KEY.encode()).decode()}"},
        {"prompt": "a poster", "provider": "betterwaifu", "negative_prompt": FATTHUMB_KEY},
        {"prompt": "a poster", "provider": "fatthumb", "options": {"person_ids": [PASSWORD]}},
        {"prompt": "a poster", "request_key": BETTERWAIFU_KEY},
    ],
    ids=lambda wishes: next(reversed(wishes)),
)
async def test_a_secret_in_a_request_is_refused_and_goes_nowhere(home: Home, wishes: dict[str, Any]) -> None:
    user = home.with_(**KEYS)
    async with connected(user) as client:
        said = await refused(client, "generate", **wishes)
        assert (await call(client, "list_generations"))["generations"] == []
    assert said.startswith("invalid_request: ")
    assert "nothing was sent" in said
    assert found_in(said, *SECRETS) == []
    assert files_that_hold(home.path, *SECRETS) == {}


HALF = FATTHUMB_KEY[: len(FATTHUMB_KEY) // 2]
ECHOES: list[tuple[str, dict[str, Any]]] = [
    ("tools/call", {"name": "generate", "arguments": {"prompt": "a fox", "%s": 1}}),
    ("tools/call", {"name": "generate", "arguments": {"prompt": "a fox", "options": {"%s": 1}}}),
    ("tools/call", {"name": "generate", "arguments": {"prompt": "a fox", "provider": "%s"}}),
    ("tools/call", {"name": "get_status", "arguments": {"generation_id": "%s"}}),
    ("tools/call", {"name": "list_models", "arguments": {"provider": "%s"}}),
    ("tools/call", {"name": "%s", "arguments": {}}),
    ("resources/read", {"uri": "darkroom://generations/%s"}),
    ("resources/subscribe", {"uri": "darkroom://%s"}),
    ("prompts/get", {"name": "youtube_thumbnail", "arguments": {"topic": "%s"}}),
    ("prompts/get", {"name": "%s"}),
    ("completion/complete", {"ref": {"type": "ref/prompt", "name": "%s"}, "argument": {"name": "%s", "value": "%s"}}),
    ("%s", {}),
]


def test_a_key_that_comes_in_an_argument_is_not_echoed_and_a_part_of_one_is_no_key(home: Home) -> None:
    """What would tell whether a part of it is right would tell the whole of it, a character at a time."""
    with running(home.with_(**KEYS)) as process:
        server = RawServer(process)
        server.initialize()
        echoed = 0
        for method, params in ECHOES:
            for said in (FATTHUMB_KEY, BETTERWAIFU_KEY, HALF, BETTERWAIFU_KEY[3:22]):
                written = json.dumps(said)[1:-1]
                answer = server.request(
                    method.replace("%s", said), json.loads(json.dumps(params).replace("%s", written))
                )
                told = json.dumps(answer, ensure_ascii=False)
                if said in (FATTHUMB_KEY, BETTERWAIFU_KEY):
                    assert found_in(told, *SECRETS) == [], method
                else:
                    assert "[redacted]" not in told, method
                    echoed += written in told
        assert echoed, "something is echoed at all"
