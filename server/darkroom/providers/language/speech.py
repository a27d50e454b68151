"""The errors that a response's rule is reported as: the house's own, with the service's words marked as such."""

from dataclasses import dataclass, field
from typing import Any

from darkroom.errors import (
    DarkroomError,
    InvalidRequest,
    Moderated,
    NotFound,
    PaymentRequired,
    PlanRequired,
    ProviderError,
    RateLimited,
    Unauthorized,
)
from darkroom.models import Charged
from darkroom.providers.language.conditions import proven, rule_for
from darkroom.providers.language.pointers import first
from darkroom.providers.language.schema import Rule, Service
from darkroom.redact.secrets import Redactor
from darkroom.redact.text import quote
from darkroom.transport import failures
from darkroom.transport.failures import MAX_RETRY_AFTER_S, Answer
from darkroom.transport.reasons import words_in

_KINDS: dict[str, type[DarkroomError]] = {
    kind.code: kind
    for kind in (
        Moderated, PaymentRequired, PlanRequired, Unauthorized, RateLimited, InvalidRequest, NotFound, ProviderError,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Speech:
    """The reports about a service: its name for people, its variable, and the secrets that nobody repeats."""

    service: Service
    key_variable: str
    redact: Redactor = field(repr=False)

    @property
    def title(self) -> str:
        """The service's name for people."""
        return self.service.title

    def refuse(self, on: str, answer: Answer, value: Any) -> None:
        """Raises DarkroomError: a rule says what such a response to a submit, read or result request means."""
        rule = rule_for(self.service, on, answer.status, value)
        if rule is not None:
            raise self._error(rule, on, answer, value)

    def value(self, answer: Answer) -> Any:
        """The response as JSON without secrets; None: its body is empty, or none that can be read."""
        try:
            return answer.json_value(self.redact)
        except (ValueError, RecursionError):
            return None

    def unknown(self, what: str) -> DarkroomError:
        """The error for a submission of which nobody can say whether it started a job."""
        return failures.unknown_outcome(self.title, what)

    def unfit(self, what: str = "something that its declaration does not know") -> ProviderError:
        """The error for a look that shows nothing."""
        return ProviderError(f"{self.title} returned {what}", next_step="Try again in a minute; nothing is lost.")

    def refuse_words(self, value: Any) -> None:
        """Raises ProviderError: in the place of what was asked for this has an error, under a status of success."""
        if isinstance(value, dict) and (words := words_in(value)):
            raise ProviderError(
                f"{self.title} returned no such thing and says: {quote(self.redact(words))}",
                next_step=f"Check {self.key_variable}, or try again in a minute; nothing is lost.",
            )

    def _error(self, rule: Rule, on: str, answer: Answer, value: Any) -> DarkroomError:
        reason = answer.said(self.redact)[0]
        said = f"{self.title} returned {answer.status}" + (f" and says: {quote(reason)}" if reason else "")
        if rule.code == "outcome_unknown" or (on == "submit" and not self._definite(rule, answer.status)):
            return self.unknown(f"it returned {answer.status}" + (f" and says: {quote(reason)}" if reason else ""))
        if rule.code == "rate_limited":
            error: DarkroomError = RateLimited(
                said, next_step=self._next(rule.code), retry_after=_wait(rule, answer, value)
            )
        else:
            error = _KINDS[rule.code](said, next_step=self._next(rule.code))
        sure = on == "submit" and rule.code != "provider_error"
        error.charged = rule.charged or (Charged.NO if sure else Charged.MAYBE)
        return error

    def _definite(self, rule: Rule, status: int) -> bool:
        refused = 400 <= status < 500 and status not in failures.FROM_GATEWAYS
        return refused or proven(self.service, rule, status)

    def _next(self, code: str) -> str:
        return {
            "moderated": "Reword the prompt and generate again.",
            "payment_required": f"Buy credits in the {self.title} account, or use another provider.",
            "plan_required": f"Change the {self.title} plan, or choose another model or provider.",
            "unauthorized": f"Put a valid key into {self.key_variable} and start the server again.",
            "rate_limited": "Darkroom waits and tries again by itself.",
            "invalid_request": "Correct what the provider names and generate again.",
            "not_found": "Check the ids that were given, and that the key is of the right account.",
        }.get(code, "Try again in a minute.")


def _wait(rule: Rule, answer: Answer, value: Any) -> float | None:
    named = first(value, rule.wait) if rule.wait is not None else None
    if isinstance(named, int | float) and not isinstance(named, bool) and named >= 0:
        return min(float(named), MAX_RETRY_AFTER_S)
    return failures.retry_after(answer.headers)
