"""`provider check`: what is worth a look, though the file is sound: it is noted, and changes no exit status."""

import pytest

from tests.cli.test_provider_check import DONE, SOUND, written
from tests.hosts import Home, darkroom


def test_a_name_that_comes_with_darkroom_is_noted_before_anybody_tries_to_add_it(home: Home) -> None:
    text = SOUND.replace('name = "brush"', 'name = "fal"', 1)
    done = darkroom(home, "provider", "check", str(written(home, text)))
    assert (done.status, ":2: note: name: a provider of that name comes with Darkroom" in done.out) == (DONE, True)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("drawing", "note: read.words.running: no example shows 'drawing'"),
        ("banned", "note: rules.1: no example shows a response that means moderated here"),
        ("submit", "note: example: no example shows a job being taken"),
        ("ready", "note: example: no example shows where pictures are"),
    ],
)
def test_what_no_example_shows_is_noted_and_does_not_fail(home: Home, name: str, said: str) -> None:
    first, *examples = SOUND.split("[[example]]\n")
    kept = "[[example]]\n".join([first, *(each for each in examples if not each.startswith(f'name = "{name}"'))])
    done = darkroom(home, "provider", "check", str(written(home, kept)))
    assert done.status == DONE
    assert said in done.out


def test_hosts_of_another_domain_and_a_variable_of_its_own_are_noted(home: Home) -> None:
    text = SOUND.replace("\n[limits]", 'hosts = ["*.elsewhere.example"]\nkey = "OPENAI_API_KEY"\n[limits]', 1)
    done = darkroom(home, "provider", "check", str(written(home, text)))
    assert done.status == DONE
    assert "every host below elsewhere.example may be sent the key" in done.out
    assert "leave it out of another, whose variable is DARKROOM_BRUSH_KEY" in done.out


def test_a_prefix_without_its_space_and_a_model_with_slashes_in_one_part_of_a_path_are_noted(home: Home) -> None:
    text = SOUND.replace("\n[limits]", 'auth = { prefix = "Key" }\n[limits]', 1)
    text = text.replace("seed = true", 'seed = true\nmodels = [{ id = "a/b" }]\ndefault_model = "a/b"', 1)
    done = darkroom(
        home, "provider", "check", str(written(home, text.replace('path = "/images"', 'path = "/{model}"', 1)))
    )
    assert done.status == DONE, done.out
    assert """the key follows 'Key' at once: write "Key " where""" in done.out
    assert "so a/b is sent with %2F: write {model+}" in done.out
