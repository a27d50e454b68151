"""The providers that this process has, built from the settings."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from darkroom.accounts import Account
from darkroom.declaration import Declaration, Traits
from darkroom.errors import InvalidRequest, NotConfigured
from darkroom.providers.base import Access, Connection, Provider
from darkroom.providers.inputs import folder_in
from darkroom.providers.offered import NAMES, variable_of
from darkroom.redact.secrets import Redactor
from darkroom.redact.text import clean
from darkroom.settings import Settings
from darkroom.transport.client import Door
from darkroom.transport.http import Http

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Registry:
    """The providers that can be used, by name, and the one that is used where a call names none.

    `redact` knows the secrets that they are used with.
    """

    providers: Mapping[str, Provider]
    default: str | NotConfigured
    redact: Redactor
    declared: Mapping[str, Declaration]
    """Those that there are, whether they can be used or not."""
    misset: Mapping[str, NotConfigured] = field(default_factory=dict[str, NotConfigured])
    """The reason why a provider is not among them, though the user wanted it to be."""
    inputs: Path = Path()
    """The folder of the pictures that requests are made from, until they are sent."""
    unguarded: NotConfigured | None = None
    """The reason why nothing that costs money may be started."""

    def provider(self, name: str | None) -> Provider:
        """The named provider, or the default one.

        Raises:
            InvalidRequest: there is none of that name.
            NotConfigured: it has no key here, or something that it needs is misset; the message names the variable.
        """
        if not name and isinstance(self.default, NotConfigured):
            raise self.default.with_traceback(None)
        chosen = self.known(name or str(self.default))
        if chosen in self.misset:
            raise self.misset[chosen].with_traceback(None)
        if chosen not in self.providers:
            title, variable = self._lacks(chosen)
            raise NotConfigured(
                f"{title} needs {'a key' if variable.endswith('_KEY') else 'an address'}: {variable} is not set.",
                next_step=f"Set {variable} in this server's configuration and restart it, or use the "
                f"provider {self.default if self.default in self.providers else 'sketch'}. Nothing was sent.",
            )
        return self.providers[chosen]

    def traits(self, name: str) -> Traits:
        """The provider's abilities; of one that is no longer there, no more than its name."""
        if name in self.declared:
            return self.declared[name].traits
        return Traits(title=clean(name, 40), poll_interval_s=0.0, shortest_interval_s=0.0, deadline_s=0.0)

    @property
    def free(self) -> tuple[str, ...]:
        """Those whose pictures cost nothing."""
        return tuple(name for name, declared in self.declared.items() if declared.traits.free)

    def may_start(self, provider: Provider) -> None:
        """Raises NotConfigured: it costs money, and what should protect the user cannot be read."""
        if self.unguarded is not None and not provider.traits.free:
            raise self.unguarded.with_traceback(None)

    def known(self, name: str) -> str:
        """The name, if it is a provider's at all.

        Raises:
            InvalidRequest: it is not.
        """
        if name not in self.declared and name not in NAMES:
            raise InvalidRequest(
                f"There is no provider {clean(name, 40)!r}; there are {', '.join(self.declared)}.",
                next_step="Name one of them, or leave provider out.",
            )
        return name

    def _lacks(self, name: str) -> tuple[str, str]:
        """The name of a provider that cannot be used, and the variable that it is used with."""
        if name not in self.declared:
            return name, variable_of(name)
        declared = self.declared[name]
        return declared.traits.title, declared.key_variable or declared.variables("BASE_URL")[0]


def build(settings: Settings, http: Http, redact: Redactor, door: Callable[[Access], Door]) -> Registry:
    """Every provider that has what it needs: a key, or nothing at all, and a place for its pictures.

    `door` makes what the requests of an account pass.
    """
    misset = {name: account.misset for name, account in settings.accounts.items() if account.misset}
    if settings.no_place is not None:
        misset = dict.fromkeys(settings.accounts, settings.no_place)
    providers: dict[str, Provider] = {}
    inputs = folder_in(settings.home)
    for name, account in settings.accounts.items():
        if name not in misset and account.ready:
            access = Access(_fingerprint(account), account.limits)
            connection = Connection(account, access, http, redact, door(access), inputs)
            try:
                providers[name] = account.declaration.client(connection)
            except NotConfigured as error:  # a variable that only this provider understands
                misset[name] = error
            except Exception as error:  # it may be anybody's code
                log.exception("The provider %s cannot be made", name)
                misset[name] = _not_made(account, error)
    declared = {name: account.declaration for name, account in settings.accounts.items()}
    return Registry(providers, settings.default_provider, redact, declared, misset, inputs, settings.unguarded)


def _not_made(account: Account, error: Exception) -> NotConfigured:
    title = account.declaration.traits.title
    return NotConfigured(
        f"{title} cannot be used: its client cannot be made ({type(error).__name__}).",
        next_step="The log has the details. Use another provider; nothing was sent.",
    )


def _fingerprint(account: Account) -> str:
    """Names a key in the ledger without being one: 80 bits of a hash over the key and its origin's host."""
    title = account.declaration.traits.title
    host = urlsplit(account.base_url).netloc.rpartition("@")[2]
    digest = hashlib.blake2b(f"{title}\0{host}\0{account.key}".encode(), digest_size=10)
    return f"{title.lower()}:{digest.hexdigest()}"
