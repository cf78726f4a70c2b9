"""Changes of stock by hand, each with a reason: receiving, correcting, writing off, transferring."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Invalid, NotFound, WrongState, collect_refusals
from domain.stock.movement import (
    ADD,
    ARRIVE,
    DAMAGE,
    RECEIVE,
    REMOVE,
    SEND,
    Allocation,
    MovementCause,
    MovementEffect,
    insert_missing_levels,
    move_stock,
)
from domain.visible_text import visible_text
from models import MovementKind, StockLevel, Variant, Warehouse

REASON_LIMIT = 500


async def adjust_stock(
    session: AsyncSession,
    *,
    variant_id: int,
    warehouse_id: int,
    kind: MovementKind,
    quantity: int,
    reason: str,
    cause: Cause,
) -> StockLevel:
    """Receive, correct or write off units; returns the level. A correction may be negative."""
    with collect_refusals() as check:
        text = check.value(required_reason, "", reason)
        effect = check.value(effect_for, RECEIVE, kind, quantity)
        with check:
            await check_exists(session, variant_id, [warehouse_id])
    movement_cause = MovementCause(cause, reason=text)
    await move_stock(session, [Allocation(variant_id, warehouse_id, abs(quantity))], effect, movement_cause)
    return await read_level(session, variant_id, warehouse_id)


async def transfer_stock(
    session: AsyncSession,
    *,
    variant_id: int,
    warehouse_id: int,
    to_warehouse_id: int,
    quantity: int,
    reason: str,
    cause: Cause,
) -> StockLevel:
    """Move units to another warehouse; returns the level they left."""
    with collect_refusals() as check:
        if to_warehouse_id == warehouse_id:
            check.add(Invalid("Goods are transferred between two warehouses.", field=("to_warehouse_id",)))
        if quantity < 1:
            check.add(Invalid("Nothing would change: give a quantity above 0.", field=("quantity",)))
        text = check.value(required_reason, "", reason)
        with check:
            await check_exists(session, variant_id, [warehouse_id, to_warehouse_id])
    movement_cause = MovementCause(cause, reason=text)
    moves = [
        (Allocation(variant_id, warehouse_id, quantity), SEND),
        (Allocation(variant_id, to_warehouse_id, quantity), ARRIVE),
    ]
    await insert_missing_levels(session, [(variant_id, to_warehouse_id)])
    for allocation, effect in sorted(moves, key=lambda move: move[0].level_key):
        await move_stock(session, [allocation], effect, movement_cause)
    return await read_level(session, variant_id, warehouse_id)


def effect_for(kind: MovementKind, quantity: int) -> MovementEffect:
    """The effect of an adjustment; Invalid for kinds that only orders cause and quantities out of range."""
    match kind:
        case MovementKind.RECEIVED if quantity > 0:
            return RECEIVE
        case MovementKind.DAMAGED if quantity > 0:
            return DAMAGE
        case MovementKind.CORRECTED if quantity:
            return ADD if quantity > 0 else REMOVE
        case MovementKind.RECEIVED | MovementKind.DAMAGED | MovementKind.CORRECTED:
            raise Invalid("Nothing would change: give a quantity above 0.", field=("quantity",))
    raise Invalid("Movements of the kind {kind} follow from orders, not by hand.", kind=kind, field=("kind",))


def required_reason(reason: str) -> str:
    text = visible_text(reason)
    if not 1 <= len(text) <= REASON_LIMIT:
        raise Invalid("Say why, in at most {limit} characters.", limit=REASON_LIMIT, field=("reason",))
    return text


async def check_exists(session: AsyncSession, variant_id: int, warehouse_ids: Sequence[int]) -> None:
    with collect_refusals() as check:
        if await session.get(Variant, variant_id) is None:
            check.add(NotFound("variant", field=("variant_id",)))
        for field, warehouse_id in zip(("warehouse_id", "to_warehouse_id"), warehouse_ids, strict=False):
            # shared, so that nobody removes it before the units are in it
            warehouse = await session.get(
                Warehouse,
                warehouse_id,
                with_for_update={"read": True, "key_share": True},
                populate_existing=True,
            )
            if warehouse is None:
                check.add(NotFound("warehouse", field=(field,)))
            elif warehouse.archived_at is not None:
                check.add(WrongState("This warehouse is archived; restore it first.", field=(field,)))


async def read_level(session: AsyncSession, variant_id: int, warehouse_id: int) -> StockLevel:
    return await session.get_one(StockLevel, (variant_id, warehouse_id), populate_existing=True)
