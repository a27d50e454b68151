"""The tables of a declaration, and what may stand in each: a key that is not here is refused."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from darkroom.models import MAX_IMAGES, Charged
from darkroom.providers.language.costs import OwnFigure, PriceList
from darkroom.providers.language.parts import Pointer, Pointers, Scalar, Scalars, Table, Texts


def _as_charged(value: Any) -> Any:
    return Charged(value) if isinstance(value, str) and value in set(Charged) else value


Window = Annotated[str, Field(pattern=r"^[1-9]\d{0,8}/\d{1,7}(\.\d{1,3})?$")]
Meaning = Literal["queued", "running", "done", "failed", "moderated", "cancelled", "gone"]
Words = dict[Meaning, list[Scalar]]
Code = Literal[
    "moderated", "payment_required", "plan_required", "unauthorized", "rate_limited", "invalid_request", "not_found",
    "provider_error", "outcome_unknown",
]  # fmt: skip
Seconds = Annotated[float, Field(gt=0, le=366 * 86400)]


class Auth(Table):
    """The signing of a request.

    `header`: the key behind `prefix`; `basic`: the key is `user:password`; `jwt-hs256`: it is `issuer:secret`, which
    sign a token of half an hour. `body`: the field of the body that the key goes into instead. `optional`: the service
    can be used without one, where its base URL is set.
    """

    kind: Literal["header", "basic", "jwt-hs256", "none"] = "header"
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")] = "Authorization"
    prefix: Annotated[str, Field(pattern=r"^[\x20-\x7e]{0,20}$")] = "Bearer "
    body: str | None = None
    optional: bool = False


class Limits(Table):
    """The limits of one key, and the intervals between looks. Times are seconds, windows `number/seconds`."""

    active: Annotated[int, Field(ge=1)] | None = None
    pictures: Annotated[int, Field(ge=1)] | None = None
    submit: list[Window] = []
    requests: list[Window] = []
    poll_s: Seconds = 3.0
    shortest_s: Seconds = 1.0
    deadline_s: Seconds = 900.0


class Model(Table):
    """A model that the file itself names."""

    id: Annotated[str, Field(min_length=1, max_length=100)]
    name: str | None = None
    note: str | None = None


class Option(Table):
    """An argument of the service's own. `max` is a number's highest value, or how many texts a list takes."""

    type: Literal["integer", "number", "string", "boolean", "strings"]
    min: float | None = None
    max: float | None = None
    multiple_of: Annotated[int, Field(ge=1)] | None = None
    enum: Annotated[list[str], Field(min_length=1)] | None = None
    max_length: Annotated[int, Field(ge=1)] | None = None


class Images(Table):
    """The pictures that a request may be made from: so many, and perhaps a mask.

    `models`: those that take them; empty: every one. `needed`: those that make nothing without one (`default`: the one
    of a service that has no choice of them).
    """

    max: Annotated[int, Field(ge=1, le=MAX_IMAGES)] = 1
    mask: bool = False
    formats: Annotated[list[Literal["png", "jpeg", "webp"]], Field(min_length=1)] = ["png", "jpeg", "webp"]
    models: list[str] = []
    needed: list[str] = []


class Accepts(Table):
    """The arguments that are taken; one that is not listed here is refused before anything is sent."""

    max_count: Annotated[int, Field(ge=1, le=4)] = 1
    models: list[Model] = []
    model_type: Literal["string", "integer"] | None = None
    default_model: str = ""
    default_is_sent: bool = True
    seed: bool = False
    negative_prompt: bool = False
    aspect_ratios: dict[Annotated[str, Field(pattern=r"^\d{1,3}:\d{1,3}$")], dict[str, Scalar]] = {}
    default_aspect_ratio: str | None = None
    options: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")], Option] = {}
    not_together: list[list[str]] = []
    images: Images | None = None


class Condition(Table):
    """Requirements on a response: every condition that is given must hold. `has`: contains, in any case of letters."""

    status: int | None = None
    at: Pointer | None = None
    equals: Scalars | None = None
    has: Texts | None = None
    absent: bool = False


class When(Condition):
    """A condition that is looked at before the status words."""

    means: Meaning


class Rule(Condition):
    """The meaning of a response, before the house's own reading of statuses. `wait`: the place of the time to wait."""

    on: Literal["submit", "read", "result", "any"] = "any"
    code: Code
    charged: Annotated[Charged | None, BeforeValidator(_as_charged)] = None
    wait: Pointer | None = None


class Request(Table):
    """A request: below the base URL, or at a link that the service itself gave."""

    method: Literal["GET", "POST", "PUT", "DELETE"] | None = None
    path: Annotated[str, Field(pattern=r"^/[^\s?#\\]*$")] | None = None
    url: Annotated[str, Field(pattern=r"^\{[a-z_]+\}[^\s\\]*$")] | None = None
    query: dict[str, Any] = {}
    headers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")], str] = {}
    body: dict[str, Any] | None = None
    encoding: Literal["json", "form", "multipart"] = "json"


class Submit(Request):
    """The one POST. `job`: where its response names the job, or the link to it; `accepted`: when it took it at all.

    `answers`: with a job, or with the result itself, which may take `answer_within_s`.
    """

    answers: Literal["job", "result"] = "job"
    answer_within_s: Annotated[float, Field(gt=0, le=600)] = 180.0
    job: Pointer | None = None
    accepted: Condition | None = None
    queued: dict[Pointer, list[Scalar]] = {}
    cost: OwnFigure | None = None


class Read(Request):
    """A look at the job. `cost`: where it names what was charged, also of what failed; alone, only whether it was."""

    status: Pointer | Literal["http"] | None = None
    words: Words = {}
    when: list[When] = []
    error: Pointers | None = None
    position: Pointer | None = None
    seed: Pointer | None = None
    cost: Pointer | OwnFigure | None = None


class Pictures(Table):
    """The place of the pictures in a response, and the facts about each; the pointers begin at the picture.

    A picture is behind a link (`url`), in the response (`base64`; with `url`, whichever is there), or behind one more
    request with what `item` finds in it, whose response is the picture, or has the link to it at `answer`.
    `lasts_s`: how long the service keeps pictures.
    """

    each: Pointers
    id: Pointer = "/id"
    url: Pointer | None = None
    base64: Pointer | None = None
    request: Request | None = None
    item: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Pointer] = {}
    answer: Pointer | None = None
    status: Pointer | None = None
    words: dict[Literal["running", "done", "failed"], list[Scalar]] = {}
    hidden: Pointer | Condition | None = None
    watermarked: Pointer | Condition | None = None
    error: Pointer | None = None
    lasts_s: Seconds | None = None


class Lookup(Request):
    """The search for a job whose response was lost: by our own name for it, which the service keeps and shows.

    `where`: what every candidate (`each`) must have, `$reference` among it. With `proof = "likeness"` it is `$prompt`,
    and what was made (`made`: an ISO 8601 time) since the submission is only shown: a person decides.
    """

    each: Pointer
    job: Pointer
    where: dict[Pointer, str]
    proof: Literal["reference", "likeness"] = "reference"
    made: Pointer | None = None


class Reply(Condition):
    """A condition on the reply to a request to stop a job."""

    means: Literal["asked", "late", "gone"]


class Cancel(Request):
    """The request to stop a job. A reply in the 200s says that it was taken, unless `when` says otherwise.

    `charged`: whether a job that was cancelled is charged, as the service's documentation says.
    """

    when: list[Reply] = []
    charged: Annotated[Charged | None, BeforeValidator(_as_charged)] = None


class Account(Request):
    """The request for the amount that is left in the account."""

    credits: Pointer | None = None
    plan: Pointer | None = None
    plan_status: Pointer | None = None
    plan_ends: Pointer | None = None


class Models(Request):
    """The request for the service's list of models."""

    each: Pointer
    id: Pointer
    name: Pointers | None = None
    note: Pointers | None = None


class Example(Table):
    """A response or a request as the service documents it, or gave it. `cost`: as in `0.04 USD`."""

    name: str
    source: str = ""
    request: dict[str, Any] = {}
    body: dict[str, Any] | None = None
    to: Literal["submit", "read", "result", "cancel"] = "read"
    status: int = 200
    answer: Any = None
    means: str | None = None
    job: str | None = None
    urls: list[str] | None = None
    charged: Annotated[Charged | None, BeforeValidator(_as_charged)] = None
    cost: str | None = None


class Service(Table):
    """One declaration: a service, what it takes, how it is asked and how its responses are read."""

    language: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=40)]
    title: Annotated[str, Field(min_length=1, max_length=40)]
    docs: str = ""
    base_url: str
    hosts: list[Annotated[str, Field(pattern=r"^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$")]] = []
    key: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")] | None = None
    auth: Auth = Auth()
    limits: Limits = Limits()
    accepts: Accepts = Accepts()
    price: PriceList | None = None
    submit: Submit
    edit: Request | None = None
    """The request that is sent in place of [submit] where there are pictures; absent: the same."""
    read: Read = Read()
    result: Request | None = None
    pictures: Pictures
    rules: list[Rule] = []
    lookup: Lookup | None = None
    cancel: Cancel | None = None
    account: Account | None = None
    models: Models | None = None
    example: list[Example] = []

    @property
    def prefix(self) -> str:
        """The beginning of its variables' names."""
        return f"DARKROOM_{re.sub('[^A-Z0-9]', '_', self.name.upper())}_"
