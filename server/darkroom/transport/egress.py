"""The way out for picture fetches: where they may go, and how much may come back."""

import ipaddress
import socket
from dataclasses import dataclass, field
from urllib.request import getproxies, proxy_bypass

import anyio
import httpx2

from darkroom.errors import DarkroomError, NotAnImage, ResultUnavailable
from darkroom.models import Charged
from darkroom.transport.client import READ_TIMEOUT, Http

MAX_PICTURE = 64 * 1024 * 1024
MAX_HOPS = 3
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
DEADLINE_S = 120.0
_RETRY = "Call get_status later: Darkroom then fetches this picture again, at no cost."


@dataclass(frozen=True)
class Pictures:
    """Fetches pictures by the URLs a provider gave: without key, cookies or referrer, over a fresh connection.

    `own_origin` is the provider's configured base URL: the only place that may be plain http or a private address,
    since the user named it.
    """

    http: Http
    own_origin: str = field(repr=False)

    async def fetch(self, url: str) -> bytes:
        """The body behind `url`, at most 64 MiB, through at most three redirects.

        Raises:
            ResultUnavailable: it cannot be had now, or lies where we do not go.
            NotAnImage: it is larger than any picture that we accept.
        """
        try:
            with anyio.fail_after(DEADLINE_S):
                return await self._follow(httpx2.URL(url))
        except DarkroomError:
            raise
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
            raise _unavailable(f"The picture did not arrive whole ({type(error).__name__})") from error

    async def _follow(self, url: httpx2.URL) -> bytes:
        for _ in range(MAX_HOPS + 1):
            response = await self._open(url)
            try:
                if response.has_redirect_location:
                    url = url.join(response.headers["location"])
                    continue
                return await _body(response)
            finally:
                with anyio.CancelScope(shield=True):
                    await response.aclose()
        raise _unavailable(f"The picture's link redirects more than {MAX_HOPS} times")

    async def _open(self, url: httpx2.URL) -> httpx2.Response:
        if url.userinfo or not url.host:
            raise _unavailable("The picture's link is not a plain https link")
        target, host = url, None
        if _origin(url) != _origin(httpx2.URL(self.own_origin)):
            if url.scheme != "https":
                raise _unavailable("The picture's link is not a plain https link")
            # A proxy resolves names itself, by its own rules; an address in the link we can judge in any case.
            if not _proxied(url) or _is_address(url.host):
                target, host = await _pinned(url)
        request = self.http.fresh.build_request("GET", target, timeout=READ_TIMEOUT)
        if host is not None:
            request.headers["Host"] = url.netloc.decode("ascii")
            request.extensions = {**request.extensions, "sni_hostname": host}
        return await self.http.fresh.send(request, stream=True, auth=None)


def _origin(url: httpx2.URL) -> tuple[str, str, int]:
    port = url.port or {"http": 80, "https": 443}.get(url.scheme, 0)
    return url.scheme, url.host.lower(), port


def _proxied(url: httpx2.URL) -> bool:
    proxies = getproxies()
    return bool(proxies.get(url.scheme) or proxies.get("all")) and not proxy_bypass(url.host)


async def _pinned(url: httpx2.URL) -> tuple[httpx2.URL, str]:
    """The URL with its name resolved once, to an address that is public; and the name, for TLS to verify."""
    host = url.host
    found = await anyio.getaddrinfo(host, url.port or 443, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    if not addresses or not all(_is_public(ipaddress.ip_address(address)) for address in addresses):
        raise _unavailable("The picture's link leads to a private address")
    return url.copy_with(host=addresses[0]), host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return True
    # An IPv6 address may carry an IPv4 one to which a gateway would lead us.
    carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        carried.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return all(inner is None or inner.is_global for inner in carried)


async def _body(response: httpx2.Response) -> bytes:
    if response.status_code != 200:
        raise _unavailable(f"The picture's link answered {response.status_code}")
    received = bytearray()
    async for chunk in response.aiter_raw():
        received += chunk
        if len(received) > MAX_PICTURE:
            raise NotAnImage(
                f"What came is larger than {MAX_PICTURE // 2**20} MiB.",
                next_step="Open the picture in the provider's own gallery.",
                charged=Charged.YES,
            )
    return bytes(received)


def _unavailable(what: str) -> ResultUnavailable:
    return ResultUnavailable(f"{what}.", next_step=_RETRY, charged=Charged.YES)
