"""What every provider has is asked of all at the same time, and none of them keeps the others' answers back."""

from typing import Any

import anyio
import pytest

from darkroom.errors import ProviderUnreachable
from darkroom.providers.base import Model
from darkroom.providers.catalogue import ASKED_WITHIN_S, Models
from darkroom.providers.declared import DECLARED
from darkroom.providers.registry import Registry
from darkroom.redact.secrets import Redactor
from tests.generations.virtual import AnotherMadeUp, MadeUp, in_virtual_time, made_up


class Silent(MadeUp):
    """Never says which models it has."""

    async def models(self) -> list[Model]:
        """See `Provider.models`."""
        await anyio.sleep_forever()
        return []


class Talkative(AnotherMadeUp):
    """Says so at once."""

    async def models(self) -> list[Model]:
        """See `Provider.models`."""
        return [Model(id="waifu-9", name="Waifu 9")]


def known() -> Models:
    providers = (made_up(kind=Silent), made_up(kind=Talkative))
    named: Any = {provider.name: provider for provider in providers}
    return Models(Registry(named, "fatthumb", Redactor([]), declared=DECLARED), {})


def test_a_provider_that_never_says_what_it_has_is_unavailable_and_the_others_are_listed() -> None:
    async def asked() -> None:
        catalogue = await known().catalogue()
        assert anyio.current_time() == pytest.approx(ASKED_WITHIN_S, abs=1.0)
        states = {state.name: state for state in catalogue.providers}
        assert states["fatthumb"].status == "unavailable"
        assert states["fatthumb"].error is not None
        assert states["fatthumb"].error.code == "provider_unreachable"
        assert f"not said within {ASKED_WITHIN_S:g} s" in states["fatthumb"].error.message
        assert [model.id for model in states["betterwaifu"].models] == ["waifu-9"]

    in_virtual_time(asked)


def test_whoever_asks_for_its_models_alone_is_told_so_as_well() -> None:
    async def asked() -> None:
        with pytest.raises(ProviderUnreachable, match="not said within"):
            await known().of("fatthumb")

    in_virtual_time(asked)
