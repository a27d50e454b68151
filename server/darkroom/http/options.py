"""The options of the server: where it listens, whom it believes, and who may ask."""

import ipaddress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from darkroom.errors import InvalidRequest
from darkroom.http.origins import LOOPBACK


@dataclass(frozen=True)
class Options:
    """The words of `serve --http`."""

    host: str = "127.0.0.1"
    port: int = 8765
    tenants: Path | None = None
    """The file of those who may ask; None: everybody who reaches the port is the one local owner."""
    hosts: tuple[str, ...] = ()
    """Names of this server beside those of loopback."""
    proxies: tuple[str, ...] = ()
    """Addresses and networks of proxies whose word for their clients' addresses is taken."""
    issuer: str | None = None
    audience: str | None = None
    claim: str = "sub"
    """Of an OAuth token: who issues it, for whom, and the claim in it that names its subject."""

    @property
    def local(self) -> bool:
        """True where nobody but this machine's own users reaches it."""
        return ipaddress.ip_address(self.host).is_loopback

    @property
    def named(self) -> frozenset[str]:
        """The hosts that its operator named; `localhost` can be one, for a container whose port is published there."""
        found = [urlsplit(self.audience or "").hostname, *(name.lower().strip("[]") for name in self.hosts)]
        return frozenset(name for name in found if name)

    @property
    def names(self) -> frozenset[str]:
        """Every host that a request may be for."""
        return LOOPBACK | self.named


def checked(options: Options) -> Options:
    """The same, with its host as an address.

    Raises:
        InvalidRequest: a server like that must not be, or what is named there is none.
    """
    host = "127.0.0.1" if options.host == "localhost" else options.host.strip("[]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise _wrong(f"--host {options.host} is no address", "Write 127.0.0.1, 0.0.0.0, :: or another") from None
    for proxy in options.proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            raise _wrong(f"--trust-proxy {proxy} is no address or network", "Write 10.0.0.7 or 10.0.0.0/24") from None
    found = replace(options, host=host)
    if not found.local and not (options.tenants and found.named):
        raise _wrong(
            f"{host} can be reached from other machines",
            "Add --tenants FILE, so that it is known who asks, and --allow-host NAME for each name of this server",
        )
    if bool(options.issuer) != bool(options.audience):
        raise _wrong("OAuth needs both --oauth-issuer and --oauth-audience", "Add the other one")
    if options.issuer and not options.tenants:
        raise _wrong("--oauth-issuer needs --tenants FILE", "The file says which subject is which tenant")
    for name, url in (("--oauth-issuer", options.issuer), ("--oauth-audience", options.audience)):
        if url is not None and not is_safe(url):
            raise _wrong(f"{name} is no https:// URL", "On loopback, http:// is one too")
    return found


def is_safe(url: str) -> bool:
    """True where what comes from there is its owner's: HTTPS, or this very machine."""
    parts = urlsplit(url)
    return (parts.scheme == "https" and bool(parts.hostname)) or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _wrong(what: str, cure: str) -> InvalidRequest:
    return InvalidRequest(f"{what}.", next_step=f"{cure}.")
