"""Signals that meet a command while its one POST is under way: it leaves once it is known what became of that."""

import signal

import pytest

from tests.faults.runs import interrupted, posted
from tests.faults.table import Ending, Fault, name_of, prove, succeeds, unknown
from tests.faults.test_submission_faults import meets
from tests.hosts import Home, on_both_databases
from tests.services import faults
from tests.services.faults import Delay, Hang, Reset


def interruption(met: faults.Fault, ends: Ending, how: signal.Signals, name: str) -> Fault:
    return Fault(name, meets(met), ends, run=interrupted(posted, how=how))


ENDS_OF_THE_PROCESS = (
    interruption(
        Hang(accepts=True),
        unknown(accepted=1, says="interrupted"),
        signal.SIGKILL,
        "a process killed during its submission",
    ),
    # Until the answer is there, a command does not leave.
    interruption(
        Delay(0.5), succeeds(), signal.SIGTERM, "a process asked to end just before the answer still writes it down"
    ),
    interruption(
        Delay(0.5), succeeds(), signal.SIGINT, "a process stopped by its user just before the answer writes it down"
    ),
    # Nor before it is clear that none comes: then the row says so, instead of being left to whoever starts next.
    *(
        interruption(
            Delay(0.5, then=Reset()),
            unknown(accepted=1, says="connection failed"),
            how,
            f"a process ended by {how.name} just before its answer is lost",
        )
        for how in (signal.SIGTERM, signal.SIGINT)
    ),
)


@on_both_databases
@pytest.mark.parametrize("fault", ENDS_OF_THE_PROCESS, ids=name_of)
def test_a_command_that_is_ended_has_sent_once_and_knows_what_became_of_it(fault: Fault, home: Home) -> None:
    prove(fault, home)
