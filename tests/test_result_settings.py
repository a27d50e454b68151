"""DARKROOM_RESULTS and DARKROOM_PREVIEWS: what the user wants of results."""

import pytest

from darkroom.providers.declared import read_settings


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("DARKROOM_RESULTS", "links"),
        ("DARKROOM_RESULTS", "images,links"),
        ("DARKROOM_RESULTS", "text,pictures"),
        ("DARKROOM_RESULTS", "all"),
        ("DARKROOM_PREVIEWS", "some"),
        ("DARKROOM_PREVIEWS", "0"),
        ("DARKROOM_RESULTS", "${RESULTS}"),
        ("DARKROOM_PREVIEWS", "${PREVIEWS}"),
    ],
)
def test_a_wish_about_results_that_cannot_be_read_is_named_and_the_default_stands(variable: str, text: str) -> None:
    settings = read_settings({variable: text})
    assert (settings.results, settings.previews) == (None, "sheet")
    (warning,) = settings.warnings
    assert variable in warning


def test_no_previews_are_a_wish_though_none_is_the_word_of_programs_for_no_value() -> None:
    settings = read_settings({"DARKROOM_PREVIEWS": "none"})
    assert (settings.previews, settings.warnings) == ("none", ())


def test_a_wish_about_results_is_read_in_any_case_and_blank_is_none() -> None:
    settings = read_settings({"DARKROOM_RESULTS": " Text,  LINKS ", "DARKROOM_PREVIEWS": " All "})
    assert (settings.results, settings.previews, settings.warnings) == ({"text", "links"}, "all", ())
    blank = read_settings({"DARKROOM_RESULTS": " ", "DARKROOM_PREVIEWS": ""})
    assert (blank.results, blank.previews, blank.warnings) == (None, "sheet", ())
