"""What clerks do to stock: receive, correct, write off, send to another warehouse; always with a reason."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Invalid, NotFound
from domain.stock.change import (
    ADD,
    ARRIVE,
    DAMAGE,
    RECEIVE,
    REMOVE,
    SEND,
    Allocation,
    Cause,
    Effect,
    change,
)
from domain.visible import visible
from models import MovementKind, StockLevel, Variant, Warehouse

REASON_LIMIT = 500


async def adjust(
    session: AsyncSession,
    *,
    variant_id: int,
    warehouse_id: int,
    kind: MovementKind,
    quantity: int,
    reason: str,
    now: datetime,
    by: int | None,
) -> StockLevel:
    """Receive, correct (`quantity` is the difference and may be negative) or write off damaged units."""
    cause = Cause(now, by, reason=reason_of(reason))
    effect = clerks_effect(kind, quantity)
    await known(session, variant_id, [warehouse_id])
    await change(session, [Allocation(variant_id, warehouse_id, abs(quantity))], effect, cause)
    return await level_of(session, variant_id, warehouse_id)


async def transfer(
    session: AsyncSession,
    *,
    variant_id: int,
    warehouse_id: int,
    to_warehouse_id: int,
    quantity: int,
    reason: str,
    now: datetime,
    by: int | None,
) -> StockLevel:
    """Move units from one warehouse to another; returns the level they left."""
    if to_warehouse_id == warehouse_id:
        raise Invalid("Goods are transferred between two warehouses.", field=("to_warehouse_id",))
    cause = Cause(now, by, reason=reason_of(reason))
    await known(session, variant_id, [warehouse_id, to_warehouse_id])
    moves = [
        (Allocation(variant_id, warehouse_id, quantity), SEND),
        (Allocation(variant_id, to_warehouse_id, quantity), ARRIVE),
    ]
    for want, effect in sorted(moves, key=lambda move: move[0].place):
        await change(session, [want], effect, cause)
    return await level_of(session, variant_id, warehouse_id)


def clerks_effect(kind: MovementKind, quantity: int) -> Effect:
    match kind:
        case MovementKind.RECEIVED if quantity > 0:
            return RECEIVE
        case MovementKind.DAMAGED if quantity > 0:
            return DAMAGE
        case MovementKind.CORRECTED if quantity:
            return ADD if quantity > 0 else REMOVE
        case MovementKind.RECEIVED | MovementKind.DAMAGED | MovementKind.CORRECTED:
            raise Invalid("Nothing would change: give a quantity above 0.", field=("quantity",))
    raise Invalid(f"{kind.value.capitalize()} stock follows from orders, not by hand.", field=("kind",))


def reason_of(reason: str) -> str:
    said = visible(reason)
    if not 1 <= len(said) <= REASON_LIMIT:
        raise Invalid(f"Say why, in at most {REASON_LIMIT} characters.", field=("reason",))
    return said


async def known(session: AsyncSession, variant_id: int, warehouse_ids: Sequence[int]) -> None:
    if await session.get(Variant, variant_id) is None:
        raise NotFound("variant", field=("variant_id",))
    for field, warehouse_id in zip(("warehouse_id", "to_warehouse_id"), warehouse_ids, strict=False):
        if await session.get(Warehouse, warehouse_id) is None:
            raise NotFound("warehouse", field=(field,))


async def level_of(session: AsyncSession, variant_id: int, warehouse_id: int) -> StockLevel:
    return await session.get_one(StockLevel, (variant_id, warehouse_id), populate_existing=True)
