"""What it costs to send a delivery: zones and rates that clerks keep."""

from domain.shipping.tariff import ANYWHERE, NotDeliverable, ShippingOption, Tariff, load_tariff
from domain.shipping.zones import RateTerms, Region, ZoneTerms, remove_zone, save_zone

__all__ = [
    "ANYWHERE",
    "NotDeliverable",
    "RateTerms",
    "Region",
    "ShippingOption",
    "Tariff",
    "ZoneTerms",
    "load_tariff",
    "remove_zone",
    "save_zone",
]
