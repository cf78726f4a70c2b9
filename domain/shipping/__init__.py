"""Shipping zones and rates, and the fee of a delivery that follows from them."""

from domain.shipping.tariff import ANYWHERE, NotDeliverable, ShippingOption, Tariff, load_tariff
from domain.shipping.zones import (
    ShippingRateDraft,
    ShippingRegion,
    ShippingZoneDraft,
    normalize_region,
    remove_zone,
    save_zone,
)

__all__ = [
    "ANYWHERE",
    "NotDeliverable",
    "ShippingOption",
    "ShippingRateDraft",
    "ShippingRegion",
    "ShippingZoneDraft",
    "Tariff",
    "load_tariff",
    "normalize_region",
    "remove_zone",
    "save_zone",
]
