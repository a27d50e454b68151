"""A provider that repeats a secret: however it spells it and wherever it puts it, nobody reads it."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image, PngImagePlugin

from tests.attacks.canary import (
    BETTERWAIFU_KEY,
    FATTHUMB_KEY,
    PASSWORD,
    SPELLINGS,
    found_in,
)
from tests.attacks.stage import Stage, structured
from tests.clients import holds_part_of
from tests.services.faults import Alter, Answer, Fault, Raw, Redirect

KEY = FATTHUMB_KEY


def cut_and(spelled: Callable[[str], str], secret: str) -> str:
    return spelled(secret[:-1])


@pytest.mark.parametrize(
    ("secret", "spelled"),
    [
        *(pytest.param(KEY, spelled, id=f"a key {name}") for name, spelled in SPELLINGS.items()),
        *(pytest.param(PASSWORD, spelled, id=f"a password {name}") for name, spelled in SPELLINGS.items()),
        pytest.param(BETTERWAIFU_KEY, str, id="another provider's key"),
        *(
            pytest.param(secret, partial(cut_and, spelled), id=f"a cut {kind} {name}")
            for kind, secret in (("key", KEY), ("password", PASSWORD))
            for name, spelled in SPELLINGS.items()
        ),
    ],
)
def test_a_secret_in_a_refusal_is_taken_out_however_it_is_spelled(
    stage: Stage, secret: str, spelled: Callable[[str], str]
) -> None:
    told = f"We do not know <{spelled(secret)}> here"
    assert found_in(told, secret), "the search itself must know this spelling"
    stage.fatthumb.script("submit", Answer(400, json={"error": told}))
    message = stage.refused()
    assert "[redacted]" in message
    assert message.startswith('FatThumb returned 400 and says: "We do not know ')
    stage.assert_silent()


@pytest.mark.parametrize("before", [260, 288, 299, 2370, 2399, 99_960, 99_999, 400_000])
def test_no_cap_leaves_a_part_of_a_key(stage: Stage, before: int) -> None:
    for filling in ("x", " ", "\u200b"):
        stage.fatthumb.script("submit", Answer(400, json={"error": filling * before + KEY}))
        assert not holds_part_of(KEY, stage.refused(), 8)
    stage.assert_silent()


def refusal(**answer: Any) -> Callable[[Stage], None]:
    return lambda stage: stage.fatthumb.script("submit", Answer(400, **answer))


def meets(route: Any, *faults: Fault) -> Callable[[Stage], None]:
    return lambda stage: stage.fatthumb.script(route, *faults)


def linked(query: str) -> Callable[[Stage], None]:
    """The picture's link holds this."""

    def change(job: dict[str, Any]) -> dict[str, Any]:
        (thumbnail,) = job["thumbnails"]
        return {**job, "thumbnails": [{**thumbnail, "url": f"{thumbnail['url']}?{query}"}]}

    return lambda stage: stage.fatthumb.script("read", Alter(change))


def noted(key: str, code: str) -> bytes:
    """A picture in whose own notes the key stands."""
    file, notes, exif = io.BytesIO(), PngImagePlugin.PngInfo(), b""
    if code == "utf-8":
        notes.add_text("workflow", f'{{"headers": {{"x-api-key": "{key}"}}}}')
    else:
        exif = b"Exif\0\0II*\0" + f"key {key}".encode(code)
    Image.new("RGB", (1280, 720)).save(file, "PNG", pnginfo=notes, exif=exif)
    assert key.encode(code) in file.getvalue()
    return file.getvalue()


HELD = "holds a key of yours"


@dataclass(frozen=True)
class Place:
    """Where a provider puts the key, how the generation ends, and words of what is said of it."""

    name: str
    puts: Callable[[Stage], None]
    status: str = "failed"
    says: str = "[redacted]"


LATER = Answer(429, json={"error": KEY}, headers={"Retry-After": "1"})
TO_THE_LAST_LETTER = SPELLINGS["percent-encoded to the last letter"](KEY)
AWAY = Redirect(f"/files/x.png?key={quote(KEY)}")
STATUS_LINE = Raw(f"HTTP/1.1 400 {KEY}\r\nContent-Length: 0\r\n\r\n".encode())
JOB = Answer(200, json={"generationId": f"job {KEY}"})
CUT_JOB = Answer(200, json={"generationId": KEY[:-1]})
HEADLESS = Redirect(f"/files/x.png?key={quote(KEY[4:])}")
CUT = [Answer(200, content=noted(BETTERWAIFU_KEY[:-1], "utf-8"))]

PLACES = (
    Place("in an error's message", refusal(json={"error": {"message": f"no {KEY}"}})),
    Place("in a detail", refusal(json={"detail": KEY})),
    Place("in plain text", refusal(text=f"No such key: {BETTERWAIFU_KEY}")),
    Place("cut off after some letters", refusal(json={"error": f"no {BETTERWAIFU_KEY[:25]}…"})),
    Place("though it is another customer's", refusal(json={"error": "not nsk_0123456789 but bw_9876543210"})),
    Place("in a page", refusal(text=f"<p>{KEY}</p>"), says="returned 400"),
    Place("in JSON that breaks off within it", refusal(text='{"error": "no ' + KEY[:-9]), says="returned 400"),
    Place("in JSON names", refusal(json={KEY: {KEY: KEY}, "error": "no"}), says="returned 400"),
    Place("in headers", refusal(headers={"x-echo": KEY, "set-cookie": f"key={KEY}"}), says="returned 400"),
    Place("in the status line", meets("submit", STATUS_LINE), says="returned 400"),
    Place("many times", refusal(json={"error": KEY * 20_000})),
    Place("in a refusal to take it now", meets("submit", LATER), "succeeded", ""),
    Place("in a failure that leaves the outcome open", meets("submit", Answer(500, json={"error": f"no {KEY}"}))),
    Place("in the job's id", meets("submit", JOB), says="names no job"),
    Place("in the job's id, cut", meets("submit", CUT_JOB), says="names no job"),
    Place("in an answer to a look", meets("read", Answer(401, json={"error": KEY})), "succeeded", ""),
    Place("in a status", meets("read", Alter(lambda job: {**job, "status": KEY})), "succeeded", ""),
    Place("in a picture's error", lambda stage: stage.fatthumb.next_job(failing={0: f"no {KEY}"})),
    Place("in a picture's link", linked(f"key={quote(KEY)}"), says=HELD),
    Place("in a picture's link, to the last letter", linked(f"key={TO_THE_LAST_LETTER}"), says=HELD),
    Place("in a picture's link, cut", linked(f"key={quote(KEY[:-1])}"), says=HELD),
    Place(
        "in a picture's link, cut and in Base64", linked(f"key={SPELLINGS['in Base64 for URLs'](KEY[:-1])}"), says=HELD
    ),
    Place("in a picture's redirect, without its beginning", meets("picture", HEADLESS), says=HELD),
    Place("in a picture's text, cut", meets("picture", *CUT), says=HELD),
    Place("in a picture's redirect", meets("picture", AWAY), says=HELD),
    Place("in a picture's text", meets("picture", Answer(200, content=noted(KEY, "utf-8"))), says=HELD),
    Place("in a picture's EXIF", meets("picture", Answer(200, content=noted(KEY, "utf-16-le"))), says=HELD),
)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_key_is_taken_out_wherever_a_provider_puts_it(stage: Stage, place: Place) -> None:
    place.puts(stage)
    outcome = stage.made()
    assert outcome.generation is not None
    assert outcome.generation["status"] == place.status
    assert place.says in structured(outcome)
    assert place.says in outcome.text
    assert stage.fatthumb.unplayed("picture") == stage.fatthumb.unplayed("submit") == 0
    assert not any("key" in request.query or request.has_key for request in stage.fatthumb.picture_requests)
    stage.assert_silent()


def test_a_key_is_taken_out_of_the_names_that_a_provider_lists(stage: Stage) -> None:
    model = {"id": 814910, "name": KEY, "model_name": BETTERWAIFU_KEY, "base_model": PASSWORD, "type": KEY}
    account = {"credits": 7, "subscription": {"plan": BETTERWAIFU_KEY, "status": KEY, "endDate": PASSWORD}}
    listed, named = Answer(200, json={"models": [model]}), Answer(200, json=account)
    text, state = stage.models("betterwaifu", models=listed, account=named)
    assert 'model 814910: "[redacted] [redacted]" ("[redacted], [redacted]")' in text
    assert state["account"] == {"credits": 7, **dict.fromkeys(("plan", "plan_status", "plan_ends"), "[redacted]")}
    text, _ = stage.models("betterwaifu", models=Answer(401, json={"error": KEY}))
    assert 'BetterWaifu returned 401 and says: "[redacted]"' in text
    stage.assert_silent()
