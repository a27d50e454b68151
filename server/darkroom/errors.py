"""Every error that a caller can see.

DarkroomError
├── InvalidRequest        the arguments cannot be what was meant
├── NotConfigured         the provider has no key here
├── Unauthorized          the provider refuses the key
├── PaymentRequired       the account has too few credits
├── PlanRequired          the account's plan does not include this
├── Moderated             the provider's safety review refused it
├── RateLimited           the provider, or the user's own budget, says: later
├── ProviderUnreachable   no request reached the provider
├── ProviderError         the provider failed, or its response cannot be read
├── OutcomeUnknown        the POST may or may not have started a job
├── Cancelled             the provider ended the job because it was asked to
├── Expired               the provider no longer has the job
├── TimedOut              the provider did not finish within its deadline
├── NotFound              nothing of that id
├── Deleted               its user deleted the picture
├── ResultUnavailable     the picture exists but cannot be had
├── NotAnImage            what came is not a picture that we accept
└── StorageError          the disk or the ledger refused
"""

from collections.abc import Sequence
from typing import ClassVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from darkroom.models import Charged, Failure

LOOK_AGAIN = "Call get_status later: Darkroom looks once more, at no cost. The provider's own gallery may have it too."


class DarkroomError(Exception):
    """An error that says what happened, whether it was charged, and what to do next."""

    code: ClassVar[str] = "provider_error"

    def __init__(self, message: str, *, next_step: str, charged: Charged = Charged.NO) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.charged = charged

    def __str__(self) -> str:
        """The whole of it in one line, for agents and people alike."""
        message = self.message if self.message.endswith((".", '"')) else f"{self.message}."
        return f"{self.code}: {message} Charged: {self.charged}. {self.next_step}"

    def failure(self, charged: Charged | None = None) -> Failure:
        """This error as the value that a Generation or an Image carries."""
        return Failure(
            code=self.code,
            message=self.message,
            charged=self.charged if charged is None else charged,
            next_step=self.next_step,
        )


class InvalidRequest(DarkroomError):
    """The arguments cannot be what was meant."""

    code = "invalid_request"


class NotConfigured(DarkroomError):
    """The provider has no key here."""

    code = "not_configured"


class Unauthorized(DarkroomError):
    """The provider refuses the key."""

    code = "unauthorized"


class PaymentRequired(DarkroomError):
    """The account has too few credits."""

    code = "payment_required"


class PlanRequired(DarkroomError):
    """The account's plan does not include this."""

    code = "plan_required"


class Moderated(DarkroomError):
    """The provider's safety review refused it."""

    code = "moderated"


class RateLimited(DarkroomError):
    """The provider, or the user's own budget, says: later. `retry_after` is seconds from now, None where unknown."""

    code = "rate_limited"

    def __init__(self, message: str, *, next_step: str, retry_after: float | None = None) -> None:
        super().__init__(message, next_step=next_step)
        self.retry_after = retry_after


class ProviderUnreachable(DarkroomError):
    """No request reached the provider."""

    code = "provider_unreachable"


class ProviderError(DarkroomError):
    """The provider failed, or its response cannot be read."""

    code = "provider_error"


class OutcomeUnknown(DarkroomError):
    """The POST may or may not have started a job."""

    code = "outcome_unknown"


class Cancelled(DarkroomError):
    """The provider ended the job without a picture, since it was asked to."""

    code = "cancelled"


class Expired(DarkroomError):
    """The provider no longer has the job."""

    code = "expired"


class TimedOut(DarkroomError):
    """The provider did not finish within its deadline."""

    code = "timed_out"


class NotFound(DarkroomError):
    """Nothing of that id."""

    code = "not_found"


class Deleted(DarkroomError):
    """Its user deleted the picture."""

    code = "deleted"


class ResultUnavailable(DarkroomError):
    """The picture exists but cannot be had.

    `passing`: it may come if it is asked for again soon; `retry_after` seconds from now at the earliest, where its host
    names a time. `final`: it will never come.
    """

    code = "result_unavailable"

    def __init__(
        self,
        message: str,
        *,
        next_step: str,
        charged: Charged = Charged.NO,
        passing: bool = False,
        retry_after: float | None = None,
        final: bool = False,
    ) -> None:
        super().__init__(message, next_step=next_step, charged=charged)
        self.passing = passing
        self.final = final
        self.retry_after = retry_after


class NotAnImage(DarkroomError):
    """The bytes that came are no picture that we accept, and never will be.

    `passing`: it came in the place of the picture, which may still come.
    """

    code = "not_an_image"

    def __init__(self, message: str, *, next_step: str, charged: Charged = Charged.NO, passing: bool = False) -> None:
        super().__init__(message, next_step=next_step, charged=charged)
        self.passing = passing
        self.final = not passing


class StorageError(DarkroomError):
    """The disk or the ledger refused. `passing`: it may take it if it is asked again soon."""

    code = "storage_error"

    def __init__(self, message: str, *, next_step: str, charged: Charged = Charged.NO, passing: bool = False) -> None:
        super().__init__(message, next_step=next_step, charged=charged)
        self.passing = passing


class Unwritten(StorageError):
    """The ledger refused before anything was written; any other StorageError leaves that open."""


class Outdated(Unwritten):
    """A newer Darkroom uses the ledger as well, and this one does not know enough to start anything beside it."""


class Unstorable(StorageError):
    """It holds a value that the ledger cannot hold: nothing was written, and asking again does not help."""


MAX_PROBLEMS = 10


def invalid_arguments(error: ValidationError | None, prefix: str = "", others: Sequence[str] = ()) -> InvalidRequest:
    """Every argument that failed its schema, in a few words each, without its value; `others` is wrong as well."""
    found = [] if error is None else error.errors(include_url=False, include_input=False)
    problems = {f"{prefix}{_place(each)}": _words(each) for each in found[:MAX_PROBLEMS]}
    said = [*others, *(f"{name} {words}" for name, words in problems.items())]
    what = " and ".join(problems) if problems and not others else "it" if len(said) == 1 else "them"
    return InvalidRequest(f"{'; '.join(said)}.", next_step=f"Correct {what} and call again; nothing was sent.")


def _place(error: ErrorDetails) -> str:
    return ".".join(str(part)[:40] for part in error["loc"]) or "what was given"


def _words(error: ErrorDetails) -> str:
    """The condition that it must meet, in our words instead of its library's."""
    kind, bounds = error["type"], error.get("ctx", {})
    if kind in {"missing", "missing_argument"}:
        return "is needed"
    if kind == "value_error":
        return error["msg"].removeprefix("Value error, ")
    for part, words in _MUST.items():
        if kind.startswith(part):
            return f"must {words.format_map(bounds)}"
    return "cannot be read"


_MUST = {
    "int_": "be a whole number",
    "float_": "be a number",
    "finite": "be a number",
    "decimal": "be a number",
    "string_too_long": "have at most {max_length} characters",
    "string_too_short": "not be empty (at least {min_length})",
    "string_pattern": "not hold such characters",
    "string": "be text",
    "list": "be a list",
    "too_long": "hold at most {max_length}",
    "too_short": "hold at least {min_length}",
    "dict": "be an object",
    "bool": "be true or false",
    "greater_than_equal": "be {ge} or more",
    "less_than_equal": "be {le} or less",
    "multiple_of": "be a multiple of {multiple_of}",
    "literal": "be {expected}",
    "enum": "be {expected}",
    "extra": "be left out",
    "unexpected": "be left out",
}
