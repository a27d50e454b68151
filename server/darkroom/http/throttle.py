"""Failed tokens of each address: after a few of them it has to wait."""

import hashlib
import ipaddress
import time
from collections import OrderedDict

FREE_TRIES = 10
"""Failures in a row that cost nothing."""
WINDOW_S = 60.0
"""Seconds after which an address may try again."""
REMEMBERED = 10_000
"""Addresses that are remembered, and tokens; of more, the oldest are forgotten."""


class Throttle:
    """Counts failures by address: of IPv6, by the network of one customer.

    A token that was good before is looked at nevertheless: others behind the same address are not to suffer.
    """

    def __init__(self) -> None:
        self._failures = OrderedDict[str, tuple[int, float]]()
        self._good = OrderedDict[bytes, None]()

    def wait_s(self, address: str, token: str) -> float:
        """Seconds until a token from this address is looked at; 0: now."""
        number, since = self._failures.get(_network(address), (0, 0.0))
        left = since + WINDOW_S - time.monotonic()
        return 0.0 if number < FREE_TRIES or left <= 0 or _digest(token) in self._good else left

    def failed(self, address: str) -> None:
        """A token from there was none."""
        network, now = _network(address), time.monotonic()
        number, since = self._failures.pop(network, (0, now))
        fresh = now - since >= WINDOW_S
        self._failures[network] = (1, now) if fresh else (number + 1, since)
        if len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, token: str) -> None:
        """This token was good."""
        self._good[_digest(token)] = None
        self._good.move_to_end(_digest(token))
        if len(self._good) > REMEMBERED:
            self._good.popitem(last=False)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


def _network(address: str) -> str:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address):
        return str(known.ipv4_mapped or ipaddress.IPv6Network((known, 64), strict=False))
    return address
