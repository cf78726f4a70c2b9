"""Stock: nothing is sold twice, and every number has its reasons."""

from domain.stock.change import FREED, STOCK_LIMIT, Allocation, Cause, Effect, Place
from domain.stock.clerks import adjust, transfer
from domain.stock.counting import levels, set_levels
from domain.stock.moving import release, release_all, reserve, ship, take_back
from domain.stock.reserving import Reservation, lock_levels, reserve_all
from domain.stock.threshold import set_threshold
from domain.stock.warehouse import (
    CODE_LIMIT,
    WarehouseDraft,
    main_warehouse,
    save_warehouse,
    warehouses,
)

__all__ = [
    "CODE_LIMIT",
    "FREED",
    "STOCK_LIMIT",
    "Allocation",
    "Cause",
    "Effect",
    "Place",
    "Reservation",
    "WarehouseDraft",
    "adjust",
    "levels",
    "lock_levels",
    "main_warehouse",
    "release",
    "release_all",
    "reserve",
    "reserve_all",
    "save_warehouse",
    "set_levels",
    "set_threshold",
    "ship",
    "take_back",
    "transfer",
    "warehouses",
]
