"""Senders who have proved nothing: how many of their messages are taken in at the same time, per address and in all.

Nobody is shut out by whoever sends slowly: where there is no place left, the sender who has been sending longest gives
way, and whoever sends a message in one piece passes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from aiohttp import web

from gateway.surface.http.requests import body_bytes
from gateway.values.errors import TooManyCalls

MOST_OF_ADDRESS: Final = 16
"""Messages of one address that nobody has proved; half of what a connection takes in, so that no address fills one."""
MOST: Final = 256
"""Such messages in all."""
BUSY_SECONDS: Final = 1.0
"""When whoever finds no place shall come again."""
_NETWORK: Final = 64
"""Bits of an IPv6 address that tell one subscriber from another (RFC 6177): the rest a stranger chooses."""


class Place:
    """A message under way whose sender is not known. Only while its body is read can it be made to give way."""

    __slots__ = ("_wait", "address")

    def __init__(self, address: str) -> None:
        self.address = address
        self._wait: asyncio.Timeout | None = None

    @property
    def reading(self) -> bool:
        """Whether its body is being read."""
        return self._wait is not None and not self._wait.expired()

    def give_way(self) -> None:
        """End the reading of its body; without effect where none is read."""
        if self._wait is not None and self.reading:
            self._wait.reschedule(asyncio.get_running_loop().time())

    async def read(self, request: web.Request, seconds: float) -> bytes:
        """Read the body as `body_bytes` does; raises TooManyCalls as well, when it was made to give way."""
        try:
            async with asyncio.timeout(None) as self._wait:
                return await body_bytes(request, seconds)
        except TimeoutError:
            raise _busy() from None
        finally:
            self._wait = None


class AnonymousSenders:
    """The places there are. One event loop's."""

    def __init__(self, most_of_address: int = MOST_OF_ADDRESS, most: int = MOST) -> None:
        self._bounds = most_of_address, most
        self._places: dict[Place, None] = {}

    @contextmanager
    def place(self, remote: str | None) -> Iterator[Place]:
        """Hold a place for a sender at this address; raises TooManyCalls when none is left and nobody can give way."""
        place = Place(network_of(remote))
        same = [one for one in self._places if one.address == place.address]
        most_of_address, most = self._bounds
        if len(same) >= most_of_address:
            self._free(same)
        elif len(self._places) >= most:
            self._free(list(self._places))
        self._places[place] = None
        try:
            yield place
        finally:
            self._places.pop(place, None)

    def _free(self, places: list[Place]) -> None:
        oldest = next((one for one in places if one.reading), None)
        if oldest is None:
            raise _busy()
        del self._places[oldest]
        oldest.give_way()


def network_of(remote: str | None) -> str:
    """Give what senders are told apart by: an IPv4 address, or the network of an IPv6 one; empty for an unknown one."""
    try:
        address = ip_address((remote or "").partition("%")[0])
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, _NETWORK), strict=False))


def _busy() -> TooManyCalls:
    return TooManyCalls("Too many messages at the same time.", retry_after=BUSY_SECONDS)
