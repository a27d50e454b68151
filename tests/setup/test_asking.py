"""`darkroom-mcp setup` and the person who is asked: what is typed and pasted, and what is not."""

import signal
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import pytest

from darkroom.keys import record
from tests.cli.test_terminal import Terminal, on_a_terminal
from tests.hosts import Home, darkroom
from tests.setup.test_setup import keychain

DONE, STILL_RUNNING = 0, 3
KEY = "nsk_0123456789abcdef"


@pytest.fixture
def user(home: Home) -> Home:
    """Somebody without a keychain, with two hosts, whose services cannot be reached."""
    keychain(home, "keyring.backends.null.Keyring")
    (home.path / ".cursor").mkdir()
    (home.path / ".gemini").mkdir()
    return home.with_(FATTHUMB_BASE_URL="http://127.0.0.1:9")


@contextmanager
def setting_up(user: Home) -> Generator[Terminal]:
    with on_a_terminal(user, "setup") as terminal:
        terminal.until("Whose keys do you have.*: ")
        yield terminal


def kept(user: Home) -> Mapping[str, str]:
    """The keys that are kept in the file."""
    return {each.name: each.key for each in record.read(user.path / "home")}


def test_ctrl_c_at_any_question_leaves_everything_as_it_was(user: Home) -> None:
    with setting_up(user) as terminal:
        terminal.process.send_signal(signal.SIGINT)
        ended = [terminal.end()]
    with setting_up(user) as terminal:
        terminal.type("fatthumb\n")
        terminal.until("not shown.*: ")
        terminal.process.send_signal(signal.SIGINT)
        ended.append(terminal.end())
    with setting_up(user) as terminal:
        terminal.type("\n")
        terminal.until("Add Darkroom to Cursor.*] ")
        terminal.type("y\n")
        terminal.until("Add Darkroom to Gemini CLI.*] ")
        terminal.process.send_signal(signal.SIGINT)
        ended.append(terminal.end())
    for status, seen in ended:
        assert status == STILL_RUNNING
        assert "Traceback" not in seen
        assert seen.endswith("\n"), "the shell's own line begins there"
    assert not kept(user)
    assert not list((user.path / ".cursor").iterdir())


def test_the_end_of_the_input_is_no_yes(user: Home) -> None:
    with setting_up(user) as terminal:
        terminal.type("\x04")
        terminal.until("Add Darkroom to Cursor.*] ")
        terminal.type("\x04")
        terminal.until("Add Darkroom to Gemini CLI.*] ")
        terminal.type("\x04")
        status, seen = terminal.end()
    assert (status, kept(user)) == (DONE, {})
    assert "There was nothing to do." in seen
    assert not list((user.path / ".cursor").iterdir())


def test_a_paste_of_several_lines_is_no_key_and_answers_no_other_question(user: Home) -> None:
    with setting_up(user) as terminal:
        terminal.type("fathumb\n")
        terminal.until(r"(?s)There is no service 'fathumb'.*Whose keys do you have[^\n]*: ")
        terminal.type("fatthumb\n")
        terminal.until("not shown.*: ")
        terminal.type(f"{KEY[:10]}\ny\n{KEY[10:]}\n")
        terminal.until(r"(?s)That is no key of fatthumb.*not shown[^\n]*: ")
        terminal.type(f"{KEY}\n\n")
        terminal.until("Add Darkroom to Cursor.*] ")
        terminal.type("n\n")
        terminal.until("Add Darkroom to Gemini CLI.*] ")
        terminal.type("n\n")
        status, seen = terminal.end()
    assert status == DONE
    assert KEY[:10] not in seen
    assert kept(user) == {"fatthumb": KEY}
    assert not list((user.path / ".cursor").iterdir())


PASTED = {
    "bfl": f'  "{KEY}",  ',
    "fal": f"Authorization: Key {KEY}",
    "ideogram": f"export IDEOGRAM_API_KEY='{KEY}'",
    "krea": f"\ufeffBearer {KEY}\u200b",
    "luma": f"\x1b[200~{KEY}\x1b[201~",
    "openai": f"$env:OPENAI_API_KEY = \u201c{KEY}\u201d",
    "recraft": f"x-api-key: {KEY};",
    "together": f"{KEY}==",
}


def test_a_key_is_kept_without_what_was_copied_around_it(user: Home) -> None:
    unreachable = {f"DARKROOM_{name.upper()}_BASE_URL": "http://127.0.0.1:9" for name in PASTED}
    named = [word for name in PASTED for word in ("--service", name)]
    lines = "".join(f"{text}\n" for text in PASTED.values())
    done = darkroom(user.with_(**unreachable), "setup", *named, stdin=lines, PYTHONIOENCODING="utf-8")
    assert done.status == DONE, done.out
    assert kept(user) == {**dict.fromkeys(PASTED, KEY), "together": f"{KEY}=="}
    assert KEY not in done.out + done.err


def test_bytes_that_are_no_text_are_no_key(user: Home) -> None:
    done = darkroom(
        user, "setup", "--service", "fatthumb", stdin="nsk_\xff\xfe456789\n", PYTHONIOENCODING="ascii:strict"
    )
    assert (done.status, kept(user)) == (1, {})
    assert "not kept. That is no key of fatthumb" in done.out
    assert "Traceback" not in done.err
