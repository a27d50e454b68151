"""Those who generate here, each with the keys that are its own: the local user, and the tenants."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from darkroom.accounts import Account
from darkroom.errors import NotConfigured
from darkroom.guards import Budget
from darkroom.models import Record
from darkroom.providers.base import Provider
from darkroom.providers.catalogue import Models
from darkroom.providers.registry import Registry
from darkroom.redact.log import DiscreetRecord
from darkroom.redact.secrets import Redactor
from darkroom.tenants import LOCAL, Tenant, Tenants

MOST = 2000
"""So many tenants' providers are kept ready; those of another take a few milliseconds to be made again."""


@dataclass(frozen=True, eq=False)
class Means:
    """The means by which one owner generates. `accounts`: those of its providers. `rule`: what sets the budget.

    `stored`: the bytes that its saved pictures may have together; None: any.
    """

    registry: Registry
    accounts: Mapping[str, Account] = field(default_factory=dict[str, Account])
    budget: Budget | None = None
    rule: str = "DARKROOM_BUDGET"
    stored: int | None = None
    warnings: tuple[str, ...] = ()
    """A sentence for each of its variables that was not taken as it is written."""

    @cached_property
    def models(self) -> Models:
        """The catalogue of its providers."""
        return Models(self.registry, {name: account.limits for name, account in self.accounts.items()})


class Owners:
    """One per process. `means` makes a tenant's out of its own entry, and of nothing of the environment's keys.

    A tenant's are made when they are first asked for, and anew once its entry has changed.
    """

    def __init__(
        self, local: Means, tenants: Tenants | None = None, means: Callable[[Tenant], Means] | None = None
    ) -> None:
        self.local = local
        self.tenants = tenants
        self._make = means
        self._made: OrderedDict[str, tuple[Tenant, Means]] = OrderedDict()

    def found(self, owner: str) -> Means | None:
        """The means of this owner; None: it is no owner here any more."""
        if owner == LOCAL:
            return self.local
        tenant = None if self.tenants is None else self.tenants.named(owner)
        known, means = self._made.get(owner, (None, None))
        if tenant is None or self._make is None:
            means = None
        elif means is None or known != tenant:
            means = self._make(tenant)
            self._keep(tenant, means)
        self._made.move_to_end(owner) if means else self._made.pop(owner, None)
        return means

    def of(self, owner: str) -> Means:
        """The same for one who asks.

        Raises:
            NotConfigured: it is no owner here any more.
        """
        means = self.found(owner)
        if means is None:
            raise NotConfigured(
                f"The tenant {owner} is not in the tenants file of this server.",
                next_step="Tell the user: the operator of this server can add it. Nothing was sent.",
            )
        return means

    def provider(self, record: Record) -> Provider | None:
        """The provider of this row, with the key of the row's owner; None: that cannot be used here."""
        means = self.found(record.owner)
        return None if means is None else means.registry.providers.get(record.request.provider)

    def redactor(self, owner: str) -> Redactor:
        """The one that knows the secrets which this owner's providers are used with."""
        return (self.found(owner) or self.local).registry.redact

    @property
    def entries(self) -> tuple[Tenant, ...]:
        """The tenants as the file had them when it was last looked at."""
        return () if self.tenants is None else self.tenants.all

    @property
    def outdated(self) -> bool:
        """True while the file cannot be used as it is now."""
        return self.tenants is not None and self.tenants.refused

    @property
    def shares(self) -> Mapping[str, int | None]:
        """Those whose rows are driven here: see `store.turns.Owners`."""
        return {LOCAL: None, **{tenant.name: tenant.active for tenant in self.entries}}

    def _keep(self, tenant: Tenant, means: Means) -> None:
        self._made[tenant.name] = tenant, means
        while len(self._made) > MOST:
            self._made.popitem(last=False)
        DiscreetRecord.further = tuple(kept.registry.redact for _, kept in self._made.values())
