"""The expected duration of a generation, learned from those before it."""

from collections.abc import Sequence
from contextlib import suppress

import anyio

from darkroom.errors import StorageError
from darkroom.models import Record, Stage
from darkroom.store.ledger import Ledger
from darkroom.store.turns import Standing

ENOUGH = 3
"""So many must have been made alike before anything is said."""
LEARNED_FOR_S = 2.0
"""How long what was read of the ledger is believed: many waiters ask for the same."""


class Expectation:
    """What the account's last generations of the same model and number of pictures took, in the middle."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._learned: dict[tuple[str, str, int], tuple[float, float | None]] = {}

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
        usual = None if before is None else await self._usual(record)
        return None if before is None or usual is None else before + usual

    async def _usual(self, record: Record) -> float | None:
        alike = record.account, record.request.model, record.request.count
        read_at, usual = self._learned.get(alike, (float("-inf"), None))
        if anyio.current_time() - read_at > LEARNED_FOR_S:
            with suppress(StorageError):  # it is only said of it that nobody knows
                usual = _middle(await self._ledger.durations(*alike))
            self._learned[alike] = anyio.current_time(), usual
        return usual


def _middle(durations: Sequence[float]) -> float | None:
    return None if len(durations) < ENOUGH else sorted(durations)[len(durations) // 2]
