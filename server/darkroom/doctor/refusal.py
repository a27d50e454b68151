"""The refusal of a server that could not open: with what else the checks find here, in the same sentences."""

from darkroom.doctor.disk import place
from darkroom.doctor.findings import discreet
from darkroom.doctor.variables import variables
from darkroom.errors import DarkroomError
from darkroom.redact.secrets import Redactor
from darkroom.settings import Settings

DOCTOR = "In a terminal, darkroom-mcp doctor checks everything else."


async def explained(error: DarkroomError, settings: Settings | None) -> DarkroomError:
    """The error, whose next step also names every other failure that shows without a network, and how to look for more.

    `settings`: None where they could not be read, which is the error.
    """
    if settings is not None:
        redact = Redactor(settings.secrets)
        found = [discreet(each, redact) for each in (*variables(settings, ()), await place(settings))]
        failures = [each for each in found if each.level == "failure"]
        error.next_step += "".join(f" Besides: {each.message} {each.cure}" for each in failures)
    error.next_step += f" {DOCTOR}"
    return error
