"""Which providers this process has, built from the settings."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from darkroom.errors import InvalidRequest, NotConfigured
from darkroom.providers import betterwaifu, fatthumb
from darkroom.providers.base import Access, Provider, Traits
from darkroom.providers.sketch import Sketch
from darkroom.redact.secrets import Redactor
from darkroom.redact.text import clean
from darkroom.settings import PROVIDERS, Account, Settings
from darkroom.transport.client import Api, Door, Http
from darkroom.transport.egress import Pictures

TRAITS: Mapping[str, Traits] = {
    "fatthumb": fatthumb.TRAITS,
    "betterwaifu": betterwaifu.TRAITS,
    "sketch": Sketch.traits,
}


def traits_of(name: str) -> Traits:
    """What the provider can do; of one that is no longer there, no more than its name."""
    return TRAITS.get(name) or Traits(
        title=clean(name, 40), key_variable=None, poll_interval_s=0.0, shortest_interval_s=0.0, deadline_s=0.0
    )


@dataclass(frozen=True)
class Registry:
    """The providers that can be used, by name, and the one that is used where a call names none.

    `redact` knows the secrets that they are used with.
    """

    providers: Mapping[str, Provider]
    default: str | NotConfigured
    redact: Redactor
    misset: Mapping[str, NotConfigured] = field(default_factory=dict[str, NotConfigured])
    """Why a provider is not among them, though the user wanted it to be."""
    unguarded: NotConfigured | None = None
    """Why nothing that costs money may be started."""

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
            traits = TRAITS[chosen]
            raise NotConfigured(
                f"{traits.title} needs a key: {traits.key_variable} is not set.",
                next_step=f"Set {traits.key_variable} in this server's configuration and restart it, or use the "
                f"provider {self.default if self.default in self.providers else 'sketch'}. Nothing was sent.",
            )
        return self.providers[chosen]

    def may_start(self, provider: Provider) -> None:
        """Raises NotConfigured: it costs money, and what should protect the user cannot be read."""
        if self.unguarded is not None and not provider.traits.free:
            raise self.unguarded.with_traceback(None)

    def known(self, name: str) -> str:
        """The name, if it is a provider's at all.

        Raises:
            InvalidRequest: it is not.
        """
        if name not in PROVIDERS:
            raise InvalidRequest(
                f"There is no provider {clean(name, 40)!r}; there are {', '.join(PROVIDERS)}.",
                next_step="Name one of them, or leave provider out.",
            )
        return name


def build(settings: Settings, http: Http, redact: Redactor, door: Callable[[Access], Door]) -> Registry:
    """Every provider that has what it needs: a key, or nothing at all, and a place for its pictures.

    `door` makes what the requests of an account pass.
    """
    misset: dict[str, NotConfigured] = {
        n: a.misset for n, a in (("fatthumb", settings.fatthumb), ("betterwaifu", settings.betterwaifu)) if a.misset
    }
    if settings.no_place is not None:
        misset = dict.fromkeys(PROVIDERS, settings.no_place)
    providers: dict[str, Provider] = {}
    if settings.fatthumb.key:
        account = settings.fatthumb
        headers = fatthumb.auth_headers(settings.fatthumb.key, account.base_url)
        api, access, pictures = _connect(fatthumb.TRAITS, account, headers, http, redact, door)
        providers["fatthumb"] = fatthumb.FatThumb(api, access, pictures)
    if settings.betterwaifu.key:
        account = settings.betterwaifu
        headers = {"Authorization": f"Bearer {settings.betterwaifu.key}"}
        api, access, pictures = _connect(betterwaifu.TRAITS, account, headers, http, redact, door)
        providers["betterwaifu"] = betterwaifu.BetterWaifu(api, access, pictures)
    providers["sketch"] = Sketch()
    usable = {name: provider for name, provider in providers.items() if name not in misset}
    return Registry(usable, settings.default_provider, redact, misset, settings.unguarded)


def _connect(
    traits: Traits,
    account: Account,
    headers: Mapping[str, str],
    http: Http,
    redact: Redactor,
    door: Callable[[Access], Door],
) -> tuple[Api, Access, Pictures]:
    access = Access(_fingerprint(traits.title, account), account.limits)
    api = Api(
        traits.title, traits.key_variable or "", account.base_url, http, headers, redact, door(access), access.key
    )
    return api, access, Pictures(http, account.own_origin, redact)


def _fingerprint(title: str, account: Account) -> str:
    """Names a key in the ledger without being one: 80 bits of a hash over the key and its origin's host."""
    host = urlsplit(account.base_url).netloc.rpartition("@")[2]
    digest = hashlib.blake2b(f"{title}\0{host}\0{account.key}".encode(), digest_size=10)
    return f"{title.lower()}:{digest.hexdigest()}"
