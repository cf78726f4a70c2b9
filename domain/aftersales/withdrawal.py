"""Withdrawing units of an order that are not packed yet."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.rules import ClaimedUnits
from domain.cause import Cause
from domain.errors import WrongState
from domain.promotion import CancelledUnits, release_promotion_units
from domain.shipment import refresh_fulfilment
from domain.stock import Allocation, release_stock
from models import Delivery, DeliveryLine, Order, OrderLine


class AlreadyPacked(WrongState):
    """Units that were to be withdrawn have been packed meanwhile."""

    def __init__(self) -> None:
        super().__init__("Some of it has been packed or sent meanwhile; return it when it has arrived.")


async def withdraw_units(
    session: AsyncSession, order: Order, lines: Sequence[ClaimedUnits], *, cause: Cause
) -> None:
    """Take units out of their deliveries and release their stock.

    What of them was sold in a flash sale can be sold in it again. Raises AlreadyPacked when some
    are packed already.
    """
    ids = [line.order_line_id for line in lines]
    totals, unpacked = await count_unwithdrawn(session, ids), await lock_unpacked_lines(session, ids)
    released, cancelled = [], []
    for line in lines:
        left = line.quantity
        variant_id = (await session.get_one(OrderLine, line.order_line_id)).variant_id
        for delivery_line in unpacked[line.order_line_id]:
            units = min(left, delivery_line.quantity - delivery_line.packed)
            await remove_units(session, delivery_line, units)
            if units and delivery_line.reserved:
                released.append(Allocation(variant_id, delivery_line.warehouse_id, units))
            left -= units
        if left:
            raise AlreadyPacked
        cancelled.append(CancelledUnits(variant_id, units=line.quantity, out_of=totals[line.order_line_id]))
    await session.flush()
    await release_stock(session, released, order_id=order.id, cause=cause)
    await release_promotion_units(session, order.id, cancelled, now=cause.now)
    await refresh_fulfilment(session, order, cause=cause)


async def count_unwithdrawn(session: AsyncSession, order_line_ids: Sequence[int]) -> Mapping[int, int]:
    """Units of each line that were not withdrawn, sent or not."""
    rows = await session.execute(
        select(DeliveryLine.order_line_id, func.sum(DeliveryLine.quantity))
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(DeliveryLine.order_line_id.in_(order_line_ids), Delivery.ticket_id.is_(None))
        .group_by(DeliveryLine.order_line_id)
    )
    return {line_id: int(quantity) for line_id, quantity in rows}


async def lock_unpacked_lines(
    session: AsyncSession, order_line_ids: Sequence[int]
) -> Mapping[int, Sequence[DeliveryLine]]:
    """The delivery lines of each order line that are not packed completely, the last delivery's first."""
    found: defaultdict[int, list[DeliveryLine]] = defaultdict(list)
    rows = await session.scalars(
        select(DeliveryLine)
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(
            DeliveryLine.order_line_id.in_(order_line_ids),
            DeliveryLine.packed < DeliveryLine.quantity,
            Delivery.ticket_id.is_(None),
        )
        .order_by(Delivery.position.desc(), DeliveryLine.id.desc())
        .with_for_update(of=DeliveryLine)
        .execution_options(populate_existing=True)
    )
    for row in rows:
        found[row.order_line_id].append(row)
    return found


async def remove_units(session: AsyncSession, line: DeliveryLine, units: int) -> None:
    """Take units off a delivery line; one without units is deleted."""
    if units == line.quantity:
        await session.delete(line)
    else:
        line.quantity -= units
