"""The placeholder pictures: the same everywhere, and of what was asked for."""

import hashlib
import io
import os
import subprocess
import sys
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from darkroom.providers.drawing import art, typesetting
from darkroom.providers.drawing.canvas import Canvas
from darkroom.providers.drawing.colour import LIGHTS
from darkroom.providers.drawing.figures import show
from darkroom.providers.drawing.scenes import SCENES
from darkroom.providers.drawing.words import KNOWN, Idea, understood
from tests.hosts import PATIENCE_S

SIZES = [(1280, 720), (1024, 1024), (720, 1280), (1216, 832), (832, 1216), (1152, 896), (896, 1152)]


def _compose(prompt: str, size: tuple[int, int] = (320, 180), *, seed: int = 7, index: int = 1) -> art.Sketch:
    return art.compose(prompt, seed=seed, index=index, width=size[0], height=size[1])


def _difference(first: art.Sketch, second: art.Sketch) -> float:
    """Mean difference of two pictures over all pixels, 0 to 255."""
    histogram = ImageChops.difference(first.picture, second.picture).convert("L").histogram()
    return sum(level * count for level, count in enumerate(histogram)) / sum(histogram)


@pytest.mark.parametrize("size", SIZES)
def test_a_sketch_is_a_png_of_the_size_that_was_asked_for(size: tuple[int, int]) -> None:
    png = art.paint("A fox by the sea", seed=1, index=1, width=size[0], height=size[1])
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", size)
    assert len(png) < 1_200_000


def test_the_same_arguments_give_the_same_bytes() -> None:
    first, again = (art.paint("dunes", seed=3, index=2, width=320, height=240) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("hash_seed", ["0", "1234"])
def test_another_process_gives_the_same_pixels(hash_seed: str) -> None:
    prompt = "a dog in the snow 🦊 東京"
    code = (
        "import hashlib; from darkroom.providers.drawing.art import paint;"
        f"print(hashlib.sha256(paint({prompt!r}, seed=5, index=3, width=320, height=240)).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": hash_seed},
    )
    here = art.paint(prompt, seed=5, index=3, width=320, height=240)
    assert done.stdout.strip() == hashlib.sha256(here).hexdigest()


def test_a_provider_that_has_drawn_nothing_has_not_imported_pillow() -> None:
    code = "import sys, darkroom.providers.registry, darkroom.providers.sketch; sys.exit('PIL' in sys.modules)"
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], timeout=PATIENCE_S, check=True, env=path)


@pytest.mark.parametrize("prompt", ["a garden", "x", "a lighthouse", "a fox in the evening"])
def test_every_picture_of_a_generation_is_visibly_another_one(prompt: str) -> None:
    pictures = [_compose(prompt, index=index) for index in range(1, 5)]
    for at, first in enumerate(pictures):
        for second in pictures[at + 1 :]:
            assert _difference(first, second) > 12


@pytest.mark.parametrize("prompt", ["a garden", "x", "a lighthouse"])
def test_another_seed_is_visibly_another_picture(prompt: str) -> None:
    assert _difference(_compose(prompt, seed=1), _compose(prompt, seed=2)) > 12


def test_another_prompt_is_visibly_another_picture() -> None:
    assert _difference(_compose("a garden"), _compose("a pond")) > 12


def test_each_word_is_seen_in_any_prompt() -> None:
    for word, idea in KNOWN.items():
        for prompt in (word, f"An {word.upper()}, please!", f"two {word}s", f"what? {word}; {word}"):
            seen = understood(prompt)
            assert seen == Idea(idea.place or idea.home, idea.light, idea.weather, idea.figure, idea.manner), prompt
        assert {*seen.place.split()} <= SCENES.keys()
        assert seen.light in {*LIGHTS, ""}
        assert len(seen.figure) != 1 or typesetting.title_text(seen.figure), "its symbol has no glyph"


@pytest.mark.parametrize(
    ("prompt", "idea"),
    [
        (
            "A lighthouse keeper reading by lamplight, storm outside",
            Idea("sea", "night", "rain", "lighthouse", "stands"),
        ),
        ("A fox reading a map, warm evening light", Idea("forest hills", "sunset", "", "fox", "stands")),
        ("cats on the beach", Idea("sea", "", "", "cat", "stands")),
        ("snowy mountains at night, not the sea", Idea("hills", "night", "snow")),
        ("a woman with a horse", Idea("hills lake", "", "", "🐎", "stands")),
        ("a knight", Idea("portrait")),
        ("what nobody knows", Idea()),
        ("seaside searches catalogued", Idea()),
        ("", Idea()),
    ],
)
def test_a_prompt_is_understood_by_its_words(prompt: str, idea: Idea) -> None:
    assert understood(prompt) == idea


@pytest.mark.parametrize("place", SCENES)
def test_the_place_that_is_asked_for_is_the_place_that_is_painted(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    painted: list[Canvas] = []
    monkeypatch.setitem(SCENES, place, painted.append)
    word = next(word for word, idea in KNOWN.items() if idea == Idea(place))
    for index in range(4):
        _compose(f"the {word}, of course", (160, 90), index=index)
        assert len(painted) == index + 1


@pytest.mark.parametrize(
    "prompt", ["a lighthouse", "a house", "a fox", "a cat", "a dog", "a bird", "a fish", "a horse"]
)
def test_a_figure_changes_the_picture_where_it_stands(prompt: str) -> None:
    idea = understood(prompt)
    bare, shown = (Canvas(320, 180, LIGHTS["day"][0], Random(1)) for _ in range(2))
    show(shown, idea, idea.place.split()[0])
    box = ImageChops.difference(bare.image, shown.image).getbbox()
    assert box is not None
    assert box[0] < shown.focus < box[2]


def _shown(idea: Idea, place: str) -> bytes:
    """An idea in an empty sky, with nothing else of the place than what belongs to everything that is there."""
    canvas = Canvas(160, 90, LIGHTS["day"][0], Random(1))
    show(canvas, idea, place)
    return canvas.image.tobytes()


def test_every_figure_is_another_one() -> None:
    figures = {idea.figure: idea.manner for idea in KNOWN.values() if idea.figure}
    assert len({_shown(Idea(figure=figure, manner=manner), "hills") for figure, manner in figures.items()}) == len(
        figures
    )


@pytest.mark.parametrize("place", ["table", "deep", "sea"])
def test_a_place_that_would_be_empty_has_something_in_it(place: str) -> None:
    assert _shown(Idea(), place) != _shown(Idea(), "hills")


@pytest.mark.parametrize("place", ["table", "deep", "space"])
def test_no_weather_gets_in_where_there_is_none(place: str) -> None:
    assert _shown(Idea(weather="rain"), place) == _shown(Idea(), place)


@pytest.mark.parametrize("weather", ["rain", "snow", "fog"])
def test_weather_is_seen_all_over_the_picture(weather: str) -> None:
    bare, shown = (Canvas(320, 180, LIGHTS["night"][0], Random(1)) for _ in range(2))
    show(shown, Idea(weather=weather), "hills")
    left, upper, right, lower = ImageChops.difference(bare.image, shown.image).getbbox() or (0, 0, 0, 0)
    assert right - left > shown.w * 0.9
    assert lower - upper > shown.h * 0.6


@pytest.mark.parametrize("place", SCENES)
def test_every_place_can_be_painted_in_every_light_and_shape(place: str) -> None:
    for number, palette in enumerate(row[0] for row in LIGHTS.values()):
        canvas = Canvas(160, 90 + 60 * (number % 3), palette, Random(number))
        SCENES[place](canvas)
        show(canvas, Idea(figure="🐎", manner="stands", weather=("rain", "snow", "fog", "")[number % 4]), place)
        colours = canvas.image.getcolors(maxcolors=1 << 18)
        assert colours is not None
        assert len(colours) > 40


@given(st.text(max_size=120), st.integers(0, 2**63))
@settings(max_examples=15, deadline=None)
def test_any_text_at_all_can_be_painted(prompt: str, seed: int) -> None:
    assert _compose(prompt, (160, 90), seed=seed).picture.size == (160, 90)
