"""A placeholder's type: the prompt as it is written or nothing, readable, honest, and never out of bounds."""

import sys
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from darkroom.providers.drawing import art, typesetting
from darkroom.providers.drawing.colour import LIGHTS, Colour, contrast
from darkroom.providers.drawing.words import understood

NASTY = {
    "one word": "Owl",
    "long": "a quiet harbour town at dawn with painted boats and gulls over the market " * 4,
    "long word": "x" * 300,
    "very wide letters": "W" * 300,
    "novel": "word " * 2_000,
    "lines": "first line\nsecond\r\n\tthird\v\f",
    "controls": "a\x00b\x1b[31mc\x07\u202ereversed\u202c\u2066d\u2069\ufeff",
    "lone surrogate": "half a \ud83d face",
    "emoji": "🦊🚀🌈",
    "emoji sequences": "👩‍🚀 👨‍👩‍👧‍👦 👍🏽 🇫🇷 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️‍🔥 1️⃣ 🧑🏿‍🤝‍🧑🏻",
    "hebrew": "חתול יושב על הגג, ושותה תה (2 כוסות)",
    "hebrew with points": "שָׁלוֹם עֲלֵיכֶם",
    "arabic": "قطة تجلس على السطح في ضوء القمر",
    "arabic with vowels": "السَّلَامُ عَلَيْكُمْ",
    "persian": "می‌خواهم به خانه بروم",
    "mixed": "The word שלום means peace, السلام too, мир & 平和 3.14",
    "japanese": "東京の夜、雨に濡れた街。" * 12,
    "korean": "밤하늘의 별을 보는 고양이",
    "undrawable": "नमस्ते ᚠᚢᚦ 𒀀",
    "devanagari": "चाँदनी रात में बिल्ली",
    "thai": "แมวใต้แสงจันทร์",
    "marks on marks": "Z̸͓̈́ä̵́l̷͝g̶o̷ " * 30,
    "styled letters": "𝓯𝓪𝓷𝓬𝔂 ｆｕｌｌ ﬁne ①",
    "blank": " \n ",
    "punctuation": "!!! ... ???",
    "overhanging accent": "Î",
    "overhanging": "jƒ/Ǻ̈ J ÅÇ ﷺ ĵ",
}


# What has no words: scripts without a font, that are read from the right, or whose marks would have to be placed.
WORDLESS = (
    "hebrew", "hebrew with points", "arabic", "arabic with vowels", "persian", "mixed", "undrawable", "devanagari",
    "thai", "marks on marks", "blank", "punctuation", "overhanging",
)  # fmt: skip


def _lettered(prompt: str, size: tuple[int, int] = (640, 360)) -> art.Sketch:
    """The type alone, on a picture of one colour."""
    return art.lettered(Image.new("RGB", size, (250, 240, 200)), prompt, LIGHTS["day"][0])


def _ink(sketch: art.Sketch) -> tuple[int, int, int, int]:
    box = ImageChops.difference(sketch.picture, sketch.backdrop).getbbox()
    assert box is not None, "nothing was set in type"
    return box


def _colours(image: Image.Image, box: tuple[int, int, int, int]) -> Iterator[Colour]:
    counted = image.crop(box).getcolors(maxcolors=1 << 16)
    assert counted is not None
    for _, colour in counted:
        assert isinstance(colour, tuple)
        red, green, blue = colour
        yield red, green, blue


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("size", [(640, 360), (360, 640), (512, 512)])
def test_type_stays_inside_the_margins_and_where_readability_was_measured(name: str, size: tuple[int, int]) -> None:
    sketch = _lettered(NASTY[name], size)
    left, upper, right, lower = _ink(sketch)
    assert left >= sketch.margin
    assert right <= size[0] - sketch.margin
    assert upper >= max(sketch.margin, sketch.title_box[1])
    assert lower <= min(size[1] - sketch.margin, sketch.footer_box[3])
    assert upper > size[1] * 0.35, "the title leaves room for the picture"


@given(st.text(max_size=120), st.sampled_from([(640, 360), (416, 608)]))
@settings(max_examples=60, deadline=None)
def test_any_text_at_all_can_be_set(prompt: str, size: tuple[int, int]) -> None:
    sketch = _lettered(prompt, size)
    left, _, right, lower = _ink(sketch)
    assert sketch.margin <= left
    assert right <= size[0] - sketch.margin
    assert lower <= size[1] - sketch.margin


def _steps(prompt: str) -> int:
    """How many calls it takes to understand and to set a prompt, once everything that is remembered is."""
    counted = 0

    def count(*_: object) -> None:
        nonlocal counted
        counted += 1

    for profile in (None, count):
        sys.setprofile(profile)
        try:
            understood(prompt)
            _lettered(prompt)
        finally:
            sys.setprofile(None)
    return counted


@pytest.mark.parametrize("repeated", ["W", "ẍ ", "𝔣", "\u0301", "🦊\u200d", "fox ", "…", "京", "a-"])
def test_however_long_a_prompt_is_only_its_beginning_is_worked_on(repeated: str) -> None:
    assert _steps(repeated * 100_000) <= 1.05 * _steps(repeated * 3_000) < 300_000


@pytest.mark.parametrize("light", LIGHTS)
def test_type_is_readable_against_everything_behind_it(light: str) -> None:
    for palette in LIGHTS[light]:
        for behind in ((255, 255, 255), (128, 128, 128), palette.sun, palette.accent):
            sketch = art.lettered(Image.new("RGB", (320, 180), behind), "a lantern festival on the river", palette)
            for box in (sketch.title_box, sketch.footer_box):
                assert min(contrast(sketch.ink, colour) for colour in _colours(sketch.backdrop, box)) >= 4.5


@pytest.mark.parametrize("index", range(1, 9))
def test_type_is_readable_in_whole_pictures(index: int) -> None:
    sketch = art.compose("a festival in the snow", seed=7, index=index, width=320, height=180)
    for box in (sketch.title_box, sketch.footer_box):
        assert min(contrast(sketch.ink, behind) for behind in _colours(sketch.backdrop, box)) >= 4.5


def test_the_footer_says_that_it_is_not_an_ai_picture() -> None:
    assert "placeholder" in art.FOOTER
    assert "not an AI picture" in art.FOOTER
    for prompt in ("Owl", NASTY["thai"]):
        sketch = _lettered(prompt)
        changed = ImageChops.difference(sketch.picture, sketch.backdrop).crop(sketch.footer_box).getbbox()
        assert changed is not None


def test_a_short_prompt_is_the_title_itself() -> None:
    assert _lettered("a fox reading by a lighthouse").title == "a fox reading by a lighthouse"


def test_a_long_prompt_is_shortened_with_an_ellipsis() -> None:
    title = _lettered(NASTY["novel"]).title
    assert title.endswith("word…")
    assert NASTY["novel"].startswith(title.removesuffix("…"))


@pytest.mark.parametrize("name", WORDLESS)
def test_a_prompt_that_cannot_be_set_gives_a_picture_without_words(name: str) -> None:
    sketch = _lettered(NASTY[name])
    assert sketch.title == ""
    assert _ink(sketch)[1] >= sketch.footer_box[1], "only the footer is set"


@pytest.mark.parametrize("name", sorted(NASTY.keys() - WORDLESS))
def test_every_other_prompt_has_words(name: str) -> None:
    sketch = _lettered(NASTY[name])
    assert sketch.title
    assert _ink(sketch)[1] < sketch.footer_box[1]


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("two\n lines\tof\x00it", "two lines of it"),
        ("👩🏽‍🚀", "👩🚀"),
        ("🏃🏽‍♀️", "🏃"),
        ("🇫🇷 flag", "FR flag"),
        ("1️⃣", "1"),
        ("𝓯𝓪𝓷𝓬𝔂 ﬁne ①", "fancy fine 1"),
        ("a world, दुनिया", ""),
        ("naïve Ελλάδα Київ Tiếng Việt", "naïve Ελλάδα Київ Tiếng Việt"),
        ("Cafe\u0301", "Café"),
        ("x\u0330", ""),
        ("abc\u202edef", "abcdef"),
    ],
)
def test_a_title_holds_the_prompt_as_it_is_written_or_nothing(prompt: str, title: str) -> None:
    assert typesetting.title_text(prompt) == title
