"""Findings: what one check saw, how bad it is, and the cure. Errors that callers see elsewhere keep their sentences."""

import re
from typing import Literal

from darkroom.errors import DarkroomError
from darkroom.models import Sparse
from darkroom.redact.secrets import Redactor
from darkroom.redact.text import clean

Level = Literal["ok", "warning", "failure"]
Section = Literal["Darkroom", "ledger", "disk", "services", "generations", "processes", "hosts"]
LONGEST = 600
_NOT_SENT = re.compile(r",? so nothing was sent|[;,]? ?nothing was (?:sent|charged)(?=\.)\.?", re.I)
"""The words of an error about its request, of which there is none here."""


class Finding(Sparse):
    """One line of the report. `cure`: what to do about it, where there is anything to do."""

    section: Section
    level: Level
    message: str
    cure: str | None = None


class Report(Sparse):
    """Everything that was found. `failures` and `warnings`: how many there are of each."""

    failures: int
    warnings: int
    findings: tuple[Finding, ...]


def ok(section: Section, message: str) -> Finding:
    """Nothing to do."""
    return Finding(section=section, level="ok", message=message)


def warning(section: Section, message: str, cure: str) -> Finding:
    """It works, though perhaps not as it is meant to."""
    return Finding(section=section, level="warning", message=message, cure=cure)


def failure(section: Section, message: str, cure: str) -> Finding:
    """It does not work."""
    return Finding(section=section, level="failure", message=message, cure=cure)


def of_error(section: Section, error: DarkroomError) -> Finding:
    """The failure that this error reports, in its own words."""
    return failure(section, _NOT_SENT.sub("", error.message).strip(), _NOT_SENT.sub("", error.next_step).strip())


def discreet(finding: Finding, redact: Redactor) -> Finding:
    """The same, in whole sentences on one line, without a secret."""

    def said(text: str) -> str:
        line = clean(redact(text), LONGEST)
        return line if line.endswith((".", '"', "…")) else f"{line}."

    cure = None if finding.cure is None else said(finding.cure)
    return finding.model_copy(update={"message": said(finding.message), "cure": cure})


def report(findings: list[Finding]) -> Report:
    """All of them together."""
    levels = [finding.level for finding in findings]
    return Report(failures=levels.count("failure"), warnings=levels.count("warning"), findings=tuple(findings))
