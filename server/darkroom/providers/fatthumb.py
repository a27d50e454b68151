"""FatThumb: video thumbnails, 1280 × 720 PNG (contract: its public API documentation, v1)."""

from collections.abc import Mapping
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, model_validator

from darkroom.accounts import Account
from darkroom.declaration import Declaration, Options, Traits
from darkroom.models import GenerationRequest, ImageStatus, Receipt
from darkroom.providers.base import (
    NO_REASON,
    AccountState,
    HttpProvider,
    Listed,
    Model,
    Reading,
    RemoteImage,
    Submission,
)
from darkroom.providers.wire import JobId, PictureId, Several, Wire, Words, path_segment, read_as

_Ids = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=20), Listed]


class _FatThumbOptions(Options):
    """Ids of the account's own person profiles (face consistency) and inspirations (style)."""

    person_ids: _Ids = Field(default_factory=list)
    inspiration_ids: _Ids = Field(default_factory=list)


TRAITS = Traits(
    title="FatThumb",
    poll_interval_s=3.0,
    shortest_interval_s=1.0,
    usual_s=(20.0, 60.0),
    deadline_s=15 * 60.0,
    max_count=4,
    models=("gemini-3-pro", "gpt-image-2"),
    default_model="gemini-3-pro",
    aspect_ratios=("16:9",),
    options=_FatThumbOptions,
)


class _Started(Wire):
    generation_id: JobId = Field(alias="generationId")


class _Thumbnail(Wire):
    id: PictureId = None
    status: str = ""
    url: str | None = None
    is_watermarked: bool | None = Field(default=None, alias="isWatermarked")
    is_hidden: bool | None = Field(default=None, alias="isHidden")
    error: Words | None = None

    @property
    def says_something(self) -> bool:
        """True where it is a picture at all: an empty entry takes no picture's place."""
        return any((self.id, self.status, self.url, self.error, self.is_hidden))

    def as_image(self, index: int, *, over: bool) -> RemoteImage:
        hidden = bool(self.is_hidden)
        # Under a job that has succeeded, a link is the picture's, unless its own status says otherwise.
        unknown = ImageStatus.SUCCEEDED if over and self.url and self.status != "processing" else ImageStatus.PROCESSING
        return RemoteImage(
            index=index,
            remote_id=self.id,
            status=_IMAGE_STATUS.get(self.status, unknown),
            url=None if hidden else self.url,
            watermarked=bool(self.is_watermarked),
            hidden=hidden,
            error=self.error,
        )


class _Job(Wire):
    status: str = ""
    thumbnails: Several[_Thumbnail] = Field(default_factory=list[_Thumbnail])

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.status and not self.thumbnails:
            raise ValueError("it says nothing of the job")
        return self


_IMAGE_STATUS = {"succeeded": ImageStatus.SUCCEEDED, "failed": ImageStatus.FAILED}
_TERMINAL = {"succeeded", "failed", "partial"}


class FatThumb(HttpProvider):
    """The client."""

    name: str = "fatthumb"
    traits: Traits = TRAITS

    @staticmethod
    def signed(account: Account) -> Mapping[str, str]:
        """`Authorization: Bearer`, or `x-api-key` where the base URL holds a user and password.

        Those belong to a gateway in front of the service, which then owns the `Authorization` header.
        """
        if urlsplit(account.base_url).username is None:
            return HttpProvider.signed(account)
        return {"x-api-key": account.key or ""}

    async def submit(self, request: GenerationRequest, reference: str) -> Submission:
        """`POST /generate`."""
        options = _FatThumbOptions.model_validate(request.options)
        body = {
            "prompt": request.prompt,
            "model": request.model,
            "count": request.count,
            "personIds": options.person_ids,
            "inspirationIds": options.inspiration_ids,
            "aspectRatio": request.aspect_ratio or "16:9",
        }
        answer = await self._api.submit("/generate", body)
        try:
            return Submission(receipt=Receipt(job_id=_Started.model_validate(answer).generation_id))
        except ValidationError as error:
            raise self._api.nameless(answer) from error

    async def read(self, receipt: Receipt, request: GenerationRequest) -> Reading:
        """`GET /generations/{id}`. A status that is not documented says nothing: then each picture's own decides."""
        job = await read_as(self._api, f"/generations/{path_segment(receipt.job_id)}", _Job)
        thumbnails = [each for each in job.thumbnails if each.says_something][: request.count]
        over = job.status == "succeeded"
        images = tuple(each.as_image(index, over=over) for index, each in enumerate(thumbnails, start=1))
        every_one = len(images) == request.count and all(i.status is not ImageStatus.PROCESSING for i in images)
        reasons = (image.error for image in images if image.error)
        return Reading(
            done=job.status in _TERMINAL or (job.status != "processing" and every_one),
            images=images,
            error=next(reasons, NO_REASON) if job.status == "failed" else None,
        )

    async def models(self) -> list[Model]:
        """The two documented models; the API has no list of them."""
        return [
            Model(id="gemini-3-pro", name="Gemini 3 Pro", note="free tier, watermarked there"),
            Model(id="gpt-image-2", name="GPT Image 2", note="paid plan only"),
        ]

    async def account_state(self) -> AccountState | None:
        """None: the API does not report it."""
        return None


DECLARATION = Declaration(
    name="fatthumb",
    prefix="FATTHUMB_",
    traits=TRAITS,
    client=FatThumb,
    base_url="https://fatthumb.klaas.pro/api/v1",
    limits="submit=10/60,requests=1000/3600",
    behind_gateways=True,
)
