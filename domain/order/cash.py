"""Cash on delivery: what is to be collected for each parcel; together exactly the cash of the order."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.money import apportion
from models import (
    OFFLINE_METHODS,
    Delivery,
    DeliveryLine,
    Order,
    OrderLine,
    Payment,
    PaymentStatus,
    Shipment,
    ShipmentEnding,
    ShipmentLine,
    ShippingMethod,
)


@dataclass(slots=True)
class CashGroup:
    """Units for which cash is collected together, and what they and their delivery cost, in minor units."""

    goods: int = 0
    fee: int = 0
    units: int = 0

    @property
    def cost(self) -> int:
        return self.goods + self.fee


def share_cash(amount: int, groups: Sequence[CashGroup]) -> list[int]:
    """An amount in proportion to what groups cost, or to their units where nothing costs anything."""
    weights = [group.cost for group in groups]
    if not any(weights):
        weights = [group.units for group in groups]
    return apportion(amount, weights) if any(weights) else [0] * len(groups)


def cost_of(line: OrderLine, units: int) -> int:
    """What units cost of what is left of their line, in minor units."""
    left = line.quantity - line.cancelled
    return (line.total.minor - line.cancelled_amount) * units // left if left else 0


async def find_cash_payments(session: AsyncSession, order: Order) -> Sequence[Payment]:
    """The payments of a locked order of which cash is still to be collected."""
    rows = await session.scalars(
        select(Payment)
        .where(Payment.order_id == order.id, Payment.method.in_(OFFLINE_METHODS))
        .where(Payment.status == PaymentStatus.PENDING)
        .order_by(Payment.position)
        .execution_options(populate_existing=True)
    )
    return rows.all()


async def sum_cash_under_way(session: AsyncSession, order: Order) -> int:
    """The cash that is fixed for parcels and not collected yet, in minor units."""
    total = await session.scalar(
        select(func.sum(Shipment.cash_amount)).where(
            Shipment.order_id == order.id,
            Shipment.cash_collected_at.is_(None),
            Shipment.ended_at.is_(None),
        )
    )
    return int(total or 0)


async def sum_cash_left(session: AsyncSession, order: Order) -> int:
    """The cash of a locked order that is not fixed for any parcel yet, in minor units."""
    await session.flush()
    payments = await find_cash_payments(session, order)
    collectable = sum(payment.amount - payment.captured_amount for payment in payments)
    return collectable - await sum_cash_under_way(session, order)


async def fix_cash(session: AsyncSession, order: Order, shipment: Shipment) -> int:
    """Fix what is to be collected for a parcel of a locked order, unless it is fixed; in minor units.

    It is the share of what its units cost in the cash that is not fixed yet: the fee of a delivery comes with
    its first parcel, and the last parcel brings the rest.
    """
    if shipment.cash_amount is not None:
        return shipment.cash_amount
    amount = await sum_cash_left(session, order)
    groups = (await load_cash_groups(session, [order.id])).get(order.id, {}) if amount else {}
    shipment.cash_amount = 0
    if rest := groups.get(shipment.delivery_id):
        own = await load_parcel_group(session, shipment, fee=rest.fee)
        rest.goods, rest.fee, rest.units = max(0, rest.goods - own.goods), 0, rest.units - own.units
        shipment.cash_amount = share_cash(amount, [own, *groups.values()])[0]
    await session.flush()
    return shipment.cash_amount


async def load_parcel_group(session: AsyncSession, shipment: Shipment, *, fee: int) -> CashGroup:
    group = CashGroup(fee=fee)
    rows = await session.execute(
        select(OrderLine, ShipmentLine.quantity)
        .join(ShipmentLine, ShipmentLine.order_line_id == OrderLine.id)
        .where(ShipmentLine.shipment_id == shipment.id)
    )
    for line, units in rows:
        group.goods += cost_of(line, units)
        group.units += units
    return group


async def share_cash_among_deliveries(session: AsyncSession, order_ids: Collection[int]) -> dict[int, int]:
    """What is still to be collected for each delivery of these orders, in minor units, by its id.

    What is fixed for parcels under way is theirs; the rest is shared as it is when the others leave.
    """
    payments = await session.execute(
        select(Payment.order_id, func.sum(Payment.amount - Payment.captured_amount))
        .where(Payment.order_id.in_(order_ids), Payment.method.in_(OFFLINE_METHODS))
        .where(Payment.status == PaymentStatus.PENDING)
        .group_by(Payment.order_id)
    )
    left = {order_id: int(amount) for order_id, amount in payments}
    fixed = await session.execute(
        select(Shipment.order_id, Shipment.delivery_id, func.sum(Shipment.cash_amount))
        .where(Shipment.order_id.in_(left), Shipment.cash_amount.is_not(None))
        .where(Shipment.cash_collected_at.is_(None), Shipment.ended_at.is_(None))
        .group_by(Shipment.order_id, Shipment.delivery_id)
    )
    due: dict[int, int] = {}
    for order_id, delivery_id, amount in fixed:
        due[delivery_id] = amount or 0
        left[order_id] -= amount or 0
    for order_id, groups in (await load_cash_groups(session, left)).items():
        shares = share_cash(left[order_id], list(groups.values()))
        for delivery_id, share in zip(groups, shares, strict=True):
            due[delivery_id] = due.get(delivery_id, 0) + share
    return due


async def load_cash_groups(
    session: AsyncSession, order_ids: Collection[int]
) -> dict[int, dict[int, CashGroup]]:
    """The units of each delivery for which no cash is fixed yet, by order and delivery, where there are any.

    Replacements count where nothing else is left: they are paid when they arrive, where what they replace was
    not. What goes back to a customer after an inspection costs nothing.
    """
    fixed = (
        select(func.sum(ShipmentLine.quantity))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(ShipmentLine.delivery_line_id == DeliveryLine.id)
        .where(or_(Shipment.cash_amount.is_not(None), Shipment.ended_at.is_not(None)))
        .where(Shipment.ending.is_distinct_from(ShipmentEnding.SENT_AGAIN))
        .scalar_subquery()
    )
    rows = await session.execute(
        select(Delivery, OrderLine, DeliveryLine.quantity, func.coalesce(fixed, 0))
        .join(DeliveryLine, DeliveryLine.delivery_id == Delivery.id)
        .join(OrderLine, OrderLine.id == DeliveryLine.order_line_id)
        .where(Delivery.order_id.in_(order_ids), Delivery.method != ShippingMethod.NONE)
        .where(~Delivery.sends_back)
        .order_by(Delivery.order_id, Delivery.position, DeliveryLine.id)
        .execution_options(populate_existing=True)
    )
    groups: defaultdict[int, dict[bool, dict[int, CashGroup]]] = defaultdict(lambda: {False: {}, True: {}})
    begun = set()
    for delivery, line, units, units_fixed in rows:
        if units_fixed:
            begun.add(delivery.id)
        group = groups[delivery.order_id][delivery.ticket_id is not None].setdefault(
            delivery.id, CashGroup(fee=delivery.total.minor)
        )
        group.goods += cost_of(line, units - units_fixed)
        group.units += units - units_fixed
    return {order_id: choose_groups(each[False], each[True], begun) for order_id, each in groups.items()}


def choose_groups(
    originals: Mapping[int, CashGroup], replacements: Mapping[int, CashGroup], begun: Collection[int]
) -> dict[int, CashGroup]:
    """The groups with units, without the fees of those of which a parcel has left."""
    found = {id: group for id, group in originals.items() if group.units}
    found = found or {id: group for id, group in replacements.items() if group.units}
    for delivery_id in found.keys() & set(begun):
        found[delivery_id].fee = 0
    return found


def split_reduction(payments: Sequence[Payment], amount: int, *, cash_under_way: int) -> list[int]:
    """How much of an amount is taken off each open payment: in proportion to what may still change of it.

    What was collected, or is to be for a parcel that has left, stays; the first cash payments hold it.
    """
    reducible = []
    for payment in payments:
        left = payment.amount - payment.captured_amount
        held = min(left, cash_under_way) if payment.method.collected_offline else 0
        cash_under_way -= held
        reducible.append(left - held)
    return apportion(amount, reducible)
