"""The parts that every desk of this process works with."""

import base64
import secrets
from collections.abc import Collection

from anyio.abc import TaskGroup

from darkroom.generations.asking.delivery import Delivery
from darkroom.generations.asking.given import Inputs, Saved, check_seen, given
from darkroom.generations.asking.wishes import Doorkeeper, Wish
from darkroom.generations.driving.driver import Driver
from darkroom.generations.driving.likely import Likely
from darkroom.generations.driving.stopping import Stopping
from darkroom.generations.telling.changes import Changes
from darkroom.generations.telling.describing import Describer
from darkroom.generations.telling.journal import Journal
from darkroom.models import Record, Stage
from darkroom.providers.inputs import Attached
from darkroom.providers.owners import Owners
from darkroom.store.ledger import Room
from darkroom.store.pictures import PictureStore
from darkroom.tenants import LOCAL


class Service:
    """The parts that live as long as the process, between callers and generations. See `Desk`."""

    def __init__(
        self,
        journal: Journal,
        changes: Changes,
        owners: Owners,
        driver: Driver,
        holder: str,
        group: TaskGroup,
        pictures: PictureStore,
        *,
        only: Collection[str] | None = None,
        inputs: Inputs | None = None,
        provable: bool = True,
    ) -> None:
        self.journal = journal
        self.ledger = journal.ledger
        self.changes = changes
        self.owners = owners
        self.driver = driver
        self.holder = holder
        self.group = group
        self.pictures = pictures
        self.inputs = inputs or Inputs(journal.ledger)
        self.delivery = Delivery(journal.ledger, holder, group, provable=provable)
        self.likely = Likely(owners, journal.ledger)
        self.stopping = Stopping(owners, journal, changes, driver)
        self.describer = Describer(journal, owners, holder, pictures, only)
        self._doorkeepers: dict[str, Doorkeeper] = {}

    async def wanted(self, wish: Wish, owner: str, saved: Saved) -> tuple[Record, list[Attached]]:
        """The row to be begun, and the pictures that it is made from; `saved` reads those that the owner has.

        Raises:
            DarkroomError: it cannot be made.
        """
        registry = self.owners.of(owner).registry
        request = await self._doorkeepers.setdefault(owner, Doorkeeper()).checked(wish, registry)
        provider = registry.providers[request.provider]
        # Whose disk this is may have files of it sent; a tenant has none there.
        folders = self.inputs.folders if owner == LOCAL else ()
        images = await given(wish.images or (), folders, saved, provider.traits, registry.redact)
        check_seen(wish.seen, images)
        price = provider.traits.price(request)
        record = Record(
            id=new_id(),
            owner=owner,
            request=request.model_copy(update={"images": tuple(each.image for each in images)}),
            account=provider.access.account,
            stage=Stage.ACCEPTED,
            holder=self.holder,
            answering=self.holder,
            request_key=wish.request_key,
            cost_micros=None if price is None else price.micros,
            cost_unit=None if price is None else price.unit,
            traceparent=self.journal.telemetry.traceparent(),
        )
        return record, images

    def room(self, record: Record) -> Room | None:
        """The room that its owner's budget and stored pictures leave for it; None: any."""
        means = self.owners.of(record.owner)
        free, budget = means.registry.free, means.budget
        if budget is None or record.request.provider in free:
            return None if means.stored is None else Room(stored=means.stored)
        return Room(budget.generations, budget.money, free=free, stored=means.stored, rule=means.rule)


def new_id(kind: str = "gen") -> str:
    """A generation's id, or a task's: 128 random bits, since knowing it is what grants access on stdio."""
    return f"{kind}_" + base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()
