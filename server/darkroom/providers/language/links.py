"""Links that a service gave and that are asked with its key: judged each time, since the key goes where they lead."""

import httpx2

from darkroom.errors import ProviderError
from darkroom.providers.language.schema import Service
from darkroom.transport.egress import origin_of, plain_host


def judged(service: Service, base_url: str, link: str) -> str:
    """The link, if it leads to the base URL's own server, or over https to one of the hosts that the declaration names.

    Raises:
        ProviderError: it leads anywhere else, so the key is not sent.
    """
    try:
        url = httpx2.URL(link)
        allowed = not url.userinfo and (origin_of(url) == origin_of(httpx2.URL(base_url)) or _named(service, url))
    except Exception:  # links of others may break any parser in any way
        allowed = False
    if not allowed:
        raise ProviderError(
            f"{service.title} gave a link to a place that its declaration does not name, so the key is not sent there",
            next_step="Look in the service's own gallery; its declaration's hosts may have to name one more.",
        )
    return link


def _named(service: Service, url: httpx2.URL) -> bool:
    host = plain_host(url)
    return host is not None and url.port in {None, 443} and any(_matches(host, each) for each in service.hosts)


def _matches(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
