"""Stock: how each field is answered."""

from domain.stock import OpeningHours, Weekday
from loaders.stock import LowStock
from resolvers.stock.availability import (
    Availability,
    AvailabilityLevel,
    NearbyAvailability,
    availability_near,
    product_availability,
    variant_availability,
    variant_stock,
)
from resolvers.stock.low_stock import category_path, low_stock, low_stock_at, stock_threshold_set
from resolvers.stock.movements import bin_places_set, stock_adjust, stock_movements
from resolvers.stock.warehouses import (
    find_warehouse,
    pickup_hours,
    warehouse_remove,
    warehouse_restore,
    warehouse_save,
    warehouses,
)

__all__ = [
    "Availability",
    "AvailabilityLevel",
    "LowStock",
    "NearbyAvailability",
    "OpeningHours",
    "Weekday",
    "availability_near",
    "bin_places_set",
    "category_path",
    "find_warehouse",
    "low_stock",
    "low_stock_at",
    "pickup_hours",
    "product_availability",
    "stock_adjust",
    "stock_movements",
    "stock_threshold_set",
    "variant_availability",
    "variant_stock",
    "warehouse_remove",
    "warehouse_restore",
    "warehouse_save",
    "warehouses",
]
