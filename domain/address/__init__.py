"""Postal addresses: their validation, and customers' address books."""

from domain.address.book import ADDRESSES_LIMIT, remove_address, save_address
from domain.address.parts import PostalAddress
from domain.address.postal import PART_LIMIT, normalize_address, postal_address_of

__all__ = [
    "ADDRESSES_LIMIT",
    "PART_LIMIT",
    "PostalAddress",
    "normalize_address",
    "postal_address_of",
    "remove_address",
    "save_address",
]
