"""Stock: how each field is answered."""

from resolvers.stock.availability import (
    Availability,
    AvailabilityLevel,
    NearbyAvailability,
    availability_near,
    product_availability,
    variant_availability,
    variant_stock,
)
from resolvers.stock.clerks import (
    LowStockLine,
    category_path,
    find_warehouse,
    low_stock_at,
    low_stock_list,
    stock_adjust,
    stock_movements,
    stock_threshold_set,
    warehouse_save,
    warehouses,
)

__all__ = [
    "Availability",
    "AvailabilityLevel",
    "LowStockLine",
    "NearbyAvailability",
    "availability_near",
    "category_path",
    "find_warehouse",
    "low_stock_at",
    "low_stock_list",
    "product_availability",
    "stock_adjust",
    "stock_movements",
    "stock_threshold_set",
    "variant_availability",
    "variant_stock",
    "warehouse_save",
    "warehouses",
]
