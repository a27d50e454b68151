"""BetterWaifu, the illustration provider, as its contract describes it."""

import random
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Unpack

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.services.base import API, Knobs, Service, json_object
from tests.services.catalogue import MODELS
from tests.services.pictures import picture
from tests.services.records import Fate

ID_REQUIRED = "Generation ID is required"
MODERATED = "Your prompt was flagged by moderation. Please revise and try again."
UNAUTHORIZED = "Invalid or missing API key"
NOT_FOUND = "Generation not found"
NO_USER = "User not found"
SUBSCRIPTION: Mapping[str, str] = {"status": "active", "plan": "pro", "endDate": "2027-01-31T00:00:00.000Z"}


@dataclass(frozen=True)
class WaifuFate(Fate):
    """How long a job is queued at which positions, how many pictures it makes, the message of its failure."""

    queue: float = 0.0
    queue_positions: tuple[int, ...] = (3, 2, 1)
    failing: str | None = None
    images: int = 1


@dataclass
class WaifuJob:
    """One accepted `POST /generate`."""

    id: str
    key: str
    width: int
    height: int
    seed: int
    image_ids: list[str]
    created: float
    fate: WaifuFate

    def status(self, now: float) -> str:
        elapsed = now - self.created
        if elapsed < self.fate.queue:
            return "queued"
        if elapsed < self.fate.queue + self.fate.duration:
            return "processing"
        return "failed" if self.fate.failing is not None else "succeeded"

    def ends(self) -> float:
        return self.created + self.fate.queue + self.fate.duration

    def queue_position(self, now: float) -> int:
        positions = self.fate.queue_positions or (1,)
        if self.fate.queue <= 0:
            return positions[-1]
        passed = (now - self.created) / self.fate.queue
        return positions[min(int(passed * len(positions)), len(positions) - 1)]


class BetterWaifu(Service[WaifuFate]):
    """The service; without `active_limit` and `spacing` it takes any number of jobs at once."""

    key_prefix = "bw_"

    def __init__(
        self,
        *,
        duration: float = 0.3,
        queue: float = 0.0,
        queue_positions: Iterable[int] = (3, 2, 1),
        failing: str | None = None,
        images: int = 1,
        statuses: Iterable[tuple[float, str]] = (),
        active_limit: int | None = None,
        spacing: float = 0.0,
        spacing_from_end: bool = False,
        username: str | None = "tester",
        credits: int = 1000,  # noqa: A002 - the contract's word
        subscription: Mapping[str, str] | None = SUBSCRIPTION,
        **knobs: Unpack[Knobs],
    ) -> None:
        said = tuple((until, status) for until, status in statuses)
        super().__init__(WaifuFate(duration, said, queue, tuple(queue_positions), failing, images), knobs)
        self.jobs: dict[str, WaifuJob] = {}
        self.active_limit = active_limit
        self.spacing = spacing
        self.spacing_from_end = spacing_from_end
        self.username = username
        self.credits = credits
        self.subscription = subscription
        self.models: list[dict[str, object]] = [dict(model) for model in MODELS]
        self._images: dict[str, WaifuJob] = {}

    def routes(self) -> list[Route]:
        return [
            Route(f"{API}/generate", self._generate, methods=["POST"], name="submit"),
            Route(f"{API}/generate", self._read_nothing, methods=["GET"], name="read"),
            Route(f"{API}/generate/", self._read_nothing, methods=["GET"], name="read"),
            Route(f"{API}/generate/{{id}}", self._read, methods=["GET"], name="read"),
            Route(f"{API}/models", self._models, methods=["GET"], name="models"),
            Route(f"{API}/account", self._account, methods=["GET"], name="account"),
            Route("/files/{id}.webp", self._picture, methods=["GET"], name="picture"),
        ]

    def change(self, job_id: str, **changes: Any) -> None:
        """Change the fate of a job that exists."""
        with self.changed:
            self.jobs[job_id].fate = replace(self.jobs[job_id].fate, **changes)

    def picture(self, image_id: str) -> bytes:
        """The very bytes that are served."""
        job = self._images[image_id]
        return picture(image_id, job.width, job.height, "WEBP")

    async def _generate(self, request: Request) -> Response:
        key = self.caller(request, UNAUTHORIZED)
        body = await json_object(request)
        with self.changed:
            if self.subscription is None:
                raise HTTPException(403, "An active subscription is required")
            self._check(body)
            self._within_limits(key)
            job = self._create(key, body)
            self.credits -= 1
            self.accept(job.id, key, body)
            answer = {"id": job.id, "status": "queued", "queue_position": job.queue_position(job.created)}
        return JSONResponse(answer, 201)

    async def _read_nothing(self, request: Request) -> Response:
        self.caller(request, UNAUTHORIZED)
        raise HTTPException(400, ID_REQUIRED)

    async def _read(self, request: Request) -> Response:
        key = self.caller(request, UNAUTHORIZED)
        with self.changed:
            job = self.jobs.get(request.path_params["id"])
            if job is None or job.key != key:
                raise HTTPException(404, NOT_FOUND)
            return JSONResponse(self._described(job))

    async def _models(self, request: Request) -> Response:
        self.caller(request, UNAUTHORIZED)
        return JSONResponse({"models": self.models, "count": len(self.models)})

    async def _account(self, request: Request) -> Response:
        self.caller(request, UNAUTHORIZED)
        if self.username is None:
            raise HTTPException(404, NO_USER)
        subscription = None if self.subscription is None else dict(self.subscription)
        return JSONResponse({"username": self.username, "credits": self.credits, "subscription": subscription})

    async def _picture(self, request: Request) -> Response:
        image_id = request.path_params["id"]
        with self.changed:
            job = self._images.get(image_id)
            if job is None or job.status(self.now()) != "succeeded":
                raise HTTPException(404, "Not found")
        return Response(self.picture(image_id), media_type="image/webp")

    def _check(self, body: dict[str, Any]) -> None:
        prompt = body.get("prompt")
        if not isinstance(prompt, str) or not prompt.strip():
            raise HTTPException(400, "Prompt is required")
        if "forbidden" in prompt.lower():
            raise HTTPException(400, MODERATED)
        known = {model["id"] for model in self.models}
        if "model_version_id" in body and body["model_version_id"] not in known:
            raise HTTPException(400, "Invalid model_version_id")
        for name, least, most in (
            ("width", 64, 4096),
            ("height", 64, 4096),
            ("steps", 20, 50),
            ("seed", -1, 2**53),
        ):
            if name in body and not _between(body[name], least, most, int):
                raise HTTPException(400, f"Invalid {name}")
        if "cfg_scale" in body and not _between(body["cfg_scale"], 1, 20, (int, float)):
            raise HTTPException(400, "Invalid cfg_scale")
        if not all(isinstance(body.get(name, ""), str) for name in ("negative_prompt", "sampler")):
            raise HTTPException(400, "negative_prompt and sampler must be strings")

    def _within_limits(self, key: str) -> None:
        now = self.now()
        mine = [job for job in self.jobs.values() if job.key == key]
        ends = sorted(job.ends() for job in mine if job.ends() > now)
        if self.active_limit is not None and len(ends) >= self.active_limit:
            raise self.too_many("You already have an active generation", ends[-self.active_limit] - now)
        marks = [job.ends() if self.spacing_from_end else job.created for job in mine]
        free = max(marks) + self.spacing if marks else now
        if self.spacing and now < free:
            raise self.too_many("Please wait before starting another generation", free - now)

    def _create(self, key: str, body: dict[str, Any]) -> WaifuJob:
        fate = self.draw_fate()
        given = body.get("seed", -1)
        seed = random.randrange(2**32) if given == -1 else given
        image_ids = [f"img_{secrets.token_hex(10)}" for _ in range(fate.images)]
        width, height = body.get("width", 832), body.get("height", 1216)
        job = WaifuJob(f"job_{secrets.token_hex(10)}", key, width, height, seed, image_ids, self.now(), fate)
        self.jobs[job.id] = job
        self._images |= dict.fromkeys(image_ids, job)
        return job

    def _described(self, job: WaifuJob) -> dict[str, object]:
        now = self.now()
        status = job.status(now)
        answer: dict[str, object] = {"id": job.id, "status": job.fate.said(now - job.created) or status}
        if answer["status"] == "queued":
            answer["queue_position"] = job.queue_position(now)
        elif answer["status"] == "succeeded":
            images = [{"url": self.file_url(f"{image}.webp"), "id": image} for image in job.image_ids]
            answer["output"] = {"images": images, "seed": job.seed}
        elif answer["status"] == "failed":
            answer["error"] = job.fate.failing or "Generation failed"
        return answer


def _between(value: object, least: int, most: int, kind: type | tuple[type, ...]) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and isinstance(value, kind)
        and (least <= value <= most)
    )
