"""Which addresses may be called: the public internet, and the private networks the operator names. No I/O here.

A provider's URL comes from configuration, and the address behind its name from a DNS server nobody here controls.
Without this rule either could point the gateway at itself, at its neighbours or at a cloud's metadata service
(server-side request forgery).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

# `is_global` of Python 3.11 calls these public. No provider lives there, and several hold an IPv4 address inside,
# behind which a private one can hide.
_REFUSED: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "168.63.129.16/32",  # the host's own service address on Azure
        "192.0.0.0/24",  # IETF protocol assignments, RFC 6890
        "192.88.99.0/24",  # 6to4 relays, withdrawn by RFC 7526
        "224.0.0.0/4",  # multicast, RFC 5771
        "::/8",  # reserved, RFC 4291: IPv4-compatible, IPv4-translated, NAT64 (64:ff9b::/96, 64:ff9b:1::/48)
        "2002::/16",  # 6to4, holds an IPv4 address, RFC 3056
        "3fff::/20",  # documentation, RFC 9637
        "5f00::/16",  # segment routing, RFC 9602
        "fec0::/10",  # site-local, withdrawn by RFC 3879
        "ff00::/8",  # multicast, RFC 4291
    )
)


class AddressRefused(OSError):
    """An address lies in a network that may not be called.

    An OSError, so that a name with several addresses is still reached at one that may be called. The text is always
    the same and names no address, for it can end in a log.
    """

    def __init__(self) -> None:
        super().__init__("the address is in a network that may not be called")


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks written as `10.1.0.0/16`, `fd00::/8` or a single address.

    Raises ValueError when one is no network, or has bits set to the right of its prefix.
    """
    return tuple(ipaddress.ip_network(text) for text in texts)


def is_permitted(address: str, allow: Sequence[Network]) -> bool:
    """Tell whether `address` (numeric, IPv4 or IPv6) may be called: it is public, or in one of the networks of `allow`.

    An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is judged as the IPv4 address that the kernel would call.
    Raises ValueError when `address` is no address.
    """
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if any(found in network for network in allow):
        return True
    return found.is_global and not any(found in network for network in _REFUSED)
