"""Whatever a prompt says, its picture's file has a plain name of our own that every system takes."""

import re
import unicodedata
from datetime import datetime
from pathlib import Path, PureWindowsPath

import pytest

from darkroom.store.names import picture_stem
from tests.arriving import saved_picture
from tests.hosts import Home, call, connected

GENERATION = "gen_aht2bgir5v2dmbfh3xd4r5wfla"
DAY = datetime(2026, 11, 20)
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}

PROMPTS = {
    "nothing": "",
    "spaces": " \t\n ",
    "a way up": "../../../etc/passwd",
    "a way up in Windows": "..\\..\\windows\\system32",
    "an absolute path": "/etc/cron.d/darkroom",
    "a drive": "C:\\autoexec.bat",
    "a share": "\\\\server\\share\\x",
    "a device of Windows": "CON",
    "a device with an ending": "nul.txt",
    "a device in small figures": "COM¹",
    "a printer": "LPT9",
    "a device with a colon": "AUX:",
    "a stream": "fox.png:hidden.exe:$DATA",
    "a dot": ".",
    "two dots": "..",
    "a hidden file": ".bashrc",
    "a dot at the end": "fox.",
    "spaces at the end": "fox   ",
    "an ending": "fox.php",
    "two endings": "fox.png.exe",
    "an option": "--help -rf",
    "a program": "$(rm -rf ~) `reboot` ; | & > <",
    "what Windows forbids": '<>:"/\\|?*',
    "a zero byte": "fox\0.png",
    "control characters": "fox\x07\x1b[31m\x7f\x9b",
    "line breaks": "fox\r\n\u2028\u2029",
    "slashes of other kinds": "a／b∕c⁄d＼e",
    "dots of other kinds": "‥／…／．．",
    "right to left": "שלום עולם مرحبا",
    "a turned-around ending": "fox\u202egnp.exe",
    "isolated directions": "\u2066fox\u2069 \u200f\u200e",
    "zero-width characters": "f\u200bo\u200cx\u200d\ufeff",
    "emoji": "\N{FOX FACE}👩‍🚀🏳️‍🌈",
    "half a character": "fox \ud83e \udc00",
    "accents apart": "fo\u0308x e\u0301",
    "a tower of accents": "f" + "\u0301" * 5000,
    "ligatures": "ﷺ ﬁ ǆ ㎒",
    "other figures": "١٢٣ ๔๕ ⅷ ②",
    "one endless word": "a" * 10_000,
    "one endless word of four bytes a letter": "𠜎" * 5000,
    "endless words": "长 " * 5000,
    "words that just fit": "a" * 40 + " " + "b" * 39,
    "words that just do not": "a" * 40 + " " + "b" * 40,
    "underscores": "___",
    "dashes": "--- - ---",
    "capitals that grow": "İSTANBUL ẞ ŉ ΐ",
    "private letters": "\ue000\uf8ff\U0010fffd",
    "what is no character": "\ufffe\uffff\U0010ffff",
}


def kinds(stem: str) -> str:
    """Each letter and figure, with no more marks than any script puts on it, as L; everything else as it is."""
    return re.sub(r"LM{,4}", "L", "".join(kind(letter) for letter in stem))


def kind(letter: str) -> str:
    return "L" if letter.isalnum() else "M" if unicodedata.category(letter) in {"Mn", "Mc"} else letter


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_a_prompt_makes_a_plain_name(tmp_path: Path, prompt: str) -> None:
    stem = picture_stem(prompt, GENERATION, 4)
    assert stem.endswith("-aht2bgir-4")
    assert re.fullmatch(r"L+(-L+)*", kinds(stem)), "letters and figures, with single dashes between them"
    assert PureWindowsPath(f"{stem}.png").name == f"{stem}.png"
    assert stem.partition(".")[0].casefold() not in RESERVED
    assert len(f"{stem}-999.webp".encode()) <= 120
    path = saved_picture(tmp_path, DAY, stem, ".png", b"a picture")
    assert (path, path.read_bytes()) == (tmp_path / "2026-11-20" / f"{stem}.png", b"a picture")
    assert [each.name for each in tmp_path.iterdir()] == ["2026-11-20"]
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_letters_and_figures_of_other_shapes_are_written_plainly() -> None:
    assert picture_stem("Ｆｏｘ ﬁnds ㎏ ①", GENERATION, 1) == "fox-finds-kg-1-aht2bgir-1"


SCRIPTS = {
    "Hindi": ("नमस्ते दुनिया", "नमस्ते-दुनिया"),
    "Thai": ("สวัสดีชาวโลก", "สวัสดีชาวโลก"),
    "Tamil": ("தமிழ் எழுத்து!", "தமிழ்-எழுத்து"),
    "Burmese": ("မြန်မာ", "မြန်မာ"),
    "Tibetan": ("བོད་ཡིག", "བོད-ཡིག"),
    "Hebrew with its points": ("שָׁלוֹם עולם", "שָׁלוֹם-עולם"),
    "Arabic with its signs": ("مَرْحَبًا", "مَرْحَبًا"),
    "Sinhala, whose letters are joined": ("ශ්‍රී ලංකා", "ශ්රී-ලංකා"),
    "Persian, whose letters are kept apart": ("می‌خواهم", "میخواهم"),
    "Greek whose accents come apart": ("ΐδιος", "ΐδιος"),
    "accents that stand apart": ("föx é", "föx-é"),
    "more marks than letters have": ("f" + "́" * 99, "f" + "́" * 4),
    "a mark that marks nothing": ("́fox", "fox"),
    "a figure in a box": ("1️⃣ fox", "1-fox"),
    "a sentence without spaces": ("长" * 99, "长" * 26),
    "a word that is too long": ("क्षि" * 60, "क्षि" * 6 + "क्"),
}


@pytest.mark.parametrize(("prompt", "words"), SCRIPTS.values(), ids=SCRIPTS)
def test_letters_of_every_script_are_kept_with_their_marks(prompt: str, words: str) -> None:
    assert picture_stem(prompt, GENERATION, 1) == unicodedata.normalize("NFC", f"{words}-aht2bgir-1")


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "abcd", "abcde"])
def test_no_letter_of_a_word_that_is_cut_loses_its_mark(before: str) -> None:
    """Letter and mark take three bytes each: one of these puts the cut between them."""
    name = picture_stem(before + "कि" * 100, GENERATION, 1)
    assert re.fullmatch(f"{before}(कि){{9,}}-aht2bgir-1", name)


async def test_a_prompt_in_letters_that_the_locale_lacks_has_its_picture_saved_all_the_same(home: Home) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    async with connected(home.with_(**plain)) as client:
        started = await call(client, "generate", prompt="长城")
        answer = await call(client, "wait", generation_ids=[started["id"]])
    (generation,) = answer["generations"]
    assert (generation["status"], generation["prompt"]) == ("succeeded", "长城")
