"""The parts of an app that end with it: owners, pictures, the driver and the service over them."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from weakref import WeakValueDictionary

from anyio.abc import TaskGroup

from darkroom.declaration import Declaration
from darkroom.generations.asking.given import Inputs
from darkroom.generations.driving.collect import Collector
from darkroom.generations.driving.driver import Driver
from darkroom.generations.driving.elsewhere import hand_over
from darkroom.generations.driving.queue import RequestAllowance
from darkroom.generations.service import Service
from darkroom.generations.telling.changes import Changes
from darkroom.generations.telling.journal import Journal
from darkroom.generations.telling.telemetry import Telemetry
from darkroom.providers import registry
from darkroom.providers.base import Access
from darkroom.providers.declared import settings_of
from darkroom.providers.owners import Means, Owners
from darkroom.redact.secrets import Redactor
from darkroom.settings import Settings
from darkroom.store.ledger import Ledger
from darkroom.store.pictures import FolderPictures, PictureStore
from darkroom.tenants import Tenant, Tenants
from darkroom.transport.http import Http


def built(
    settings: Settings,
    tenants: Tenants | None,
    http: Http,
    ledger: Ledger,
    holder: str,
    group: TaskGroup,
    only: set[str] | None,
    telemetry: Telemetry,
    *,
    sends: bool,
    remote: bool,
) -> tuple[Service, Driver]:
    """The service and the driver. `only`: see `Driver`; `sends`, `remote`: see `open_app`."""
    owners = _owners(settings, tenants, http, ledger)
    changes = Changes()
    journal = Journal(ledger, changes, telemetry)
    pictures = _pictures(settings, remote=remote)
    collector = Collector(journal, pictures, strip=settings.strip_notes, redactor=owners.redactor)
    elsewhere = partial(hand_over, settings, owners)
    driver = Driver(journal, owners, holder, collector, group, only=only, elsewhere=elsewhere)
    service = Service(
        journal,
        changes,
        owners,
        driver,
        holder,
        group,
        pictures,
        only=only if sends else frozenset(),
        inputs=Inputs(ledger, settings.inputs, owners.local.registry.inputs),
        provable=not remote,
    )
    return service, driver


def _pictures(settings: Settings, *, remote: bool) -> PictureStore:
    previews = settings.home / "previews"
    if isinstance(settings.pictures, Path):
        return FolderPictures(settings.pictures, previews, shared=not remote)
    from darkroom.store.objects import ObjectPictures  # noqa: PLC0415 - few servers need it, or have what it needs

    return ObjectPictures(settings.pictures, settings.home, previews)


def _owners(settings: Settings, tenants: Tenants | None, http: Http, ledger: Ledger) -> Owners:
    doors: WeakValueDictionary[str, RequestAllowance] = WeakValueDictionary()
    declared: dict[str, Declaration] = {}

    def door(access: Access) -> RequestAllowance:
        found = doors.get(access.account)  # tenants may share a key
        if found is None:
            found = doors[access.account] = RequestAllowance(access, ledger)
        return found

    def means(own: Settings) -> Means:
        made = registry.build(own, http, Redactor(own.secrets), door)
        return Means(made, own.accounts, own.budget, warnings=own.warnings)

    def of_tenant(tenant: Tenant) -> Means:
        made = means(settings_of(tenant, settings, declared))
        rule = "set for this tenant" if tenant.budget else made.rule
        return replace(made, rule=rule, stored=None if tenant.stored_mb is None else tenant.stored_mb * 10**6)

    return Owners(means(settings), tenants, of_tenant)
