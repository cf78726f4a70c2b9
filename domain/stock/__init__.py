"""Stock: warehouses, stock levels and the movements that change them."""

from domain.stock.adjustment import adjust_stock, transfer_stock
from domain.stock.backorder import (
    LineAllocation,
    count_waiting_units,
    insert_backorders,
    release_line_units,
    release_reservations,
    reserve_line_units,
    select_filled_backorders,
    take_filled_units,
)
from domain.stock.bin_place import BinPlace, set_bin_places, sort_key_of_place
from domain.stock.counting import levels_by_variant, set_levels
from domain.stock.fulfilment import (
    release_stock,
    reserve_stock,
    return_stock,
    ship_stock,
)
from domain.stock.location import point_of_place, point_of_warehouse
from domain.stock.movement import (
    FREED_VARIANTS,
    STOCK_LIMIT,
    Allocation,
    LevelKey,
    MovementCause,
    MovementEffect,
)
from domain.stock.pickup_hours import OpeningHours, Weekday
from domain.stock.reservation import Reservation, lock_levels, reserve_for_orders
from domain.stock.threshold import set_low_stock_threshold
from domain.stock.warehouse import (
    CODE_LIMIT,
    WarehouseDraft,
    ensure_main_warehouse,
    ensure_warehouses,
    save_warehouse,
)
from domain.stock.warehouse_removal import remove_warehouse, restore_warehouse

__all__ = [
    "CODE_LIMIT",
    "FREED_VARIANTS",
    "STOCK_LIMIT",
    "Allocation",
    "BinPlace",
    "LevelKey",
    "LineAllocation",
    "MovementCause",
    "MovementEffect",
    "OpeningHours",
    "Reservation",
    "WarehouseDraft",
    "Weekday",
    "adjust_stock",
    "count_waiting_units",
    "ensure_main_warehouse",
    "ensure_warehouses",
    "insert_backorders",
    "levels_by_variant",
    "lock_levels",
    "point_of_place",
    "point_of_warehouse",
    "release_line_units",
    "release_reservations",
    "release_stock",
    "remove_warehouse",
    "reserve_for_orders",
    "reserve_line_units",
    "reserve_stock",
    "restore_warehouse",
    "return_stock",
    "save_warehouse",
    "select_filled_backorders",
    "set_bin_places",
    "set_levels",
    "set_low_stock_threshold",
    "ship_stock",
    "sort_key_of_place",
    "take_filled_units",
    "transfer_stock",
]
