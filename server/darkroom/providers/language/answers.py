"""The meaning of a service's responses: it took a job, how far the job is, and where its pictures are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from anyio import to_thread

from darkroom.errors import NotFound
from darkroom.models import GenerationRequest, ImageStatus, Receipt
from darkroom.providers.base import NO_REASON, Reading, Submission
from darkroom.providers.language.checks import is_result
from darkroom.providers.language.conditions import holds, meaning_of, same
from darkroom.providers.language.costs import charged_in, cost_in
from darkroom.providers.language.pictures import pictures_in, places_of, said_in, text_of
from darkroom.providers.language.pointers import every, first
from darkroom.providers.language.speech import Speech
from darkroom.providers.stopping import Reply
from darkroom.transport import failures
from darkroom.transport.client import LARGE_ANSWER
from darkroom.transport.failures import Answer

T = TypeVar("T")
_REASONS = {"cancelled": "it was cancelled there", "moderated": "it was refused by the safety review"}


@dataclass(frozen=True)
class Look:
    """One look at a job: what its status means (None: nothing that is known), and the JSON that says so."""

    means: str | None
    value: Any


def taken(speech: Speech, answer: Answer, url: str) -> Submission:
    """The meaning of the response to a submission that was sent to `url`.

    Raises:
        DarkroomError: it refused, or nobody knows whether it took it.
    """
    service, value = speech.service, speech.value(answer)
    speech.refuse("submit", answer, value)
    if not answer.ok:
        raise failures.of_post(speech.title, speech.key_variable, url, answer, speech.redact)
    accepted = service.submit.accepted
    if accepted is not None and not holds(accepted, answer.status, value):
        raise speech.unknown(f"its response does not say that it was accepted{_says(speech, value)}")
    job = text_of(first(value, service.submit.job or ""))
    if job is None:
        raise failures.nameless(speech.title, value, speech.redact, _says(speech, value))
    queued = any(
        same(hit, word) for at, known in service.submit.queued.items() for hit in every(value, at) for word in known
    )
    cost = cost_in(value, service.submit.cost)
    return Submission(receipt=Receipt(job_id=job[:200], kept={"job": job}), queued=queued, cost=cost)


def delivered(speech: Speech, answer: Answer, request: GenerationRequest, url: str) -> Reading:
    """The result that the response to a submission, sent to `url`, is.

    Raises:
        DarkroomError: it refused, or nobody knows whether it is paid for.
    """
    value = speech.value(answer)
    speech.refuse("submit", answer, value)
    if not answer.ok:
        raise failures.of_post(speech.title, speech.key_variable, url, answer, speech.redact)
    found = reading(speech, Look("done", value), value, request)
    if not found.images:
        raise speech.unknown(f"its response has no picture{_says(speech, value)}")
    return found


def looked(speech: Speech, answer: Answer) -> Look:
    """The meaning of the response to a look.

    Raises:
        NotFound: the service no longer has the job.
        DarkroomError: it refused to say, or said nothing that can be read.
    """
    read, value = speech.service.read, speech.value(answer)
    speech.refuse("read", answer, value)
    means = next(
        (when.means for when in read.when if _meant(when.status, answer) and holds(when, answer.status, value)), None
    )
    found = answer.status if read.status == "http" else first(value, read.status) if read.status is not None else None
    means = means or meaning_of(found, read.words)
    if not answer.ok and not (means and _explicit(speech, answer)):
        raise failures.of_look(speech.title, speech.key_variable, answer, speech.redact)
    if means == "gone":
        raise NotFound(f"{speech.title} does not know the job", next_step="Check that the key is of the same account.")
    if (
        means is None
        and found is None
        and not (speech.service.pictures.status and places_of(speech.service.pictures, value))
    ):
        raise speech.unfit(f"something that its declaration does not know{_says(speech, value)}")
    return Look(means, value)


def resulting(speech: Speech, answer: Answer) -> Any:
    """The JSON that has the pictures, where a request of its own brings it.

    Raises:
        DarkroomError: it refused to give it, or gave nothing that can be read.
    """
    value = speech.value(answer)
    speech.refuse("result", answer, value)
    if not answer.ok:
        raise failures.of_look(speech.title, speech.key_variable, answer, speech.redact)
    if value is None:
        raise speech.unfit()
    return value


def reading(speech: Speech, look: Look, result: Any, request: GenerationRequest) -> Reading:
    """The look as the house knows it; `result`: the JSON that has the pictures."""
    read, failed = speech.service.read, look.means in {"failed", "moderated", "cancelled"}
    images = pictures_in(speech, result, request, over=look.means == "done")
    settled = len(images) >= request.count and all(image.status is not ImageStatus.PROCESSING for image in images)
    position, seed = _at(look.value, read.position), _at(look.value, read.seed)
    figure = speech.service.submit.cost if is_result(speech.service) else read.cost
    said = said_in(speech, (hit for pointer in read.error or [] for hit in every(look.value, pointer)))
    cancelled = look.means == "cancelled"
    documented = speech.service.cancel.charged if cancelled and speech.service.cancel else None
    return Reading(
        done=failed or look.means == "done" or (look.means is None and bool(images) and settled),
        queued=look.means == "queued",
        queue_position=position if look.means == "queued" and _whole(position) else None,
        images=images,
        seed=seed if _whole(seed) else None,
        error=(said or _REASONS.get(look.means or "", NO_REASON)) if failed else None,
        moderated=look.means == "moderated",
        cancelled=cancelled,
        charged=charged_in(look.value, figure) or documented,
        cost=cost_in(look.value, figure),
    )


def stopped(speech: Speech, answer: Answer) -> Reply:
    """The meaning of the reply to a request to stop a job.

    Raises:
        DarkroomError: it was refused, or failed.
    """
    cancel, value = speech.service.cancel, speech.value(answer)
    means = next((each.means for each in cancel.when if holds(each, answer.status, value)), None) if cancel else None
    if means is not None:
        return Reply(means)
    speech.refuse("cancel", answer, value)
    if not answer.ok:
        raise failures.of_look(speech.title, speech.key_variable, answer, speech.redact)
    return Reply.ASKED


async def aside(answer: Answer | None, read: Callable[..., T], *arguments: Any) -> T:
    """Applies `read` to the response, on another thread where that takes a while."""
    if answer is None or len(answer.body) <= LARGE_ANSWER:
        return read(*arguments)
    return await to_thread.run_sync(read, *arguments)


def _says(speech: Speech, value: Any) -> str:
    words = said_in(speech, [value]) if isinstance(value, Mapping) else None
    return f" and says: {words!r}" if words else ""


def _meant(status: int | None, answer: Answer) -> bool:
    """True where a status outside the 200s is named by the declaration, so that the response is meant as it reads."""
    return answer.ok or status == answer.status


def _explicit(speech: Speech, answer: Answer) -> bool:
    return speech.service.read.status == "http" or any(
        when.status == answer.status for when in speech.service.read.when
    )


def _at(value: Any, pointer: str | None) -> Any:
    return None if pointer is None else first(value, pointer)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53
