"""The expected duration of a generation, learned from those before it."""

from collections.abc import Sequence

from darkroom.generations.telling.learned import Learned
from darkroom.models import Record, Stage
from darkroom.store.ledger import Ledger
from darkroom.store.turns import Standing, Took

ENOUGH = 3
"""So many must have been made alike before anything is said."""
NEWEST = 20


class Expectation:
    """The median of what the account's last generations of the same model and number of pictures took."""

    def __init__(self, ledger: Ledger) -> None:
        self._learned = Learned(ledger)

    async def of(self, record: Record, standing: Standing | None, waited_s: float) -> float | None:
        """Seconds from the request to its end, `waited_s` of them over; None where nobody can say.

        `standing`: where it is in our own queue, while it is there.
        """
        if record.stage.terminal or (standing is not None and standing.at_the_earliest):
            return None
        if record.stage is Stage.ACCEPTED:
            before = None if standing is None else waited_s + standing.starts_in_s
        else:
            before = max((record.submitted_at or record.created_at) - record.created_at, 0.0)
        usual = None if before is None else _middle(await self._learned.of(record))
        return None if before is None or usual is None else before + usual


def _middle(took: Sequence[Took]) -> float | None:
    newest = sorted(each.ended_s for each in took[:NEWEST])
    return None if len(newest) < ENOUGH else newest[len(newest) // 2]
