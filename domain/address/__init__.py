"""Postal addresses: their validation, and customers' address books."""

from domain.address.book import ADDRESSES_LIMIT, remove_address, save_address
from domain.address.geocoding import write_address
from domain.address.located import keep_coordinates
from domain.address.parts import PostalAddress
from domain.address.postal import PART_LIMIT, normalize_address, postal_address_of
from domain.address.windows import check_window, windows_within

__all__ = [
    "ADDRESSES_LIMIT",
    "PART_LIMIT",
    "PostalAddress",
    "check_window",
    "keep_coordinates",
    "normalize_address",
    "postal_address_of",
    "remove_address",
    "save_address",
    "windows_within",
    "write_address",
]
