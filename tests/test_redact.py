"""Secrets of every kind, in every spelling: the search itself, without a provider around it."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from darkroom.redact.secrets import FEW_SIGNS, LONGEST, REDACTED, Indivisible, Redactor
from tests.attacks.canary import SPELLINGS, found_in
from tests.clients import holds_part_of

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


def spelled_out(value: Any) -> list[str]:
    """The ways in which a service may write this down as JSON."""
    plain = json.dumps(value, ensure_ascii=False)
    return [plain, json.dumps(value), plain.replace("/", "\\/")]


@pytest.mark.parametrize(
    ("kind", "hidden"),
    [
        pytest.param(kind, hidden, id=f"{name} {how}")
        for name, kind in KINDS.items()
        for how, hidden in SPELLINGS.items()
        if kind.isascii() or how not in {"in capitals", "in small letters"}  # others are found in their own case alone
    ],
)
def test_a_secret_of_any_kind_is_found_in_any_spelling(kind: str, hidden: Callable[[str], str]) -> None:
    told = f"It is <{hidden(kind)}>, is it?"
    for redacted in (Redactor([kind])(told), str(Redactor([kind, "x"]).value({told: [told]}))):
        assert REDACTED in redacted
        assert found_in(redacted, kind) == []
        assert redacted.endswith((">, is it?", ">, is it?']}"))
    assert not any(map(Redactor([kind, "x"]).is_clear, spelled_out({told: [told]})))


def test_what_holds_no_secret_is_as_it_was() -> None:
    redact = Redactor(["nsk_live_0123456789", "hunter2", "", " "])
    for text in ("", "a fox", "nsk_live_ 01234", "hunter22, xhunter2", "%zz &#; \\u00 \x1b[", "\ud800"):
        assert redact(text) == text
        assert redact.value({text: [text, 1, None, True, 1.5]}) == {text: [text, 1, None, True, 1.5]}
    assert redact.is_clear('{"id": "generation_01234", "progress": 100, "note": "100 % of it & more"}')


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


LIVE = "nsk_live_Q7vXr2TzKd9LmWb4HsYc8NpF"
CUT = {
    "a key without its last letter": (LIVE, slice(-1)),
    "a key without its first four letters": (LIVE, slice(4, None)),
    "a key without both": (LIVE, slice(4, -1)),
    "twelve letters from within a key": (LIVE, slice(12, 24)),
    "the beginning of a key": (LIVE, slice(21)),
    "a key of letters": ("bw_QvXrTzKdLmWbHsYcNpFg", slice(-5)),
    "a password": ("p@ss:w0rd/0f the%41gateway", slice(-4)),
}


@pytest.mark.parametrize(
    ("secret", "part", "hidden"),
    [
        pytest.param(secret, secret[cut], hidden, id=f"{name} {how}")
        for name, (secret, cut) in CUT.items()
        for how, hidden in SPELLINGS.items()
        if cut.start is None or "Base64" not in how  # of which the secret's beginning decides every character
    ],
)
def test_a_part_of_a_secret_is_found_in_any_spelling(secret: str, part: str, hidden: Callable[[str], str]) -> None:
    redact = Redactor([secret])
    told = f"It is <{hidden(part)}>, is it?"
    for redacted in (redact(told), str(redact.value({told: [told]}))):
        assert REDACTED in redacted
        assert found_in(redacted, part) == []
        assert redacted.endswith((">, is it?", ">, is it?']}"))
    assert redact.leaks(f"https://pictures.example/a.png?key={hidden(part)}&size=1")
    assert not any(map(redact.is_clear, spelled_out({told: [told]})))


@pytest.mark.parametrize("start", range(len("nsk_live_"), len(LIVE) - 7))
def test_any_eight_letters_and_figures_of_a_key_are_found_at_any_place(start: int) -> None:
    redact, part = Redactor([LIVE]), LIVE[start : start + 8]
    for before in ("", "x", "xx", "xxx", "xxxx"):
        for told in (before + part, before + part + LIVE[9:21], LIVE[9:21] + before + part):
            for redacted in (redact(told), redact.value(told)):
                assert REDACTED in redacted
                assert not holds_part_of(LIVE, redacted, 5)
            assert not any(map(redact.is_clear, spelled_out({"id": 1, before: told})))


@pytest.mark.parametrize(
    "link",
    [
        "https://cdn.example/nsk_live_/bw_test_/nsk_.png",
        "https://cdn.example/live/Q7vXr2/a.png",
        "https://cdn.example/bw_portrait_final_01.png?q=nsk_live_abcdefgh",
        "https://cdn.example/correct-horse/20250131/hunter-99.png",
        "https://cdn.example/ZmF0dGh1bWI6/fatthumb:/hunter22/xhunter2",
        "https://cdn.example/files/succeeded/1234567890.png",
        "https://cdn.example/Z2F0ZXdheS9hL2IucG5n/gateway.png",
    ],
)
def test_a_link_that_holds_no_secret_is_followed(link: str) -> None:
    travels = Indivisible(base64.b64encode(b"fatthumb:hunter2").decode())
    passwords = [
        "hunter2",
        "files",
        "succeeded",
        "20250131",
        "12345678901",
        "correct horse battery",
        "hunter-2025",
        "gateway-0f-all",
    ]
    redact = Redactor([LIVE, "bw_aB3dE6gH9jK2", travels, *passwords])
    assert redact.value(link) == link
    assert not redact.leaks(link)
    assert redact.leaks(f"{link}?{travels}")


@pytest.mark.parametrize("password", ["hunter2", "s3cret", "p@ss1!", "hunter22", "2025-fox"])
def test_a_short_password_of_letters_and_figures_is_found_where_it_stands_alone(password: str) -> None:
    redact = Redactor([password])
    for hidden in ("as it is", "in capitals", "percent-encoded to the last letter"):
        spelled = SPELLINGS[hidden](password)
        for link in (
            f"https://x.example/?pw={spelled}",
            f"https://x.example/?a%3D{spelled}%26b",
            f"https://{spelled}@x",
        ):
            assert redact.leaks(link)
            assert found_in(redact.value(link), password) == []
    assert redact.within(f"\xff{password}".encode("utf-16-le"))


@pytest.mark.parametrize("spelled", ["as it is", "in capitals", "percent-encoded to the last letter", "as HTML"])
def test_behind_a_provider_s_prefix_eight_letters_are_enough(spelled: str) -> None:
    redact = Redactor(["bw_QvXrTzKdLmWbHsYcNpFg"])
    assert redact.leaks(f"https://cdn.example/{SPELLINGS[spelled]('bw_QvXrTzKd')}.png")
    assert not redact.leaks(f"https://cdn.example/{SPELLINGS[spelled]('QvXrTzKd')}.png")


def test_a_key_that_is_cut_is_found_in_bytes() -> None:
    redact = Redactor([LIVE])
    for part in (LIVE, LIVE[:-1], LIVE[4:], LIVE[11:-5]):
        for code in ("utf-8", "utf-16-le", "utf-16-be"):
            assert redact.within(b"\x89PNG" + f"key {part}.".encode(code) + b"IEND")
    assert not redact.within(b"nsk_live_ Q7vXr2Tz")


@pytest.mark.parametrize("hidden", SPELLINGS.values(), ids=SPELLINGS.keys())
@pytest.mark.parametrize("signs", [0, FEW_SIGNS - 20, FEW_SIGNS + 1])
def test_a_secret_is_found_among_few_signs_and_among_many(signs: int, hidden: Callable[[str], str]) -> None:
    key = KINDS["a key"]
    redacted = Redactor([key])("&" * signs + f" <{hidden(key)}> 100 % & \\n")
    assert REDACTED in redacted
    assert found_in(redacted, key) == []
