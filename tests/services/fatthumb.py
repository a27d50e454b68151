"""FatThumb, the thumbnail provider, as its contract describes it."""

import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Unpack, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.services.base import API, Knobs, Service, json_object
from tests.services.pictures import picture
from tests.services.records import Fate, Window

UNAUTHORIZED = "Missing or invalid API key"
COSTS = {"gemini-3-pro": 1, "gpt-image-2": 2}


@dataclass(frozen=True)
class ThumbFate(Fate):
    """By index: which thumbnails a safety review hides, and which fail with what message."""

    hidden: frozenset[int] = frozenset()
    failing: Mapping[int, str] = field(default_factory=dict[int, str])


@dataclass
class ThumbJob:
    """One accepted `POST /generate`."""

    id: str
    key: str
    model: str
    thumbnail_ids: list[str]
    created: float
    created_ms: int
    fate: ThumbFate

    def thumb_status(self, index: int, now: float) -> str:
        due = self.created + self.fate.duration * (index + 1) / len(self.thumbnail_ids)
        if now < due:
            return "processing"
        return "failed" if index in self.fate.failing else "succeeded"

    def status(self, now: float) -> str:
        states = {self.thumb_status(index, now) for index in range(len(self.thumbnail_ids))}
        if "processing" in states:
            return "processing"
        return states.pop() if len(states) == 1 else "partial"


@dataclass(frozen=True)
class Order:
    """A submission that was found to be in order."""

    model: str
    count: int


class FatThumb(Service[ThumbFate]):
    """The service; `credits=None` is bring-your-own-key mode."""

    key_prefix = "nsk_"

    def __init__(
        self,
        *,
        duration: float = 0.3,
        credits: int | None = 1000,  # noqa: A002 - the contract's word
        costs: Mapping[str, int] = COSTS,
        free_tier: bool = False,
        submit_limit: tuple[int, float] | None = None,
        request_limit: tuple[int, float] | None = None,
        hidden: Iterable[int] = (),
        failing: Mapping[int, str] | None = None,
        statuses: Iterable[tuple[float, str]] = (),
        heavy_pictures: bool = False,
        **knobs: Unpack[Knobs],
    ) -> None:
        messages = {int(index): message for index, message in (failing or {}).items()}
        said = tuple((until, status) for until, status in statuses)
        super().__init__(ThumbFate(duration, said, frozenset(hidden), messages), knobs)
        self.jobs: dict[str, ThumbJob] = {}
        self.costs = dict(costs)
        self.free_tier = free_tier
        self.heavy_pictures = heavy_pictures
        self.credits = credits
        self._submits = Window(*submit_limit) if submit_limit else None
        self._requests = Window(*request_limit) if request_limit else None
        self._thumbnails: dict[str, tuple[ThumbJob, int]] = {}

    def routes(self) -> list[Route]:
        return [
            Route(f"{API}/generate", self._generate, methods=["POST"], name="submit"),
            Route(f"{API}/generations/{{id}}", self._read, methods=["GET"], name="read"),
            Route("/files/{id}.png", self._picture, methods=["GET"], name="picture"),
        ]

    def change(self, job_id: str, **changes: Any) -> None:
        """Change the fate of a job that exists, e.g. `hidden=frozenset({0})` for a late review."""
        with self.changed:
            self.jobs[job_id].fate = replace(self.jobs[job_id].fate, **changes)

    def picture(self, thumbnail_id: str) -> bytes:
        """The very bytes that are served."""
        return picture(thumbnail_id, 1280, 720, "PNG", heavy=self.heavy_pictures)

    async def _generate(self, request: Request) -> Response:
        with self.changed:
            key = self._let_in(request)
            self._within(self._submits, key)
        body = await json_object(request)
        with self.changed:
            order = self._order(body)
            self._charge(order)
            job = self._create(key, order)
            self.accept(job.id, key, body)
        return JSONResponse({"generationId": job.id, "thumbnailIds": job.thumbnail_ids, "status": "processing"})

    async def _read(self, request: Request) -> Response:
        with self.changed:
            key = self._let_in(request)
            job = self.jobs.get(request.path_params["id"])
            if job is None or job.key != key:
                raise HTTPException(404, "Generation not found")
            return JSONResponse(self._described(job))

    async def _picture(self, request: Request) -> Response:
        thumbnail_id = request.path_params["id"]
        with self.changed:
            job, index = self._thumbnails.get(thumbnail_id, (None, 0))
            if job is None or self._url(job, index) is None:
                raise HTTPException(404, "Not found")
        return Response(self.picture(thumbnail_id), media_type="image/png")

    def _let_in(self, request: Request) -> str:
        key = self.caller(request, UNAUTHORIZED, header="x-api-key")
        self._within(self._requests, key)
        return key

    def _within(self, window: Window | None, key: str) -> None:
        wait = window.take(key, self.now()) if window else 0.0
        if wait > 0:
            raise self.too_many("Rate limit exceeded", wait)

    def _order(self, body: dict[str, Any]) -> Order:
        model = body.get("model", "gemini-3-pro")
        count = body.get("count", 1)
        if not _is_text(body.get("prompt")):
            raise HTTPException(400, "prompt is required")
        if not isinstance(model, str) or model not in self.costs:
            raise HTTPException(400, "Unknown model")
        if isinstance(count, bool) or count not in (1, 2, 3, 4):
            raise HTTPException(400, "count must be between 1 and 4")
        if not all(_is_ids(body.get(name, [])) for name in ("personIds", "inspirationIds")):
            raise HTTPException(400, "personIds and inspirationIds must be arrays of strings")
        if not _is_text(body.get("aspectRatio", "16:9")):
            raise HTTPException(400, "aspectRatio must be a string")
        if model == "gpt-image-2" and self.free_tier:
            raise HTTPException(403, "This model requires a paid plan")
        return Order(model, int(count))

    def _charge(self, order: Order) -> None:
        if self.credits is None:
            return
        cost = order.count * self.costs[order.model]
        if self.credits < cost:
            raise HTTPException(402, "Insufficient credits")
        self.credits -= cost

    def _create(self, key: str, order: Order) -> ThumbJob:
        thumbnail_ids = [f"thumb_{secrets.token_hex(10)}" for _ in range(order.count)]
        job_id = f"generation_{secrets.token_hex(10)}"
        created_ms = int(time.time() * 1000)
        job = ThumbJob(job_id, key, order.model, thumbnail_ids, self.now(), created_ms, self.draw_fate())
        self.jobs[job_id] = job
        self._thumbnails |= {each: (job, index) for index, each in enumerate(thumbnail_ids)}
        return job

    def _described(self, job: ThumbJob) -> dict[str, object]:
        now = self.now()
        return {
            "id": job.id,
            "status": job.fate.said(now - job.created) or job.status(now),
            "model": job.model,
            "count": len(job.thumbnail_ids),
            "createdAt": job.created_ms,
            "thumbnails": [self._thumbnail(job, index, now) for index in range(len(job.thumbnail_ids))],
        }

    def _thumbnail(self, job: ThumbJob, index: int, now: float) -> dict[str, object]:
        status = job.thumb_status(index, now)
        return {
            "id": job.thumbnail_ids[index],
            "status": status,
            "url": self._url(job, index),
            "isWatermarked": self.free_tier,
            "isHidden": status == "succeeded" and index in job.fate.hidden,
            "error": job.fate.failing[index] if status == "failed" else None,
        }

    def _url(self, job: ThumbJob, index: int) -> str | None:
        if job.thumb_status(index, self.now()) != "succeeded" or index in job.fate.hidden:
            return None
        return self.file_url(f"{job.thumbnail_ids[index]}.png")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_ids(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in cast("list[object]", value))
