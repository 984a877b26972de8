"""Callers: by whose name a call counts, and how much one caller may ask for."""

from __future__ import annotations

import re
import time
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_network
from urllib.parse import unquote

from musicvae.errors import BusyError

_PEER = re.compile(r"ipv([46]):(.*):[0-9]+")
_NETWORK_BITS = 64
_MOST_CALLERS = 10_000
_BURST_S = 1.0
"""Calls of so many seconds may come at once."""


def host_of(peer: str) -> str:
    """The host of a peer as gRPC writes it; of IPv6 the network, as one caller has all of it.

    >>> host_of("ipv4:10.0.0.7:4711"), host_of("ipv6:%5B2001:db8::1%5D:4711"), host_of("unix:")
    ('10.0.0.7', '2001:db8::/64', 'unix:')
    """
    found = _PEER.fullmatch(unquote(peer))
    if found is None:
        return peer
    host = found[2].strip("[]")
    if found[1] == "4":
        return host
    address = IPv6Address(host.partition("%")[0])
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address, _NETWORK_BITS), strict=False))


class Callers:
    """Bounds the calls of each caller.

    Args:
        most: The calls of one caller at the same time.
        rate: The calls of one caller a second, over time; 0 for no limit.
    """

    def __init__(self, most: int, rate: float) -> None:
        self._most, self._rate = most, rate
        self._open: Counter[str] = Counter()
        self._due_s: OrderedDict[str, float] = OrderedDict()
        """When a caller has used up its rate: the callers whose last call is longest ago first."""

    @contextmanager
    def take(self, caller: str) -> Iterator[None]:
        """Counts a call of a caller for as long as it lasts.

        Raises:
            BusyError: If the caller has too many calls, now or in the last seconds.
        """
        if self._open[caller] >= self._most:
            raise BusyError(
                f"{self._open[caller]} calls of one caller",
                expected=f"at most {self._most} at the same time",
                action="Wait for an answer before the next call.",
            )
        self._check_rate(caller)
        self._open[caller] += 1
        try:
            yield
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]

    def _check_rate(self, caller: str) -> None:
        # The generic cell rate algorithm of ATM networks: one number for each caller.
        if not self._rate:
            return
        now_s = time.monotonic()
        due_s = max(self._due_s.pop(caller, 0.0), now_s)
        early_s = due_s - now_s - _BURST_S
        if early_s <= 0:
            due_s += 1 / self._rate
        self._due_s[caller] = due_s
        if len(self._due_s) > _MOST_CALLERS:
            self._due_s.popitem(last=False)
        if early_s > 0:
            raise BusyError(
                f"more than {self._rate:g} calls a second of one caller",
                expected=f"at most {self._rate:g}",
                action="Call more slowly.",
                retry_s=early_s,
            )
