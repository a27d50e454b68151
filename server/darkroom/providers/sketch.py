"""sketch: the built-in provider, which draws a placeholder from the prompt, without key or network."""

import re
import secrets
from functools import partial

from anyio import to_thread

from darkroom.declaration import Declaration, Traits
from darkroom.models import RANDOM_SEED, GenerationRequest, ImageStatus, Receipt
from darkroom.providers.base import (
    Access,
    AccountState,
    Connection,
    Model,
    Reading,
    RemoteImage,
    Submission,
)
from darkroom.providers.checking import check_request
from darkroom.transport.client import Key
from darkroom.transport.incoming import Incoming

_SIZES = {
    "16:9": (1280, 720),
    "9:16": (720, 1280),
    "1:1": (1024, 1024),
    "3:2": (1216, 832),
    "2:3": (832, 1216),
    "4:3": (1152, 896),
    "3:4": (896, 1152),
}

TRAITS = Traits(
    title="sketch",
    poll_interval_s=0.2,
    shortest_interval_s=0.2,
    deadline_s=5 * 60.0,
    max_count=4,
    models=("sketch",),
    default_model="sketch",
    aspect_ratios=tuple(_SIZES),
    seed=True,
    free=True,
    note="This is a placeholder drawn by Darkroom itself, not a picture by an AI model.",
)


class Sketch:
    """A job is its seed, so a restarted process knows all there is to know of one."""

    name: str = "sketch"
    traits: Traits = TRAITS
    access = Access(account="sketch", key=Key("ready"))

    def check(self, request: GenerationRequest) -> GenerationRequest:
        """See `Provider.check`."""
        return check_request(request, TRAITS)

    async def submit(self, request: GenerationRequest, reference: str) -> Submission:
        """Chooses the seed where none was asked for."""
        seed = secrets.randbelow(2**31) if request.seed in {None, RANDOM_SEED} else request.seed
        return Submission(receipt=Receipt(job_id=f"sketch-{seed}"))

    async def read(self, receipt: Receipt, request: GenerationRequest) -> Reading:
        """Always done: the drawing itself happens in `picture`."""
        images = (RemoteImage(index=i, status=ImageStatus.SUCCEEDED) for i in range(1, request.count + 1))
        return Reading(done=True, images=tuple(images), seed=_seed(receipt.job_id))

    async def picture(self, receipt: Receipt, request: GenerationRequest, image: RemoteImage, into: Incoming) -> None:
        """Draws on a worker thread: about half a second of work that must not hold up the event loop."""
        from darkroom.providers.drawing.art import paint  # noqa: PLC0415 - drawing is heavy, few calls need it

        width, height = _SIZES[request.aspect_ratio or "16:9"]
        draw = partial(paint, request.prompt, seed=_seed(receipt.job_id), index=image.index, width=width, height=height)
        await to_thread.run_sync(lambda: into.write(draw()))

    async def over(self, receipt: Receipt) -> None:
        """See `Provider.over`: nothing is kept."""

    async def models(self) -> list[Model]:
        """The one model."""
        return [Model(id="sketch", name="Darkroom sketch", note=TRAITS.note)]

    async def account_state(self) -> AccountState | None:
        """None: there is no account."""
        return None


def _seed(job_id: str) -> int:
    found = re.fullmatch(r"sketch-(-?\d{1,20})", job_id)
    return int(found[1]) if found else 0


def _client(connection: Connection) -> Sketch:
    """It connects to nothing."""
    return Sketch()


DECLARATION = Declaration(name="sketch", prefix="SKETCH_", traits=TRAITS, client=_client, needs_key=False)
