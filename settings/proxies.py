"""Which proxies stand before the shop, and how they tell a client's address."""

from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from settings.group import SettingsGroup

Network = IPv4Network | IPv6Network


def _parse_networks(value: object) -> object:
    """Read a text of networks that are separated by commas; an empty one has none."""
    if not isinstance(value, str):
        return value
    try:
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError:
        raise PydanticCustomError("networks", "networks such as 10.0.0.0/8,fd00::/8") from None


Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_parse_networks)]


class ProxyHeader(StrEnum):
    """A header in which proxies list the addresses that a request came through."""

    X_FORWARDED_FOR = "x-forwarded-for"
    FORWARDED = "forwarded"


class ProxySettings(SettingsGroup):
    trusted: Networks = Field(
        (),
        validation_alias="TRUSTED_PROXIES",
        description="networks of the proxies before the shop, such as 10.0.0.0/8,fd00::/8; none when not set",
    )
    header: ProxyHeader = Field(
        ProxyHeader.X_FORWARDED_FOR,
        validation_alias="PROXY_HEADER",
        description="the header they write a client's address into: x-forwarded-for or forwarded (RFC 7239)",
    )
