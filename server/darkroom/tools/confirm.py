"""DARKROOM_CONFIRM: the user is asked before anything is spent; the agent cannot answer for them."""

import base64
from typing import NamedTuple

from mcp.server.mcpserver.resolve import Elicit
from mcp.types import ClientCapabilities
from pydantic import BaseModel, Field, ValidationError

from darkroom.declaration import Traits
from darkroom.errors import InvalidRequest, NotConfigured
from darkroom.generations.asking.wishes import Wish
from darkroom.generations.desk import Whose
from darkroom.models import GenerationRequest, InputImage
from darkroom.redact.text import clean

SHOWN_PROMPT = 300
UNSEEN = " If they were not asked, they can use another host, or run darkroom-mcp generate in a terminal."


class Consent(BaseModel):
    """The form that the user is asked to fill in."""

    make_it: bool = Field(title="Make it", description="Yes: ask the provider for it now. No: nothing is sent.")


class _Existing(Consent):
    """No question, since nothing is spent: the call is given a generation that exists already, or nothing."""

    make_it: bool = True


class Asked(NamedTuple):
    """The question for the user, or the result that needs none. `seen`: see `Wish`."""

    question: Elicit[Consent] | Consent
    seen: tuple[str, ...] | None = None


class Confirmation:
    """The calls of `generate` that the user is asked about: those for more than `over` pictures; None: no call."""

    def __init__(self, whose: Whose, over: int | None) -> None:
        self._whose = whose
        self._over = over

    async def question(self, wish: Wish) -> Asked:
        """The question (its `message` and `schema`) for a call with this wish, or the result that needs none.

        Raises:
            DarkroomError: as `Service.submit` would, so that nobody is asked about what cannot be made.
        """
        if self._over is None or wish.count <= self._over:
            return Asked(Consent(make_it=True))
        request = await self._whose().foresee(wish)
        if request is None:
            return Asked(_Existing())
        traits = self._whose().traits(request.provider)
        if traits.free:
            return Asked(Consent(make_it=True))
        return Asked(Elicit(_message(request, traits), Consent), tuple(each.sha256 for each in request.images))


def check_can_ask(capabilities: ClientCapabilities | None) -> None:
    """True where this host shows forms to its user. One that names no kind of elicitation means forms.

    Raises:
        NotConfigured: it does not.
    """
    elicitation = capabilities.elicitation if capabilities else None
    if elicitation is None or (elicitation.form is None and elicitation.url is not None):
        why = "it does not offer elicitation" if capabilities else "over HTTP that takes version 2026-07-28 of MCP"
        raise NotConfigured(
            "DARKROOM_CONFIRM is set, so the user must be asked before this is paid for, but this host cannot ask "
            f"({why}).",
            next_step="Nothing was sent. Tell the user: unset DARKROOM_CONFIRM, use a host that can ask, or run "
            "darkroom-mcp generate in a terminal. sketch is free and needs no question.",
        )


def consented(action: str, content: object) -> bool:
    """True where the answered call may start something new; `content` is what an accepted form holds.

    Raises:
        InvalidRequest: it is a no, or nothing that can be read as a yes. Only who filled in the form is a user who was
            asked: some hosts decline by themselves, without showing anything.
    """
    if action != "accept":
        said = "answered no" if action == "decline" else "closed it without an answer"
        raise _refused(
            f"The question for the user went to your host, and it {said}; whether the user saw it is not known.", UNSEEN
        )
    try:
        consent = Consent.model_validate(content)
    except ValidationError:
        raise _refused("The host's answer for the user cannot be read, so it counts as a no.", UNSEEN) from None
    if not consent.make_it:
        raise _refused("The user was asked and said no.")
    return not isinstance(consent, _Existing)


def _message(request: GenerationRequest, traits: Traits) -> str:
    pictures = "1 picture" if request.count == 1 else f"{request.count} pictures"
    model = f"model {clean(request.model, 60)}" if request.model else "its default model"
    prompt = clean(request.prompt, SHOWN_PROMPT)
    given = f" from {', '.join(map(_named, request.images))}, sent there," if request.images else ""
    price = traits.price(request)
    costs = "credits there" if price is None else f"about {price} there"
    return f'Make {pictures}{given} with {traits.title} ({model})? It costs {costs}. The prompt: "{prompt}"'


def _named(image: InputImage) -> str:
    """A name that another picture in its place does not have: a yes counts for the words that were asked alone."""
    fingerprint = base64.b32encode(bytes.fromhex(image.sha256)[:16]).decode().rstrip("=").lower()
    return f"{image.name} (fingerprint {fingerprint})"


def _refused(why: str, more: str = "") -> InvalidRequest:
    next_step = f"Nothing was sent. Do not ask for it again unless the user says so.{more}"
    return InvalidRequest(why, next_step=next_step)
