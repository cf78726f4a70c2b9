"""Stock levels and movements: adjusting and listing them."""

from collections.abc import Sequence

import strawberry

from domain.errors import Invalid
from domain.stock import adjust_stock, set_bin_places, transfer_stock
from loaders.page import FIRST_PAGE, Page, PageRequest
from loaders.stock import NEWEST_MOVEMENT, select_movements
from models import MovementKind, StockLevel, StockMovement
from resolvers.context import Info
from resolvers.ids import row_id, row_id_or_zero
from resolvers.inputs.stock import BinPlaceInput, MovementFilter
from resolvers.paging import query_page


async def stock_adjust(
    info: Info,
    variant_id: strawberry.ID,
    warehouse_id: strawberry.ID,
    kind: MovementKind,
    quantity: int,
    reason: str,
    to_warehouse_id: strawberry.ID | None = None,
) -> StockLevel:
    """Receives units, corrects a count, writes off damaged units, or transfers units to another warehouse.

    variant_id: the variant
    warehouse_id: the warehouse whose level is changed
    kind: RECEIVED, CORRECTED, DAMAGED or TRANSFERRED; the others follow from orders
    quantity: how many units; for CORRECTED the difference, which may be negative
    reason: why, for readers of the movements
    to_warehouse_id: where TRANSFERRED units go
    """
    variant = row_id_or_zero(variant_id, "Variant")
    warehouse = row_id_or_zero(warehouse_id, "Warehouse")
    if to_warehouse_id is not None and kind is not MovementKind.TRANSFERRED:
        raise Invalid("Only TRANSFERRED units go to another warehouse.", field=("to_warehouse_id",))
    async with info.context.transaction() as session:
        if kind is not MovementKind.TRANSFERRED:
            return await adjust_stock(
                session,
                variant_id=variant,
                warehouse_id=warehouse,
                kind=kind,
                quantity=quantity,
                reason=reason,
                cause=info.context.cause,
            )
        return await transfer_stock(
            session,
            variant_id=variant,
            warehouse_id=warehouse,
            to_warehouse_id=row_id_or_zero(to_warehouse_id or "", "Warehouse"),
            quantity=quantity,
            reason=reason,
            cause=info.context.cause,
        )


async def bin_places_set(
    info: Info, warehouse_id: strawberry.ID, places: list[BinPlaceInput]
) -> Sequence[StockLevel]:
    """Says where variants lie in a warehouse, in whose order pick lists are written; all of them or none.

    warehouse_id: the warehouse
    places: where which variant lies
    """
    warehouse = row_id(warehouse_id, "Warehouse", field=("warehouse_id",))
    named = [each.bin_place(("places", index)) for index, each in enumerate(places)]
    async with info.context.transaction() as session:
        return await set_bin_places(session, warehouse, named)


async def stock_movements(
    info: Info, filter: MovementFilter | None = None, page: PageRequest = FIRST_PAGE
) -> Page[StockMovement]:
    """Changes of stock, the newest first.

    filter: which; all of them when left out
    """
    filters = filter or MovementFilter()
    ids = {
        "variant_id": (filters.variant_id, "Variant"),
        "warehouse_id": (filters.warehouse_id, "Warehouse"),
        "order_id": (filters.order_id, "Order"),
    }
    statement = select_movements(
        **{
            name: row_id(id, type_name, field=("filter", name)) for name, (id, type_name) in ids.items() if id
        },
        kinds=filters.kinds,
        moved_from=filters.moved_from,
        moved_before=filters.moved_before,
    )
    return await query_page(info, statement, NEWEST_MOVEMENT, page)
