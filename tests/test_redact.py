"""Secrets of every kind, in every spelling: the search itself, without a provider around it."""

from collections.abc import Callable

import pytest

from darkroom.redact import LONGEST, REDACTED, Redactor
from tests.attacks.canary import HIDDEN, found_in

KINDS = {
    "a key": "nsk_live_0123456789abcdefghijkl",
    "a key of twelve letters": "a1b2c3d4e5f6",
    "a key of 512 letters": "k3Y-" * 128,
    "figures alone": "123456789012345",
    "characters that mean something in a pattern": r"^(a|b)*[c-d]{2}\d+?.$",
    "marks and backslashes": "a\\b\"c'd<e>f&g\\\\h%",
    "what looks escaped already": "%41b%2542\\u0043c-0123456789",
    "a password with spaces": "correct horse battery",
    "letters beyond ASCII": "pässwörd-über-alles",
    "letters beyond Latin": "пароль-пароль",
    "a password that begins with a sign": "---------------",
}


@pytest.mark.parametrize(
    ("kind", "hidden"),
    [
        pytest.param(kind, hidden, id=f"{name} {how}")
        for name, kind in KINDS.items()
        for how, hidden in HIDDEN.items()
        if kind.isascii() or how not in {"in capitals", "in small letters"}  # others are found in their own case alone
    ],
)
def test_a_secret_of_any_kind_is_found_in_any_spelling(kind: str, hidden: Callable[[str], str]) -> None:
    told = f"It is <{hidden(kind)}>, is it?"
    for redacted in (Redactor([kind])(told), str(Redactor([kind, "x"]).value({told: [told]}))):
        assert REDACTED in redacted
        assert found_in(redacted, kind) == []
        assert redacted.endswith((">, is it?", ">, is it?']}"))


def test_what_holds_no_secret_is_as_it_was() -> None:
    redact = Redactor(["nsk_live_0123456789", "hunter2", "", " "])
    for text in ("", "a fox", "nsk_live_ 01234", "hunter22, xhunter2", "%zz &#; \\u00 \x1b[", "\ud800"):
        assert redact(text) == text
        assert redact.value({text: [text, 1, None, True, 1.5]}) == {text: [text, 1, None, True, 1.5]}


def test_a_text_that_is_too_long_to_be_searched_goes_as_a_whole_if_its_beginning_holds_a_secret() -> None:
    key = "nsk_live_0123456789"
    assert Redactor([key])(key + "x" * LONGEST + key) == REDACTED


def test_several_secrets_that_overlap_leave_nothing_of_each_other() -> None:
    redact = Redactor(["abcdefghijklmnop", "ijklmnopqrstuvwx", "mnop"])
    assert (
        redact("<abcdefghijklmnopqrstuvwx> mnop abcdefghijklmnopabcdefghijklmnop")
        == "<[redacted]> [redacted] [redacted][redacted]"
    )


def test_a_secret_that_ends_an_escape_of_another_text_does_not_break_it() -> None:
    assert Redactor(["0123456789abc"])("\\0123456789abc\\") == "\\[redacted]\\"
