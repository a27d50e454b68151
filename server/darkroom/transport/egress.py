"""The way out for picture fetches: where they may go, and how much may come back."""

import ipaddress
import re
import socket
from dataclasses import dataclass, field
from functools import partial
from urllib.request import getproxies, proxy_bypass

import anyio
import httpx2
from anyio import to_thread

from darkroom.errors import DarkroomError, NotAnImage, ResultUnavailable
from darkroom.models import Charged
from darkroom.redact.secrets import Redactor
from darkroom.transport import failures
from darkroom.transport.http import READ_TIMEOUT, Http
from darkroom.transport.incoming import Incoming

MAX_PICTURE = 64 * 1024 * 1024
MAX_HOPS = 3
DEADLINE_S = 120.0
LOOKUPS = 8
"""Names that may be resolved at once for one provider's pictures. One that hangs keeps its thread until then."""
LEAST_BYTES = 16 * 1024
LEAST_EVERY_S = 10.0
"""A download that brings fewer than LEAST_BYTES in this time, while it is not at its end, is given up."""
_RETRY = "Call get_status later: Darkroom then fetches this picture again, at no cost."
# Schemes that are no place to fetch from: the picture itself, or something in another program's memory.
_NO_PLACE = re.compile(r"\s*(data|blob):([^,;\s]{0,40})", re.IGNORECASE)

_NAME = re.compile(r"(?!.{254})[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"([0-9]+|0x[0-9a-f]*)")
# Through a gateway of this prefix an IPv6 network reaches the IPv4 address that the last 32 bits hold.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# All of IPv6 that is given out for use between networks.
_GIVEN_OUT = ipaddress.IPv6Network("2000::/3")
# Special by IANA's registries, whatever `is_global` says of it in this or that release of Python.
_SPECIAL = (
    *map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")),
    *map(ipaddress.IPv6Network, ("2001::/23", "2002::/16", "3fff::/20")),
)


@dataclass(frozen=True)
class Pictures:
    """Fetches pictures by the URLs a provider gave: without key, cookies or referrer, over a fresh connection.

    `own_origin` is the base URL that the user configured for the provider: the only place that may be plain http or a
    private address. None: there is no such place.
    """

    http: Http
    own_origin: str | None = field(repr=False)
    redact: Redactor
    deadline_s: float = DEADLINE_S
    least_every_s: float = LEAST_EVERY_S
    # Of its own: the event loop's few threads resolve the names of every API.
    _lookups: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(LOOKUPS), repr=False)

    async def fetch(self, url: str, into: Incoming) -> None:
        """Writes down the body behind `url`, at most 64 MiB, through at most three redirects.

        Raises:
            ResultUnavailable: it cannot be had now, or lies where we do not go.
            NotAnImage: it is larger than any picture that we accept, or the link is no link at all.
            DarkroomError: what `into` is refused with.
        """
        if not url:
            raise _not_now("The provider has not said yet where the picture is")
        if found := _NO_PLACE.match(url):
            raise _no_link(found[1].lower(), found[2].lower())
        try:
            with anyio.fail_after(self.deadline_s):
                await self._follow(httpx2.URL(url), into)
        except DarkroomError:
            raise
        except Exception as error:  # libraries fed with hostile links and responses may raise anything
            what = f"The picture did not arrive whole ({failures.kind(error)})"
            raise (_unavailable(what) if isinstance(error, httpx2.InvalidURL) else _not_now(what)) from error

    async def _follow(self, url: httpx2.URL, into: Incoming) -> None:
        for _ in range(MAX_HOPS + 1):
            with anyio.fail_after(self.least_every_s):
                response = await self._open(url)
            try:
                if response.has_redirect_location:
                    url = url.join(response.headers["location"])
                    continue
                return await _body(response, self.least_every_s, into)
            finally:
                with anyio.CancelScope(shield=True):
                    await response.aclose()
        raise _not_now(f"The picture's link redirects more than {MAX_HOPS} times")

    async def _open(self, url: httpx2.URL) -> httpx2.Response:
        if self.redact.leaks(str(url)):
            raise _unavailable("The picture's link holds a key of yours, so it is not followed")
        if url.userinfo:
            raise _not_plain()
        if self.own_origin and origin_of(url) == origin_of(httpx2.URL(self.own_origin)):
            request = self.http.fresh.build_request("GET", url, timeout=_timeouts())
            return await self.http.fresh.send(request, stream=True, auth=None)
        host = plain_host(url)
        if host is None:
            raise _not_plain()
        proxy = proxy_for(host)
        client = self.http.foreign(proxy)
        # A proxy resolves names itself, by its own rules; an address in the link we can judge in any case.
        targets = await self._pinned(url, host) if proxy is None or _is_address(host) else [url]
        while True:
            request = client.build_request("GET", targets.pop(0), timeout=_timeouts(others=len(targets)))
            request.headers["Host"] = url.netloc.decode("ascii")
            request.extensions = {**request.extensions, "sni_hostname": host}
            try:
                return await client.send(request, stream=True, auth=None)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                if not targets:
                    raise

    async def _pinned(self, url: httpx2.URL, host: str) -> list[httpx2.URL]:
        """The URL at each address of its name, which is resolved once; every one of them must be public."""
        resolve = partial(socket.getaddrinfo, host.encode("ascii"), url.port or 443, type=socket.SOCK_STREAM)
        found = await to_thread.run_sync(resolve, abandon_on_cancel=True, limiter=self._lookups)
        addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
        if not addresses or not all(_is_public(ipaddress.ip_address(address)) for address in addresses):
            raise _unavailable("The picture's link leads to a private address")
        return [url.copy_with(host=address) for address in addresses]


def _timeouts(others: int = 0) -> httpx2.Timeout:
    """The usual ones, but connecting ends before the deadline: a TLS handshake that is cut off leaks its socket.

    `others`: addresses that are tried after this one, so it leaves time for them: a half, or two thirds for several,
    however many they are, since a place far away needs some time too.
    """
    left = anyio.current_effective_deadline() - anyio.current_time()
    usual = READ_TIMEOUT
    connect = min(usual.connect or left, left / 2 / (1 + min(others, 2)))  # once for TCP and once for TLS
    return httpx2.Timeout(connect=connect, read=usual.read, write=usual.write, pool=usual.pool)


def origin_of(url: httpx2.URL) -> tuple[str, bytes, int]:
    """Scheme, host and port, which are the same for two URLs that lead to the same server."""
    port = url.port or {"http": 80, "https": 443}.get(url.scheme, 0)
    return url.scheme, url.raw_host.lower(), port


def plain_host(url: httpx2.URL) -> str | None:
    """The host of an https link, as ASCII; None: it is not written in the one way that every program reads alike."""
    host = url.raw_host.decode("ascii")
    number = _NUMBER.fullmatch(host.rpartition(".")[2])  # 127.1, 0x7f000001: resolvers take them for addresses
    plain = ":" in host or (_NAME.fullmatch(host) and (not number or _is_address(host)))
    if url.scheme != "https" or not plain or not 0 < (443 if url.port is None else url.port) < 65536:
        return None
    return host


def proxy_for(host: str, scheme: str = "https") -> str | None:
    """The proxy that the user's environment names for such links to this host. Its URL may hold a password."""
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_address(host: str) -> bool:
    """True where the host is an address in figures, or the name that everywhere means this machine."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return f".{host}".endswith(".localhost")
    return True


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if address in _NAT64:
        address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if isinstance(address, ipaddress.IPv6Address) and address not in _GIVEN_OUT:
        return False
    special = address.is_multicast or any(address in network for network in _SPECIAL)
    return address.is_global and not special


async def _body(response: httpx2.Response, least_every_s: float, into: Incoming) -> None:
    if response.status_code != 200:
        raise _not_now(
            f"The picture's link returned {response.status_code}", failures.retry_after(dict(response.headers))
        )
    received, chunks = 0, response.aiter_raw()
    while True:
        enough = received + LEAST_BYTES
        with anyio.fail_after(least_every_s):
            while received < enough:
                chunk = await anext(chunks, None)
                if chunk is None:
                    return
                received += len(chunk)
                if received > MAX_PICTURE:
                    raise _too_large(response.request.headers["host"])
                await into.take(chunk)


def _too_large(host: str) -> NotAnImage:
    return NotAnImage(
        f"What came from {host} is larger than {MAX_PICTURE // 2**20} MiB.",
        next_step="Darkroom does not fetch it again. Open the picture in the provider's own gallery.",
        charged=Charged.YES,
    )


def _not_now(what: str, retry_after: float | None = None) -> ResultUnavailable:
    return ResultUnavailable(f"{what}.", next_step=_RETRY, charged=Charged.YES, passing=True, retry_after=retry_after)


def _no_link(scheme: str, kind: str) -> ResultUnavailable:
    what = f"a {scheme}: URL" + (f" ({kind})" if re.fullmatch(r"[a-z0-9.+-]+/[a-z0-9.+-]+", kind) else "")
    return ResultUnavailable(
        f"The provider gave {what} in place of a link, which Darkroom does not take.",
        next_step="Darkroom does not ask for it again, since it would be the same. Open the picture in the provider's "
        "own gallery.",
        charged=Charged.YES,
        final=True,
    )


def _unavailable(what: str) -> ResultUnavailable:
    return ResultUnavailable(f"{what}.", next_step=_RETRY, charged=Charged.YES)


def _not_plain() -> ResultUnavailable:
    return _unavailable("The picture's link is not a plain https link")
