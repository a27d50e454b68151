"""What a provider offers: what it refuses before anything is sent, its models, its account."""

from typing import Any

import pytest

from darkroom.errors import InvalidRequest, NotFound, ProviderError
from darkroom.providers.base import AccountState, Provider
from tests.clients import READ_ENDINGS, Ending, asked, refusal, unchecked
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Alter

FATTHUMB_REFUSES: list[tuple[dict[str, Any], str]] = [
    ({"count": 5}, "1 to 4"),
    ({"aspect_ratio": "1:1"}, "16:9"),
    ({"aspect_ratio": ""}, "16:9"),
    ({"model": "dall-e"}, "gemini-3-pro, gpt-image-2"),
    ({"model": "814910"}, "gemini-3-pro, gpt-image-2"),
    ({"negative_prompt": "text"}, "prompt"),
    ({"negative_prompt": ""}, "prompt"),
    ({"seed": 1}, "no seed"),
    ({"seed": 0}, "no seed"),
    ({"options": {"steps": 30}}, "person_ids, inspiration_ids"),
    ({"options": {"personIds": ["x"]}}, "person_ids, inspiration_ids"),
    ({"options": {"person_ids": [1]}}, "options.person_ids"),
    ({"options": {"person_ids": [""]}}, "options.person_ids"),
    ({"options": {"person_ids": ["x"] * 21}}, "options.person_ids"),
    ({"options": {"inspiration_ids": {"a": "b"}}}, "options.inspiration_ids"),
]
BETTERWAIFU_REFUSES: list[tuple[dict[str, Any], str]] = [
    ({"count": 2}, "1 picture"),
    ({"aspect_ratio": "21:9"}, "2:3, 3:2, 1:1, 3:4, 4:3, 9:16, 16:9"),
    ({"aspect_ratio": "1:1", "options": {"width": 512}}, "aspect_ratio"),
    ({"aspect_ratio": "1:1", "options": {"height": 512}}, "aspect_ratio"),
    ({"model": "gemini-3-pro"}, "number"),
    ({"model": "-1"}, "number"),
    ({"model": "1.5"}, "number"),
    ({"model": "٣"}, "number"),
    ({"model": "²"}, "number"),
    ({"model": " 814910"}, "number"),
    # int() takes 4,300 digits at most.
    ({"model": "9" * 5000}, "number"),
    ({"options": {"person_ids": ["x"]}}, "width, height, steps, cfg_scale, sampler"),
    ({"options": {"width": True}}, "options.width"),
    ({"options": {"width": 831}}, "options.width"),
    ({"options": {"height": 8}}, "options.height"),
    ({"options": {"height": 100_000}}, "options.height"),
    ({"options": {"steps": 19}}, "options.steps"),
    ({"options": {"steps": 51}}, "options.steps"),
    ({"options": {"cfg_scale": 0.5}}, "options.cfg_scale"),
    ({"options": {"cfg_scale": float("nan")}}, "options.cfg_scale"),
    ({"options": {"sampler": 1}}, "options.sampler"),
    ({"options": {"sampler": "euler_a\n"}}, "options.sampler"),
]


def refuses(provider: Provider, wishes: dict[str, Any], named: str) -> None:
    request = unchecked(provider, **wishes)
    with pytest.raises(InvalidRequest) as caught:
        provider.check(request)
    assert named in caught.value.message
    assert caught.value.next_step.strip()
    assert len(caught.value.message) < 400


@pytest.mark.parametrize(("wishes", "named"), FATTHUMB_REFUSES, ids=lambda part: str(part)[:50])
async def test_what_fatthumb_cannot_do_is_refused_before_anything_is_sent(
    thumbs: Provider, fatthumb: FatThumb, wishes: dict[str, Any], named: str
) -> None:
    refuses(thumbs, wishes, named)
    assert fatthumb.log == []


@pytest.mark.parametrize(("wishes", "named"), BETTERWAIFU_REFUSES, ids=lambda part: str(part)[:50])
async def test_what_betterwaifu_cannot_do_is_refused_before_anything_is_sent(
    waifus: Provider, betterwaifu: BetterWaifu, wishes: dict[str, Any], named: str
) -> None:
    refuses(waifus, wishes, named)
    assert betterwaifu.log == []


async def test_a_refusal_does_not_repeat_what_was_given(waifus: Provider) -> None:
    request = unchecked(waifus, options={"steps": "sesame"})
    with pytest.raises(InvalidRequest) as caught:
        waifus.check(request)
    assert "sesame" not in caught.value.message + caught.value.next_step


async def test_an_unknown_option_s_name_is_shown_cleaned_and_short(thumbs: Provider) -> None:
    request = unchecked(thumbs, options={"\u202e\x1b" + "n" * 5000: 1})
    with pytest.raises(InvalidRequest) as caught:
        thumbs.check(request)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 200


async def test_the_models_of_fatthumb_are_those_that_it_takes_and_its_account_tells_nothing(
    thumbs: Provider, fatthumb: FatThumb
) -> None:
    assert [asked(thumbs, model=model.id).model for model in await thumbs.models()] == ["gemini-3-pro", "gpt-image-2"]
    assert await thumbs.account_state() is None
    assert fatthumb.log == []


async def test_every_listed_model_of_betterwaifu_can_be_asked_for(waifus: Provider, betterwaifu: BetterWaifu) -> None:
    models = await waifus.models()
    assert [model.id for model in models] == [str(model["id"]) for model in betterwaifu.models]
    named = {model.id: (model.name, model.note) for model in models}
    assert named["814910"] == ("WAI-ANI v9", "Illustrious, Checkpoint, nsfw")
    assert named["128078"] == ("XL Base 1.0", "SDXL 1.0, Checkpoint")
    for model in models:
        await waifus.submit(asked(waifus, model=model.id), "gen_1")
    assert [post.body["model_version_id"] for post in betterwaifu.posts] == [int(model.id) for model in models]


async def test_a_model_of_which_only_the_id_is_told_is_listed_by_it(waifus: Provider, betterwaifu: BetterWaifu) -> None:
    betterwaifu.script("models", Alter(lambda _: {"models": [{"id": 7}]}))
    (model,) = await waifus.models()
    assert (model.id, model.name, model.note) == ("7", "7", None)


@pytest.mark.parametrize("listed", [{"models": []}, {"models": None}, {}])
async def test_an_empty_list_of_models_is_empty(waifus: Provider, betterwaifu: BetterWaifu, listed: object) -> None:
    betterwaifu.script("models", Alter(lambda _: listed))
    assert await waifus.models() == []


async def test_the_account_tells_credits_and_plan(waifus: Provider, betterwaifu: BetterWaifu) -> None:
    betterwaifu.credits = 42
    state = await waifus.account_state()
    assert state == AccountState(credits=42, plan="pro", plan_status="active", plan_ends="2027-01-31T00:00:00.000Z")


async def test_an_account_without_a_subscription_tells_its_credits(waifus: Provider, betterwaifu: BetterWaifu) -> None:
    betterwaifu.subscription = None
    assert await waifus.account_state() == AccountState(credits=1000)


@pytest.mark.parametrize("told", [2**63, -(2**53), 1e300])
async def test_credits_that_nobody_can_have_are_not_told(
    waifus: Provider, betterwaifu: BetterWaifu, told: float
) -> None:
    betterwaifu.script("account", Alter(lambda state: state | {"credits": told, "subscription": None}))
    assert await waifus.account_state() == AccountState()


async def test_an_account_that_is_not_there_is_not_found(waifus: Provider, betterwaifu: BetterWaifu) -> None:
    betterwaifu.username = None
    error = await refusal(waifus.account_state())
    assert type(error) is NotFound
    assert "User not found" in error.message


@pytest.mark.parametrize(
    ("models", "account"),
    [
        ({"models": "x"}, {"credits": "many"}),
        ({"models": [{"id": "x"}]}, {"subscription": "pro"}),
        ({"models": [{"name": "x"}]}, {"subscription": {"plan": 7}}),
        ({"models": [None]}, {"subscription": {"endDate": 1}}),
    ],
    ids=str,
)
async def test_lists_and_accounts_of_wrong_types_are_the_provider_s_error(
    waifus: Provider, betterwaifu: BetterWaifu, models: object, account: dict[str, object]
) -> None:
    betterwaifu.script("models", Alter(lambda _: models))
    betterwaifu.script("account", Alter(lambda state: state | account))
    assert type(await refusal(waifus.models())) is ProviderError
    assert type(await refusal(waifus.account_state())) is ProviderError


_ANY_BODY = {"JSON object without anything", "status null", "status number", "error no text"}


@pytest.mark.parametrize("name", [name for name in READ_ENDINGS if name not in _ANY_BODY])
async def test_lists_and_accounts_that_go_wrong_are_told_for_what_they_are(
    waifus: Provider, betterwaifu: BetterWaifu, name: str
) -> None:
    ending: Ending = READ_ENDINGS[name]
    betterwaifu.script("models", ending.fault)
    betterwaifu.script("account", ending.fault)
    for read in (waifus.models, waifus.account_state):
        assert issubclass(type(await refusal(read())), ending.error)
    assert len(betterwaifu.log) == 2


async def test_what_the_service_itself_refuses_is_told_in_its_words(waifus: Provider, betterwaifu: BetterWaifu) -> None:
    moderated = await refusal(waifus.submit(asked(waifus, "something forbidden"), "gen_1"))
    assert (moderated.code, "flagged by moderation" in moderated.message) == ("moderated", True)
    unknown = await refusal(waifus.submit(asked(waifus, model="1"), "gen_1"))
    assert (unknown.code, "model_version_id" in unknown.message) == ("invalid_request", True)
    betterwaifu.subscription = None
    unpaid = await refusal(waifus.submit(asked(waifus), "gen_1"))
    assert (unpaid.code, "subscription" in unpaid.message) == ("plan_required", True)
    assert betterwaifu.posts == []


async def test_credits_and_plans_of_fatthumb_are_told_before_anything_is_charged(
    thumbs: Provider, fatthumb: FatThumb
) -> None:
    fatthumb.credits = 1
    poor = await refusal(thumbs.submit(asked(thumbs, count=2), "gen_1"))
    assert (poor.code, "Insufficient credits" in poor.message) == ("payment_required", True)
    fatthumb.free_tier = True
    free = await refusal(thumbs.submit(asked(thumbs, model="gpt-image-2"), "gen_1"))
    assert (free.code, "paid plan" in free.message) == ("plan_required", True)
    assert (fatthumb.credits, fatthumb.posts) == (1, [])
