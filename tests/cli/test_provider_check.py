"""`provider check`: each mistake that authors make is found offline, with its line and what to write instead."""

import re
from pathlib import Path

import pytest

from tests.hosts import Home, darkroom

DONE, FAILED, WRONG_USE = 0, 1, 2
SOUND = """\
language = 1
name = "brush"
title = "Brush"
docs = "https://brush.example/docs"
base_url = "https://api.brush.example/v1"

[limits]
active = 2
submit = ["10/60"]

[accepts]
seed = true
options = { steps = { type = "integer", min = 1.0, max = 50.0 } }

[submit]
path = "/images"
job = "/id"
body = { prompt = "$prompt", seed = "$seed", steps = "$options.steps" }

[read]
path = "/images/{job}"
status = "/state"
words = { running = ["drawing"], done = ["ready"], failed = ["broken"] }
error = "/reason"

[pictures]
each = "/output/*"
url = "/link"

[[rules]]
on = "submit"
at = "/code"
equals = "banned"
code = "moderated"

[[example]]
name = "submit"
to = "submit"
request = { seed = 7, options = { steps = 20 } }
body = { prompt = "a cat", seed = 7, steps = 20 }
answer = { id = "b-1" }
means = "taken"
job = "b-1"

[[example]]
name = "banned"
to = "submit"
status = 400
answer = { code = "banned" }
means = "moderated"

[[example]]
name = "drawing"
answer = { id = "b-1", state = "drawing" }
means = "running"

[[example]]
name = "broken"
answer = { id = "b-1", state = "broken", reason = "out of paint" }
means = "failed"

[[example]]
name = "ready"
answer = { id = "b-1", state = "ready", output = [{ link = "https://cdn.example/1.png" }] }
means = "done"
urls = ["https://cdn.example/1.png"]
"""
CANCELLED = """\
[cancel]
path = "/images/{job}/stop"
[[example]]
name = "stopped"
to = "cancel"
means = "cancelled"
[[example]]
name = "submit"
"""
NO_READY = 'words = { running = ["drawing"], failed = ["broken"] }'
WORDS = 'words = { running = ["drawing"], done = ["ready"], failed = ["broken"] }'
RULE_5XX = """[[rules]]
on = "submit"
status = 503
at = "/code"
equals = "full"
code = "rate_limited"
charged = "no"

[[example]]
name = "submit"
"""


def written(home: Home, text: str = SOUND, name: str = "brush.toml") -> Path:
    """A file of this text."""
    file = home.path / name
    file.write_text(text, "utf-8")
    return file


def line_of(text: str, part: str) -> int:
    """The line that this part begins in."""
    return text[: text.index(part)].count("\n") + 1


def test_a_sound_file_is_reported_as_sound_and_nothing_is_noted(home: Home) -> None:
    file = written(home)
    done = darkroom(home, "provider", "check", str(file))
    assert (done.status, done.err) == (DONE, "")
    assert done.out == f"{file}: sound; 5 examples read as documented, 0 notes.\n"


@pytest.mark.parametrize(
    ("before", "after", "place", "said"),
    [
        pytest.param('error = "/reason"', 'errors = "/reason"', "errors =", "did you mean error?", id="unknown key"),
        pytest.param("active = 2", "base = 2", "base = 2", "[limits] has no key base: there are active", id="no key"),
        pytest.param("active = 2", "docs = 'x'", "docs = 'x'", "belongs above the first [table]", id="key too low"),
        pytest.param(
            '["broken"]', '["Ready"]', WORDS[:9], "'Ready' means both done and failed", id="word under two meanings"
        ),
        pytest.param(WORDS, NO_READY, "[read]", "nothing means done", id="nothing means done"),
        pytest.param('"$seed"', '"$sed"', "body =", "no name sed: did you mean seed?", id="unknown name"),
        pytest.param('"$options.steps"', '"$options.step"', "body =", "no option step: declare", id="unknown option"),
        pytest.param('job = "/id"', 'job = "id"', 'job = "id"', "'id' is no pointer: write '/id'", id="no slash"),
        pytest.param('"$seed"', '"$5"', "body =", "write $$5 to send '$5'", id="text with one $"),
        pytest.param(
            ', steps = "$options.steps"', "", "options =",
            'steps: it is never sent: write "$options.steps"', id="option never sent"
        ),
        pytest.param(
            'done = ["ready"]', 'done = ["redy"]', '[[example]]\nname = "ready"',
            "its status is 'ready', which is none of read.words: write it into done", id="wrong status word",
        ),
        pytest.param(
            'status = "/state"', 'status = "/status"', '[[example]]\nname = "drawing"',
            "nothing stands at /status (read.status) in its response, which has /id, /state", id="wrong status place",
        ),
        pytest.param(
            'url = "/link"', 'url = "/href"', '[[example]]\nname = "ready"',
            "pictures looks at /output/*/href, and 'https://cdn.example/1.png' stands at /output/0/link",
            id="wrong place of pictures",
        ),
        pytest.param("active = 2", 'active = "2"', 'active = "2"', "a whole number: write it without", id="type"),
        pytest.param('["10/60"]', '["10 a minute"]', "submit =", '"10/60": at most 10', id="window"),
        pytest.param('"integer"', '"int"', "options =", "did you mean integer?", id="choice"),
        pytest.param(
            'job = "/id"', 'job = "/id"\nquery = { api_key = "$key" }', "query =",
            "no name key: the key is sent as [auth]",
            id="key in a query",
        ),
        pytest.param(
            'job = "/id"', 'job = "/id"\nheaders = { Authorization = "x" }', "headers =", "written by [auth]",
            id="key in a header",
        ),
        pytest.param(
            "\n[limits]", 'hosts = ["*.co.uk"]\n[limits]', "hosts =", "*.co.uk is too wide", id="hosts too wide"
        ),
        pytest.param(
            '[[example]]\nname = "submit"\n', RULE_5XX, "[[rules]]\non = \"submit\"\nstatus = 503",
            "a 503 to a submission leaves open whether a job was started", id="5xx without a source",
        ),
        pytest.param(
            'to = "submit"\nrequest', "request", '[[example]]\nname = "submit"',
            'if this is the response to the submission, add to = "submit"', id="submission taken for a look",
        ),
        pytest.param(
            'status = 400\nanswer = { code = "banned" }', 'answer = { code = "banned" }',
            '[[example]]\nname = "banned"',
            'add source = "https://…"', id="refusal in a 200 without a source",
        ),
        pytest.param(
            'url = "/link"', 'item = { file = "/link" }\nrequest = { path = "/files/{file}" }',
            '[[example]]\nname = "ready"', "urls are the paths of these requests", id="urls of requests",
        ),
        pytest.param(
            "seed = true", 'seed = true\nmodels = ["a"]', "models =", 'write { id = "name-of-a-model" }', id="models"
        ),
        pytest.param(
            "seed = true", 'seed = true\naspect_ratios = ["1:1"]', "aspect_ratios =", 'write { "16:9" = {} }',
            id="aspect ratios",
        ),
        pytest.param(
            'done = ["ready"]', 'completed = ["ready"]', WORDS[:9], 'write, say, done = ["completed"]', id="meanings"
        ),
        pytest.param('"/images/{job}"', '"/images/{image_id}"', 'path = "/images/', "write {job}", id="name of the id"),
        pytest.param(
            '[[example]]\nname = "submit"\n', CANCELLED, '[[example]]\nname = "stopped"',
            "a reply means asked, late or gone", id="meaning of a reply",
        ),
        pytest.param('path = "/images"', 'path = "images"', 'path = "images"', "begins with /", id="path"),
        pytest.param(
            'path = "/images/{job}"', 'url = "{job}"', '[[example]]\nname = "submit"',
            "the job could never be asked for: \"b-1\" is no https link to the host of base_url or to one of hosts",
            id="no link",
        ),
        pytest.param('job = "/id"\n', "", "[submit]", "submit.job: it is missing: write where", id="missing"),
        pytest.param(
            ', seed = "$seed"', ', seed = "$seed", at = 2026-11-28 07:00:00', "body =",
            'submit.body.at: it is a date or a time, which JSON does not have: write it as a text, in "quotes"',
            id="date",
        ),
        pytest.param("max = 50.0", "max = inf", "options =", "steps.max: it is no number that JSON has", id="infinity"),
        pytest.param("active = 2", f"active = 0x{'9' * 4000}", "active =", "limits.active: it is too large", id="huge"),
        pytest.param(
            ', seed = "$seed"', f', seed = "$seed", x = {"[" * 40}{"]" * 40}', "body =",
            "submit.body.x: it is more than 32 deep", id="deep",
        ),
        pytest.param('"$seed"', '{ "$first" = "$seed" }', "body =", '"$first" takes a list: write', id="no list"),
        pytest.param(
            '"$prompt"', '{ "$join" = ["$prompt", 7] }', "body =", "write each of its parts in", id="number joined"
        ),
        pytest.param("max = 50.0", "max = 0.5", "options =", "its max is too low", id="max below min"),
        pytest.param('"/output/*"', "[]", "each =", "it is empty: write at least one", id="empty list"),
        pytest.param('"https://api.brush.example/v1"', '"https://[::1"', "base_url =", "an https URL", id="no host"),
        pytest.param(
            "https://api.brush", "https://\u0430pi.brush", "base_url =", "write it with xn--", id="look-alike of a host"
        ),
        pytest.param(
            "\n[limits]", 'hosts = ["*.s3.amazonaws.com"]\n[limits]', "hosts =", "s3.amazonaws.com is too wide",
            id="hosts of everybody",
        ),
        pytest.param('name = "brush"', 'name = "nul"', "name =", "Windows has no files of that name", id="device"),
    ],
)  # fmt: skip
def test_each_mistake_is_found_with_its_line_and_what_to_write(
    home: Home, before: str, after: str, place: str, said: str
) -> None:
    text = SOUND.replace(before, after, 1)
    assert text != SOUND
    file = written(home, text)
    done = darkroom(home, "provider", "check", str(file))
    assert done.status == FAILED
    found = [line for line in done.out.splitlines() if said in line]
    assert found, done.out
    assert found[0].startswith(f"{file}:{line_of(text, place)}: ")
    assert re.fullmatch(rf"{re.escape(str(file))}: [1-3] to correct\..*", done.out.splitlines()[-1])


def test_a_file_that_is_no_toml_is_reported_with_the_line(home: Home) -> None:
    file = written(home, SOUND.replace("active = 2", "active = two"))
    done = darkroom(home, "provider", "check", str(file))
    assert done.status == FAILED
    line = line_of(SOUND, "active")
    assert done.out.startswith(f"{file}:{line}: it is not TOML: Invalid value (at line {line}, ")
    file.write_bytes(SOUND.encode().replace(b"active = 2", b"active = 2 # \xe9"))
    said = f"{file}:{line}: it is not text in UTF-8 (at line {line}): save it as that\n"
    assert darkroom(home, "provider", "check", str(file)).out.startswith(said)


def test_the_mark_that_some_editors_begin_a_file_with_and_a_last_line_without_an_end_do_no_harm(home: Home) -> None:
    text = f"\ufeff{SOUND}\n[[example]]\nname = 2026-11-28 07:00:00"
    done = darkroom(home, "provider", "check", str(written(home, text)))
    assert done.out.splitlines()[0].endswith(
        f":{text.count(chr(10)) + 1}: example.6.name: it is a date or a time, which JSON does not have: write it as a "
        'text, in "quotes"'
    )
    assert darkroom(home, "provider", "check", str(written(home, f"\ufeff{SOUND}"))).status == DONE


def test_programs_get_the_same_as_json_for_several_files(home: Home) -> None:
    good, bad = written(home), written(home, SOUND.replace("active", "actve"), "bad.toml")
    done = darkroom(home, "provider", "check", str(good), str(bad), "--json")
    assert done.status == FAILED
    sound, wrong = done.json["files"]
    assert sound == {"file": str(good), "name": "brush", "examples": 5, "faults": [], "notes": []}
    (fault,) = wrong["faults"]
    assert fault["line"] == line_of(SOUND, "active")
    assert "did you mean active?" in fault["message"]


def test_a_file_that_cannot_be_read_is_wrong_use(home: Home) -> None:
    done = darkroom(home, "provider", "check", str(home.path / "none.toml"))
    assert done.status == WRONG_USE
    assert "none.toml cannot be read (No such file or directory)" in done.err
    assert darkroom(home, "provider", "check").status == WRONG_USE
    assert darkroom(home, "provider").status == WRONG_USE
    assert "Did you mean check?" in darkroom(home, "provider", "chek", "x").err
