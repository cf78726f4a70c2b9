"""Which addresses of hosts the shop may connect to on behalf of what somebody has typed or imported."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

HostAddress = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[HostAddress]]]
"""The addresses of a host; OSError where none is known."""

TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as networks of IPv6 only see them (RFC 6052)."""
LOW_32_BITS = 0xFFFFFFFF
GLOBAL_UNICAST = IPv6Network("2000::/3")
NOT_ASKED = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("168.63.129.16/32"),
    IPv6Network("2001::/23"),
    IPv6Network("2002::/16"),
    IPv6Network("3fff::/20"),
)
"""What not every version of Python calls private: protocols of the IETF, among them the metadata of Oracle's
cloud; tunnels with another address inside; examples; a public number that Azure's own machines answer."""


def is_public(address: HostAddress) -> bool:
    """Whether an address is of the public internet: not private, local, reserved or of a cloud's metadata."""
    if isinstance(address, IPv6Address):
        if address in TRANSLATED:
            return is_public(IPv4Address(int(address) & LOW_32_BITS))
        if address not in GLOBAL_UNICAST:
            return False
    is_listed = any(address in network for network in NOT_ASKED if network.version == address.version)
    return address.is_global and not address.is_multicast and not is_listed


async def resolve_host(host: str, port: int) -> Sequence[HostAddress]:
    """Ask the resolver of the machine."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(str(place[0]).partition("%")[0]) for *_, place in found]
