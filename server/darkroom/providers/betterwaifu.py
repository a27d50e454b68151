"""BetterWaifu: illustrations, WebP (contract: its public API documentation, v1)."""

import re
from typing import Annotated, Any

from pydantic import Field, ValidationError

from darkroom.declaration import Declaration, Options, Traits
from darkroom.errors import InvalidRequest
from darkroom.models import MAX_COUNT, GenerationRequest, ImageStatus, Receipt
from darkroom.providers.base import (
    NO_REASON,
    AccountState,
    Figure,
    HttpProvider,
    Model,
    Reading,
    RemoteImage,
    Submission,
)
from darkroom.providers.checking import check_size_said_once
from darkroom.providers.wire import Amount, JobId, Label, PictureId, Several, Whole, Wire, Words, path_segment, read_as

_Side = Annotated[int, Field(ge=256, le=2048, multiple_of=8), Figure]


class _BetterWaifuOptions(Options):
    """Size in pixels (832 × 1216 in every documented example) and sampling."""

    width: _Side | None = None
    height: _Side | None = None
    steps: Annotated[int, Field(ge=20, le=50), Figure] | None = None
    cfg_scale: Annotated[float, Field(ge=1, le=20), Figure] | None = None
    sampler: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+ -]{1,60}$")] | None = None


# The documented size and its neighbours of the same area, which models of this kind are trained on.
_SIZES = {
    "2:3": (832, 1216),
    "3:2": (1216, 832),
    "1:1": (1024, 1024),
    "3:4": (896, 1152),
    "4:3": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
}

TRAITS = Traits(
    title="BetterWaifu",
    poll_interval_s=2.5,
    shortest_interval_s=2.0,
    # Its documentation gives a job up after about 5 minutes; a busy queue is given the double.
    deadline_s=10 * 60.0,
    max_count=1,
    default_model="default",
    aspect_ratios=tuple(_SIZES),
    negative_prompt=True,
    seed=True,
    options=_BetterWaifuOptions,
)


class _Started(Wire):
    id: JobId
    status: str = ""


class _Image(Wire):
    id: PictureId = None
    url: str | None = None


class _Output(Wire):
    images: Several[_Image] = Field(default_factory=list[_Image])
    seed: Whole = None


class _Job(Wire):
    status: str
    queue_position: Whole = None
    output: _Output | None = None
    error: Words | None = None


class _ModelVersion(Wire):
    id: Annotated[int, Field(ge=0, lt=10**18)]
    name: Label = ""
    model_name: Label = ""
    base_model: Label | None = None
    type: Label | None = None
    nsfw: bool | None = None

    def as_model(self) -> Model:
        notes = [self.base_model, self.type, "nsfw" if self.nsfw else None]
        return Model(
            id=str(self.id),
            name=f"{self.model_name} {self.name}".strip() or str(self.id),
            note=", ".join(filter(None, notes)) or None,
        )


class _Models(Wire):
    needed = frozenset({"models"})
    models: Several[_ModelVersion] | None = None


class _Subscription(Wire):
    needed = frozenset({"status", "plan", "end_date"})
    status: Label | None = None
    plan: Label | None = None
    end_date: Label | None = Field(default=None, alias="endDate")


class _Account(Wire):
    needed = frozenset({"credits", "subscription"})
    credits: Amount = None
    subscription: _Subscription | None = None


class BetterWaifu(HttpProvider):
    """The client: `Authorization: Bearer` on every call."""

    name: str = "betterwaifu"
    traits: Traits = TRAITS

    def check(self, request: GenerationRequest) -> GenerationRequest:
        """See `Provider.check`. An aspect ratio becomes a width and a height."""
        if request.model not in {"", TRAITS.default_model} and not re.fullmatch(r"[0-9]{1,18}", request.model):
            raise _no_such_model()
        check_size_said_once(request)
        return super().check(request)

    async def submit(self, request: GenerationRequest, reference: str) -> Submission:
        """`POST /generate`; what was not asked for is left to the service."""
        body: dict[str, Any] = {"prompt": request.prompt, **request.options}
        if request.aspect_ratio is not None:
            body["width"], body["height"] = _SIZES[request.aspect_ratio]
        if request.negative_prompt is not None:
            body["negative_prompt"] = request.negative_prompt
        if request.model != TRAITS.default_model:
            body["model_version_id"] = int(request.model)
        if request.seed is not None:
            body["seed"] = request.seed
        answer = await self._api.submit("/generate", body)
        try:
            started = _Started.model_validate(answer)
            return Submission(receipt=Receipt(job_id=started.id), queued=started.status == "queued")
        except ValidationError as error:
            raise self._api.nameless(answer) from error

    async def read(self, receipt: Receipt, request: GenerationRequest) -> Reading:
        """`GET /generate/{id}`. A status that is not documented counts as processing."""
        job = await read_as(self._api, f"/generate/{path_segment(receipt.job_id)}", _Job)
        output = job.output or _Output()
        pictures = [image for image in output.images if image.id or image.url]  # an empty one takes no other's place
        if job.status in {"queued", "processing"}:
            pictures = []  # what lies there before the end may be a preview, which must not take the picture's place
        return Reading(
            done=job.status in {"succeeded", "failed"},
            queued=job.status == "queued",
            queue_position=job.queue_position if job.status == "queued" else None,
            images=tuple(
                RemoteImage(index=index, remote_id=image.id, status=ImageStatus.SUCCEEDED, url=image.url)
                for index, image in enumerate(pictures[:MAX_COUNT], start=1)
            ),
            seed=output.seed,
            error=(job.error or NO_REASON) if job.status == "failed" else None,
        )

    async def models(self) -> list[Model]:
        """`GET /models`: an `id` of it is what `model` takes."""
        listed = await read_as(self._api, "/models", _Models, waits=False)
        return [version.as_model() for version in listed.models or []]

    async def account_state(self) -> AccountState | None:
        """`GET /account`."""
        account = await read_as(self._api, "/account", _Account, waits=False)
        subscription = account.subscription or _Subscription()
        return AccountState(
            credits=account.credits,
            plan=subscription.plan,
            plan_status=subscription.status,
            plan_ends=subscription.end_date,
        )


def _no_such_model() -> InvalidRequest:
    return InvalidRequest(
        "BetterWaifu names its models by number.",
        next_step="Take an id from list_models, e.g. 814910, or leave model out; nothing was sent.",
    )


DECLARATION = Declaration(
    name="betterwaifu",
    prefix="BETTERWAIFU_",
    traits=TRAITS,
    client=BetterWaifu,
    base_url="https://betterwaifu.com/api/v1",
    limits="active=1,submit=1/60",
)
