"""Addresses: what one must say, and a customer's book of them."""

from domain.address.book import ADDRESSES_LIMIT, remove_address, save_address
from domain.address.postal import PART_LIMIT, Postal, checked, postal_of

__all__ = [
    "ADDRESSES_LIMIT",
    "PART_LIMIT",
    "Postal",
    "checked",
    "postal_of",
    "remove_address",
    "save_address",
]
