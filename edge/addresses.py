"""Whose address a request comes from: the peer's, or the client's where trusted proxies stand between."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from itertools import islice

from starlette.types import Scope

from settings import Settings
from settings.proxies import Network, ProxyHeader

IPV6_PREFIX_BITS = 64
"""What a subscriber gets at the least: all addresses of one such network count as one."""

HOPS_LIMIT = 20
"""Addresses read from the end of a header; those before it are ignored."""

ADDRESS_LENGTH = 100
"""Characters read of one address, its port included."""

HEADER_LIMIT = 4_000
"""Characters read from the end of a header."""

CACHED_ADDRESSES = 10_000
"""Addresses that are parsed once: each request asks for its own several times."""

UNKNOWN = "unknown"
"""The address of a peer that has none, such as a UNIX socket."""

ELEMENT = re.compile(r'(?:[^,"]|"[^"]*")+')
"""An element of a `Forwarded` header; a quoted text may hold commas."""
NODE = re.compile(r'(?:^|;)\s*for\s*=\s*(?:"([^"]*)"|([^;"\s]*))', re.IGNORECASE)
"""The parameter `for` of an element (RFC 7239, 5.2)."""
WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](?::\w+)?|(?P<v4>[\d.]+):\w+")
"""An IPv6 address in brackets or an IPv4 address with a port, which may be obfuscated (RFC 7239, 6)."""

Address = IPv4Address | IPv6Address


def client_address(scope: Scope, settings: Settings) -> str:
    """The address to count a request by: IPv4, or an IPv6 network such as "2001:db8::/64", or UNKNOWN.

    It is the peer's. Where the peer is a trusted proxy, it is the right-most address in the proxies' header
    that is not one of theirs; what stands left of it was written by the client, who may write anything. An
    address that cannot be read ends the search at the last proxy.
    """
    peer = parse_address((scope.get("client") or ("",))[0])
    if peer is None:
        return UNKNOWN
    trusted = settings.proxies.trusted
    if not trusted or not is_trusted(peer, trusted):
        return group_address(peer)
    client = peer
    for hop in read_hops(scope, settings.proxies.header):
        address = parse_address(hop[:ADDRESS_LENGTH])
        if address is None:
            break
        client = address
        if not is_trusted(address, trusted):
            break
    return group_address(client)


@lru_cache(CACHED_ADDRESSES)
def group_address(address: Address) -> str:
    """The address as text, an IPv6 address by its network of IPV6_PREFIX_BITS."""
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((int(address), IPV6_PREFIX_BITS), strict=False))


@lru_cache(CACHED_ADDRESSES)
def parse_address(text: str) -> Address | None:
    """An address with or without a port, without its zone; None for any other text.

    An IPv4 address that is mapped into IPv6 (RFC 4291, 2.5.5.2) is the IPv4 address.
    """
    text = text.strip()
    if match := WITH_PORT.fullmatch(text):
        text = match["v6"] or match["v4"] or ""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_trusted(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def read_hops(scope: Scope, header: ProxyHeader) -> Iterator[str]:
    """Yield what the proxies have written, the nearest first, at most HOPS_LIMIT."""
    name = header.value.encode()
    lines = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    text = ",".join(lines)[-HEADER_LIMIT:]
    if header is ProxyHeader.X_FORWARDED_FOR:
        yield from reversed(text.split(",")[-HOPS_LIMIT:])
        return
    # Read from its end, so that no quote of the client's can swallow what a proxy has added.
    for match in islice(ELEMENT.finditer(text[::-1]), HOPS_LIMIT):
        node = NODE.search(match[0][::-1].strip())
        yield (node[1] or node[2] or "") if node else ""
