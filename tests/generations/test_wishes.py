"""What is refused before it is kept or sent: a secret, but nothing that would tell a part of one."""

from collections.abc import Callable

import anyio
import pytest

from darkroom.errors import InvalidRequest
from darkroom.generations.asking.wishes import FREE_TRIES, Doorkeeper, HoldsSecret, Wish, checked
from darkroom.providers.declared import read_settings
from darkroom.providers.registry import Registry, build
from darkroom.redact.secrets import Redactor
from darkroom.transport.http import Http
from tests.attacks.canary import SPELLINGS
from tests.clients import OpenDoor

KEY = "nsk_live_Q7vXr2TzKd9LmWb4HsYc8NpF"
WORDS = "bw_QvXrTzKdLmWbHsYcNpFgGjKlPoIuZt"
SHORT = "fox4me"


@pytest.fixture
def registry() -> Registry:
    environ = {"FATTHUMB_API_KEY": KEY, "BETTERWAIFU_API_KEY": WORDS, "DARKROOM_PROVIDER": "sketch"}
    proxy = {"HTTPS_PROXY": f"http://me:{SHORT}@127.0.0.1:1"}
    settings = read_settings({"DARKROOM_HOME": "h", "DARKROOM_PICTURES": "p", **environ, **proxy})
    return build(settings, Http(), Redactor(settings.secrets), lambda _: OpenDoor())


@pytest.mark.parametrize("secret", [KEY, WORDS])
def test_no_refusal_tells_whether_a_part_of_a_key_is_right(registry: Registry, secret: str) -> None:
    """Who has three quarters of a key needs no oracle."""
    own = len(secret) - secret.index(secret.rsplit("_", maxsplit=1)[-1])
    for first in range(len(secret)):
        for last in range(first + 1, len(secret) + 1):
            within = min(last - first, own)
            if within < 0.7 * own:
                checked(Wish(f"a poster that says {secret[first:last]}"), registry)


@pytest.mark.parametrize("hidden", SPELLINGS.values(), ids=SPELLINGS)
def test_a_key_or_most_of_one_is_refused_in_any_spelling(registry: Registry, hidden: Callable[[str], str]) -> None:
    for secret in (KEY, WORDS, KEY[:-3], WORDS[6:]):
        with pytest.raises(InvalidRequest, match=r"holds a (secret|NUL)"):
            checked(Wish(f"it says <{hidden(secret)}>"), registry)


def test_a_key_is_refused_wherever_it_would_be_kept(registry: Registry) -> None:
    places: list[Wish] = [
        Wish(prompt="a fox", request_key=KEY),
        Wish(prompt="a fox", provider="betterwaifu", negative_prompt=KEY),
        Wish(prompt="a fox", provider="betterwaifu", options={"sampler": WORDS}),
        Wish(prompt="a fox", provider="fatthumb", options={"person_ids": ["p1", KEY]}),
    ]
    for wish in places:
        with pytest.raises(HoldsSecret):
            checked(wish, registry)


def test_a_short_password_is_refused_where_it_stands_alone(registry: Registry) -> None:
    with pytest.raises(HoldsSecret):
        checked(Wish(f"it says {SHORT}."), registry)
    for part in (SHORT[:-1], f"{SHORT}s", f"a{SHORT}"):
        checked(Wish(f"it says {part}."), registry)


@pytest.mark.parametrize(
    "wish",
    [
        Wish(prompt="a fox", options={KEY: 1}),
        Wish(prompt="a fox", provider=KEY),
        Wish(prompt="a fox", model=KEY),
        Wish(prompt=f"{KEY} " * 1000),
    ],
)
def test_what_cannot_be_asked_for_is_refused_for_that_and_not_searched(registry: Registry, wish: Wish) -> None:
    with pytest.raises(InvalidRequest) as caught:
        checked(wish, registry)
    assert not isinstance(caught.value, HoldsSecret)


async def test_who_tries_again_and_again_waits_longer_and_longer_and_nobody_else_does(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    doorkeeper, over = Doorkeeper(), anyio.Event()
    slept: list[float] = []
    ended: list[int] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await over.wait()

    monkeypatch.setattr(anyio, "sleep", sleep)
    for _ in range(FREE_TRIES):
        with pytest.raises(HoldsSecret):
            await doorkeeper.checked(Wish(KEY), registry)
    assert slept == []

    async def tries(number: int) -> None:
        with pytest.raises(HoldsSecret):
            await doorkeeper.checked(Wish(KEY), registry)
        ended.append(number)

    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(tries, number)
        await anyio.wait_all_tasks_blocked()
        await doorkeeper.checked(Wish("a fox"), registry)
        assert (len(slept), ended) == (1, [])
        over.set()
    assert len(ended) == len(set(slept)) == 5
    assert slept == sorted(slept)
