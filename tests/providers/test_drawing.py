"""The placeholder pictures: the same everywhere, readable, honest, and never out of bounds."""

import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from darkroom.providers.drawing import art, script, typesetting
from darkroom.providers.drawing.canvas import Canvas
from darkroom.providers.drawing.colour import PALETTES, Colour, contrast
from darkroom.providers.drawing.scenes import SCENES, Scene

SIZES = [(1280, 720), (1024, 1024), (720, 1280), (1216, 832), (832, 1216), (1152, 896), (896, 1152)]
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
    "marks on marks": "Z̸͓̈́ä̵́l̷͝g̶o̷ " * 30,
    "styled letters": "𝓯𝓪𝓷𝓬𝔂 ｆｕｌｌ ﬁne ①",
    "blank": " \n ",
    "punctuation": "!!! ... ???",
    "overhanging accent": "Î",
    "overhanging": "jƒ/Ǻ̈ J ÅÇ ﷺ ĵ",
}


def _compose(prompt: str, size: tuple[int, int] = (1280, 720), *, seed: int = 7, index: int = 1) -> art.Sketch:
    return art.compose(prompt, seed=seed, index=index, width=size[0], height=size[1])


def _ink(sketch: art.Sketch) -> tuple[int, int, int, int]:
    box = ImageChops.difference(sketch.picture, sketch.backdrop).getbbox()
    assert box is not None, "nothing was set in type"
    return box


def _colours(image: Image.Image, box: tuple[int, int, int, int]) -> Iterator[Colour]:
    counted = image.crop(box).getcolors(maxcolors=1 << 24)
    assert counted is not None
    for _, colour in counted:
        assert isinstance(colour, tuple)
        red, green, blue = colour
        yield red, green, blue


@pytest.mark.parametrize("size", SIZES)
def test_a_sketch_is_a_png_of_the_size_that_was_asked_for(size: tuple[int, int]) -> None:
    png = art.paint("A fox by the sea", seed=1, index=1, width=size[0], height=size[1])
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", size)
    assert len(png) < 1_200_000


def test_the_same_arguments_give_the_same_bytes() -> None:
    first, again = (art.paint("dunes", seed=3, index=2, width=640, height=480) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("hash_seed", ["0", "1234"])
def test_another_process_gives_the_same_pixels(hash_seed: str) -> None:
    code = (
        "import hashlib; from darkroom.providers.drawing.art import paint;"
        "print(hashlib.sha256(paint('שלום 🦊 東京', seed=5, index=3, width=640, height=480)).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": hash_seed},
    )
    here = art.paint("שלום 🦊 東京", seed=5, index=3, width=640, height=480)
    assert done.stdout.strip() == hashlib.sha256(here).hexdigest()


def test_importing_the_art_does_not_import_pillow() -> None:
    code = "import sys, darkroom.providers.drawing.art; sys.exit('PIL' in sys.modules)"
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True, env=path)


def _difference(first: art.Sketch, second: art.Sketch) -> float:
    """Mean difference of two pictures over all pixels, 0 to 255."""
    histogram = ImageChops.difference(first.picture, second.picture).convert("L").histogram()
    return sum(level * count for level, count in enumerate(histogram)) / sum(histogram)


def test_every_picture_of_a_generation_is_visibly_another_one() -> None:
    pictures = [_compose("a garden", (640, 480), index=index) for index in range(1, 5)]
    for at, first in enumerate(pictures):
        for second in pictures[at + 1 :]:
            assert _difference(first, second) > 12


def test_another_seed_or_prompt_is_visibly_another_picture() -> None:
    first = _compose("a garden", (640, 480), seed=1)
    assert _difference(first, _compose("a garden", (640, 480), seed=2)) > 12
    assert _difference(first, _compose("a pond", (640, 480), seed=1)) > 12


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("size", [(640, 360), (360, 640), (512, 512)])
def test_type_stays_inside_the_margins(name: str, size: tuple[int, int]) -> None:
    sketch = _compose(NASTY[name], size)
    left, upper, right, lower = _ink(sketch)
    assert left >= sketch.margin
    assert right <= size[0] - sketch.margin
    assert upper >= sketch.margin
    assert lower <= size[1] - sketch.margin
    assert upper > size[1] * 0.35, "the title leaves room for the picture"


@given(st.text(max_size=120), st.sampled_from([(640, 360), (416, 608)]), st.integers(0, 2**63))
@settings(max_examples=40, deadline=None)
def test_any_text_at_all_can_be_painted(prompt: str, size: tuple[int, int], seed: int) -> None:
    sketch = _compose(prompt, size, seed=seed)
    left, _, right, lower = _ink(sketch)
    assert sketch.margin <= left
    assert right <= size[0] - sketch.margin
    assert lower <= size[1] - sketch.margin


@pytest.mark.parametrize("index", range(1, 13))
@pytest.mark.parametrize("seed", [1, 2])
def test_type_is_readable_against_everything_behind_it(seed: int, index: int) -> None:
    sketch = _compose("a lantern festival on the river", (640, 360), seed=seed, index=index)
    for box in (sketch.title_box, sketch.footer_box):
        assert min(contrast(sketch.ink, behind) for behind in _colours(sketch.backdrop, box)) >= 4.5


def test_all_ink_is_where_readability_was_measured() -> None:
    for prompt in NASTY.values():
        sketch = _compose(prompt, (640, 360))
        _, upper, _, lower = _ink(sketch)
        assert upper >= sketch.title_box[1]
        assert lower <= sketch.footer_box[3]


def test_the_footer_says_that_it_is_not_an_ai_picture() -> None:
    assert "placeholder" in art.FOOTER
    assert "not an AI picture" in art.FOOTER
    sketch = _compose("Owl")
    changed = ImageChops.difference(sketch.picture, sketch.backdrop).crop(sketch.footer_box).getbbox()
    assert changed is not None


def test_a_short_prompt_is_the_title_itself() -> None:
    assert _compose("a fox reading by a lighthouse", (320, 320)).title == "a fox reading by a lighthouse"


def test_a_long_prompt_is_shortened_with_an_ellipsis() -> None:
    title = _compose(NASTY["novel"]).title
    assert title.endswith("word…")
    assert NASTY["novel"].startswith(title.removesuffix("…"))


@pytest.mark.parametrize("name", ["blank", "punctuation", "undrawable"])
def test_a_prompt_that_cannot_be_set_gets_a_neutral_title(name: str) -> None:
    assert _compose(NASTY[name], (320, 320)).title == "Untitled sketch"


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("two\n lines\tof\x00it", "two lines of it"),
        ("👩🏽‍🚀", "👩🚀"),
        ("🏃🏽‍♀️", "🏃"),
        ("🇫🇷 flag", "FR flag"),
        ("1️⃣", "1"),
        ("𝓯𝓪𝓷𝓬𝔂 ｆｕｌｌ", "fancy full"),
        ("नमस्ते, world", "world"),
        ("Cafe\u0301", "Café"),
        ("שָׁלוֹם", "שלום"),
        ("abc\u202edef", "abcdef"),
    ],
)
def test_a_title_holds_what_can_be_drawn(prompt: str, title: str) -> None:
    assert typesetting.title_text(prompt) == title


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("abc 123", "abc 123"),
        ("שלום", "םולש"),
        ("שלום 123", "123 םולש"),
        ("say שלום now", "say םולש now"),
        ("שלום abc עולם", "םלוע abc םולש"),
        ("(שלום)", "(םולש)"),
        ("שלום 1,234.5", "1,234.5 םולש"),
        ("שלום 50%", "50% םולש"),
    ],
)
def test_right_to_left_text_is_drawn_in_visual_order(text: str, drawn: str) -> None:
    rtl = script.is_right_to_left(text)
    assert script.visual(text, right_to_left=rtl, drawable=lambda _: True) == drawn


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("سلام", "\ufee1\ufefc\ufeb3"),  # seen initial, lam-alef final, meem isolated
        ("بيت", "\ufe96\ufef4\ufe91"),  # beh initial, yeh medial, teh final
        ("دار", "\ufead\ufe8d\ufea9"),  # three letters that do not join
        ("می\u200cخواهم", "\ufee2\ufeeb\ufe8d\ufeee\ufea7\ufbfd\ufee3"),  # a non-joiner parts two letters
    ],
)
def test_arabic_letters_are_joined(text: str, drawn: str) -> None:
    assert script.visual(text, right_to_left=True, drawable=lambda _: True) == drawn


@pytest.mark.parametrize("scene", SCENES)
def test_every_composition_can_be_painted_by_day_and_by_night(scene: Scene) -> None:
    for number, palette in enumerate(PALETTES[2::3]):
        canvas = Canvas(160, 90 + 60 * (number % 2), palette, Random(number))
        scene(canvas)
        colours = canvas.image.getcolors(maxcolors=1 << 24)
        assert colours is not None
        assert len(colours) > 4
